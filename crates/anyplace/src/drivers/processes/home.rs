//! How outcomes come home: from a worker's reply to whoever waits for the task.

use super::desk::Desk;
use super::memory::{self, bytes_of};
use super::posted::Posted;
use crate::error::{Error, Kind, Retry};
use crate::outcome::Outcome;
use crate::wire::{Malformed, reply};
use crate::worker::SPOKEN;
use anyplace_sync::shm::board::Reply;
use std::sync::PoisonError;
use std::time::Duration;

impl Desk {
    /// Tells how a task ended to which a worker has replied; but what the task has said in the log is told first, by the
    /// keeper, who hears it.
    pub(super) fn bring_home(&self, posted: Box<Posted>, reply: Reply) {
        if !has_spoken(&reply) {
            return self.bring_home_now(posted, reply);
        }
        self.spoken.lock().unwrap_or_else(PoisonError::into_inner).push((posted, reply));
        self.bell.ring();
    }

    /// The tasks whose workers have to be heard first.
    pub(super) fn take_spoken(&self) -> Vec<(Box<Posted>, Reply)> {
        std::mem::take(&mut *self.spoken.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// As [`bring_home`](Self::bring_home), at once.
    pub(super) fn bring_home_now(&self, posted: Box<Posted>, reply: Reply) {
        let worker = reply.worker();
        let outcome = self.read(&posted, &reply).unwrap_or_else(|malformed| {
            let error = Error::new(Kind::Unexpected, "a worker's reply cannot be read");
            Outcome::Failed(error.with_retry(Retry::MayRepeat).with_source(malformed))
        });
        drop(reply);
        self.end(posted, worker, outcome);
    }

    /// Tells how a task ended that `worker` has run.
    pub(super) fn end(&self, posted: Box<Posted>, worker: usize, outcome: Outcome) {
        self.announced.remove(&posted);
        posted.task.shared.come_home(Some(posted.started(worker)));
        posted.end(outcome);
    }

    fn read(&self, posted: &Posted, reply: &Reply) -> Result<Outcome, Malformed> {
        let blocks = memory::From { memory: &self.memory, worker: reply.worker() };
        let not_a_reply = Malformed("a reply of a worker");
        let (took, inline) = reply.inline().split_first_chunk::<8>().ok_or(not_a_reply)?;
        let took = u64::from_le_bytes(*took) & !SPOKEN;
        if took > 0 {
            posted.task.shared.took_exactly(Duration::from_nanos(took));
        }
        let Some((number, length)) = reply.block() else { return reply::read(inline, &blocks) };
        let block = self.memory.blocks.adopt(number, length, reply.worker()).map_err(|_| not_a_reply)?;
        self.memory.is_used(length);
        let rows = <[u8; 8]>::try_from(inline).map(u64::from_le_bytes).map_err(|_| not_a_reply)?;
        let rows = usize::try_from(rows).ok().filter(|rows| *rows <= length).ok_or(not_a_reply)?;
        let all = bytes_of(block);
        reply::read_apart(&all[rows..], all.slice(0..rows), &blocks)
    }
}

/// Whether the task of this reply has said something in the log.
fn has_spoken(reply: &Reply) -> bool {
    reply.inline().first_chunk::<8>().is_some_and(|took| u64::from_le_bytes(*took) & SPOKEN != 0)
}
