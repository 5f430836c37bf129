//! How many tasks a server has at once.

use std::time::Duration;

/// Never more than this: the server remembers how so many ended.
const WIDEST: usize = 2048;

/// Who is answered sooner sends more ahead.
const QUICK: Duration = Duration::from_millis(5);

/// Who is answered later sends less ahead.
const SLOW: Duration = Duration::from_millis(20);

/// Only where so many times the workers' number wait is anything sent ahead: what is sent cannot be cancelled at once.
const CROWD: usize = 4;

/// How many tasks a server has at once: as many as it has workers, and more while its answers come quickly.
#[derive(Debug)]
pub(super) struct Window {
    workers: usize,
    wide: usize,
}

impl Window {
    pub(super) fn new(workers: usize) -> Self {
        let workers = workers.max(1);
        Self { workers, wide: workers }
    }

    /// How many more may be sent to a server that has `sent`, while so many wait.
    pub(super) fn room(&self, sent: usize, waiting: usize) -> usize {
        let most = if waiting > CROWD * self.workers { self.wide } else { self.workers };
        most.saturating_sub(sent)
    }

    /// A task came back after this.
    pub(super) fn answered(&mut self, after: Duration) {
        if after < QUICK {
            self.wide = (self.wide + 1).min(WIDEST.max(self.workers));
        } else if after > SLOW {
            self.wide = (self.wide - self.wide.div_ceil(8)).max(self.workers);
        }
    }

    /// Nothing is known any more of how quick the server is.
    pub(super) fn narrow(&mut self) {
        self.wide = self.workers;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quick_answers_widen_it_and_slow_ones_narrow_it_to_the_workers() {
        let mut window = Window::new(4);
        (0..100).for_each(|_| window.answered(Duration::from_micros(50)));
        assert_eq!(window.room(4, 1000), 100);
        (0..100).for_each(|_| window.answered(Duration::from_secs(1)));
        assert_eq!((window.room(3, 1000), window.room(4, 1000)), (1, 0));
    }

    #[test]
    fn nothing_is_sent_ahead_where_few_wait() {
        let mut window = Window::new(2);
        (0..100).for_each(|_| window.answered(Duration::ZERO));
        assert_eq!((window.room(1, 8), window.room(2, 8)), (1, 0));
        assert_eq!(window.room(2, 9), 100);
    }

    #[test]
    fn it_never_grows_beyond_what_the_server_remembers() {
        let mut window = Window::new(1);
        (0..100_000).for_each(|_| window.answered(Duration::ZERO));
        assert_eq!(window.room(0, 10_000), WIDEST);
    }
}
