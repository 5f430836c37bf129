//! The ground of one process: objects lie anywhere in its memory, and nobody can vanish.

use super::{Ground, Monitor, Party, Waiter};
#[cfg(target_os = "linux")]
use crate::fork;
use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock, PoisonError};

/// This process, for objects that only its own threads use.
///
/// A thread that ends with a lock in its hands leaves it locked, as a thread that never lets go would.
#[derive(Clone, Copy, Debug, Default)]
pub struct Here;

const ROW: usize = 64;
const ROWS: usize = 4096;

/// Records come in rows, which stay where they are for as long as the program runs.
static TABLE: [OnceLock<Box<[Waiter; ROW]>>; ROWS] = [const { OnceLock::new() }; ROWS];
static MADE: AtomicU32 = AtomicU32::new(0);
static FREE: Mutex<Vec<u32>> = Mutex::new(Vec::new());

thread_local! {
    /// The record that this thread had last: most wait for one thing at a time.
    static OURS: Cell<Kept> = const { Cell::new(Kept(0)) };
}

/// A record kept for the next wait; it goes back when the thread ends.
struct Kept(u32);

impl Drop for Kept {
    fn drop(&mut self) {
        if self.0 != 0 {
            free().push(self.0);
        }
    }
}

fn free() -> std::sync::MutexGuard<'static, Vec<u32>> {
    FREE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn make() -> u32 {
    free().pop().unwrap_or_else(|| MADE.fetch_add(1, Relaxed) + 1)
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
        let row = TABLE[index / ROW].get_or_init(|| Box::new(std::array::from_fn(|_| Waiter::default())));
        &row[index % ROW]
    }

    fn take_waiter(&self) -> u32 {
        let kept =
            OURS.try_with(|ours| ours.replace(Kept(0))).map_or(0, |mut kept| std::mem::take(&mut kept.0));
        let number = if kept == 0 { make() } else { kept };
        let waiter = self.waiter(number);
        // In a child of `fork` records may still be those of its parent's threads.
        waiter.give();
        waiter.take(self.me());
        number
    }

    fn give_waiter(&self, number: u32) {
        self.waiter(number).give();
        let before = OURS.try_with(|ours| ours.replace(Kept(number)));
        // A wait within a wait, or a thread that ends: `Kept` gives the number back when it is dropped.
        drop(before.unwrap_or_else(|_| Kept(number)));
    }

    fn waiters(&self) -> u32 {
        MADE.load(Relaxed)
    }

    fn name_of(&self, monitor: &Monitor) -> u64 {
        std::ptr::from_ref(monitor).addr() as u64
    }
}
