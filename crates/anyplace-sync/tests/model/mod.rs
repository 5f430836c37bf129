//! A ground for models, in which nobody dies. The atomics are those of the model that includes it.

use super::AtomicU32;
use anyplace_sync::ground::{Ground, Monitor, Party, Waiter};

pub(crate) struct Model<const THREADS: usize> {
    waiters: [Waiter; THREADS],
}

impl<const THREADS: usize> Default for Model<THREADS> {
    fn default() -> Self {
        Self { waiters: std::array::from_fn(|_| Waiter::default()) }
    }
}

impl<const THREADS: usize> Ground for Model<THREADS> {
    fn me(&self) -> Party {
        1
    }

    fn is_gone(&self, _: Party) -> bool {
        false
    }

    fn counters(&self, _: u32) -> Option<&[AtomicU32]> {
        None
    }

    fn bury_the_dead(&self) {}

    fn waiter(&self, number: u32) -> &Waiter {
        &self.waiters[number as usize - 1]
    }

    fn take_waiter(&self) -> u32 {
        let free = self.waiters.iter().position(|waiter| waiter.take(1));
        free.expect("as many records as threads") as u32 + 1
    }

    fn give_waiter(&self, number: u32) {
        self.waiter(number).give();
    }

    fn waiters(&self) -> u32 {
        self.waiters.len() as u32
    }

    fn name_of(&self, monitor: &Monitor) -> u64 {
        std::ptr::from_ref(monitor).addr() as u64
    }
}
