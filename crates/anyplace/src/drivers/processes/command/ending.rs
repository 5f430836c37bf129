//! Ends a running command: asks first, then insists.

use crate::task::Ending;
use rustix::process::{Pid, Signal, kill_process_group};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, eventfd};
use std::io;
use std::os::fd::OwnedFd;

/// How long a command has to end after TERM, before KILL.
const GRACE: Duration = Duration::from_secs(1);

/// The steps towards a command's end.
#[derive(Debug)]
pub(super) struct Ender {
    group: Pid,
    /// Why it is being ended, if it is.
    pub(super) why: Option<Ending>,
    /// When KILL follows.
    pub(super) insist: Option<Instant>,
}

impl Ender {
    pub(super) fn new(group: Pid) -> Self {
        Self { group, why: None, insist: None }
    }

    /// The first time asks by TERM, the second time kills.
    pub(super) fn end(&mut self, why: Ending) {
        match self.why {
            None => {
                self.why = Some(why);
                self.insist = Some(Instant::now() + GRACE);
                self.signal(Signal::TERM);
                // A stopped process hears TERM only when it goes on.
                self.signal(Signal::CONT);
            }
            Some(_) => self.kill(),
        }
    }

    /// Kills everything in the group, also what the command left running.
    pub(super) fn kill(&mut self) {
        self.insist = None;
        self.signal(Signal::KILL);
    }

    /// A group that is already gone needs no signal.
    fn signal(&self, signal: Signal) {
        let _ = kill_process_group(self.group, signal);
    }
}

/// How others wake a slot to end the command it runs.
///
/// A wish may come when its command has just ended and the slot runs the next one: each command has a number, and a
/// wish for another number is not heard.
#[derive(Debug, Clone)]
pub(super) struct Bell(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    event: OwnedFd,
    wishes: Mutex<Wishes>,
}

#[derive(Debug, Default)]
struct Wishes {
    command: u64,
    endings: Vec<Ending>,
}

impl Bell {
    pub(super) fn new() -> io::Result<Self> {
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self(Arc::new(Inner { event, wishes: Mutex::default() })))
    }

    /// Readable when there are wishes.
    pub(super) fn event(&self) -> &OwnedFd {
        &self.0.event
    }

    /// Listens for the next command: gives how to end it.
    pub(super) fn next_command(&self) -> impl Fn(Ending) + Send + Sync + use<> {
        self.endings();
        let mut wishes = self.wishes();
        wishes.command += 1;
        let (bell, command) = (self.clone(), wishes.command);
        move |ending| bell.ring(command, ending)
    }

    /// Takes the wishes that have come.
    pub(super) fn endings(&self) -> Vec<Ending> {
        let mut count = [0; 8];
        // Nothing to read means that nobody rang.
        let _ = rustix::io::read(&self.0.event, &mut count);
        std::mem::take(&mut self.wishes().endings)
    }

    fn ring(&self, command: u64, ending: Ending) {
        let mut wishes = self.wishes();
        if wishes.command == command {
            wishes.endings.push(ending);
            // A full counter is readable too.
            let _ = rustix::io::write(&self.0.event, &1u64.to_ne_bytes());
        }
    }

    fn wishes(&self) -> std::sync::MutexGuard<'_, Wishes> {
        self.0.wishes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_for_a_command_that_has_ended_does_not_reach_the_next() {
        let bell = Bell::new().unwrap();
        let end_first = bell.next_command();
        let end_second = bell.next_command();
        end_first(Ending::Cancelled);
        assert_eq!(bell.endings(), []);
        end_second(Ending::Timeout);
        assert_eq!(bell.endings(), [Ending::Timeout]);
    }
}
