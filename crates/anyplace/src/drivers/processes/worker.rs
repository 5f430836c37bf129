//! One worker process, as the thread sees it that started it: what it says, what it is sent, how it ends.
//!
//! One wait serves everything that can happen: a message, room to send more, the worker's death, something on its
//! standard error, the bell, the deadline. Sending never blocks, so a worker that talks while it is being sent a
//! large argument, or dies over it, stops nobody. `starting.rs` is about the time before.
//!
//! ```text
//!  ready --(socket closed, or died)--> ended --> reaped
//! ```
//!
use super::bell::Bell;
use super::known::Known;
use super::process::{Death, Process};
use super::starting::{LEAVING, Ready};
use crate::wire::{Frame, FromWorker, Inbox, Malformed};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

#[derive(Debug)]
pub(super) struct Worker {
    process: Process,
    inbox: Inbox,
    buffer: Box<[u8]>,
    /// The callables it holds.
    pub(super) known: Known,
    /// How many tasks it has been sent.
    pub(super) tasks: u64,
    /// When it is killed, if it has closed its socket and is still there.
    leave_by: Option<Instant>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Open,
    /// It says nothing more.
    Closed,
    /// It has ended.
    Ended,
}

/// What happened next.
#[derive(Debug)]
pub(super) enum Event {
    Said(FromWorker),
    /// It said what no worker says.
    Malformed(Malformed),
    Ended,
    Rung,
    Late,
}

/// Frames on their way to the worker.
#[derive(Debug, Default)]
pub(super) struct Outbox<'a>(VecDeque<Frame<'a>>);

impl<'a> Outbox<'a> {
    pub(super) fn push(&mut self, frame: Frame<'a>) {
        self.0.push_back(frame);
    }

    /// Sends as much as goes without waiting. A worker that does not read any more will be found dead.
    fn send(&mut self, mut socket: &UnixStream) {
        while let Some(frame) = self.0.front_mut() {
            match socket.write_vectored(&frame.slices()) {
                Ok(length) => frame.advance(length),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => return self.0.clear(),
            }
            if frame.is_sent() {
                self.0.pop_front();
            }
        }
    }
}

impl Worker {
    pub(super) fn new(ready: Ready) -> Self {
        Self {
            process: ready.process,
            inbox: ready.inbox,
            buffer: vec![0; 64 * 1024].into(),
            known: ready.known,
            tasks: 0,
            leave_by: None,
            state: State::Open,
        }
    }

    /// Whether it has died meanwhile.
    pub(super) fn is_dead(&self) -> bool {
        self.process.has_ended()
    }

    /// How many bytes of memory it holds.
    pub(super) fn resident(&self) -> u64 {
        self.process.resident()
    }

    /// Sends what is in the outbox and waits for what happens next.
    pub(super) fn next(&mut self, outbox: &mut Outbox<'_>, bell: &Bell, deadline: Option<Instant>) -> Event {
        loop {
            match self.message() {
                Ok(Some(message)) => return Event::Said(message),
                Ok(None) => {}
                Err(malformed) => return Event::Malformed(malformed),
            }
            if self.state >= State::Ended {
                return Event::Ended;
            }
            if passed(deadline) {
                return Event::Late;
            }
            if self.leave_by.take_if(|leave_by| Instant::now() >= *leave_by).is_some() {
                self.process.kill();
            }
            outbox.send(&self.process.control);
            let seen = self.look(!outbox.0.is_empty(), bell, earlier(deadline, self.leave_by));
            self.hear(&seen);
            if seen.bell {
                bell.hush();
                return Event::Rung;
            }
        }
    }

    fn message(&mut self) -> Result<Option<FromWorker>, Malformed> {
        self.inbox.next()?.map(|(kind, body)| FromWorker::read(kind, body)).transpose()
    }

    fn hear(&mut self, seen: &Seen) {
        // What it said before it died counts, so its end is looked at before the socket is read.
        if seen.stderr {
            self.process.stderr.pass_on(&mut self.buffer);
        }
        if seen.socket || seen.ended {
            self.receive(seen.ended);
        }
        if seen.ended {
            self.state = State::Ended;
        }
    }

    /// Reads what is there: all of it from a worker that has ended, a bufferful from others.
    fn receive(&mut self, all: bool) {
        while self.state == State::Open {
            match self.process.control.read(&mut self.buffer) {
                Ok(0) => self.closed(),
                Ok(length) => self.inbox.feed(&self.buffer[..length]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => self.closed(),
            }
            if !all {
                return;
            }
        }
    }

    fn closed(&mut self) {
        self.state = State::Closed;
        self.leave_by.get_or_insert_with(|| Instant::now() + LEAVING);
    }

    fn look(&self, sending: bool, bell: &Bell, deadline: Option<Instant>) -> Seen {
        let socket = match (self.state, sending) {
            (State::Open, true) => PollFlags::IN | PollFlags::OUT,
            (State::Open, false) => PollFlags::IN,
            _ => PollFlags::empty(),
        };
        let stderr = self.process.stderr.pipe();
        let mut waits = vec![
            PollFd::new(bell, PollFlags::IN),
            PollFd::from_borrowed_fd(self.process.pidfd(), PollFlags::IN),
        ];
        if !socket.is_empty() {
            waits.push(PollFd::new(&self.process.control, socket));
        }
        if let Some(stderr) = stderr {
            waits.push(PollFd::from_borrowed_fd(stderr, PollFlags::IN));
        }
        let timeout = deadline.map(until);
        if poll(&mut waits, timeout.as_ref()).is_err() {
            // Interrupted: nothing was seen, and the caller looks again.
            return Seen::default();
        }
        let mut seen = waits.iter().map(|wait| !wait.revents().is_empty());
        Seen {
            bell: seen.next().unwrap_or(false),
            ended: seen.next().unwrap_or(false),
            socket: !socket.is_empty() && seen.next().unwrap_or(false),
            stderr: seen.next().unwrap_or(false),
        }
    }

    /// Tells it that no more tasks come, and waits until it is gone: for `grace`, then it is killed.
    pub(super) fn end(mut self, grace: Duration, bell: &Bell, mut log: impl FnMut(FromWorker)) {
        drop(self.process.control.shutdown(Shutdown::Write));
        let deadline = Instant::now().checked_add(grace);
        loop {
            match self.next(&mut Outbox::default(), bell, deadline) {
                Event::Said(message) => log(message),
                Event::Rung => {}
                Event::Ended | Event::Late | Event::Malformed(_) => break,
            }
        }
        self.reap();
    }

    /// Takes the process out of the process table, once it and its group are gone.
    pub(super) fn reap(&mut self) -> Death {
        self.state = State::Ended;
        self.process.reap()
    }
}

/// What a look around found.
#[derive(Debug, Default)]
struct Seen {
    bell: bool,
    ended: bool,
    socket: bool,
    stderr: bool,
}

fn earlier(left: Option<Instant>, right: Option<Instant>) -> Option<Instant> {
    left.into_iter().chain(right).min()
}

fn passed(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| Instant::now() >= deadline)
}

/// The time left, rounded up: a wait that ends early would only be repeated.
pub(super) fn until(deadline: Instant) -> Timespec {
    let left = deadline.saturating_duration_since(Instant::now()) + Duration::from_micros(1);
    let tv_sec = i64::try_from(left.as_secs()).unwrap_or(i64::MAX);
    Timespec { tv_sec, tv_nsec: i64::from(left.subsec_nanos()) }
}
