//! A dict in the memory of one process. Its keys and values are bytes, so that it is the same as between processes.

use crate::share::body::Body;
use anyplace_sync::ground::Monitor;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

type Key = Vec<u8>;
type Value = Vec<u8>;

#[derive(Default)]
pub(super) struct Here(Mutex<Items>);

#[derive(Default)]
struct Items {
    /// With when the key came.
    values: HashMap<Key, (u64, Value)>,
    /// In the order in which they came.
    keys: BTreeMap<u64, Key>,
    /// How many have come.
    came: u64,
}

impl Items {
    fn set(&mut self, key: Key, value: Value) {
        if let Some((_, old)) = self.values.get_mut(&key) {
            *old = value;
            return;
        }
        self.keys.insert(self.came, key.clone());
        self.values.insert(key, (self.came, value));
        self.came += 1;
    }

    fn remove(&mut self, key: &Key) -> Option<Value> {
        let (came, value) = self.values.remove(key)?;
        self.keys.remove(&came);
        Some(value)
    }

    fn get(&self, key: &Key) -> Option<&Value> {
        self.values.get(key).map(|(_, value)| value)
    }
}

impl Here {
    fn items_now(&self) -> MutexGuard<'_, Items> {
        // Nothing in here can panic half way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, key: &Key) -> Option<Value> {
        self.items_now().get(key).cloned()
    }

    pub(super) fn contains(&self, key: &Key) -> bool {
        self.items_now().get(key).is_some()
    }

    pub(super) fn set(&self, key: Key, value: Value) {
        self.items_now().set(key, value);
    }

    pub(super) fn set_many(&self, items: Vec<(Key, Value)>) {
        let mut now = self.items_now();
        items.into_iter().for_each(|(key, value)| now.set(key, value));
    }

    pub(super) fn get_or_set(&self, key: Key, value: Value) -> Option<Value> {
        let mut now = self.items_now();
        let found = now.get(&key).cloned();
        if found.is_none() {
            now.set(key, value);
        }
        found
    }

    pub(super) fn exchange(&self, key: Key, expected: Option<&Value>, new: Option<Value>) -> bool {
        let mut now = self.items_now();
        if now.get(&key) != expected {
            return false;
        }
        match new {
            Some(new) => now.set(key, new),
            None => drop(now.remove(&key)),
        }
        true
    }

    pub(super) fn remove(&self, key: &Key) -> Option<Value> {
        self.items_now().remove(key)
    }

    pub(super) fn remove_last(&self) -> Option<(Key, Value)> {
        let mut now = self.items_now();
        let (_, key) = now.keys.pop_last()?;
        let (_, value) = now.values.remove(&key)?;
        Some((key, value))
    }

    pub(super) fn keys(&self) -> Vec<Key> {
        self.items_now().keys.values().cloned().collect()
    }

    pub(super) fn items(&self) -> Vec<(Key, Value)> {
        let now = self.items_now();
        let item = |key: &Key| Some((key.clone(), now.get(key)?.clone()));
        now.keys.values().filter_map(item).collect()
    }

    pub(super) fn clear(&self) {
        let mut now = self.items_now();
        now.values.clear();
        now.keys.clear();
    }

    pub(super) fn len(&self) -> usize {
        self.items_now().values.len()
    }
}

impl Body for Here {
    fn lines(&self) -> Vec<&Monitor> {
        Vec::new()
    }
}
