//! The loop of a worker process.
//!
//! A worker leads a process group of its own, so Ctrl-C in a terminal is heard by the program that opened the place
//! and not by its workers: that program decides what becomes of their tasks.

use super::ears::Ears;
use super::greeting::{self, Greeting};
use super::{Interpreter, Link};
use crate::context::Context;
use crate::error::{Error, Kind};
use crate::outcome::Outcome;
use crate::wire::{self, Callee, Hello, Order, PROTOCOL, ToWorker, Welcome};
use crate::work::{Function, Named, Pickled, Work};
use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// The place closed the socket: the worker is not needed any more.
const ENDED: i32 = 0;
/// This process was not started by a place, or the two do not understand each other.
const NO_PLACE: i32 = 69;

/// Runs tasks that a place sends to this process, until the place ends. Gives the exit code for the process.
///
/// `make` gets the link to the place and makes what runs the work. Call this first in the worker's program, while
/// standard input still is the place's socket; standard input is empty from then on.
pub fn serve<I: Interpreter>(make: impl FnOnce(Link) -> I) -> i32 {
    match greet(make) {
        Ok(mut worker) => worker.work(),
        Err(_) => NO_PLACE,
    }
}

fn greet<I: Interpreter>(make: impl FnOnce(Link) -> I) -> io::Result<Worker<I>> {
    let Greeting { hello, socket, ears, .. } = greeting::listen()?;
    let link = link(socket, &hello)?;
    let interpreter = make(link.clone());
    let welcome = Welcome {
        protocol: PROTOCOL,
        engine: env!("CARGO_PKG_VERSION").to_owned(),
        language: interpreter.language(),
    };
    link.send(welcome.frame())?;
    Ok(Worker { interpreter, link, ears, functions: HashMap::new() })
}

fn link(socket: UnixStream, hello: &Hello) -> io::Result<Link> {
    let number = |number| usize::try_from(number).map_err(|_| io::Error::from(ErrorKind::InvalidData));
    Ok(Link::new(socket, number(hello.worker)?, number(hello.workers)?))
}

struct Worker<I> {
    interpreter: I,
    link: Link,
    ears: Ears,
    functions: HashMap<u64, Arc<Function>>,
}

impl<I: Interpreter> Worker<I> {
    fn work(&mut self) -> i32 {
        loop {
            let mut heard = None;
            self.interpreter.idle(&mut || heard = self.ears.listen());
            let sent = match heard {
                None => return ENDED,
                Some(ToWorker::Hello(_)) => return NO_PLACE,
                Some(ToWorker::Define(function)) => {
                    self.functions.insert(function.id, Arc::new(function));
                    Ok(())
                }
                Some(ToWorker::Forget(id)) => {
                    self.functions.remove(&id);
                    Ok(())
                }
                Some(ToWorker::First(order)) => self.answer(order, I::first),
                Some(ToWorker::Task(order)) => self.answer(order, I::run),
            };
            if sent.is_err() {
                return ENDED;
            }
        }
    }

    fn answer(&mut self, order: Order, run: fn(&mut I, Work, Context) -> Outcome) -> io::Result<()> {
        let context = order.context;
        let outcome = match self.resolve(order) {
            Ok(work) => catch_unwind(AssertUnwindSafe(|| run(&mut self.interpreter, work, context)))
                .unwrap_or_else(|payload| Outcome::Failed(Error::panicked(&*payload))),
            Err(error) => Outcome::Failed(error),
        };
        self.link.send(wire::reply(&outcome))
    }

    fn resolve(&self, order: Order) -> Result<Work, Error> {
        let arguments = order.arguments;
        match order.callee {
            Callee::Named(name) => Ok(Work::Named(Named { name, arguments })),
            Callee::Defined(id) => match self.functions.get(&id) {
                Some(function) => Ok(Work::Pickled(Pickled { function: function.clone(), arguments })),
                None => Err(Error::new(Kind::Unexpected, "the place calls a function that it has not sent")),
            },
        }
    }
}
