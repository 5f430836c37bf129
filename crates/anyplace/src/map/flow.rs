//! The chunks of one map on their way: how many may be out, what comes next, what is cancelled at the end.

use super::sizer::Sizer;
use crate::driver::Limits;
use crate::error::{Error, Kind, Result};
use crate::outcome::{Done, Outcome};
use crate::place::Place;
use crate::task::{Shared, TaskOptions};
use crate::work::Work;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Instant;

/// A map whose caller makes the chunks. The thread that takes results drives it; there is no other.
///
/// Ask [`room`](Self::room), [`send`](Self::send) a chunk of at most that many items, until there is no room; then
/// take the [`next`](Self::next). Dropping it cancels what has not begun.
pub struct Flow {
    place: Place,
    id: u64,
    index: u64,
    left: Option<usize>,
    ends: bool,
    per_item: bool,
    sizer: Sizer,
    ahead: usize,
    items_out: usize,
    out: VecDeque<Out>,
    landed: Option<Arc<Landed>>,
    /// What the caller wants of each task.
    pub options: TaskOptions,
}

struct Out {
    index: u64,
    items: usize,
    shared: Arc<Shared>,
}

/// Chunks that ended, in the order they ended.
#[derive(Default)]
struct Landed {
    indices: Mutex<VecDeque<u64>>,
    arrived: Condvar,
}

/// A chunk that ended.
#[derive(Debug)]
pub struct Chunk {
    /// Its first item's position in the map.
    pub index: u64,
    /// How many items it has.
    pub items: usize,
    /// How it ended: its value is that of a task, or `Value::Items`, as its work was made.
    pub outcome: Outcome,
}

/// What a flow has for its caller.
#[derive(Debug)]
pub enum Next {
    /// The next chunk.
    Chunk(Chunk),
    /// Nothing is out.
    Empty,
    /// The deadline came first.
    Late,
}

impl Flow {
    pub(crate) fn new(place: Place, id: u64, per_item: bool) -> Self {
        Self {
            place,
            id,
            index: 0,
            left: None,
            ends: false,
            per_item,
            sizer: if per_item { Sizer::fixed(1) } else { Sizer::adaptive() },
            ahead: usize::MAX,
            items_out: 0,
            out: VecDeque::new(),
            landed: None,
            options: TaskOptions::default(),
        }
    }

    /// Says how many items will come, as far as it is known: if exactly, chunks shrink towards the end; if there is an end,
    /// more of short chunks may be ahead.
    pub fn expect(&mut self, (at_least, at_most): (usize, Option<usize>)) {
        self.left = at_most.filter(|most| *most == at_least);
        self.ends = at_most.is_some();
    }

    /// Gives chunks as they end.
    pub fn unordered(&mut self) {
        self.landed.get_or_insert_with(Arc::default);
    }

    /// Fixes the number of items of a chunk. Places with layers that act on each item keep to 1.
    pub fn chunk(&mut self, items: usize) {
        if !self.per_item {
            self.sizer = Sizer::fixed(items);
        }
    }

    /// Bounds the items that are out.
    pub fn ahead(&mut self, items: usize) {
        self.ahead = items.max(1);
    }

    /// Whether each task is one item: then a chunk's work is made as for a single call.
    pub fn sends_singles(&self) -> bool {
        self.per_item
    }

    /// The place's limits.
    pub fn limits(&self) -> &Limits {
        self.place.limits()
    }

    /// The error of an item, with the place where it happened.
    #[must_use]
    pub fn within(&self, error: Error) -> Error {
        self.place.within(error)
    }

    /// How many items the next chunk may have; 0 while enough is out.
    pub fn room(&self) -> usize {
        let workers = self.limits().workers;
        if self.out.len() > self.sizer.ahead(self.ends) * workers {
            return 0;
        }
        self.sizer.size(self.left, workers).min(self.ahead.saturating_sub(self.items_out))
    }

    /// Sends a chunk.
    ///
    /// # Errors
    /// `PlaceClosed`, `Unsupported`: before anything ran.
    pub fn send(&mut self, items: usize, work: Work) -> Result<()> {
        let count =
            u32::try_from(items).map_err(|_| Error::config("a chunk has more than 4294967295 items"))?;
        let task = self.place.task(self.id, self.index, count, work, self.options.clone())?;
        // Asked before the chunk counts as sent: nobody would bring its outcome.
        let tasks = self.place.tasks()?.clone();
        let shared = task.shared.clone();
        if !self.sizer.is_fixed() {
            shared.measure();
        }
        if let Some(landed) = &self.landed {
            let (landed, index) = (landed.clone(), self.index);
            shared.on_landed(move || landed.push(index));
        }
        self.out.push_back(Out { index: self.index, items, shared: shared.clone() });
        self.index += items as u64;
        self.items_out += items;
        self.left = self.left.map(|left| left.saturating_sub(items));
        tasks.submit(task, Done::settle(shared));
        Ok(())
    }

    /// The next chunk: in order, or as they end if the flow is [`unordered`](Self::unordered).
    pub fn next(&mut self, deadline: Option<Instant>) -> Next {
        if self.out.is_empty() {
            return Next::Empty;
        }
        let Some(out) = self.next_out(deadline) else { return Next::Late };
        self.items_out -= out.items;
        if let Some(took) = out.shared.took() {
            self.sizer.learn(out.items, took);
        }
        let taken = || Outcome::Failed(Error::new(Kind::Unexpected, "the outcome was already taken"));
        let outcome = out.shared.take().unwrap_or_else(taken);
        Next::Chunk(Chunk { index: out.index, items: out.items, outcome })
    }

    fn next_out(&mut self, deadline: Option<Instant>) -> Option<Out> {
        match &self.landed {
            None if self.out.front()?.shared.wait(deadline) => self.out.pop_front(),
            None => None,
            Some(landed) => {
                // A worker that waits here runs its own chunks first, as with any wait.
                if anyplace_sync::current_worker().is_some() {
                    self.out.iter().for_each(|out| out.shared.run_if_waiting());
                }
                let index = self.landing(landed, deadline)?;
                let at = self.out.iter().position(|out| out.index == index)?;
                self.out.remove(at)
            }
        }
    }

    /// The next chunk that ended; if their driver brings outcomes home only when asked, it is asked meanwhile.
    fn landing(&self, landed: &Landed, deadline: Option<Instant>) -> Option<u64> {
        match self.out.front().and_then(|out| out.shared.driver()) {
            Some(driver) => {
                driver.wait_any(&|| !landed.is_empty(), deadline);
                landed.pop(Some(Instant::now()))
            }
            None => landed.pop(deadline),
        }
    }

    /// Cancels what has not begun; what runs goes on, and its results still come.
    pub fn cancel(&mut self) {
        for out in &self.out {
            out.shared.cancel();
        }
    }
}

impl Landed {
    fn push(&self, index: u64) {
        self.indices.lock().unwrap_or_else(PoisonError::into_inner).push_back(index);
        self.arrived.notify_one();
    }

    fn is_empty(&self) -> bool {
        self.indices.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn pop(&self, deadline: Option<Instant>) -> Option<u64> {
        let mut indices = self.indices.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(index) = indices.pop_front() {
                return Some(index);
            }
            indices = match deadline.map(|at| at.saturating_duration_since(Instant::now())) {
                None => self.arrived.wait(indices).unwrap_or_else(PoisonError::into_inner),
                Some(left) if left.is_zero() => return None,
                Some(left) => {
                    self.arrived.wait_timeout(indices, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

impl Drop for Flow {
    fn drop(&mut self) {
        self.cancel();
    }
}

impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Flow({} chunks out, {} items sent)", self.out.len(), self.index)
    }
}
