//! What clients do with queues and pipes. Values pass through as they are.

use super::opened::{Outcome, Wanted, count, number, unknown, wait};
use super::pending::Given;
use crate::error::{Error, Kind, Result};
use crate::share::{Pipe, Queue};
use crate::wire::peer::share::{Op, Said};
use crate::work::Payload;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(super) fn queue(queue: &Queue<Payload>, wanted: Wanted) -> Outcome {
    match wanted.op {
        Op::Put { rank } => match one(wanted.values) {
            Err(error) => Outcome::Now(Err(error)),
            Ok(value) => {
                let mut item = Some(value);
                let wanted = Wanted { values: Vec::new(), ..wanted };
                wait!(wanted, |queue| queue.putting_ranked(rank, &mut item), |()| number(0))
            }
        },
        Op::Get => wait!(wanted, |queue| queue.getting(), |value| values(vec![value])),
        Op::GetMany { most } => {
            let most = usize::try_from(most).unwrap_or(usize::MAX);
            wait!(wanted, |queue| queue.getting_many(most), |all| values(all))
        }
        Op::Join => wait!(wanted, |queue| queue.joining(), |()| number(0)),
        Op::TaskDone => Outcome::Now(queue.task_done().map(|()| number(0))),
        Op::ShutDown { discards } => {
            queue.shut_down(discards);
            Outcome::Now(Ok(number(0)))
        }
        Op::IsShutDown => Outcome::Now(Ok(number(queue.is_shut_down()))),
        Op::Capacity => Outcome::Now(Ok(count(queue.capacity()))),
        Op::Len => Outcome::Now(Ok(count(queue.len()))),
        op => Outcome::Now(unknown(&op)),
    }
}

/// An end of a pipe, and what was taken from it for a receiver that went away meanwhile: the next one gets that first.
pub(super) struct End {
    pub(super) pipe: Pipe<Payload>,
    returned: Mutex<VecDeque<Payload>>,
}

impl End {
    pub(super) fn new(pipe: Pipe<Payload>) -> Self {
        Self { pipe, returned: Mutex::default() }
    }

    fn returned(&self) -> MutexGuard<'_, VecDeque<Payload>> {
        self.returned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn take_back(&self, values: Vec<Payload>) {
        self.returned().extend(values);
    }

    pub(super) fn act(&self, wanted: Wanted) -> Outcome {
        let pipe = &self.pipe;
        match wanted.op {
            // A pipe has room for as much as there is memory for, so this does not wait.
            Op::Put { .. } => {
                Outcome::Now(one(wanted.values).and_then(|value| pipe.send(value)).map(|()| number(0)))
            }
            Op::Get => match self.returned().pop_front() {
                Some(value) => Outcome::Now(Ok(values(vec![value]))),
                None => wait!(wanted, |pipe| pipe.receiving(), |value| values(vec![value])),
            },
            Op::Look if !self.returned().is_empty() => Outcome::Now(Ok(number(0))),
            Op::Look => wait!(wanted, |pipe| pipe.polling(), |()| number(0)),
            op => Outcome::Now(unknown(&op)),
        }
    }
}

fn values(values: Vec<Payload>) -> Given {
    (Said::Done(0), values)
}

/// The one value that goes with an operation.
fn one(values: Vec<Payload>) -> Result<Payload> {
    let value = values.into_iter().next();
    value.ok_or_else(|| Error::new(Kind::NotSerializable, "nothing came that could be put"))
}
