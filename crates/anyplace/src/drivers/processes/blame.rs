//! What becomes of a dead worker's tasks.
//!
//! It had one task at a time, so a death has one culprit: the call that ran. What it had finished is told, what it had
//! not begun is done by others. In a chunk, the calls before the culprit have their replies, and those behind it go back
//! to the board. A culprit that is declared idempotent is run again, at most [`AGAIN`] times.
//!
//! In a strict place a death is the end of all: what waits and what others run is lost with the culprit. The place is broken
//! before anybody is told, so that who hears of it and submits again is refused.

use super::desk::Desk;
use super::memory::{self, bytes_of};
use super::posted::{Posted, SoFar};
use super::process::Death;
use crate::error::{Error, Exit, Kind, Retry};
use crate::outcome::{Items, Outcome};
use crate::task::Ending;
use crate::wire::listed;
use crate::wire::reply::is_kind;
use crate::wire::rows::Rows;
use crate::work::Bytes;
use anyplace_sync::shm::board::Partial;

/// How often an idempotent call whose worker died is run again.
const AGAIN: u32 = 3;

/// When so many calls in a row of a chunk are given up and none between them is finished, none of it is tried again: it may
/// be the function that kills the workers.
const BARREN: u32 = 3;

impl Desk {
    /// Takes a dead worker, which is reaped, off the board; `was_asked` if it was to go.
    pub(super) fn bury(&self, worker: usize, death: &Death, was_asked: bool) {
        let buried = self.host.bury(worker);
        let is_bystander = self.broken_for_ever().is_some();
        let has_left = was_asked && death.exit == Exit::Code(0) && buried.running.is_none();
        if self.choices.strict && !has_left {
            self.break_for_ever(died(death));
        }
        for (posted, reply) in buried.finished {
            // What it said was heard before it was buried.
            self.bring_home_now(posted, reply);
        }
        if let Some((posted, partial)) = buried.running {
            self.blame(posted, partial, worker, death, is_bystander);
        }
        self.collect();
    }

    /// Ends a strict place: its keeper ends the workers.
    fn break_for_ever(&self, error: Error) {
        self.break_down(error.with_help("a strict place is broken then; leave `strict` out to go on"));
        self.bell.ring();
    }

    /// What a caller could not read ends a strict place. Gives what the caller is told.
    pub(super) fn reject(&self, unreadable: Error) -> Error {
        let message = format!("a result cannot be read: {}", unreadable.message());
        let error = Error::new(Kind::WorkerLost, message).with_source(unreadable).at(&self.place);
        self.break_for_ever(error.clone());
        error.with_retry(Retry::MayRepeat)
    }

    fn blame(
        &self,
        mut posted: Box<Posted>,
        partial: Partial,
        worker: usize,
        death: &Death,
        is_bystander: bool,
    ) {
        let ended = partial.condemned.then(|| self.ended(&posted));
        if posted.is_chunk() {
            self.salvage(&mut posted, partial, worker);
        }
        match ended {
            Some(outcome) => self.end(posted, worker, outcome),
            None if posted.calls() == 0 => self.end(posted, worker, Outcome::Returned(nothing())),
            None => match self.broken_for_ever() {
                Some(all) => self.end_with(all, posted, worker, (!is_bystander).then_some(death)),
                None => self.blame_call(posted, worker, death),
            },
        }
    }

    /// In a strict place, the call that killed its worker is told so; all others are told what broke the place.
    fn end_with(&self, all: &Error, mut posted: Box<Posted>, worker: usize, culprit: Option<&Death>) {
        let all = all.clone().with_retry(Retry::MayRepeat).on_attempt(posted.task.attempt);
        let Some(death) = culprit else { return self.end(posted, worker, Outcome::Lost(all)) };
        let own = lost(death, &posted);
        if !posted.is_chunk() {
            return self.end(posted, worker, Outcome::Lost(own));
        }
        posted.so_far.get_or_insert_default().items.failed(&own);
        posted.skip(1);
        self.end(posted, worker, Outcome::Lost(all));
    }

    /// The outcome of a task whose worker was killed for it.
    fn ended(&self, posted: &Posted) -> Outcome {
        match (posted.task.shared.ending(), self.broken()) {
            (None, Some(error)) => Outcome::Lost(error.clone()),
            (ending, _) => ended(ending.unwrap_or(Ending::Cancelled), posted.task.attempt),
        }
    }

    /// Keeps the replies of the calls that were finished, and leaves these calls out.
    fn salvage(&self, posted: &mut Posted, partial: Partial, worker: usize) {
        let written =
            partial.written.and_then(|(block, length)| self.memory.blocks.adopt(block, length, worker).ok());
        let calls = posted.calls();
        let items = written.map(|block| {
            let beside = self.beside(partial, worker);
            Items::from_rows(Rows::salvaged(&bytes_of(block), &beside, calls, is_kind))
        });
        let items = items.unwrap_or_default();
        let so_far = posted.so_far.get_or_insert_default();
        so_far.items.extend(&items);
        // Calls that were finished while the place's memory was full went with their worker.
        let finished = calls.min(partial.item as usize).max(items.len());
        let gone =
            Error::new(Kind::WorkerLost, "the call had returned when its worker died over a later one")
                .with_retry(Retry::MayRepeat);
        let so_far = posted.so_far.get_or_insert_default();
        (items.len()..finished).for_each(|_| so_far.items.failed(&gone));
        if finished > 0 {
            (so_far.deaths, so_far.barren) = (0, 0);
        }
        posted.skip(finished);
    }

    /// What stands beside these replies: the blocks that the worker has listed.
    fn beside(&self, partial: Partial, worker: usize) -> Vec<Bytes> {
        let list =
            partial.beside.and_then(|(block, length)| self.memory.blocks.adopt(block, length, worker).ok());
        let blocks = memory::From { memory: &self.memory, worker };
        let entries = list.iter().flat_map(|list| list.chunks_exact(listed::WIDTH));
        entries.map_while(|entry| listed::read(entry, &blocks)).collect()
    }

    /// The first of the calls that are left has killed its worker.
    fn blame_call(&self, mut posted: Box<Posted>, worker: usize, death: &Death) {
        let so_far = posted.so_far.get_or_insert_default();
        so_far.deaths += 1;
        let deaths = so_far.deaths;
        // Whoever wants it ended wants no other attempt, though the worker was faster to die.
        let ends = posted.task.shared.is_asked_to_end();
        if posted.task.options.idempotent && deaths <= AGAIN && !ends {
            posted.task.attempt += 1;
            return self.post_again(posted);
        }
        let error = lost(death, &posted);
        let error = if deaths > 1 { error.with_retry(Retry::Never).with_help(guilty(deaths)) } else { error };
        if !posted.is_chunk() {
            posted.so_far = None;
            return self.end(posted, worker, Outcome::Lost(error));
        }
        let so_far: &mut SoFar = posted.so_far.get_or_insert_default();
        so_far.barren += 1;
        if ends || so_far.barren >= BARREN || posted.calls() == 1 {
            return self.end(posted, worker, Outcome::Lost(error));
        }
        let so_far: &mut SoFar = posted.so_far.get_or_insert_default();
        so_far.items.failed(&error);
        so_far.deaths = 0;
        posted.task.attempt -= deaths - 1;
        posted.skip(1);
        self.post_again(posted);
    }
}

fn died(death: &Death) -> Error {
    Error::new(Kind::WorkerLost, format!("worker process {} died: {}", death.pid, death.exit))
        .with_exit(death.exit)
        .with_log_tail(death.tail.clone())
}

fn nothing() -> crate::outcome::Value {
    crate::outcome::Value::Items(Items::default())
}

fn guilty(deaths: u32) -> String {
    format!("it was run {deaths} times and its worker died each time: it is the item that kills it")
}

/// The outcome of a task whose worker was killed on request.
fn ended(ending: Ending, attempt: u32) -> Outcome {
    let error = match ending {
        Ending::Cancelled => Error::new(Kind::Cancelled, "the task was ended on request while it ran"),
        Ending::Timeout => Error::new(Kind::Timeout, "the task ran longer than its time limit and was ended")
            .with_help("give it more time, or less to do"),
    };
    Outcome::from(error.with_retry(Retry::MayRepeat).on_attempt(attempt))
}

fn lost(death: &Death, posted: &Posted) -> Error {
    let name = posted.task.options.name.as_deref();
    let what = name.map_or("the task".to_owned(), |name| format!("`{name}`"));
    let message = format!("worker process {} died while it ran {what}: {}", death.pid, death.exit);
    Error::new(Kind::WorkerLost, message)
        .with_exit(death.exit)
        .with_log_tail(death.tail.clone())
        .with_retry(Retry::MayRepeat)
        .on_attempt(posted.task.attempt)
        .with_help(match death.exit {
            Exit::Signal(9) => {
                "likely out of memory: the kernel kills with SIGKILL; use fewer workers or less memory"
            }
            Exit::Signal(_) => "native code crashed: look at what the task calls outside its language",
            Exit::Code(_) => "the work ended its process: let it return or fail instead",
        })
}
