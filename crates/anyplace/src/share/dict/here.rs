//! A dict of one process: keys and values are moved in, and cloned out.

use super::{Item, Key};
use crate::share::body::Body;
use anyplace_sync::ground::Monitor;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Values by their keys, in the memory of this process.
///
/// What goes is dropped after the guard: whatever its destructor does, it may use the dict.
pub(super) struct Here<K: Key, V: Item + Clone>(Mutex<Ordered<K, V>>);

struct Ordered<K, V> {
    values: HashMap<K, (u64, V)>,
    /// The keys by when they came.
    order: BTreeMap<u64, K>,
    next: u64,
}

impl<K: Key, V: Item + Clone> Here<K, V> {
    fn ordered(&self) -> MutexGuard<'_, Ordered<K, V>> {
        // Nothing in here panics in the middle of a change but the program's own `Eq`, before it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, key: &K) -> Option<V> {
        self.ordered().values.get(key).map(|(_, value)| value.clone())
    }

    pub(super) fn set(&self, key: K, value: V) {
        let before = self.ordered().set(key, value);
        drop(before);
    }

    pub(super) fn get_or_set(&self, key: K, value: V) -> Option<V> {
        let mut ordered = self.ordered();
        if let Some((_, there)) = ordered.values.get(&key) {
            return Some(there.clone());
        }
        ordered.set(key, value).map(|(_, before)| before)
    }

    pub(super) fn exchange(&self, key: K, expected: Option<&V>, new: Option<V>) -> bool
    where
        V: PartialEq,
    {
        let mut ordered = self.ordered();
        if ordered.values.get(&key).map(|(_, value)| value) != expected {
            return false;
        }
        let before = match new {
            Some(new) => ordered.set(key, new),
            None => ordered.remove(&key),
        };
        drop(ordered);
        drop(before);
        true
    }

    pub(super) fn update(&self, items: impl IntoIterator<Item = (K, V)>) {
        let items: Vec<_> = items.into_iter().collect();
        let mut ordered = self.ordered();
        let before: Vec<_> = items.into_iter().map(|(key, value)| ordered.set(key, value)).collect();
        drop(ordered);
        drop(before);
    }

    pub(super) fn remove(&self, key: &K) -> Option<V> {
        let removed = self.ordered().remove(key);
        removed.map(|(_, value)| value)
    }

    pub(super) fn remove_last(&self) -> Option<(K, V)> {
        let mut ordered = self.ordered();
        let (_, key) = ordered.order.pop_last()?;
        let (_, value) = ordered.values.remove(&key)?;
        Some((key, value))
    }

    pub(super) fn items(&self) -> Vec<(K, V)> {
        let ordered = self.ordered();
        let pair = |key: &K| ordered.values.get(key).map(|(_, value)| (key.clone(), value.clone()));
        ordered.order.values().filter_map(pair).collect()
    }

    pub(super) fn clear(&self) {
        let all = std::mem::take(&mut *self.ordered());
        drop(all);
    }

    pub(super) fn len(&self) -> usize {
        self.ordered().values.len()
    }
}

impl<K: Key, V> Ordered<K, V> {
    fn remove(&mut self, key: &K) -> Option<(K, V)> {
        let (came, value) = self.values.remove(key)?;
        Some((self.order.remove(&came)?, value))
    }

    /// What was there before.
    fn set(&mut self, key: K, value: V) -> Option<(K, V)> {
        if let Some((_, there)) = self.values.get_mut(&key) {
            return Some((key, std::mem::replace(there, value)));
        }
        self.next += 1;
        self.order.insert(self.next, key.clone());
        self.values.insert(key, (self.next, value));
        None
    }
}

impl<K, V> Default for Ordered<K, V> {
    fn default() -> Self {
        Self { values: HashMap::new(), order: BTreeMap::new(), next: 0 }
    }
}

impl<K: Key, V: Item + Clone> Default for Here<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Key, V: Item + Clone> Body for Here<K, V> {
    fn lines(&self) -> Vec<&Monitor> {
        Vec::new()
    }

    fn holds(&self) -> Option<&'static str> {
        Some(std::any::type_name::<(K, V)>())
    }
}

impl<K: Key, V: Item + Clone> fmt::Debug for Here<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Here").field("len", &self.len()).finish_non_exhaustive()
    }
}
