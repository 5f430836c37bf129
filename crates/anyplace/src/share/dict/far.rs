//! A dict that lies with a peer: keys and values go with the questions.

use super::Item;
use crate::error::{Error, Kind, Result};
use crate::share::far::{Object, or_unreached};
use crate::share::site::Site;
use crate::share::travel::Travelling;
use crate::wire::peer::share::Op;
use crate::work::Payload;
use std::sync::Arc;

pub(super) struct Far {
    name: Arc<str>,
    object: Arc<Object>,
}

impl Far {
    pub(super) fn new(name: Arc<str>, object: Arc<Object>) -> Self {
        Self { name, object }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn site(&self) -> &Site {
        self.object.site()
    }

    pub(super) fn travel(&self) -> Result<Travelling> {
        Travelling::of_far(&self.object)
    }

    pub(super) fn len(&self) -> usize {
        or_unreached(self.object.number(Op::Len)) as usize
    }

    /// The values that an operation gives.
    pub(super) fn values<T: Item>(&self, op: Op) -> Result<Vec<T>> {
        self.object.ask(op)?.values.into_iter().map(T::unpack).collect()
    }

    /// The keys with their values that an operation gives.
    pub(super) fn pairs<K: Item, V: Item>(&self, op: Op) -> Result<Vec<(K, V)>> {
        let mut values = self.object.ask(op)?.values.into_iter();
        let mut pairs = Vec::with_capacity(values.len() / 2);
        while let Some(key) = values.next() {
            let value = values.next().ok_or_else(odd)?;
            pairs.push((K::unpack(key)?, V::unpack(value)?));
        }
        Ok(pairs)
    }

    pub(super) fn value<T: Item>(&self, op: Op, values: Vec<Payload>) -> Result<Option<T>> {
        self.object.ask_with(op, &values)?.value().map(T::unpack).transpose()
    }

    pub(super) fn truth(&self, op: Op, values: Vec<Payload>) -> Result<bool> {
        Ok(self.object.ask_with(op, &values)?.number() != 0)
    }

    pub(super) fn done(&self, op: Op, values: Vec<Payload>) -> Result<()> {
        self.object.ask_with(op, &values).map(drop)
    }
}

fn odd() -> Error {
    Error::new(Kind::NotSerializable, "a key came without its value")
}
