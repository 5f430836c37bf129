//! An [`Array`]: bytes that all see and change where they are.

use super::body::Body;
use super::halls::told;
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
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Bytes that all see and change where they are: [`Place::array`](crate::Place::array) makes it, of zeros. Clones are the same
/// array.
///
/// Nobody keeps two from writing the same bytes at once: that is for a lock. So Rust shows them as atomic
/// [words](Self::words), and [`as_mut_ptr`](Self::as_mut_ptr) is where unsafe code begins.
///
/// ```
/// let place = anyplace::open("threads:2")?;
/// let sums = place.array("sums", 80)?;
/// assert_eq!(sums.len(), 80);
/// assert_eq!(place.array("sums", 80)?.as_mut_ptr(), sums.as_mut_ptr());
/// # Ok::<(), anyplace::Error>(())
/// ```
#[derive(Clone)]
pub struct Array(Arc<Lies>);

enum Lies {
    Here(Shared<Words>),
    Hall { site: Arc<Site>, name: Arc<str>, array: hall::Array },
}

/// The bytes where only this process sees them.
#[derive(Debug)]
struct Words {
    words: Box<[AtomicU64]>,
    len: usize,
}

impl Array {
    pub(super) fn find(share: &dyn Share, name: &str, len: usize) -> Result<Self> {
        let shape = Shape::Array { len };
        let make = || Arc::new(Words::new(len)) as _;
        let object = share.open(name, &Wish { shape, make: &make })?;
        let lies = match object.in_hall::<hall::Array>() {
            Some(array) => Lies::Hall { array, site: object.site, name: object.name },
            None => Lies::Here(object.into_kind(shape.kind())?),
        };
        Ok(Self(Arc::new(lies)))
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        match &*self.0 {
            Lies::Here(words) => words.len,
            Lies::Hall { array, .. } => array.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes, eight by eight, as atomic numbers; what is left over at the end is not among them.
    pub fn words(&self) -> &[AtomicU64] {
        match &*self.0 {
            Lies::Here(words) => &words.words[..words.len / 8],
            Lies::Hall { array, .. } => array.words(),
        }
    }

    /// Where the bytes lie, in this process; at a multiple of 8. They stay there as long as a handle does.
    pub fn as_mut_ptr(&self) -> *mut u8 {
        match &*self.0 {
            Lies::Here(words) => words.words.as_ptr().cast_mut().cast(),
            Lies::Hall { array, .. } => array.start().as_ptr(),
        }
    }

    /// Its name; empty if it has none.
    pub fn name(&self) -> &str {
        match &*self.0 {
            Lies::Here(words) => &words.name,
            Lies::Hall { name, .. } => name,
        }
    }

    fn site(&self) -> &Site {
        match &*self.0 {
            Lies::Here(words) => &words.site,
            Lies::Hall { site, .. } => site,
        }
    }

    /// Opens the array of a handle that has arrived.
    fn arrive(travelling: Travelling) -> Result<Self> {
        let (site, name, handle) = travelling.arrive()?;
        let array = site.in_hall().open_array(handle).map_err(|error| told(error, &site.place))?;
        Ok(Self(Arc::new(Lies::Hall { site, name, array })))
    }
}

impl Words {
    fn new(len: usize) -> Self {
        Self { words: (0..len.div_ceil(8)).map(|_| AtomicU64::new(0)).collect(), len }
    }
}

impl Body for Words {
    fn lines(&self) -> Vec<&Monitor> {
        Vec::new()
    }
}

impl Serialize for Array {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let travelling = match &*self.0 {
            Lies::Here(words) => words.travel(Kind::Array).map_err(refuse_to_go)?,
            Lies::Hall { site, name, array } => Travelling::of(site, name, array.object().handle()),
        };
        travelling.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Array {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Self::arrive(Deserialize::deserialize(deserializer)?).map_err(refuse_to_come)
    }
}

impl fmt::Debug for Array {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let called = object::Called { kind: Kind::Array, name: self.name(), site: self.site() };
        fmt::Display::fmt(&called, f)
    }
}
