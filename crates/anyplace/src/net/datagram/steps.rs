//! The operations of a datagram socket.

use super::Datagram;
use crate::error::Error;
use crate::net::gate::Gate;
use crate::net::party::Party;
use crate::net::readiness::Interest;
use crate::net::waiting::{Awaited, Operation};
use rustix::io::Errno;
use rustix::net::AddressFamily;
use std::io::{self, ErrorKind};
use std::os::fd::AsFd;
use std::time::Duration;

/// When to look again whether there is room, where the kernel tells nobody.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// One datagram that goes.
pub(super) struct Sending<'a> {
    socket: &'a Datagram,
    bytes: &'a [u8],
    party: Option<&'a Party>,
    /// Its clock, once it waits for room of which the kernel tells nobody.
    clock: Option<Gate>,
}

impl<'a> Sending<'a> {
    pub(super) fn new(socket: &'a Datagram, bytes: &'a [u8], party: Option<&'a Party>) -> Self {
        Self { socket, bytes, party, clock: None }
    }

    /// Looks again after a while.
    fn look_again(&mut self) -> io::Result<()> {
        let clock = match self.clock.take() {
            Some(clock) => clock,
            None => Gate::new()?,
        };
        clock.has_rung();
        clock.ring_after(LOOK_AGAIN)?;
        self.clock = Some(clock);
        Ok(())
    }

    /// A unix socket says only of its one peer whether there is room, and a network says nothing.
    fn is_blind_to(&self, error: &io::Error) -> bool {
        let is_to_any = self.party.is_some_and(|party| party.family() == AddressFamily::UNIX);
        let is_full_network = error.raw_os_error() == Some(Errno::NOBUFS.raw_os_error());
        is_full_network || (is_to_any && error.kind() == ErrorKind::WouldBlock)
    }
}

impl Operation for Sending<'_> {
    type Given = ();

    fn step(&mut self) -> io::Result<Option<()>> {
        match self.socket.try_send(self.bytes, self.party) {
            Err(error) if self.is_blind_to(&error) => {
                self.look_again()?;
                Err(ErrorKind::WouldBlock.into())
            }
            sent => {
                self.clock = None;
                sent.map(Some)
            }
        }
    }

    fn awaits(&self) -> Awaited<'_> {
        match &self.clock {
            Some(clock) => clock.awaited(),
            None => {
                let socket = self.socket;
                Awaited { fd: socket.fd.as_fd(), interest: Interest::Write, watch: &socket.watch }
            }
        }
    }

    fn told(&self, error: io::Error) -> Error {
        self.socket.told(error, "send from")
    }
}

/// One datagram that comes.
pub(super) struct Receiving<'a> {
    pub(super) socket: &'a Datagram,
    pub(super) into: &'a mut [u8],
}

impl Operation for Receiving<'_> {
    type Given = (usize, Party);

    fn step(&mut self) -> io::Result<Option<(usize, Party)>> {
        self.socket.try_recv(self.into).map(Some)
    }

    fn awaits(&self) -> Awaited<'_> {
        let socket = self.socket;
        Awaited { fd: socket.fd.as_fd(), interest: Interest::Read, watch: &socket.watch }
    }

    fn told(&self, error: io::Error) -> Error {
        self.socket.told(error, "receive at")
    }
}

impl Drop for Datagram {
    fn drop(&mut self) {
        self.watch.forget(self.fd.as_fd());
    }
}
