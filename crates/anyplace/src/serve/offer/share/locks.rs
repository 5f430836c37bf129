//! What clients do with locks and semaphores. What they hold, they keep: they release it themselves, or are lost.

use super::opened::{Outcome, Wanted, count, number, unknown, wait};
use crate::share::{Acquired, Lock, RLock, Semaphore};
use crate::wire::peer::share::Op;

pub(super) fn lock(lock: &Lock, wanted: Wanted) -> Outcome {
    match wanted.op {
        Op::Acquire { .. } => wait!(wanted, |lock| lock.acquiring(), |held| acquired(held.keep())),
        Op::Release { .. } => Outcome::Now(lock.release().map(|()| number(0))),
        Op::Held => Outcome::Now(Ok(number(lock.is_locked()))),
        op => Outcome::Now(unknown(&op)),
    }
}

pub(super) fn rlock(lock: &RLock, wanted: Wanted) -> Outcome {
    match wanted.op {
        Op::Acquire { owner } => wait!(wanted, |lock| lock.acquiring(owner), |held| acquired(held.keep())),
        Op::Restore { owner, count } => {
            wait!(wanted, |lock| lock.restoring(owner, count), |taken| acquired(taken))
        }
        Op::Release { owner, .. } => Outcome::Now(lock.release(owner).map(|()| number(0))),
        Op::ReleaseAll { owner } => Outcome::Now(lock.release_all(owner).map(number)),
        Op::Held => Outcome::Now(Ok(number(lock.is_locked()))),
        Op::CountOf { owner } => Outcome::Now(Ok(count(lock.count_of(owner) as usize))),
        op => Outcome::Now(unknown(&op)),
    }
}

pub(super) fn semaphore(semaphore: &Semaphore, wanted: Wanted) -> Outcome {
    match wanted.op {
        Op::Acquire { .. } => wait!(wanted, |semaphore| semaphore.acquiring(), |permit| {
            permit.keep();
            number(0)
        }),
        Op::Release { count, .. } => Outcome::Now(semaphore.release(count).map(|()| number(0))),
        Op::Held => Outcome::Now(Ok(number(semaphore.value()))),
        op => Outcome::Now(unknown(&op)),
    }
}

fn acquired(Acquired { abandoned }: Acquired) -> super::pending::Given {
    number(abandoned)
}
