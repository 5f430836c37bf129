//! A [`Ticket`]: what another process needs to open a hall.

use super::error::HallError;
use super::layout::Header;
use super::roll::Roll;
use super::{Hall, known};
use crate::ground::Ground;
use crate::shm::Segment;
use rustix::fs::{Mode, OFlags, fstat, open};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// What another process of the same user and machine needs to open a hall: two processes that have it open, by which
/// descriptors, and how to tell that it is this one.
///
/// It is good for as long as one of the two runs and keeps the hall.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket {
    key: u64,
    inode: u64,
    doors: [Door; 2],
}

/// A descriptor of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Door {
    pid: u32,
    fd: u32,
}

impl Ticket {
    /// The ticket that these numbers stand for.
    pub fn from_numbers([key, inode, first, second]: [u64; 4]) -> Self {
        let door = |number: u64| Door { pid: (number >> 32) as u32, fd: number as u32 };
        Self { key, inode, doors: [door(first), door(second)] }
    }

    /// The numbers that stand for it.
    pub fn numbers(&self) -> [u64; 4] {
        let number = |door: Door| u64::from(door.pid) << 32 | u64::from(door.fd);
        [self.key, self.inode, number(self.doors[0]), number(self.doors[1])]
    }
}

impl Hall {
    /// What others open this hall by: through this process, or else the first one that has it open.
    pub fn ticket(&self) -> Ticket {
        let roll = Roll(self.header());
        let door = |party| {
            let pid = roll.process(party).map_or(0, super::process::Process::pid);
            Door { pid, fd: roll.door(party) }
        };
        let first = roll.parties().next().map_or(0, |(party, _)| party);
        Ticket { key: self.key(), inode: self.inode, doors: [door(self.me()), door(first)] }
    }

    /// The hall of a ticket, if this process has it open.
    pub fn known_by(ticket: &Ticket) -> Option<Arc<Self>> {
        known::find(ticket.key)
    }

    /// Opens the hall of a ticket, or finds it, if this process has it open.
    ///
    /// # Errors
    /// [`HallError::Closed`] if none of the ticket's processes has it open any more, or they are another user's;
    /// [`HallError::TooMany`] if 254 processes share it already; what the system said if it cannot be mapped.
    pub fn open_by(ticket: &Ticket) -> Result<Arc<Self>, HallError> {
        known::find_or(ticket.key, || {
            let first = ticket.segment(ticket.doors[0]);
            let segment = match first {
                Err(refused) if ticket.doors[1] != ticket.doors[0] => {
                    ticket.segment(ticket.doors[1]).map_err(|_| refused)?
                }
                first => first?,
            };
            Self::enter(segment)
        })
    }
}

impl Ticket {
    fn segment(&self, door: Door) -> Result<Arc<Segment>, HallError> {
        let closed = |why: String| HallError::Closed { pid: door.pid, why };
        let path = format!("/proc/{}/fd/{}", door.pid, door.fd);
        let flags = OFlags::RDWR | OFlags::CLOEXEC;
        let fd: OwnedFd = open(path, flags, Mode::empty()).map_err(|errno| closed(explain(errno)))?;
        let is_it = fstat(&fd).is_ok_and(|stat| stat.st_ino == self.inode);
        let other = || closed("it has ended, or closed its place".into());
        let segment = if is_it {
            Segment::open(fd).map_err(|error| closed(error.to_string()))?
        } else {
            return Err(other());
        };
        let has_header = segment.control_len() >= size_of::<Header>();
        if !has_header || super::header_of(&segment).key.load(Relaxed) != self.key {
            return Err(other());
        }
        Ok(segment)
    }
}

fn explain(errno: rustix::io::Errno) -> String {
    use rustix::io::Errno;
    match errno {
        Errno::NOENT | Errno::SRCH => "it has ended, or closed its place".into(),
        Errno::ACCESS | Errno::PERM => "it is another user's, or hidden from this one".into(),
        other => std::io::Error::from(other).to_string(),
    }
}
