//! Which callables a worker holds, so that each is sent once, and old ones do not fill its memory.

use crate::work::Function;
use std::collections::VecDeque;

const MOST: usize = 128;
const MOST_BYTES: usize = 64 << 20;

/// The callables of one worker, the longest unused first.
#[derive(Debug, Default)]
pub(super) struct Known {
    functions: VecDeque<(u64, usize)>,
    bytes: usize,
}

/// What to tell the worker before it can call a function.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct News {
    pub(super) forget: Vec<u64>,
    pub(super) define: bool,
}

impl Known {
    /// Notes that the function will be called. What it replaces is forgotten by the worker too.
    pub(super) fn call(&mut self, function: &Function) -> News {
        if let Some(at) = self.functions.iter().rposition(|(id, _)| *id == function.id) {
            let known = self.functions.remove(at);
            self.functions.extend(known);
            return News::default();
        }
        self.bytes += function.bytes.len();
        let mut forget = Vec::new();
        while (self.functions.len() >= MOST || self.bytes > MOST_BYTES)
            && let Some((id, bytes)) = self.functions.pop_front()
        {
            self.bytes -= bytes;
            forget.push(id);
        }
        self.functions.push_back((function.id, function.bytes.len()));
        News { forget, define: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(id: u64, size: usize) -> Function {
        Function { id, name: String::new(), bytes: vec![0; size].into() }
    }

    #[test]
    fn a_function_is_sent_once_until_it_is_the_longest_unused_of_too_many() {
        let mut known = Known::default();
        assert!(known.call(&function(0, 1)).define);
        for id in 1..MOST as u64 {
            assert_eq!(known.call(&function(id, 1)), News { forget: vec![], define: true });
        }
        assert_eq!(known.call(&function(0, 1)), News::default());
        assert_eq!(known.call(&function(1000, 1)), News { forget: vec![1], define: true });
        assert!(!known.call(&function(0, 1)).define);
    }

    #[test]
    fn large_functions_make_room_for_each_other() {
        let mut known = Known::default();
        known.call(&function(1, MOST_BYTES / 2));
        known.call(&function(2, MOST_BYTES / 2));
        assert_eq!(known.call(&function(3, MOST_BYTES)), News { forget: vec![1, 2], define: true });
    }
}
