//! A [`Dict`]: values by their keys.

mod far;
mod here;

use super::halls::told;
use super::item::Item;
use super::message;
use super::object::{self, Shared};
use super::shape::{Kind, Shape, Wish};
use super::site::Site;
use super::travel::{Arrived, Travelling, refuse_to_come, refuse_to_go};
use crate::driver::Share;
use crate::error::{Error, Result};
use crate::wire::peer::share::Op;
use anyplace_sync::shm::{Full, hall};
use far::Far;
use here::Here;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;
use std::sync::Arc;

/// Values by their keys: [`Place::dict`](crate::Place::dict) makes it. Clones are the same dict.
///
/// Every operation is done as a whole, and keys are told in the order in which they came. Where keys and values travel, they
/// are copied in and out, and two keys are the same if they are packed alike.
///
/// ```
/// let place = anyplace::open("threads:2")?;
/// let ages = place.dict::<String, u32>("ages")?;
/// ages.set("Ada".to_owned(), 36)?;
/// assert_eq!(place.dict::<String, u32>("ages")?.get(&"Ada".to_owned())?, Some(36));
/// # Ok::<(), anyplace::Error>(())
/// ```
pub struct Dict<K: Key, V: Item + Clone>(Arc<Lies<K, V>>);

/// What can be a key: an [`Item`] that can be compared.
pub trait Key: Item + Clone + Eq + Hash {}

impl<K: Item + Clone + Eq + Hash> Key for K {}

enum Lies<K: Key, V: Item + Clone> {
    Here(Shared<Here<K, V>>),
    Hall { site: Arc<Site>, name: Arc<str>, dict: hall::Dict, holds: PhantomData<fn() -> (K, V)> },
    Far(Far),
}

impl<K: Key, V: Item + Clone> Dict<K, V> {
    pub(super) fn find(share: &dyn Share, name: &str) -> Result<Self> {
        let shape = Shape::Dict;
        let make = || Arc::new(Here::<K, V>::default()) as _;
        let object = share.open(name, &Wish { shape, make: &make })?;
        if let Some(far) = object.far() {
            return Ok(Self(Arc::new(Lies::Far(Far::new(object.name.clone(), far.clone())))));
        }
        let lies = match object.in_hall::<hall::Dict>() {
            Some(dict) => Lies::Hall { dict, site: object.site, name: object.name, holds: PhantomData },
            None => Lies::Here(object.into_kind(shape.kind())?),
        };
        Ok(Self(Arc::new(lies)))
    }

    /// The value of a key, if it is there.
    ///
    /// # Errors
    /// `PlaceClosed`; `NotSerializable` where the key has to travel and cannot.
    pub fn get(&self, key: &K) -> Result<Option<V>> {
        match self.open()? {
            Lies::Here(here) => Ok(here.get(key)),
            Lies::Hall { dict, .. } => dict.get(&pack(key)?).map(unpack).transpose(),
            Lies::Far(far) => far.value(Op::Find, vec![key.pack()?]),
        }
    }

    /// Whether a key is there.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn contains(&self, key: &K) -> Result<bool> {
        match self.open()? {
            Lies::Here(here) => Ok(here.get(key).is_some()),
            Lies::Hall { dict, .. } => Ok(dict.contains(&pack(key)?)),
            Lies::Far(far) => far.truth(Op::Contains, vec![key.pack()?]),
        }
    }

    /// Gives a key this value, in the place of the one that it may have.
    ///
    /// # Errors
    /// As [`get`](Self::get); `ResourceExhausted` if there is no memory for it.
    pub fn set(&self, key: K, value: V) -> Result<()> {
        match self.open()? {
            Lies::Here(here) => {
                here.set(key, value);
                Ok(())
            }
            Lies::Hall { dict, .. } => dict.set(&pack(&key)?, &pack(&value)?).map_err(|full| self.full(full)),
            Lies::Far(far) => far.done(Op::Insert, vec![key.pack()?, value.pack()?]),
        }
    }

    /// The value of a key; if it is not there, it gets this one, and nothing is given.
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub fn get_or_set(&self, key: K, value: V) -> Result<Option<V>> {
        match self.open()? {
            Lies::Here(here) => Ok(here.get_or_set(key, value)),
            Lies::Hall { dict, .. } => {
                let there = dict.get_or_set(&pack(&key)?, &pack(&value)?).map_err(|full| self.full(full))?;
                there.map(unpack).transpose()
            }
            Lies::Far(far) => far.value(Op::FindOrInsert, vec![key.pack()?, value.pack()?]),
        }
    }

    /// Gives a key the value `new`, or takes it out if there is none, if its value is `expected`, or if it is not there and
    /// nothing is expected; whether it did. So that many can change what is there, one at a time.
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub fn exchange(&self, key: K, expected: Option<&V>, new: Option<V>) -> Result<bool>
    where
        V: PartialEq,
    {
        match self.open()? {
            Lies::Here(here) => Ok(here.exchange(key, expected, new)),
            Lies::Hall { dict, .. } => {
                let bytes = |value: Option<&V>| value.map(pack).transpose();
                let (expected, new) = (bytes(expected)?, bytes(new.as_ref())?);
                let exchanged = dict.exchange(&pack(&key)?, expected.as_deref(), new.as_deref());
                Ok(exchanged.map_err(|full| self.full(full))?.is_none())
            }
            Lies::Far(far) => {
                let op = Op::Replace { expects: expected.is_some(), gives: new.is_some() };
                let values = [Some(key.pack()), expected.map(V::pack), new.as_ref().map(V::pack)];
                far.truth(op, values.into_iter().flatten().collect::<Result<_>>()?)
            }
        }
    }

    /// Gives all these keys their values, at once.
    ///
    /// # Errors
    /// As [`set`](Self::set); if the memory does not do, some of them have got theirs.
    pub fn update(&self, items: impl IntoIterator<Item = (K, V)>) -> Result<()> {
        match self.open()? {
            Lies::Here(here) => here.update(items),
            Lies::Hall { dict, .. } => {
                let both = |(key, value)| Ok((pack(&key)?, pack(&value)?));
                let items: Vec<(Vec<u8>, Vec<u8>)> = items.into_iter().map(both).collect::<Result<_>>()?;
                let items = items.iter().map(|(key, value)| (&key[..], &value[..]));
                return dict.set_many(items).map_err(|full| self.full(full));
            }
            Lies::Far(far) => {
                let both = |(key, value): (K, V)| [key.pack(), value.pack()];
                let values = items.into_iter().flat_map(both).collect::<Result<_>>()?;
                return far.done(Op::InsertAll, values);
            }
        }
        Ok(())
    }

    /// Takes a key out; the value that it had.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn remove(&self, key: &K) -> Result<Option<V>> {
        match self.open()? {
            Lies::Here(here) => Ok(here.remove(key)),
            Lies::Hall { dict, .. } => dict.remove(&pack(key)?).map(unpack).transpose(),
            Lies::Far(far) => far.value(Op::Remove, vec![key.pack()?]),
        }
    }

    /// Takes the key out that came last, and gives it with its value.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn remove_last(&self) -> Result<Option<(K, V)>> {
        match self.open()? {
            Lies::Here(here) => Ok(here.remove_last()),
            Lies::Hall { dict, .. } => dict.remove_last().map(unpack_both).transpose(),
            Lies::Far(far) => Ok(far.pairs(Op::RemoveLast)?.pop()),
        }
    }

    /// All keys, in the order in which they came.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn keys(&self) -> Result<Vec<K>> {
        match self.open()? {
            Lies::Here(here) => Ok(here.items().into_iter().map(|(key, _)| key).collect()),
            Lies::Hall { dict, .. } => dict.keys().into_iter().map(unpack).collect(),
            Lies::Far(far) => far.values(Op::Keys),
        }
    }

    /// All keys with their values, in the order in which the keys came, as they were at one moment.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn items(&self) -> Result<Vec<(K, V)>> {
        match self.open()? {
            Lies::Here(here) => Ok(here.items()),
            Lies::Hall { dict, .. } => dict.items().into_iter().map(unpack_both).collect(),
            Lies::Far(far) => far.pairs(Op::Items),
        }
    }

    /// Takes all keys out.
    ///
    /// # Errors
    /// `PlaceClosed`; `ResourceExhausted` if there is no memory even for an empty dict.
    pub fn clear(&self) -> Result<()> {
        match self.open()? {
            Lies::Here(here) => here.clear(),
            Lies::Hall { dict, .. } => return dict.clear().map_err(|full| self.full(full)),
            Lies::Far(far) => return far.done(Op::RemoveAll, Vec::new()),
        }
        Ok(())
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        match &*self.0 {
            Lies::Here(here) => here.len(),
            Lies::Hall { dict, .. } => dict.len(),
            Lies::Far(far) => far.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its name; empty if it has none.
    pub fn name(&self) -> &str {
        match &*self.0 {
            Lies::Here(here) => &here.name,
            Lies::Hall { name, .. } => name,
            Lies::Far(far) => far.name(),
        }
    }

    fn open(&self) -> Result<&Lies<K, V>> {
        self.site().check_open()?;
        Ok(&self.0)
    }

    fn full(&self, full: Full) -> Error {
        told(full.into(), &self.site().place)
    }

    fn site(&self) -> &Site {
        match &*self.0 {
            Lies::Here(here) => &here.site,
            Lies::Hall { site, .. } => site,
            Lies::Far(far) => far.site(),
        }
    }

    /// Opens the dict of a handle that has arrived.
    fn arrive(travelling: Travelling) -> Result<Self> {
        let (site, name, handle) = match travelling.arrive(Kind::Dict)? {
            Arrived::Hall(site, name, handle) => (site, name, handle),
            Arrived::Far(name, object) => return Ok(Self(Arc::new(Lies::Far(Far::new(name, object))))),
        };
        let dict = site.in_hall().open_dict(handle).map_err(|error| told(error, &site.place))?;
        Ok(Self(Arc::new(Lies::Hall { site, name, dict, holds: PhantomData })))
    }
}

fn pack(item: &impl Item) -> Result<Vec<u8>> {
    Ok(message::to_bytes(&item.pack()?))
}

fn unpack<T: Item>(bytes: Vec<u8>) -> Result<T> {
    T::unpack(message::read(&bytes.into())?)
}

fn unpack_both<K: Item, V: Item>((key, value): (Vec<u8>, Vec<u8>)) -> Result<(K, V)> {
    Ok((unpack(key)?, unpack(value)?))
}

impl<K: Key, V: Item + Clone> Clone for Dict<K, V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: Key, V: Item + Clone> Serialize for Dict<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let travelling = match &*self.0 {
            Lies::Here(here) => here.travel(Kind::Dict).map_err(refuse_to_go)?,
            Lies::Hall { site, name, dict, .. } => Travelling::of(site, name, dict.object().handle()),
            Lies::Far(far) => far.travel().map_err(refuse_to_go)?,
        };
        travelling.serialize(serializer)
    }
}

impl<'de, K: Key, V: Item + Clone> Deserialize<'de> for Dict<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Self::arrive(Deserialize::deserialize(deserializer)?).map_err(refuse_to_come)
    }
}

impl<K: Key, V: Item + Clone> fmt::Debug for Dict<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let called = object::Called { kind: Kind::Dict, name: self.name(), site: self.site() };
        fmt::Display::fmt(&called, f)
    }
}
