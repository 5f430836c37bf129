//! The loop of a worker process.
//!
//! A worker leads a process group of its own, so Ctrl-C in a terminal is heard by the program that opened the place
//! and not by its workers: that program decides what becomes of their tasks.

use super::ears::Ears;
use super::greeting::{self, Greeting};
use super::memory::Shared;
use super::table::{Known, Table};
use super::terms;
use super::{Collected, Functions, Interpreter, Link, Order, Replies, Sink};
use crate::error::{Error, Kind};
use crate::wire::beside::Apart;
use crate::wire::{self, Hello, PROTOCOL, ToWorker, Welcome};
use crate::work::Function;
use anyplace_sync::shm::board::Seat;
use anyplace_sync::shm::{self, Segment};
use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
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
    let Greeting { hello, descriptors, socket, ears } = greeting::listen()?;
    let link = link(socket, hello)?;
    let (seat, memory) = open(descriptors, &link)?;
    let interpreter = make(link.clone());
    let welcome = Welcome {
        protocol: PROTOCOL,
        engine: env!("CARGO_PKG_VERSION").to_owned(),
        language: interpreter.language(),
    };
    link.send(welcome.frame())?;
    let table = Table { seat, memory, link, known: Known::default(), room: Vec::new() };
    Ok(Worker { interpreter, table, ears, functions: Defined::default() })
}

fn link(socket: UnixStream, hello: Hello) -> io::Result<Link> {
    let number = |number| usize::try_from(number).map_err(|_| io::Error::from(ErrorKind::InvalidData));
    let (worker, workers) = (number(hello.worker)?, number(hello.workers)?);
    Ok(Link::new(socket, worker, workers, hello.terms))
}

/// What the place shares with its workers: its memory, with the board in it, and the bell of its keeper.
fn open(descriptors: Vec<OwnedFd>, link: &Link) -> io::Result<(Seat, Shared)> {
    let Ok([segment, bell]) = <[OwnedFd; 2]>::try_from(descriptors) else {
        return Err(ErrorKind::InvalidData.into());
    };
    let segment = Segment::open(segment)?;
    let ring = move || {
        // It can only fail when the counter is full, and a full counter wakes too.
        let _ = rustix::io::write(&bell, &1u64.to_ne_bytes());
    };
    let seat = Seat::take(&segment, link.workers(), link.worker(), ring)?;
    Ok((seat, Shared(shm::Memory::worker(segment, link.worker())?)))
}

struct Worker<I> {
    interpreter: I,
    table: Table,
    ears: Ears,
    functions: Defined,
}

/// The callables that the place has sent before the first task.
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
        match self.prepare() {
            Ok(max_tasks) => self.take_tasks(max_tasks),
            Err(code) => code,
        }
    }

    /// Does what the place wants done before the first task. Gives after how many tasks this process leaves, or the code
    /// with which it leaves now.
    fn prepare(&mut self) -> Result<u64, i32> {
        loop {
            self.interpreter.idle(&mut || self.ears.wait());
            match self.ears.next() {
                None => return Err(ENDED),
                Some(ToWorker::Hello(_)) => return Err(NO_PLACE),
                Some(ToWorker::Begin(max_tasks)) => return Ok(max_tasks),
                Some(ToWorker::Define(function)) => {
                    self.functions.0.insert(function.id, Arc::new(function));
                }
                Some(ToWorker::First(order)) => {
                    let link = &self.table.link;
                    answer(&mut self.interpreter, link, &self.functions, order).map_err(|_| ENDED)?;
                }
            }
        }
    }

    fn take_tasks(&mut self, max_tasks: u64) -> i32 {
        let mut done = 0;
        while done < max_tasks {
            if let Some(job) = self.table.seat.next() {
                self.table.run(&mut self.interpreter, &job);
                done += 1;
                if self.table.link.memory().is_some_and(terms::is_spent) {
                    break;
                }
            } else if self.table.seat.is_stopped() {
                break;
            } else {
                let seat = &self.table.seat;
                self.interpreter.idle(&mut || seat.wait());
            }
        }
        self.table.seat.leave();
        ENDED
    }
}

fn answer<I: Interpreter>(
    interpreter: &mut I,
    link: &Link,
    functions: &Defined,
    order: &[u8],
) -> io::Result<()> {
    let mut buffers = Vec::new();
    let order = wire::Order::read(order, &mut buffers, &Apart).map_err(|_| ErrorKind::InvalidData)?;
    let (is_chunk, context) = (order.is_chunk, order.context(link.worker(), link.workers()));
    let order = Order::new(order, context, functions);
    let mut collected = Collected::default();
    run_order(&mut collected, &order, |replies| interpreter.first(&order, replies));
    link.send(wire::reply(is_chunk, &collected.finish()))
}

/// Has every call of the order answered, whatever `run` does.
pub(super) fn run_order(sink: &mut dyn Sink, order: &Order<'_>, run: impl FnOnce(&mut Replies<'_>)) {
    let mut replies = Replies::new(sink);
    let panicked = catch_unwind(AssertUnwindSafe(|| run(&mut replies))).err();
    let error = panicked.map(|payload| Error::panicked(&*payload).on_attempt(order.context().attempt));
    replies.finish(order.calls().len(), error.as_ref());
}
