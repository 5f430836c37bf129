//! A [`Value`]: one number that all change at once.

use super::body::{Body, in_hall};
use super::far::or_unreached;
use super::object::{Home, Shared};
use super::shape::{Kind, Shape, Wish};
use super::travel::{refuse_to_come, refuse_to_go};
use crate::driver::Share;
use crate::error::Result;
use crate::wire::peer::share::{Op, Said};
use anyplace_sync::Value as Words;
use anyplace_sync::ground::Monitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// One number that all read and change: [`Place::value`](crate::Place::value) makes it. Clones are the same value.
///
/// Every operation is atomic, and orders memory: what was written before a [`set`](Self::set) is seen by whoever
/// [gets](Self::get) what it set.
///
/// ```
/// let place = anyplace::open("threads:4")?;
/// let hits = place.counter("hits")?;
/// let counted = hits.clone();
/// place.map(move |_| counted.add(1), 0..1000)?.for_each(drop);
/// assert_eq!(hits.get(), 1000);
/// # Ok::<(), anyplace::Error>(())
/// ```
pub struct Value<T: Number> {
    pub(super) words: Arc<Shared<Words>>,
    number: PhantomData<fn() -> T>,
}

/// What a [`Value`] can be: whole numbers, `f64` and `bool`.
pub trait Number: Copy + fmt::Debug + Send + Sync + 'static {
    /// Whether it has a fraction.
    const IS_FLOAT: bool = false;

    /// What a value of it is.
    #[doc(hidden)]
    fn kind() -> Kind {
        if Self::IS_FLOAT { Kind::Float } else { Kind::Value }
    }

    /// The number as 64 bits.
    fn bits(self) -> i64;

    /// The number of these bits.
    fn of(bits: i64) -> Self;

    /// Adds to the number in `words`; gives what was there. Whole numbers wrap around.
    #[doc(hidden)]
    fn add(words: &Words, number: Self) -> Self;

    /// The operation that does the same where the number lies with a peer.
    #[doc(hidden)]
    #[allow(
        private_interfaces,
        reason = "only this crate makes numbers of values, and peers understand them"
    )]
    fn adding(number: Self) -> Op {
        Op::Add { bits: number.bits() }
    }
}

impl<T: Number> Value<T> {
    pub(super) fn find(share: &dyn Share, name: &str, first: T) -> Result<Self> {
        let first = first.bits();
        let make = || {
            let words = Words::default();
            words.store(first);
            Arc::new(words) as _
        };
        let shape = Shape::Value { first, is_float: T::IS_FLOAT };
        let object = share.open(name, &Wish { shape, make: &make })?;
        Ok(Self { words: Arc::new(object.into_kind(shape.kind())?), number: PhantomData })
    }

    /// What is there.
    pub fn get(&self) -> T {
        match self.words.home() {
            Home::Near(words) => T::of(words.load()),
            Home::Far(object) => T::of(or_unreached(object.number(Op::Load))),
        }
    }

    /// Puts `number` there.
    pub fn set(&self, number: T) {
        let bits = number.bits();
        match self.words.home() {
            Home::Near(words) => words.store(bits),
            Home::Far(object) => or_unreached(object.ask(Op::Store { bits }).map(drop)),
        }
    }

    /// Puts `number` there and gives what was.
    pub fn swap(&self, number: T) -> T {
        let bits = number.bits();
        match self.words.home() {
            Home::Near(words) => T::of(words.swap(bits)),
            Home::Far(object) => T::of(or_unreached(object.number(Op::Swap { bits }))),
        }
    }

    /// Adds `number` and gives what was there before. Whole numbers wrap around.
    pub fn add(&self, number: T) -> T {
        match self.words.home() {
            Home::Near(words) => T::add(words, number),
            Home::Far(object) => T::of(or_unreached(object.number(T::adding(number)))),
        }
    }

    /// Puts `new` there if `expected` is, bit for bit.
    ///
    /// # Errors
    /// What is there instead.
    pub fn compare_exchange(&self, expected: T, new: T) -> std::result::Result<T, T> {
        let (expected, new) = (expected.bits(), new.bits());
        match self.words.home() {
            Home::Near(words) => words.compare_exchange(expected, new).map(T::of).map_err(T::of),
            Home::Far(object) => {
                let answer = object.ask(Op::Exchange { expected, new });
                match or_unreached(answer.map(|answer| Some(answer.said))) {
                    Some(Said::Done(was)) => Ok(T::of(was)),
                    Some(Said::Refused(is)) => Err(T::of(is)),
                    Some(Said::NotNow) | None => Err(T::of(0)),
                }
            }
        }
    }

    /// Its name; empty if it has none.
    pub fn name(&self) -> &str {
        &self.words.name
    }
}

impl<T: Number> Clone for Value<T> {
    fn clone(&self) -> Self {
        Self { words: self.words.clone(), number: PhantomData }
    }
}

impl<T: Number> Serialize for Value<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.words.travel(T::kind()).map_err(refuse_to_go)?.serialize(serializer)
    }
}

impl<'de, T: Number> Deserialize<'de> for Value<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let words =
            Shared::arrive(Deserialize::deserialize(deserializer)?, T::kind()).map_err(refuse_to_come)?;
        Ok(Self { words: Arc::new(words), number: PhantomData })
    }
}

impl<T: Number> fmt::Debug for Value<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.words.called(Kind::Value), self.get())
    }
}

impl Number for i64 {
    fn bits(self) -> i64 {
        self
    }

    fn of(bits: i64) -> Self {
        bits
    }

    fn add(words: &Words, number: Self) -> Self {
        words.add(number)
    }
}

impl Number for u64 {
    fn bits(self) -> i64 {
        self.cast_signed()
    }

    fn of(bits: i64) -> Self {
        bits.cast_unsigned()
    }

    fn add(words: &Words, number: Self) -> Self {
        words.add(number.cast_signed()).cast_unsigned()
    }
}

impl Number for f64 {
    const IS_FLOAT: bool = true;

    fn bits(self) -> i64 {
        self.to_bits().cast_signed()
    }

    fn of(bits: i64) -> Self {
        Self::from_bits(bits.cast_unsigned())
    }

    fn add(words: &Words, number: Self) -> Self {
        words.add_float(number)
    }
}

impl Number for bool {
    fn bits(self) -> i64 {
        self.into()
    }

    fn of(bits: i64) -> Self {
        bits != 0
    }

    /// True if either is.
    fn add(words: &Words, number: Self) -> Self {
        Self::of(if number { words.swap(1) } else { words.load() })
    }

    #[allow(private_interfaces, reason = "as where it is declared")]
    fn adding(number: Self) -> Op {
        if number { Op::Swap { bits: 1 } } else { Op::Load }
    }
}

impl Body for Words {
    in_hall!();

    fn lines(&self) -> Vec<&Monitor> {
        Vec::new()
    }
}
