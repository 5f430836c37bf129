//! The engine's own interpreter: `#[anyplace::task]` functions of this program.

use super::{Callee, Interpreter, Order, Replies};
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::function::{Registered, find};
use crate::work::Encoding;
use std::sync::Arc;

#[derive(Debug, Default)]
pub(super) struct NamedTasks {
    /// The last function that was called and the name it was called by: finding one means looking at all.
    last: Option<(Arc<str>, &'static Registered)>,
    /// What a call returned, on its way to the replies.
    output: Vec<u8>,
}

impl Interpreter for NamedTasks {
    fn run(&mut self, order: &Order<'_>, replies: &mut Replies<'_>) {
        match self.function(order.callee()) {
            Ok(function) => self.call_each(function, order, replies),
            Err(error) => order.calls().for_each(|_| replies.failed(&error)),
        }
    }
}

impl NamedTasks {
    fn function(&mut self, callee: Callee<'_>) -> Result<&'static Registered> {
        let Callee::Named(name) = callee else { return Err(not_ours()) };
        if let Some((_, function)) = self.last.as_ref().filter(|(last, _)| **last == *name) {
            return Ok(function);
        }
        let function = find(name).ok_or_else(|| not_found(name))?;
        self.last = Some((name.into(), function));
        Ok(function)
    }

    fn call_each(&mut self, function: &Registered, order: &Order<'_>, replies: &mut Replies<'_>) {
        let context = order.context();
        context.enter(|| {
            for (position, payload) in order.calls().enumerate() {
                replies.begin(position);
                Context::move_to(context.index + position as u64);
                self.output.clear();
                match (function.call)(payload, &mut self.output) {
                    Ok(()) => replies.returned(Encoding::Postcard, &self.output, &[]),
                    Err(error) => replies.failed(&error.on_attempt(context.attempt)),
                }
            }
        });
    }
}

fn not_found(name: &str) -> Error {
    Error::new(Kind::NotFound, format!("the worker's program has no task `{name}`"))
        .with_help("mark the function `#[anyplace::task]` in a crate that the worker's program links")
}

fn not_ours() -> Error {
    Error::new(Kind::Unsupported, "a worker of this program does not run a Python callable")
        .with_help("open the place from Python, or give the program its workers run in `Setup::worker`")
}
