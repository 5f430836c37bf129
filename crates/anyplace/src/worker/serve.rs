//! The loop of a worker process.
//!
//! A worker leads a process group of its own, so Ctrl-C in a terminal is heard by the program that opened the place
//! and not by its workers: that program decides what becomes of their tasks.

use super::ears::Ears;
use super::greeting::{self, Greeting};
use super::{Collected, Functions, Interpreter, Link, Order, Replies, Sink};
use crate::error::{Error, Kind};
use crate::wire::beside::Apart;
use crate::wire::{self, Hello, PROTOCOL, ToWorker, Welcome};
use crate::work::Function;
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
    let link = link(socket, hello)?;
    let interpreter = make(link.clone());
    let welcome = Welcome {
        protocol: PROTOCOL,
        engine: env!("CARGO_PKG_VERSION").to_owned(),
        language: interpreter.language(),
    };
    link.send(welcome.frame())?;
    Ok(Worker { interpreter, link, ears, functions: Defined::default() })
}

fn link(socket: UnixStream, hello: Hello) -> io::Result<Link> {
    let number = |number| usize::try_from(number).map_err(|_| io::Error::from(ErrorKind::InvalidData));
    let (worker, workers) = (number(hello.worker)?, number(hello.workers)?);
    Ok(Link::new(socket, worker, workers, hello.terms))
}

struct Worker<I> {
    interpreter: I,
    link: Link,
    ears: Ears,
    functions: Defined,
}

/// The callables that the place has sent.
#[derive(Default)]
struct Defined(HashMap<u64, Arc<Function>>);

impl Functions for Defined {
    fn get(&self, id: u64) -> Result<Arc<Function>, Error> {
        let unknown = || Error::new(Kind::Unexpected, "the place calls a function that it has not sent");
        self.0.get(&id).cloned().ok_or_else(unknown)
    }
}

impl<I: Interpreter> Worker<I> {
    fn work(&mut self) -> i32 {
        loop {
            self.interpreter.idle(&mut || self.ears.wait());
            let sent = match self.ears.next() {
                None => return ENDED,
                Some(ToWorker::Hello(_)) => return NO_PLACE,
                Some(ToWorker::Define(function)) => {
                    self.functions.0.insert(function.id, Arc::new(function));
                    Ok(())
                }
                Some(ToWorker::Forget(id)) => {
                    self.functions.0.remove(&id);
                    Ok(())
                }
                Some(ToWorker::First(order)) => {
                    answer(&mut self.interpreter, &self.link, &self.functions, order, I::first)
                }
                Some(ToWorker::Task(order)) => {
                    answer(&mut self.interpreter, &self.link, &self.functions, order, I::run)
                }
            };
            if sent.is_err() {
                return ENDED;
            }
        }
    }
}

fn answer<I: Interpreter>(
    interpreter: &mut I,
    link: &Link,
    functions: &Defined,
    order: &[u8],
    run: fn(&mut I, &Order<'_>, &mut Replies<'_>),
) -> io::Result<()> {
    let mut buffers = Vec::new();
    let order = wire::Order::read(order, &mut buffers, &Apart).map_err(|_| ErrorKind::InvalidData)?;
    let (is_chunk, context) = (order.is_chunk, order.context(link.worker(), link.workers()));
    let order = Order::new(order, context, functions);
    let mut collected = Collected::default();
    run_order(&mut collected, &order, |replies| run(interpreter, &order, replies));
    link.send(wire::reply(is_chunk, &collected.finish()))
}

/// Has every call of the order answered, whatever `run` does.
fn run_order(sink: &mut dyn Sink, order: &Order<'_>, run: impl FnOnce(&mut Replies<'_>)) {
    let mut replies = Replies::new(sink);
    let panicked = catch_unwind(AssertUnwindSafe(|| run(&mut replies))).err();
    let error = panicked.map(|payload| Error::panicked(&*payload).on_attempt(order.context().attempt));
    replies.finish(order.calls().len(), error.as_ref());
}
