//! The engine's own interpreter: `#[anyplace::task]` functions of this program.

use super::Interpreter;
use crate::context::Context;
use crate::error::{Error, Kind};
use crate::function::{Registered, find};
use crate::outcome::{Outcome, Value};
use crate::work::{Arguments, Named, Payload, Work};

#[derive(Debug)]
pub(super) struct NamedTasks;

impl Interpreter for NamedTasks {
    fn run(&mut self, work: Work, context: Context) -> Outcome {
        match work {
            Work::Named(named) => run(&named, context),
            work => Outcome::Failed(not_ours(&work)),
        }
    }
}

fn run(named: &Named, context: Context) -> Outcome {
    let Some(function) = find(&named.name) else { return Outcome::Failed(not_found(&named.name)) };
    match &named.arguments {
        Arguments::One(payload) => call(function, payload, context),
        Arguments::Each(payloads) => {
            let at = |(index, payload)| call(function, payload, context.at(context.index + index));
            Outcome::Returned(Value::Items((0..).zip(payloads).map(at).collect()))
        }
    }
}

fn call(function: &Registered, payload: &Payload, context: Context) -> Outcome {
    match context.enter(|| (function.call)(payload)) {
        Outcome::Failed(error) => Outcome::Failed(error.on_attempt(context.attempt)),
        outcome => outcome,
    }
}

fn not_found(name: &str) -> Error {
    Error::new(Kind::NotFound, format!("the worker's program has no task `{name}`"))
        .with_help("mark the function `#[anyplace::task]` in a crate that the worker's program links")
}

fn not_ours(work: &Work) -> Error {
    Error::new(Kind::Unsupported, format!("a worker of this program does not run {}", work.kind().name()))
        .with_help("open the place from Python, or give the program its workers run in `Setup::worker`")
}
