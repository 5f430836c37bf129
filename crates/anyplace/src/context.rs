//! What a running task may know about itself.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Which task this is, which attempt, which worker runs it, and its seed.
///
/// The same on every place: only `worker` depends on where it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// The task's number in its place, from 0: of a `submit`, or of the map's call.
    pub task: u64,
    /// The item's position in its map, from 0; 0 for a single task.
    pub index: u64,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// Which of the place's workers runs it, from 0.
    pub worker: usize,
    /// How many workers the place has; what nested places share the cores by.
    pub workers: usize,
    /// The place's root seed.
    pub root_seed: u64,
}

impl Context {
    /// The seed of this item: it depends on the root seed, the task's number and the item's index, and on nothing
    /// else, so that results are the same on every place, order and chunking.
    ///
    /// SplitMix64 (Steele, Lea & Flood 2014) over the three numbers.
    pub fn seed(&self) -> u64 {
        [self.root_seed, self.task, self.index]
            .into_iter()
            .fold(0, |state, number| split_mix(state ^ split_mix(number)))
    }

    /// The same context at another item of its chunk.
    #[must_use]
    pub fn at(mut self, index: u64) -> Self {
        self.index = index;
        self
    }

    /// Inside of [`enter`](Self::enter): the thread's task goes on to the item with this index. Entering once for many
    /// items keeps what it costs off each of them.
    pub fn move_to(index: u64) {
        INDEX.set(index);
    }

    /// Runs `work` with this context as the [`current`] one of the thread.
    pub fn enter<R>(self, work: impl FnOnce() -> R) -> R {
        let _leave = Leave(CURRENT.replace(Some(self)), INDEX.replace(self.index));
        work()
    }
}

/// Turns a number into one that looks like chance.
pub(crate) fn split_mix(number: u64) -> u64 {
    let z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

thread_local! {
    static CURRENT: Cell<Option<Context>> = const { Cell::new(None) };
    /// The item that runs now: apart, since it changes with every item of a chunk.
    static INDEX: Cell<u64> = const { Cell::new(0) };
}

/// Puts back the context of the task around this one, also when the work panics.
struct Leave(Option<Context>, u64);

impl Drop for Leave {
    fn drop(&mut self) {
        CURRENT.set(self.0);
        INDEX.set(self.1);
    }
}

thread_local! {
    static WITHIN: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` while the thread counts as one of the engine's: it settles a task, or drops what a task held.
///
/// A place whose last clone is dropped in here must not wait for its tasks, which wait for this very thread:
/// see [`is_within_engine`].
pub(crate) fn within_engine<R>(work: impl FnOnce() -> R) -> R {
    struct Back(bool);
    impl Drop for Back {
        fn drop(&mut self) {
            WITHIN.set(self.0);
        }
    }
    let _back = Back(WITHIN.replace(true));
    work()
}

/// Runs a callback of others on a thread that has more to do: what it panics with is its own.
///
/// A slot that went with it would leave its place one worker short, and at last without any.
pub(crate) fn caught(callback: impl FnOnce()) {
    drop(catch_unwind(AssertUnwindSafe(callback)));
}

/// Whether the calling thread is inside [`within_engine`] or inside a task.
pub(crate) fn is_within_engine() -> bool {
    WITHIN.get() || current().is_some()
}

/// The task that the calling thread runs, if it runs one.
///
/// ```
/// let place = anyplace::open("inline:?seed=7")?;
/// let seeds: Vec<u64> = place.map(|_: u32| anyplace::current().unwrap().seed(), 0..2)?.collect::<Result<_, _>>()?;
/// assert_ne!(seeds[0], seeds[1]);
/// # Ok::<(), anyplace::Error>(())
/// ```
#[inline]
pub fn current() -> Option<Context> {
    CURRENT.get().map(|context| context.at(INDEX.get()))
}

/// The cores that a place opened here may count on: all that this process may use, or, inside a task, this worker's
/// share of them, so that nested places do not multiply threads.
pub fn share_of_cores() -> usize {
    let cores = anyplace_sync::usable_cores();
    current().map_or(cores, |context| (cores / context.workers.max(1)).max(1))
}
