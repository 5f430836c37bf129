//! Drivers whose every step the test decides.

use crate::address::Address;
use crate::driver::{Driver, Layer, Limits, Tasks};
use crate::error::Result;
use crate::outcome::{Done, Outcome};
use crate::place::Place;
use crate::task::{Task, TaskOptions};
use crate::work::{Call, Closure, Work, WorkKind};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

type Submit = Box<dyn Fn(Task, Done) + Send + Sync>;

/// A place that hands each task to a function of the test.
#[derive(Clone)]
pub(super) struct Scripted {
    address: Address,
    can_kill: bool,
    submit: Arc<Submit>,
    submitted: Arc<AtomicU32>,
}

impl Scripted {
    pub(super) fn new(submit: impl Fn(Task, Done) + Send + Sync + 'static) -> Self {
        let address = "scripted:".parse().unwrap();
        Self { address, can_kill: true, submit: Arc::new(Box::new(submit)), submitted: Arc::default() }
    }

    /// A place where each attempt ends like this, at once.
    pub(super) fn ending(outcome: impl Fn() -> Outcome + Send + Sync + 'static) -> Self {
        Self::new(move |task, done| {
            assert!(task.start(0));
            done.call(outcome());
        })
    }

    pub(super) fn place(&self, layer: impl Layer + 'static) -> Place {
        Place::new(Arc::new(self.clone()), vec![Arc::new(layer)], Some(1)).unwrap()
    }

    /// How many attempts it was given.
    pub(super) fn submitted(&self) -> u32 {
        self.submitted.load(Ordering::SeqCst)
    }
}

impl Driver for Scripted {
    fn address(&self) -> &Address {
        &self.address
    }

    fn limits(&self) -> Limits {
        let takes = &[WorkKind::Closure, WorkKind::Future];
        Limits {
            workers: 1,
            max_payload: None,
            durable: false,
            ordered: true,
            can_kill: self.can_kill,
            strict: false,
            takes,
        }
    }

    fn tasks(&self) -> Result<Arc<dyn Tasks>> {
        Ok(Arc::new(self.clone()))
    }

    fn close(&self, _: Duration) -> Result<()> {
        Ok(())
    }
}

impl Tasks for Scripted {
    fn submit(&self, task: Task, done: Done) {
        self.submitted.fetch_add(1, Ordering::SeqCst);
        (self.submit)(task, done);
    }
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scripted")
    }
}

/// Work that can be done again and does nothing.
pub(super) fn nothing() -> Work {
    struct Nothing;
    impl Closure for Nothing {
        fn run(self: Box<Self>, _: &crate::Context) -> Outcome {
            Outcome::local(())
        }

        fn again(&self) -> Option<Box<dyn Closure>> {
            Some(Box::new(Self))
        }
    }
    Work::Call(Call::Closure(Box::new(Nothing)))
}

pub(super) fn idempotent() -> TaskOptions {
    TaskOptions { idempotent: true, ..TaskOptions::default() }
}

/// A program with its arguments.
pub(super) fn command(words: &[&str]) -> Work {
    let argv = words.iter().map(Into::into).collect();
    Work::Command(crate::work::Command { argv, ..Default::default() })
}
