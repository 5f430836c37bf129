//! A [`Dict`] between processes: bytes that stand for bytes.

mod body;
mod table;

pub use body::DictBody;

use super::Hall;
use super::error::HallError;
use super::kind::Kind;
use super::object::{Body, Handle, Object};
use crate::shm::Full;
use body::Within;
use std::fmt;
use std::sync::Arc;
use table::Spot;

/// Keys and what they stand for, both bytes, shared by processes. Cloning it is cheap.
///
/// Every operation is done wholly or not at all, whoever is killed in it, and none waits for anything but another that is
/// being done. Keys keep the order in which they came.
///
/// ```
/// use anyplace_sync::shm::hall::Hall;
///
/// let hall = Hall::create()?;
/// let ages = hall.dict(Some("ages"))?;
/// ages.set(b"ann", b"40")?;
/// assert_eq!(ages.get(b"ann").as_deref(), Some(&b"40"[..]));
/// assert_eq!(ages.exchange(b"ann", Some(b"40"), Some(b"41"))?, None, "it was as expected");
/// assert_eq!(ages.remove(b"ann").as_deref(), Some(&b"41"[..]));
/// assert!(ages.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Dict(Object<DictBody>);

impl Body for DictBody {
    fn suits(kind: Kind) -> bool {
        kind == Kind::Dict
    }
}

impl Hall {
    /// An empty dict.
    ///
    /// # Errors
    /// As for all objects: see [`lock`](Self::lock).
    pub fn dict(self: &Arc<Self>, name: Option<&str>) -> Result<Dict, HallError> {
        self.find_or_make(name, Kind::Dict, |making| making.storage(body::FIRST)).map(Dict)
    }

    /// Opens the dict of a handle that came from another process.
    ///
    /// # Errors
    /// [`HallError::Gone`] if it has ended.
    pub fn open_dict(self: &Arc<Self>, handle: Handle) -> Result<Dict, HallError> {
        self.open(handle).map(Dict)
    }
}

impl Dict {
    /// Where it lies, and under which name.
    pub fn object(&self) -> &Object<DictBody> {
        &self.0
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A copy of what `key` stands for.
    pub fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        match self.enter().find(key) {
            Spot::Here(_, found) => Some(found.value()),
            _ => None,
        }
    }

    /// Whether `key` stands for anything.
    pub fn contains(&self, key: &[u8]) -> bool {
        matches!(self.enter().find(key), Spot::Here(..))
    }

    /// Makes `key` stand for `value`.
    ///
    /// # Errors
    /// [`Full`] if there is no memory for it.
    pub fn set(&self, key: &[u8], value: &[u8]) -> Result<(), Full> {
        self.enter().set(key, value)
    }

    /// What `key` stands for; if it is nothing, makes it stand for `value` and gives `None`.
    ///
    /// # Errors
    /// [`Full`] if there is no memory for it.
    pub fn get_or_set(&self, key: &[u8], value: &[u8]) -> Result<Option<Vec<u8>>, Full> {
        let within = self.enter();
        if let Spot::Here(_, found) = within.find(key) {
            return Ok(Some(found.value()));
        }
        within.set(key, value).map(|()| None)
    }

    /// Makes `key` stand for `new`, or for nothing, if it stands for `expected`, or for nothing; else gives what it stands
    /// for, which is an empty `Some(None)` if that is nothing.
    ///
    /// # Errors
    /// [`Full`] if there is no memory for it.
    pub fn exchange(
        &self,
        key: &[u8],
        expected: Option<&[u8]>,
        new: Option<&[u8]>,
    ) -> Result<Option<Option<Vec<u8>>>, Full> {
        let within = self.enter();
        let place = match (within.find(key), expected) {
            (Spot::Here(place, found), Some(expected)) if found.value_is(expected) => Some(place),
            (Spot::Here(_, found), _) => return Ok(Some(Some(found.value()))),
            (_, Some(_)) => return Ok(Some(None)),
            (_, None) => None,
        };
        match (new, place) {
            (Some(new), _) => within.set(key, new)?,
            (None, Some(place)) => within.remove(place),
            (None, None) => {}
        }
        Ok(None)
    }

    /// Takes `key` out: what it stood for.
    pub fn remove(&self, key: &[u8]) -> Option<Vec<u8>> {
        let within = self.enter();
        let Spot::Here(place, found) = within.find(key) else { return None };
        let value = found.value();
        within.remove(place);
        Some(value)
    }

    /// Takes out the key that came last, and what it stood for.
    pub fn remove_last(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        let within = self.enter();
        let last = within.table().found().pop()?;
        let (key, value) = (last.key(), last.value());
        if let Spot::Here(place, _) = within.find(&key) {
            within.remove(place);
        }
        Some((key, value))
    }

    /// Makes all these keys stand for their values; nobody sees some of them only, unless this process is killed.
    ///
    /// # Errors
    /// [`Full`] if there is no memory for all; those before are set.
    pub fn set_many<'a>(&self, items: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> Result<(), Full> {
        let within = self.enter();
        items.into_iter().try_for_each(|(key, value)| within.set(key, value))
    }

    /// Copies of all keys, in the order in which they came.
    pub fn keys(&self) -> Vec<Vec<u8>> {
        self.enter().table().found().into_iter().map(table::Found::key).collect()
    }

    /// Copies of all keys and what they stand for, in the order in which they came, all as they were at one moment.
    pub fn items(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.enter().table().found().into_iter().map(|found| (found.key(), found.value())).collect()
    }

    /// Takes all keys out.
    ///
    /// # Errors
    /// [`Full`] if there is no memory even for an empty one.
    pub fn clear(&self) -> Result<(), Full> {
        self.enter().clear()
    }

    fn enter(&self) -> Within<'_> {
        self.0.enter(self.0.hall(), self.0.entry())
    }
}

impl fmt::Debug for Dict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dict").field("name", &self.0.name()).field("len", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
