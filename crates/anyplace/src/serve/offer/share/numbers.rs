//! What clients do with values and dicts, none of which waits.

use super::opened::{Wanted, count, number, unknown};
use super::pending::Given;
use crate::error::{Error, Kind, Result};
use crate::share::{Dict, Item, Value};
use crate::wire::peer::share::{Op, Said};
use crate::work::Payload;
use std::hash::{Hash, Hasher};

pub(super) fn value(value: &Value<i64>, op: &Op) -> Result<Given> {
    Ok(match *op {
        Op::Load => number(value.get()),
        Op::Store { bits } => stored(|| value.set(bits)),
        Op::Swap { bits } => number(value.swap(bits)),
        Op::Add { bits } => number(value.add(bits)),
        Op::Exchange { expected, new } => match value.compare_exchange(expected, new) {
            Ok(was) => number(was),
            Err(is) => (Said::Refused(is), Vec::new()),
        },
        _ => return unknown(op),
    })
}

pub(super) fn float(value: &Value<f64>, op: &Op) -> Result<Given> {
    let (of, bits_of) =
        (|bits: i64| f64::from_bits(bits.cast_unsigned()), |is: f64| is.to_bits().cast_signed());
    Ok(match *op {
        Op::Load => number(bits_of(value.get())),
        Op::Store { bits } => stored(|| value.set(of(bits))),
        Op::Swap { bits } => number(bits_of(value.swap(of(bits)))),
        Op::Add { bits } => number(bits_of(value.add(of(bits)))),
        Op::Exchange { expected, new } => match value.compare_exchange(of(expected), of(new)) {
            Ok(was) => number(bits_of(was)),
            Err(is) => (Said::Refused(bits_of(is)), Vec::new()),
        },
        _ => return unknown(op),
    })
}

fn stored(store: impl FnOnce()) -> Given {
    store();
    number(0)
}

/// A key as its bytes.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Packed(Payload);

impl Hash for Packed {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.encoding.hash(state);
        self.0.bytes.hash(state);
    }
}

impl Item for Packed {
    fn pack(&self) -> Result<Payload> {
        Ok(self.0.clone())
    }

    fn unpack(payload: Payload) -> Result<Self> {
        Ok(Self(payload))
    }
}

pub(super) fn dict(dict: &Dict<Packed, Payload>, wanted: Wanted) -> Result<Given> {
    let mut values = wanted.values.into_iter();
    let mut next = || values.next().ok_or_else(too_few);
    Ok(match wanted.op {
        Op::Find => maybe(dict.get(&Packed(next()?))?),
        Op::Contains => number(dict.contains(&Packed(next()?))?),
        Op::Insert => {
            dict.set(Packed(next()?), next()?)?;
            number(0)
        }
        Op::FindOrInsert => maybe(dict.get_or_set(Packed(next()?), next()?)?),
        Op::Replace { expects, gives } => {
            let key = Packed(next()?);
            let expected = expects.then(&mut next).transpose()?;
            let new = gives.then(next).transpose()?;
            number(dict.exchange(key, expected.as_ref(), new)?)
        }
        Op::InsertAll => {
            let mut pairs = Vec::new();
            while let Some(key) = values.next() {
                pairs.push((Packed(key), values.next().ok_or_else(too_few)?));
            }
            dict.update(pairs)?;
            number(0)
        }
        Op::Remove => maybe(dict.remove(&Packed(next()?))?),
        Op::RemoveLast => pairs(dict.remove_last()?),
        Op::Keys => (Said::Done(0), dict.keys()?.into_iter().map(|Packed(key)| key).collect()),
        Op::Items => pairs(dict.items()?),
        Op::RemoveAll => {
            dict.clear()?;
            number(0)
        }
        Op::Len => count(dict.len()),
        op => return unknown(&op),
    })
}

fn maybe(value: Option<Payload>) -> Given {
    (Said::Done(0), value.into_iter().collect())
}

/// Keys and values in turn.
fn pairs(pairs: impl IntoIterator<Item = (Packed, Payload)>) -> Given {
    (Said::Done(0), pairs.into_iter().flat_map(|(Packed(key), value)| [key, value]).collect())
}

fn too_few() -> Error {
    Error::new(Kind::NotSerializable, "fewer keys and values came than go with that")
}
