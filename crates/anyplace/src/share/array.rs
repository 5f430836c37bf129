//! An [`Array`]: bytes that all see and change where they are.

use super::body::Body;
use super::halls::told;
use super::object::{self, Object, Shared};
use super::shape::{Kind, Shape, Wish};
use super::site::Site;
use super::travel::{Arrived, Travelling, refuse_to_come, refuse_to_go};
use crate::driver::Share;
use crate::error::{Error, Kind as ErrorKind, Result, Retry};
use anyplace_sync::ground::Monitor;
use anyplace_sync::shm::hall::{self, Handle};
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
        if let Some(far) = object.far() {
            // Bytes that all see where they are can be seen on their own machine only.
            let travelling = Travelling::of_far(far).map_err(|_| stays_there(&object))?;
            return Self::open(travelling.arrive_here().map_err(|_| stays_there(&object))?);
        }
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
        match travelling.arrive(Kind::Array)? {
            Arrived::Hall(site, name, handle) => Self::open((site, name, handle)),
            Arrived::Far(name, object) => {
                let there = Travelling::of_far(&object)?.arrive_here();
                Self::open(there.map_err(|_| unsupported(&name, object.site()))?)
            }
        }
    }

    fn open((site, name, handle): (Arc<Site>, Arc<str>, Handle)) -> Result<Self> {
        let array = site.in_hall().open_array(handle).map_err(|error| told(error, &site.place))?;
        Ok(Self(Arc::new(Lies::Hall { site, name, array })))
    }
}

fn stays_there(object: &Object) -> Error {
    unsupported(&object.name, &object.site)
}

fn unsupported(name: &str, site: &Site) -> Error {
    let place = &site.place;
    let message =
        format!("the bytes of the array `{name}` in `{place}` lie in the memory of another machine");
    Error::new(ErrorKind::Unsupported, message)
        .at(place)
        .during("share")
        .with_retry(Retry::Safe)
        .with_help("have tasks of that place work on it, by its name, or share a dict or a queue")
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
