//! An [`Array`]: bytes that all see and change where they are.

use super::body::Body;
use super::halls;
use super::object::{self, Shared};
use super::shape::{Kind, Shape, Wish};
use super::site::Site;
use super::travel::{Travelling, refuse_to_come, refuse_to_go};
use crate::driver::Share;
use crate::error::Result;
use anyplace_sync::ground::Monitor;
use anyplace_sync::shm::hall;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Bytes that all see and change where they are, without a copy: [`Place::array`](crate::Place::array) makes it. Clones are
/// the same array.
///
/// In Rust they are seen as [words](Self::words), which are atomic. Nothing else orders who reads and who writes: whoever
/// shares an array agrees on that, with a lock for example.
///
/// ```
/// use std::sync::atomic::Ordering::Relaxed;
///
/// let place = anyplace::open("threads:4")?;
/// let squares = place.array("squares", 80)?;
/// let filled = squares.clone();
/// place.map(move |n: u64| filled.words()[n as usize].store(n * n, Relaxed), 0..10)?.for_each(drop);
/// assert_eq!(squares.words()[7].load(Relaxed), 49);
/// # Ok::<(), anyplace::Error>(())
/// ```
#[derive(Clone)]
pub struct Array(Arc<Lies>);

enum Lies {
    Here(Shared<Here>),
    Hall(Hall),
}

struct Hall {
    site: Arc<Site>,
    name: Arc<str>,
    array: hall::Array,
}

/// Bytes in the memory of one process.
struct Here {
    bytes: usize,
    words: Box<[AtomicU64]>,
}

impl Array {
    pub(super) fn find(share: &dyn Share, name: &str, bytes: usize) -> Result<Self> {
        let words = || (0..bytes.div_ceil(8)).map(|_| AtomicU64::new(0)).collect();
        let make = || Arc::new(Here { bytes, words: words() }) as _;
        let object = share.open(name, &Wish { shape: Shape::Array { bytes }, make: &make })?;
        Ok(Self(Arc::new(match object.in_hall::<hall::Array>() {
            Some(array) => Lies::Hall(Hall { array, site: object.site, name: object.name }),
            None => Lies::Here(object.as_kind(Kind::Array)?),
        })))
    }

    /// How many bytes.
    pub fn len(&self) -> usize {
        match &*self.0 {
            Lies::Here(array) => array.bytes,
            Lies::Hall(hall) => hall.array.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes, eight by eight; what is left over at the end is not among them.
    pub fn words(&self) -> &[AtomicU64] {
        match &*self.0 {
            Lies::Here(array) => &array.words[..array.bytes / 8],
            Lies::Hall(hall) => hall.array.words(),
        }
    }

    /// Where the bytes are, for those who promise what Rust cannot see: they stay there while a clone of this is left, and
    /// anybody may change them at any time.
    pub fn start(&self) -> NonNull<u8> {
        match &*self.0 {
            Lies::Here(array) => NonNull::from(&*array.words).cast(),
            Lies::Hall(hall) => hall.array.start(),
        }
    }

    /// Its name; empty if it has none.
    pub fn name(&self) -> &str {
        match &*self.0 {
            Lies::Here(array) => &array.name,
            Lies::Hall(hall) => &hall.name,
        }
    }

    fn site(&self) -> &Arc<Site> {
        match &*self.0 {
            Lies::Here(array) => &array.site,
            Lies::Hall(hall) => &hall.site,
        }
    }
}

impl Body for Here {
    fn lines(&self) -> Vec<&Monitor> {
        Vec::new()
    }
}

impl fmt::Debug for Array {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("array ")?;
        object::write_name(f, self.name(), self.site())
    }
}

impl Serialize for Array {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let travelling = match &*self.0 {
            Lies::Here(array) => array.travel().map_err(refuse_to_go)?,
            Lies::Hall(hall) => Travelling::of(&hall.site, &hall.name, hall.array.object().handle()),
        };
        travelling.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Array {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let hall = Hall::arrive(Deserialize::deserialize(deserializer)?).map_err(refuse_to_come)?;
        Ok(Self(Arc::new(Lies::Hall(hall))))
    }
}

impl Hall {
    fn arrive(travelling: Travelling) -> Result<Self> {
        let (site, name, handle) = travelling.arrive()?;
        let array = site.in_hall().open_array(handle).map_err(|error| halls::told(error, &site.place))?;
        Ok(Self { site, name, array })
    }
}
