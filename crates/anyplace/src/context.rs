//! What a running task may know about itself.

use std::cell::RefCell;

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

    /// Runs `work` with this context as the [`current`] one of the thread.
    pub fn enter<R>(self, work: impl FnOnce() -> R) -> R {
        let _leave = Leave(CURRENT.replace(Some(self)));
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
    static CURRENT: RefCell<Option<Context>> = const { RefCell::new(None) };
}

/// Puts back the context of the task around this one, also when the work panics.
struct Leave(Option<Context>);

impl Drop for Leave {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

/// The task that the calling thread runs, if it runs one.
///
/// ```
/// let place = anyplace::open("inline:?seed=7")?;
/// let seeds: Vec<u64> = place.map(|_: u32| anyplace::current().unwrap().seed(), 0..2)?.collect::<Result<_, _>>()?;
/// assert_ne!(seeds[0], seeds[1]);
/// # Ok::<(), anyplace::Error>(())
/// ```
pub fn current() -> Option<Context> {
    CURRENT.with_borrow(|context| *context)
}

/// The cores that a place opened here may count on: all that this process may use, or, inside a task, this worker's
/// share of them, so that nested places do not multiply threads.
pub fn share_of_cores() -> usize {
    let cores = anyplace_sync::usable_cores();
    current().map_or(cores, |context| (cores / context.workers.max(1)).max(1))
}
