//! A task while it is the driver's: what of it is sent, what of it is done.
//!
//! A message to a worker is the number of the block of the callable plus one (4 bytes), the length of what is in there
//! (8), and the order as `wire/order.rs` has it. Short messages lie in the slot, others in a block of their own.

use super::functions::Functions;
use super::memory::Shared;
use crate::context::Context;
use crate::error::Error;
use crate::outcome::{Done, ItemsWriter, Outcome, Value};
use crate::task::{Started, Task};
use crate::wire::order::{self, Callee};
use crate::work::{Arguments, Work};
use anyplace_sync::shm::board::{Body, INLINE};
use anyplace_sync::shm::{Block, Full};

pub(super) struct Posted {
    pub(super) task: Task,
    pub(super) done: Done,
    /// How the calls of a chunk ended whose worker died over one of them.
    pub(super) so_far: Option<Box<SoFar>>,
    /// What the message refers to stays until the task is home: the callable, and the message itself.
    kept: [Option<Block>; 2],
}

/// The part of a chunk that is behind it.
#[derive(Default)]
pub(super) struct SoFar {
    pub(super) items: ItemsWriter,
    /// How often a worker died over the call that is now the first.
    pub(super) deaths: u32,
    /// How many calls in a row were given up, with none finished between them.
    pub(super) barren: u32,
}

impl Posted {
    /// On the heap: it is handed on a few times, and is large.
    pub(super) fn new(task: Task, done: Done) -> Box<Self> {
        Box::new(Self { task, done, so_far: None, kept: [None, None] })
    }

    pub(super) fn arguments(&self) -> Option<&Arguments> {
        match &self.task.work {
            Work::Named(named) => Some(&named.arguments),
            Work::Pickled(pickled) => Some(&pickled.arguments),
            _ => None,
        }
    }

    /// How many calls are left.
    pub(super) fn calls(&self) -> usize {
        self.arguments().map_or(1, Arguments::len)
    }

    pub(super) fn is_chunk(&self) -> bool {
        matches!(self.arguments(), Some(Arguments::Each(_)))
    }

    /// What the task's observers are told when `worker` begins it.
    pub(super) fn started(&self, worker: usize) -> Started {
        Started { task: self.task.id, index: self.task.index, attempt: self.task.attempt, worker }
    }

    fn context(&self) -> Context {
        let context = self.task.context(0, 0);
        let behind = self.so_far.as_ref().map_or(0, |so_far| so_far.items.len() as u64);
        context.at(context.index + behind)
    }

    /// Leaves out the first `calls` of what is left.
    pub(super) fn skip(&mut self, calls: usize) {
        let arguments = match &mut self.task.work {
            Work::Named(named) => &mut named.arguments,
            Work::Pickled(pickled) => &mut pickled.arguments,
            _ => return,
        };
        if let Arguments::Each(packed) = arguments {
            *packed = packed.tail(calls);
        }
    }

    /// Writes the message; `room` is only a place to work.
    ///
    /// # Errors
    /// The shared memory is full.
    pub(super) fn write<'a>(
        &mut self,
        room: &'a mut Vec<u8>,
        memory: &Shared,
        functions: &Functions,
    ) -> Result<Body<'a>, Full> {
        let context = self.context();
        let (callee, function, arguments) = match &self.task.work {
            Work::Named(named) => (Callee::Named(&named.name), None, &named.arguments),
            Work::Pickled(pickled) => {
                let block = functions.block(&pickled.function, memory)?;
                (Callee::Defined(pickled.function.id), Some(block), &pickled.arguments)
            }
            _ => unreachable!("the desk takes no other work"),
        };
        room.clear();
        let (number, length) = function.as_ref().map_or((0, 0), |block| (block.number() + 1, block.len()));
        room.extend_from_slice(&number.to_le_bytes());
        room.extend_from_slice(&(length as u64).to_le_bytes());
        let rest = order::write(room, &context, callee, arguments, memory);
        let all = rest.rows.len() + rest.following.iter().map(|bytes| bytes.len()).sum::<usize>();
        self.kept = [function, None];
        if room.len() + all <= INLINE {
            room.extend_from_slice(&rest.rows);
            rest.following.iter().for_each(|bytes| room.extend_from_slice(bytes));
            return Ok(Body::Inline(room));
        }
        let mut block = memory.blocks.allocate(room.len() + all)?;
        let mut to = &mut block[..];
        let parts = [&room[..], &rest.rows].into_iter().chain(rest.following.iter().map(|bytes| &***bytes));
        for part in parts {
            let (here, others) = to.split_at_mut(part.len());
            here.copy_from_slice(part);
            to = others;
        }
        let (number, length) = (block.number(), block.len());
        self.kept[1] = Some(block.freeze());
        Ok(Body::Block(number, length))
    }

    /// Tells how the task ended, whose calls that are left ended by `outcome`.
    pub(super) fn end(self, outcome: Outcome) {
        let (calls, is_chunk) = (self.calls(), self.is_chunk());
        let outcome = match self.so_far {
            Some(so_far) if is_chunk => so_far.join(outcome, calls),
            _ => outcome,
        };
        // Blocks go first: who hears of the outcome may want their room.
        drop(self.kept);
        drop(self.task.work);
        self.done.call(outcome);
    }
}

impl SoFar {
    fn join(mut self, outcome: Outcome, calls: usize) -> Outcome {
        match outcome {
            Outcome::Returned(Value::Items(items)) => self.items.extend(&items),
            outcome => {
                let error = outcome.error().cloned();
                let error =
                    error.unwrap_or_else(|| Error::new(crate::Kind::Unexpected, "a chunk gave one value"));
                (0..calls).for_each(|_| self.items.failed(&error));
            }
        }
        Outcome::Returned(Value::Items(self.items.finish()))
    }
}

impl std::fmt::Debug for Posted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.task.fmt(f)
    }
}
