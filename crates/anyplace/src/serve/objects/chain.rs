//! Which calls belong together. A call that an object makes while it is called is of the same chain, so that it may come
//! back to an object that takes one call at a time and is busy with this very chain.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// What a thread does for whom.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chain {
    pub(super) number: u64,
    /// When nobody waits for it any more.
    pub(super) until: Option<Instant>,
}

impl Chain {
    /// The same, wanted until then at the latest.
    pub(super) fn no_later_than(self, until: Option<Instant>) -> Self {
        Self { until: [self.until, until].into_iter().flatten().min(), ..self }
    }
}

thread_local! {
    static CURRENT: Cell<Option<Chain>> = const { Cell::new(None) };
}

/// The chain that this thread is in, or a new one.
pub(super) fn current() -> Chain {
    CURRENT.get().unwrap_or_else(|| Chain { number: fresh(), until: None })
}

/// Does `work` as a part of this chain.
pub(super) fn within<R>(chain: Chain, work: impl FnOnce() -> R) -> R {
    struct Back(Option<Chain>);
    impl Drop for Back {
        fn drop(&mut self) {
            CURRENT.set(self.0);
        }
    }
    let _back = Back(CURRENT.replace(Some(chain)));
    work()
}

/// A number that no two chains of all processes share: random at first, then counted.
fn fresh() -> u64 {
    static NEXT: LazyLock<AtomicU64> =
        LazyLock::new(|| crate::random::bytes().map_or(1, u64::from_ne_bytes).into());
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// One call at a time, but for calls of the same chain.
#[derive(Debug, Default)]
pub(super) struct Turns {
    state: Mutex<State>,
    left: Condvar,
}

#[derive(Debug, Default)]
struct State {
    chain: u64,
    depth: usize,
}

/// While it lives, no other chain enters.
pub(super) struct Turn<'a>(&'a Turns);

impl Turns {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for its turn; nothing if nobody waits for the call any more.
    pub(super) fn take(&self, chain: Chain) -> Option<Turn<'_>> {
        let mut state = self.lock();
        while state.depth > 0 && state.chain != chain.number {
            let left = chain.until.map(|until| until.saturating_duration_since(Instant::now()));
            state = match left {
                None => self.left.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(left) if left.is_zero() => return None,
                Some(left) => self.left.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
        state.chain = chain.number;
        state.depth += 1;
        Some(Turn(self))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.depth -= 1;
        if state.depth == 0 {
            drop(state);
            self.0.left.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_chain_that_has_the_turn_enters_again_and_others_wait() {
        let turns = Turns::default();
        let ours = current();
        let turn = turns.take(ours).unwrap();
        let inner = turns.take(ours).unwrap();
        let late = Chain { number: ours.number + 1, until: Some(Instant::now() + Duration::from_millis(20)) };
        assert!(turns.take(late).is_none());
        drop(turn);
        let late = Chain { until: Some(Instant::now()), ..late };
        assert!(turns.take(late).is_none(), "the inner call goes on");
        drop(inner);
        assert!(turns.take(late).is_some());
    }

    #[test]
    fn a_call_inside_a_call_is_of_its_chain() {
        let outer = current();
        let inner = within(outer, current);
        assert_eq!(inner.number, outer.number);
        assert_ne!(current().number, outer.number);
    }
}
