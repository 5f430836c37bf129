//! What kinds of objects can be shared, and what one is to be like when it is made.

use super::body::Body;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// A kind of shared object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// One has it at a time.
    Lock,
    /// One has it at a time, as often as it likes.
    RLock,
    /// So many have it at a time.
    Semaphore,
    /// A lock, and a line of those who wait for what it guards to change.
    Condition,
    /// Something that has happened, or not.
    Event,
    /// Where so many wait for each other.
    Barrier,
    /// Values on their way from those who put to those who get: the first first.
    Queue,
    /// The same, the last first.
    Lifo,
    /// The same, the smallest first.
    Priority,
    /// A queue in each direction, between two ends.
    Pipe,
    /// One whole number, or a truth value.
    Value,
    /// One number with a fraction.
    Float,
    /// Bytes that all see and change where they are.
    Array,
    /// Values by their keys.
    Dict,
}

impl Kind {
    /// What errors and reports call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lock => "lock",
            Self::RLock => "rlock",
            Self::Semaphore => "semaphore",
            Self::Condition => "condition",
            Self::Event => "event",
            Self::Barrier => "barrier",
            Self::Queue => "queue",
            Self::Lifo => "lifo queue",
            Self::Priority => "priority queue",
            Self::Pipe => "pipe",
            Self::Value => "value",
            Self::Float => "float value",
            Self::Array => "array",
            Self::Dict => "dict",
        }
    }
}

impl Kind {
    /// A shape of this kind, for what is there already.
    pub(super) fn shape(self) -> Shape {
        let queue = |order| Shape::Queue { order, capacity: 0 };
        match self {
            Self::Lock => Shape::Lock,
            Self::RLock => Shape::RLock,
            Self::Semaphore => Shape::Semaphore { permits: 0, bounded: false },
            Self::Condition => Shape::Condition,
            Self::Event => Shape::Event,
            Self::Barrier => Shape::Barrier { parties: 0 },
            Self::Queue => queue(Order::Fifo),
            Self::Lifo => queue(Order::Lifo),
            Self::Priority => queue(Order::Priority),
            Self::Pipe => Shape::Pipe { is_duplex: true },
            Self::Value => Shape::Value { first: 0, is_float: false },
            Self::Float => Shape::Value { first: 0, is_float: true },
            Self::Array => Shape::Array { len: 0 },
            Self::Dict => Shape::Dict,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which of the values in a queue comes out first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Order {
    /// That which was put first.
    Fifo,
    /// That which was put last.
    Lifo,
    /// That with the lowest rank; of equals, that which was put first.
    Priority,
}

/// What an object is to be like if it has to be made. One that is there stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shape {
    /// A free lock.
    Lock,
    /// A free lock.
    RLock,
    /// So many permits; if it is `bounded`, there never are more.
    Semaphore {
        /// How many permits there are.
        permits: u32,
        /// Whether giving back more than were taken is an error.
        bounded: bool,
    },
    /// One on which nobody waits.
    Condition,
    /// One that has not happened.
    Event,
    /// One that opens when so many have come.
    Barrier {
        /// How many.
        parties: u32,
    },
    /// An empty queue.
    Queue {
        /// What comes out first.
        order: Order,
        /// How many values it has room for; 0 for as many as there is memory for.
        capacity: usize,
    },
    /// An empty pipe.
    Pipe {
        /// Whether both ends send, or only the second.
        is_duplex: bool,
    },
    /// So many bytes, all zero.
    Array {
        /// How many.
        len: usize,
    },
    /// An empty dict.
    Dict,
    /// A number, by its 64 bits.
    Value {
        /// The bits it begins with.
        first: i64,
        /// Whether they are those of an `f64`.
        is_float: bool,
    },
}

impl Shape {
    /// Which kind of object this is.
    pub fn kind(self) -> Kind {
        match self {
            Self::Lock => Kind::Lock,
            Self::RLock => Kind::RLock,
            Self::Semaphore { .. } => Kind::Semaphore,
            Self::Condition => Kind::Condition,
            Self::Event => Kind::Event,
            Self::Barrier { .. } => Kind::Barrier,
            Self::Queue { order: Order::Fifo, .. } => Kind::Queue,
            Self::Queue { order: Order::Lifo, .. } => Kind::Lifo,
            Self::Queue { order: Order::Priority, .. } => Kind::Priority,
            Self::Pipe { .. } => Kind::Pipe,
            Self::Array { .. } => Kind::Array,
            Self::Dict => Kind::Dict,
            Self::Value { is_float: false, .. } => Kind::Value,
            Self::Value { is_float: true, .. } => Kind::Float,
        }
    }
}

/// An object that somebody wants: what it is to be like, and how it is made where only this process sees it.
#[derive(Clone, Copy)]
pub struct Wish<'a> {
    /// What it is to be like.
    pub shape: Shape,
    /// The values of a queue or a dict are kept as they are there, so only who wants it knows their type.
    pub(super) make: &'a dyn Fn() -> Arc<dyn Body>,
}

impl fmt::Debug for Wish<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Wish").field(&self.shape).finish()
    }
}
