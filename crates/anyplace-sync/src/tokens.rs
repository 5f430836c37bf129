//! Wake-up calls that are never lost: each lets one thread go on, whether it sleeps already or not yet.

use crate::futex::Futex;
use crate::primitives::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::Instant;

/// A counting semaphore: [`give`](Self::give) adds tokens, [`take`](Self::take) sleeps until it gets one.
#[derive(Debug)]
pub(crate) struct Tokens(Futex);

impl Tokens {
    pub(crate) fn new() -> Self {
        Self(Futex::new(0))
    }

    /// Lets `count` threads go on.
    pub(crate) fn give(&self, count: u32) {
        if count > 0 {
            self.0.word().fetch_add(count, Release);
            self.0.wake(count);
        }
    }

    /// Takes a token, sleeping until there is one.
    pub(crate) fn take(&self) {
        self.take_until(None);
    }

    /// Takes a token, sleeping until there is one or `deadline` has passed; false if there was none.
    pub(crate) fn take_until(&self, deadline: Option<Instant>) -> bool {
        let less = |tokens: u32| tokens.checked_sub(1);
        while self.0.word().fetch_update(Acquire, Relaxed, less).is_err() {
            if !self.0.sleep_while(0, deadline) {
                return false;
            }
        }
        true
    }
}
