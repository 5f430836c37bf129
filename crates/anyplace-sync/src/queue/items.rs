//! A queue as an iterator.

use super::Queue;

/// Takes items from a queue, waiting for each; ends when the queue is shut down and empty.
#[derive(Debug)]
pub struct Items<'a, T>(&'a Queue<T>);

impl<'a, T> Items<'a, T> {
    pub(super) fn new(queue: &'a Queue<T>) -> Self {
        Self(queue)
    }
}

impl<T> Iterator for Items<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.0.get(None).ok()
    }
}
