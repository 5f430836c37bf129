//! The callables that a client has defined.

use crate::work::Function;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// So many are kept. Client and server forget the one that was defined first, by the same rule, so nobody has to say so.
pub(crate) const MOST: usize = 512;

#[derive(Default)]
pub(super) struct Functions {
    known: HashMap<u64, Arc<Function>>,
    order: VecDeque<u64>,
}

impl Functions {
    pub(super) fn define(&mut self, function: Function) {
        if self.order.len() >= MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.order.push_back(function.id);
        self.known.insert(function.id, Arc::new(function));
    }

    pub(super) fn find(&self, id: u64) -> Option<Arc<Function>> {
        self.known.get(&id).cloned()
    }
}
