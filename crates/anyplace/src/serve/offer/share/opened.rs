//! An [`Opened`] object: the handle of one that a client has open, and what is done with it.

use super::numbers::Packed;
use super::pending::{self, Doing, Given};
use super::{locks, numbers, queues, signals};
use crate::error::{Error, Kind, Result};
use crate::share::{Array, Barrier, Dict, Event, Guest, Line, Lock, Order, Queue, RLock, Semaphore};
use crate::share::{Shape, Value, to_ticket};
use crate::wire::peer::share::{Asked, Op, Said};
use crate::work::{Encoding, Payload};
use std::sync::Arc;

/// A handle, by the kind of its object.
pub(super) enum Opened {
    Lock(Lock),
    RLock(RLock),
    Semaphore(Semaphore),
    Condition(Line),
    Event(Event),
    Barrier(Barrier),
    Queue(Queue<Payload>),
    Pipe(queues::End),
    Value(Value<i64>),
    Float(Value<f64>),
    Dict(Dict<Packed, Payload>),
    Array(Array),
}

/// What comes of an operation: now, or when it has waited.
pub(super) enum Outcome {
    Now(Result<Given>),
    Later(Doing),
}

/// An operation that a client asks for.
pub(super) struct Wanted {
    pub(super) op: Op,
    pub(super) waits: bool,
    pub(super) values: Vec<Payload>,
    pub(super) line: Arc<pending::Line>,
}

impl Opened {
    /// Finds or makes what has this name; of a pipe, both ends.
    pub(super) fn open(guest: &Guest, name: &str, shape: Shape) -> Result<Vec<Self>> {
        let share = guest.share();
        Ok(vec![match shape {
            Shape::Lock => Self::Lock(share.lock(name)?),
            Shape::RLock => Self::RLock(share.rlock(name)?),
            Shape::Semaphore { permits, bounded } => {
                Self::Semaphore(share.semaphore(name, permits, bounded)?)
            }
            Shape::Condition => Self::Condition(share.condition_line(name)?),
            Shape::Event => Self::Event(share.event(name)?),
            Shape::Barrier { parties } => Self::Barrier(share.barrier(name, parties)?),
            Shape::Queue { order: Order::Fifo, capacity } => Self::Queue(share.queue(name, capacity)?),
            Shape::Queue { order: Order::Lifo, capacity } => Self::Queue(share.lifo(name, capacity)?),
            Shape::Queue { order: Order::Priority, capacity } => Self::Queue(share.priority(name, capacity)?),
            Shape::Pipe { is_duplex } => {
                let (first, second) = if is_duplex { share.pipe(name)? } else { share.simplex(name)? };
                return Ok([first, second].map(queues::End::new).map(Self::Pipe).into());
            }
            Shape::Value { first, is_float: false } => Self::Value(share.value(name, first)?),
            Shape::Value { first, is_float: true } => {
                Self::Float(share.value(name, f64::from_bits(first.cast_unsigned()))?)
            }
            Shape::Array { len } => Self::Array(share.array(name, len)?),
            Shape::Dict => Self::Dict(share.dict(name)?),
        }])
    }

    /// Opens what a ticket of the place is of.
    pub(super) fn arrive(guest: &Guest, ticket: &[u8], shape: Shape) -> Result<Self> {
        Ok(match shape {
            Shape::Lock => Self::Lock(guest.arrive(ticket)?),
            Shape::RLock => Self::RLock(guest.arrive(ticket)?),
            Shape::Semaphore { .. } => Self::Semaphore(guest.arrive(ticket)?),
            Shape::Condition => Self::Condition(guest.arrive(ticket)?),
            Shape::Event => Self::Event(guest.arrive(ticket)?),
            Shape::Barrier { .. } => Self::Barrier(guest.arrive(ticket)?),
            Shape::Queue { .. } => Self::Queue(guest.arrive(ticket)?),
            Shape::Pipe { .. } => Self::Pipe(queues::End::new(guest.arrive(ticket)?)),
            Shape::Value { is_float: false, .. } => Self::Value(guest.arrive(ticket)?),
            Shape::Value { is_float: true, .. } => Self::Float(guest.arrive(ticket)?),
            Shape::Array { .. } => Self::Array(guest.arrive(ticket)?),
            Shape::Dict => Self::Dict(guest.arrive(ticket)?),
        })
    }

    /// Does something with it.
    pub(super) fn act(&self, wanted: Wanted) -> Outcome {
        if wanted.op == Op::Ticket {
            return Outcome::Now(self.ticket());
        }
        match self {
            Self::Lock(lock) => locks::lock(lock, wanted),
            Self::RLock(lock) => locks::rlock(lock, wanted),
            Self::Semaphore(semaphore) => locks::semaphore(semaphore, wanted),
            Self::Condition(line) => signals::condition(line, wanted),
            Self::Event(event) => signals::event(event, wanted),
            Self::Barrier(barrier) => signals::barrier(barrier, wanted),
            Self::Queue(queue) => queues::queue(queue, wanted),
            Self::Pipe(end) => end.act(wanted),
            Self::Value(value) => Outcome::Now(numbers::value(value, &wanted.op)),
            Self::Float(value) => Outcome::Now(numbers::float(value, &wanted.op)),
            Self::Dict(dict) => Outcome::Now(numbers::dict(dict, wanted)),
            Self::Array(_) => Outcome::Now(unknown(&wanted.op)),
        }
    }

    /// What workers of the place, and processes of the same machine, open it by.
    fn ticket(&self) -> Result<Given> {
        let ticket = match self {
            Self::Lock(handle) => to_ticket(handle),
            Self::RLock(handle) => to_ticket(handle),
            Self::Semaphore(handle) => to_ticket(handle),
            Self::Condition(handle) => to_ticket(handle),
            Self::Event(handle) => to_ticket(handle),
            Self::Barrier(handle) => to_ticket(handle),
            Self::Queue(handle) => to_ticket(handle),
            Self::Pipe(end) => to_ticket(&end.pipe),
            Self::Value(handle) => to_ticket(handle),
            Self::Float(handle) => to_ticket(handle),
            Self::Dict(handle) => to_ticket(handle),
            Self::Array(handle) => to_ticket(handle),
        };
        Ok((Said::Done(0), vec![Payload::new(Encoding::Postcard, ticket?)]))
    }
}

impl Wanted {
    pub(super) fn new(asked: Asked, values: Vec<Payload>) -> Self {
        let Asked { op, waits, line, .. } = asked;
        Self { op, waits, values, line: pending::Line::new(line) }
    }
}

/// Does it now, or when it has waited: `$handle` is kept for as long as that takes.
macro_rules! wait {
    ($wanted:expr, |$handle:ident| $waiting:expr, |$given:pat_param| $answer:expr) => {
        if $wanted.waits {
            let ($handle, line) = ($handle.clone(), $wanted.line.clone());
            $crate::serve::offer::share::opened::Outcome::Later(Box::pin(async move {
                let waiting = $waiting;
                let $given = $crate::serve::offer::share::pending::InLine::new(waiting, &line).await?;
                Ok($answer)
            }))
        } else {
            $crate::serve::offer::share::opened::Outcome::Now($crate::share::Wait::now($waiting).map(
                |given| match given {
                    Some($given) => $answer,
                    None => ($crate::wire::peer::share::Said::NotNow, Vec::new()),
                },
            ))
        }
    };
}
pub(super) use wait;

/// What gives a number, or nothing.
pub(super) fn number(number: impl Into<i64>) -> Given {
    (Said::Done(number.into()), Vec::new())
}

/// What gives how many there are.
pub(super) fn count(count: usize) -> Given {
    number(i64::try_from(count).unwrap_or(i64::MAX))
}

/// The other side asks for what objects of this kind do not do.
pub(super) fn unknown<T>(op: &Op) -> Result<T> {
    Err(Error::new(Kind::ConfigInvalid, format!("this object does not do that: {op:?}"))
        .with_help("open it as what it is, with the same version at both ends"))
}
