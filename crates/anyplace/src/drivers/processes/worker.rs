//! One worker process, as the thread sees it that started it: what it says, what it is sent, how it ends.
//!
//! One wait serves everything that can happen: a message, room to send more, the worker's death, something on its
//! standard error, the bell, the deadline. Sending never blocks, so a worker that talks while it is being sent a
//! large argument, or dies over it, stops nobody.
//!
//! ```text
//!  start --(Welcome)--> ready --(socket closed, or died)--> ended --> reaped
//! ```
//!
//! The process is the leader of its group and is reaped last: until then its number is nobody else's, so that the
//! group, with all that the work has started, can be killed without harm to strangers.

use super::bell::Bell;
use super::known::Known;
use super::stderr::Stderr;
use crate::error::Exit;
use crate::wire::{Frame, FromWorker, Inbox, Malformed};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::Child;
use std::time::{Duration, Instant};

/// How long a process that has closed its socket may take to be gone.
const LEAVING: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct Worker {
    child: Child,
    group: Pid,
    pidfd: OwnedFd,
    socket: UnixStream,
    inbox: Inbox,
    stderr: Stderr,
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
    /// It has ended, and waits to be reaped.
    Ended,
    Reaped,
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

/// How a worker process ended.
#[derive(Clone, Debug)]
pub(super) struct Death {
    pub(super) pid: u32,
    pub(super) exit: Exit,
    pub(super) tail: String,
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
    pub(super) fn new(mut child: Child, socket: UnixStream) -> std::io::Result<Self> {
        let group = Pid::from_child(&child);
        let made = Self::descriptors(&mut child, group, &socket);
        let (pidfd, stderr) = made.inspect_err(|_| {
            // What cannot be watched must not go on.
            let _ = kill_process_group(group, Signal::KILL);
            drop(child.wait());
        })?;
        Ok(Self {
            child,
            group,
            pidfd,
            socket,
            inbox: Inbox::default(),
            stderr,
            buffer: vec![0; 64 * 1024].into(),
            known: Known::default(),
            tasks: 0,
            leave_by: None,
            state: State::Open,
        })
    }

    fn descriptors(child: &mut Child, pid: Pid, socket: &UnixStream) -> std::io::Result<(OwnedFd, Stderr)> {
        socket.set_nonblocking(true)?;
        let stderr = child.stderr.take().ok_or(ErrorKind::NotConnected)?;
        Ok((pidfd_open(pid, PidfdFlags::empty())?, Stderr::new(stderr.into())?))
    }

    /// Whether it has died meanwhile.
    pub(super) fn is_dead(&self) -> bool {
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        matches!(poll(&mut [PollFd::new(&self.pidfd, PollFlags::IN)], Some(&now)), Ok(1..))
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
                self.kill();
            }
            outbox.send(&self.socket);
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
            self.stderr.pass_on(&mut self.buffer);
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
            match self.socket.read(&mut self.buffer) {
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
        let stderr = self.stderr.pipe();
        let mut waits = vec![PollFd::new(bell, PollFlags::IN), PollFd::new(&self.pidfd, PollFlags::IN)];
        if !socket.is_empty() {
            waits.push(PollFd::new(&self.socket, socket));
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

    /// Kills it with all that it started.
    pub(super) fn kill(&mut self) {
        if self.state != State::Reaped {
            // A group that is already gone needs no signal.
            let _ = kill_process_group(self.group, Signal::KILL);
        }
    }

    /// Tells it that no more tasks come, and waits until it is gone: for `grace`, then it is killed.
    pub(super) fn end(mut self, grace: Duration, bell: &Bell, mut log: impl FnMut(FromWorker)) {
        drop(self.socket.shutdown(Shutdown::Write));
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
        self.kill();
        let pid = self.child.id();
        let mut ended = [PollFd::new(&self.pidfd, PollFlags::IN)];
        while poll(&mut ended, None).is_err() {}
        // Once more, for what was started while the first signal was on its way.
        self.kill();
        while self.stderr.pass_on(&mut self.buffer) {}
        self.state = State::Reaped;
        let status = self.child.wait();
        let exit = status.map_or(Exit::Signal(0), |status| match (status.code(), status.signal()) {
            (Some(code), _) => Exit::Code(code),
            (None, signal) => Exit::Signal(signal.unwrap_or(0)),
        });
        Death { pid, exit, tail: self.stderr.tail() }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if self.state != State::Reaped {
            self.reap();
        }
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
fn until(deadline: Instant) -> Timespec {
    let left = deadline.saturating_duration_since(Instant::now()) + Duration::from_micros(1);
    let tv_sec = i64::try_from(left.as_secs()).unwrap_or(i64::MAX);
    Timespec { tv_sec, tv_nsec: i64::from(left.subsec_nanos()) }
}
