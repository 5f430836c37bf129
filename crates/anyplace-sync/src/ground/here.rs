//! The ground of one process: objects lie anywhere in its memory, and nobody can vanish.

#![allow(unsafe_code, reason = "rows of records are made without a lock")]

use super::{Ground, Monitor, Party, Waiter};
#[cfg(target_os = "linux")]
use crate::fork;
use std::cell::Cell;
use std::ptr;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::sync::atomic::{AtomicPtr, AtomicU32};

/// This process, for objects that only its own threads use.
///
/// A thread that ends with a lock in its hands leaves it locked, as a thread that never lets go would.
#[derive(Clone, Copy, Debug, Default)]
pub struct Here;

const ROW: usize = 64;
const ROWS: usize = 4096;

/// Records come in rows, which stay where they are for as long as the program runs.
///
/// Nothing here is a mutex or is made once: a child of `fork` would wait for ever for a thread of its parent that was just
/// about to.
static TABLE: [AtomicPtr<[Waiter; ROW]>; ROWS] = [const { AtomicPtr::new(ptr::null_mut()) }; ROWS];
static MADE: AtomicU32 = AtomicU32::new(0);

thread_local! {
    /// The record that this thread had last: most wait for one thing at a time.
    static OURS: Cell<Kept> = const { Cell::new(Kept::NONE) };
}

/// A record kept for the next wait; it goes back when the thread ends. In a child of `fork` it is nobody's any more.
struct Kept {
    number: u32,
    party: Party,
}

impl Kept {
    const NONE: Self = Self { number: 0, party: 0 };

    /// Its number, if it is still ours.
    fn take(mut self, me: Party) -> Option<u32> {
        let number = std::mem::take(&mut self.number);
        (number != 0 && self.party == me).then_some(number)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if self.number != 0 && self.party == Here.me() {
            Here.waiter(self.number).give();
        }
    }
}

fn row(index: usize) -> &'static [Waiter; ROW] {
    let row = &TABLE[index];
    if row.load(Acquire).is_null() {
        let made = Box::into_raw(Box::new(std::array::from_fn(|_| Waiter::default())));
        if row.compare_exchange(ptr::null_mut(), made, AcqRel, Acquire).is_err() {
            // SAFETY: `into_raw` gave it above, and nobody else has seen it.
            drop(unsafe { Box::from_raw(made) });
        }
    }
    // SAFETY: it is not null any more, and rows are never freed.
    unsafe { &*row.load(Acquire) }
}

/// A record that nobody has, or whose thread stayed with the parent of a `fork`. One look at each:
/// once in a thread's life, and for each wait that it has besides, as one that runs many futures.
fn find(me: Party) -> u32 {
    let is_free = |number: &u32| Here.waiter(*number).take_from_others(me);
    (1..=MADE.load(Relaxed)).find(is_free).unwrap_or_else(|| {
        let number = MADE.fetch_add(1, Relaxed) + 1;
        // Another may have found it meanwhile.
        if Here.waiter(number).take(me) { number } else { find(me) }
    })
}

impl Ground for Here {
    /// A child of `fork` is another party: threads of its parent that were inside something then are not there.
    #[inline]
    fn me(&self) -> Party {
        self.era() % super::MOST_PARTIES as u32 + 1
    }

    #[inline]
    fn era(&self) -> u32 {
        #[cfg(target_os = "linux")]
        return fork::fork_generation();
        #[cfg(not(target_os = "linux"))]
        return 0;
    }

    fn is_gone(&self, party: Party) -> bool {
        party != self.me()
    }

    /// What the parent held when it forked, its child may give back.
    #[inline]
    fn is_ours(&self, _: Party) -> bool {
        true
    }

    fn counters(&self, _: u32) -> Option<&[AtomicU32]> {
        None
    }

    fn bury_the_dead(&self) {}

    fn waiter(&self, number: u32) -> &Waiter {
        let index = number as usize - 1;
        &row(index / ROW)[index % ROW]
    }

    fn take_waiter(&self) -> u32 {
        let me = self.me();
        let kept = OURS.try_with(|ours| ours.replace(Kept::NONE)).ok();
        kept.and_then(|kept| kept.take(me)).unwrap_or_else(|| find(me))
    }

    fn give_waiter(&self, number: u32) {
        let kept = Kept { number, party: self.waiter(number).party() };
        // A wait within a wait gives the other record back, a thread that ends both.
        drop(OURS.try_with(|ours| ours.replace(kept)));
    }

    fn waiters(&self) -> u32 {
        MADE.load(Relaxed)
    }

    fn name_of(&self, monitor: &Monitor) -> u64 {
        std::ptr::from_ref(monitor).addr() as u64
    }
}
