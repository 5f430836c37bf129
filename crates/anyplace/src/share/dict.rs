//! A [`Dict`]: values by their keys.

mod here;

use super::halls;
use super::item::Item;
use super::message;
use super::object::{self, Shared};
use super::shape::{Kind, Shape, Wish};
use super::site::Site;
use super::travel::{Travelling, refuse_to_come, refuse_to_go};
use crate::driver::Share;
use crate::error::Result;
use anyplace_sync::shm::Full;
use anyplace_sync::shm::hall;
use here::Here;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// Values by their keys, shared by all: [`Place::dict`](crate::Place::dict) makes it. Clones are the same dict.
///
/// Keys and values are copies, on every place: who changes what it has got changes nothing here, and [sets](Self::set) it
/// again. Keys are the same if their bytes are. Each operation is done wholly or not at all, whoever is killed in it. Keys
/// keep the order in which they came.
///
/// ```
/// let place = anyplace::open("threads:2")?;
/// let ages = place.dict::<String, u32>("ages")?;
/// let told = ages.clone();
/// place.call(move || told.set(&"Ann".to_owned(), &41))?.wait()??;
/// assert_eq!(ages.get(&"Ann".to_owned())?, Some(41));
/// assert_eq!(ages.len(), 1);
/// # Ok::<(), anyplace::Error>(())
/// ```
pub struct Dict<K: Item, V: Item> {
    lies: Arc<Lies>,
    items: PhantomData<fn(K) -> V>,
}

enum Lies {
    Here(Shared<Here>),
    Hall(Hall),
}

struct Hall {
    site: Arc<Site>,
    name: Arc<str>,
    dict: hall::Dict,
}

impl<K: Item, V: Item> Dict<K, V> {
    pub(super) fn find(share: &dyn Share, name: &str) -> Result<Self> {
        let object = share.open(name, &Wish { shape: Shape::Dict, make: &|| Arc::new(Here::default()) })?;
        let lies = match object.in_hall::<hall::Dict>() {
            Some(dict) => Lies::Hall(Hall { dict, site: object.site, name: object.name }),
            None => Lies::Here(object.as_kind(Kind::Dict)?),
        };
        Ok(Self { lies: Arc::new(lies), items: PhantomData })
    }

    /// What `key` stands for, if anything.
    ///
    /// # Errors
    /// `NotSerializable` if the key cannot travel, or what it stands for is no `V`; `PlaceClosed`.
    pub fn get(&self, key: &K) -> Result<Option<V>> {
        let key = self.bytes(key)?;
        value(match &*self.lies {
            Lies::Here(dict) => dict.get(&key),
            Lies::Hall(hall) => hall.dict.get(&key),
        })
    }

    /// Makes `key` stand for `value`.
    ///
    /// # Errors
    /// `NotSerializable` if either cannot travel; `ResourceExhausted` if there is no memory for it; `PlaceClosed`.
    pub fn set(&self, key: &K, value: &V) -> Result<()> {
        let (key, value) = (self.bytes(key)?, self.bytes(value)?);
        match &*self.lies {
            Lies::Here(dict) => dict.set(key, value),
            Lies::Hall(hall) => hall.dict.set(&key, &value).map_err(|full| self.full(full))?,
        }
        Ok(())
    }

    /// What `key` stands for; if it is nothing, makes it stand for `value` and gives `None`.
    ///
    /// # Errors
    /// As [`set`](Self::set) and [`get`](Self::get).
    pub fn get_or_set(&self, key: &K, value: &V) -> Result<Option<V>> {
        let (key, new) = (self.bytes(key)?, self.bytes(value)?);
        self::value(match &*self.lies {
            Lies::Here(dict) => dict.get_or_set(key, new),
            Lies::Hall(hall) => hall.dict.get_or_set(&key, &new).map_err(|full| self.full(full))?,
        })
    }

    /// Makes `key` stand for `new`, or for nothing, if it stands for `expected`, or for nothing; whether it did.
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub fn exchange(&self, key: &K, expected: Option<&V>, new: Option<&V>) -> Result<bool> {
        let bytes = |value: Option<&V>| value.map(|value| self.bytes(value)).transpose();
        let (key, expected, new) = (self.bytes(key)?, bytes(expected)?, bytes(new)?);
        Ok(match &*self.lies {
            Lies::Here(dict) => dict.exchange(key, expected.as_ref(), new),
            Lies::Hall(hall) => {
                let exchanged = hall.dict.exchange(&key, expected.as_deref(), new.as_deref());
                exchanged.map_err(|full| self.full(full))?.is_none()
            }
        })
    }

    /// Takes `key` out; what it stood for.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn remove(&self, key: &K) -> Result<Option<V>> {
        let key = self.bytes(key)?;
        value(match &*self.lies {
            Lies::Here(dict) => dict.remove(&key),
            Lies::Hall(hall) => hall.dict.remove(&key),
        })
    }

    /// Takes out the key that came last, and what it stood for.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn remove_last(&self) -> Result<Option<(K, V)>> {
        self.site().check_open()?;
        let last = match &*self.lies {
            Lies::Here(dict) => dict.remove_last(),
            Lies::Hall(hall) => hall.dict.remove_last(),
        };
        last.map(pair).transpose()
    }

    /// Makes all these keys stand for their values; nobody sees some of them only, unless this process is killed.
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub fn set_many(&self, items: impl IntoIterator<Item = (K, V)>) -> Result<()> {
        let bytes = |(key, value): (K, V)| Ok((self.bytes(&key)?, self.bytes(&value)?));
        let items = items.into_iter().map(bytes).collect::<Result<Vec<_>>>()?;
        match &*self.lies {
            Lies::Here(dict) => dict.set_many(items),
            Lies::Hall(hall) => {
                let all = items.iter().map(|(key, value)| (&**key, &**value));
                hall.dict.set_many(all).map_err(|full| self.full(full))?;
            }
        }
        Ok(())
    }

    /// Whether `key` stands for anything.
    ///
    /// # Errors
    /// `NotSerializable` if the key cannot travel; `PlaceClosed`.
    pub fn contains(&self, key: &K) -> Result<bool> {
        let key = self.bytes(key)?;
        Ok(match &*self.lies {
            Lies::Here(dict) => dict.contains(&key),
            Lies::Hall(hall) => hall.dict.contains(&key),
        })
    }

    /// All keys, in the order in which they came.
    ///
    /// # Errors
    /// `NotSerializable` if one is no `K`; `PlaceClosed`.
    pub fn keys(&self) -> Result<Vec<K>> {
        self.site().check_open()?;
        let keys = match &*self.lies {
            Lies::Here(dict) => dict.keys(),
            Lies::Hall(hall) => hall.dict.keys(),
        };
        keys.into_iter().map(unpack).collect()
    }

    /// All keys and what they stand for, in the order in which they came, as they were at one moment.
    ///
    /// # Errors
    /// `NotSerializable` if one is no `K` or `V`; `PlaceClosed`.
    pub fn items(&self) -> Result<Vec<(K, V)>> {
        self.site().check_open()?;
        let items = match &*self.lies {
            Lies::Here(dict) => dict.items(),
            Lies::Hall(hall) => hall.dict.items(),
        };
        items.into_iter().map(pair).collect()
    }

    /// Takes all keys out.
    ///
    /// # Errors
    /// `ResourceExhausted` if there is no memory even for an empty one; `PlaceClosed`.
    pub fn clear(&self) -> Result<()> {
        self.site().check_open()?;
        match &*self.lies {
            Lies::Here(dict) => dict.clear(),
            Lies::Hall(hall) => hall.dict.clear().map_err(|full| self.full(full))?,
        }
        Ok(())
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        match &*self.lies {
            Lies::Here(dict) => dict.len(),
            Lies::Hall(hall) => hall.dict.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its name; empty if it has none.
    pub fn name(&self) -> &str {
        match &*self.lies {
            Lies::Here(dict) => &dict.name,
            Lies::Hall(hall) => &hall.name,
        }
    }

    fn site(&self) -> &Arc<Site> {
        match &*self.lies {
            Lies::Here(dict) => &dict.site,
            Lies::Hall(hall) => &hall.site,
        }
    }

    fn bytes(&self, item: &impl Item) -> Result<Vec<u8>> {
        self.site().check_open()?;
        Ok(message::to_bytes(&item.pack()?))
    }

    fn full(&self, full: Full) -> crate::Error {
        halls::told(full.into(), &self.site().place)
    }
}

fn unpack<T: Item>(bytes: Vec<u8>) -> Result<T> {
    T::unpack(message::read(&bytes.into())?)
}

fn value<V: Item>(found: Option<Vec<u8>>) -> Result<Option<V>> {
    found.map(unpack).transpose()
}

fn pair<K: Item, V: Item>((key, value): (Vec<u8>, Vec<u8>)) -> Result<(K, V)> {
    Ok((unpack(key)?, unpack(value)?))
}

impl<K: Item, V: Item> Clone for Dict<K, V> {
    fn clone(&self) -> Self {
        Self { lies: self.lies.clone(), items: PhantomData }
    }
}

impl<K: Item, V: Item> fmt::Debug for Dict<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("dict ")?;
        object::write_name(f, self.name(), self.site())
    }
}

impl<K: Item, V: Item> Serialize for Dict<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let travelling = match &*self.lies {
            Lies::Here(dict) => dict.travel().map_err(refuse_to_go)?,
            Lies::Hall(hall) => Travelling::of(&hall.site, &hall.name, hall.dict.object().handle()),
        };
        travelling.serialize(serializer)
    }
}

impl<'de, K: Item, V: Item> Deserialize<'de> for Dict<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let hall = Hall::arrive(Deserialize::deserialize(deserializer)?).map_err(refuse_to_come)?;
        Ok(Self { lies: Arc::new(Lies::Hall(hall)), items: PhantomData })
    }
}

impl Hall {
    fn arrive(travelling: Travelling) -> Result<Self> {
        let (site, name, handle) = travelling.arrive()?;
        let dict = site.in_hall().open_dict(handle).map_err(|error| halls::told(error, &site.place))?;
        Ok(Self { site, name, dict })
    }
}
