//! One worker's place among the others: empty, on its way, at work, or gone and not swept up yet.

use super::process::Process;
use super::starting::{LEAVING, Ready, Starting};
use crate::wire::{FromWorker, Inbox};
use crate::work::Payload;
use rustix::event::{PollFd, PollFlags};
use std::io::{ErrorKind, Read};
use std::time::{Duration, Instant};

#[derive(Debug, Default)]
pub(super) enum Station {
    #[default]
    Empty,
    Starting(Box<Starting>),
    Working(Box<Member>),
    /// Its worker is dead and buried; replies are being read that refer to its blocks.
    Dirty,
}

/// A worker that takes tasks from the board.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) process: Process,
    inbox: Inbox,
    /// It has closed its socket.
    closed: bool,
    /// When it is killed if it is still there.
    leave_by: Option<Instant>,
}

/// What came of looking at a member.
#[derive(Debug)]
pub(super) enum Seen {
    Nothing,
    Log(Payload),
    /// It said what no worker says.
    Nonsense,
    Ended,
}

impl Member {
    pub(super) fn new(ready: Ready) -> Self {
        Self { process: ready.process, inbox: ready.inbox, closed: false, leave_by: None }
    }

    /// Adds what has to be polled.
    pub(super) fn waits<'a>(&'a self, waits: &mut Vec<PollFd<'a>>) {
        waits.push(PollFd::from_borrowed_fd(self.process.pidfd(), PollFlags::IN));
        if !self.closed {
            waits.push(PollFd::new(&self.process.control, PollFlags::IN));
        }
        let stderr = self.process.stderr.pipe();
        waits.extend(stderr.map(|pipe| PollFd::from_borrowed_fd(pipe, PollFlags::IN)));
    }

    /// Hears what it says, one thing at a time; call it until there is nothing.
    pub(super) fn hear(&mut self) -> Seen {
        // Its end is looked at before its words are read: what it said before it died counts.
        let ended = self.process.has_ended();
        self.receive();
        match self
            .inbox
            .next()
            .and_then(|said| said.map(|(kind, body)| FromWorker::read(kind, body)).transpose())
        {
            Ok(Some(FromWorker::Log(record))) => Seen::Log(record),
            Ok(Some(_)) => Seen::Nonsense,
            Err(_) => Seen::Nonsense,
            Ok(None) if ended => Seen::Ended,
            Ok(None) => Seen::Nothing,
        }
    }

    fn receive(&mut self) {
        let mut buffer = [0; 16 * 1024];
        while self.process.stderr.pass_on(&mut buffer) {}
        while !self.closed {
            match self.process.control.read(&mut buffer) {
                Ok(length @ 1..) => self.inbox.feed(&buffer[..length]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                // A closed socket is no end, but a worker that closes it has nothing more to do here.
                _ => {
                    self.closed = true;
                    self.leave_within(LEAVING);
                }
            }
        }
    }

    /// It is killed if it is still there then.
    pub(super) fn leave_within(&mut self, time: Duration) {
        self.leave_by.get_or_insert_with(|| Instant::now() + time);
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.leave_by
    }

    /// Kills it if its time to leave is over.
    pub(super) fn check_time(&mut self) {
        if self.leave_by.take_if(|leave_by| Instant::now() >= *leave_by).is_some() {
            self.process.kill();
        }
    }
}
