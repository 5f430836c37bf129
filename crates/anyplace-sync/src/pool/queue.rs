//! The jobs that wait: first in, first out, for every thread.

#[cfg(not(loom))]
mod system {
    use crossbeam_deque::{Injector, Steal};

    /// One queue for all: jobs start in the order they came, wherever they came from.
    #[derive(Debug)]
    pub(crate) struct Queue<J>(Injector<J>);

    impl<J> Queue<J> {
        pub(crate) fn new() -> Self {
            Self(Injector::new())
        }

        pub(crate) fn push(&self, job: J) {
            self.0.push(job);
        }

        pub(crate) fn take(&self) -> Option<J> {
            loop {
                match self.0.steal() {
                    Steal::Success(job) => return Some(job),
                    Steal::Empty => return None,
                    Steal::Retry => std::hint::spin_loop(), // Another thread took the job this one was after.
                }
            }
        }

        pub(crate) fn is_empty(&self) -> bool {
            self.0.is_empty()
        }

        pub(crate) fn len(&self) -> usize {
            self.0.len()
        }
    }
}

/// A plain queue behind a lock: loom explores our protocol around it, crossbeam's authors have explored theirs.
#[cfg(loom)]
mod system {
    use crate::primitives::{Mutex, lock};
    use std::collections::VecDeque;

    #[derive(Debug)]
    pub(crate) struct Queue<J>(Mutex<VecDeque<J>>);

    impl<J> Queue<J> {
        pub(crate) fn new() -> Self {
            Self(Mutex::new(VecDeque::new()))
        }

        pub(crate) fn push(&self, job: J) {
            lock(&self.0).push_back(job);
        }

        pub(crate) fn take(&self) -> Option<J> {
            lock(&self.0).pop_front()
        }

        pub(crate) fn is_empty(&self) -> bool {
            lock(&self.0).is_empty()
        }

        pub(crate) fn len(&self) -> usize {
            lock(&self.0).len()
        }
    }
}

pub(super) use system::Queue;
