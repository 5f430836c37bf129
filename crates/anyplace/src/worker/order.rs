//! What a worker is asked to do, where it lies.

use crate::context::Context;
use crate::error::Result;
use crate::wire;
use crate::work::{Function, Payloads};
use std::fmt;
use std::sync::Arc;

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callee<'a> {
    /// A function by its name.
    Named(&'a str),
    /// A pickled callable, by its [`Function::id`]; [`Order::function`] gives the callable.
    Pickled(u64),
}

/// A call to make, or the calls of a chunk. Nothing of it is copied for the worker: it lies where it came in.
pub struct Order<'a> {
    context: Context,
    order: wire::Order<'a>,
    functions: &'a dyn Functions,
}

/// Where a worker finds the callables that it was sent.
pub(crate) trait Functions {
    fn get(&self, id: u64) -> Result<Arc<Function>>;
}

impl<'a> Order<'a> {
    pub(crate) fn new(order: wire::Order<'a>, context: Context, functions: &'a dyn Functions) -> Self {
        Self { context, order, functions }
    }

    /// What the first call may know about itself; the call after it is one index further.
    pub fn context(&self) -> Context {
        self.context
    }

    /// What is called.
    pub fn callee(&self) -> Callee<'a> {
        match self.order.callee {
            wire::Callee::Named(name) => Callee::Named(name),
            wire::Callee::Defined(id) => Callee::Pickled(id),
        }
    }

    /// The pickled callable with this id, for who does not have it loaded.
    ///
    /// # Errors
    /// `Unexpected` if the place has not sent it.
    pub fn function(&self, id: u64) -> Result<Arc<Function>> {
        self.functions.get(id)
    }

    /// Whether the calls are a chunk of a map, which may be one call, too.
    pub fn is_chunk(&self) -> bool {
        self.order.is_chunk
    }

    /// The arguments of each call.
    pub fn calls(&self) -> Payloads<'a> {
        Payloads(self.order.rows.clone())
    }
}

impl fmt::Debug for Order<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} calls of {:?}", self.calls().len(), self.callee())
    }
}
