//! Where shared objects lie, and who uses them: the [`Ground`] beneath locks, semaphores, conditions, events and barriers.
//!
//! An object is a few atomic words, and all zero is a fresh one. So the same algorithms serve objects anywhere in the
//! memory of one process (`Here`) and objects in memory that processes share. What differs is who can vanish: a process
//! may be killed between any two instructions, with an object in its hands.
//!
//! Three parts make every blocking operation: a [`Monitor`] in the object, which one thread at a time is inside of, and
//! which has the line of those who wait; a [`Waiter`] for each thread that waits, in the ground; and a [`Turn`], the
//! thread's place in that line. The protocol and its proof are in `README.md` beside this file.

mod bell;
mod clock;
#[cfg(not(loom))]
mod here;
mod monitor;
mod onlookers;
mod turn;
mod waiter;

pub use bell::{Bell, is_called};
pub use clock::{as_thread, now, thread};
#[cfg(not(loom))]
pub use here::Here;
pub use monitor::{Inside, Monitor};
pub use onlookers::Onlookers;
pub use turn::Turn;
pub use waiter::{Seen, Waiter};

use crate::primitives::atomic::AtomicU32;

/// A process among those that share a ground: `1..=`[`MOST_PARTIES`].
pub type Party = u32;

/// The most processes that can share a ground at a time.
pub const MOST_PARTIES: usize = 255;

/// Where objects lie and who uses them: one process, or several that share memory.
pub trait Ground: Sync {
    /// Who we are. It changes with a `fork`: a child is somebody else.
    fn me(&self) -> Party;

    /// Whether what this party holds is ours to give back.
    fn is_ours(&self, party: Party) -> bool {
        party == self.me()
    }

    /// The counters that belong to an object, one for each party and one more, where parties can vanish.
    fn counters(&self, table: u32) -> Option<&[AtomicU32]>;

    /// Changes when parties vanish without being [buried](Self::bury_the_dead): lines from before are looked through.
    fn era(&self) -> u32 {
        0
    }

    /// Whether this party is no more. It asks the system, which takes microseconds.
    fn is_gone(&self, party: Party) -> bool;

    /// Looks for parties that are no more, sets right what they held, and wakes who waits for it.
    fn bury_the_dead(&self);

    /// The same for those who only sleep for long and have heard of no death: it may be left to another who just looked.
    fn look_for_the_dead(&self) {
        self.bury_the_dead();
    }

    /// Whether nobody shall wait here any more: then operations that would have to, give up as if their time were over.
    /// Those who wait already find that out when they are [woken](Inside::wake).
    fn is_closed(&self) -> bool {
        false
    }

    /// The record of a waiting thread.
    ///
    /// # Panics
    /// If there is none of this number; they begin with 1.
    fn waiter(&self, number: u32) -> &Waiter;

    /// Takes a record that nobody has.
    fn take_waiter(&self) -> u32;

    /// Gives it back.
    fn give_waiter(&self, number: u32);

    /// The highest number that a record ever had.
    fn waiters(&self) -> u32;

    /// What all parties call the object that this monitor belongs to; never 0.
    fn name_of(&self, monitor: &Monitor) -> u64;
}
