//! Datagrams in both directions: what is read at once goes at once, such as a line that somebody types.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use anyplace::net::{Datagram, Interest, Stream, Waitable, connect, wait_any};

use super::print;
use crate::report::{Report, Result};

/// The longest there is.
const LONGEST: usize = 65_507;
/// How long an answer may take after the last question.
const PATIENCE: Duration = Duration::from_secs(1);

/// Carries until standard input has ended and nothing has come for a while: datagrams have no end of their own.
pub(super) fn carry(socket: &Datagram, idle: Option<Duration>) -> Result<()> {
    let mut input = Some(connect("stdio:", None)?);
    let mut bytes = vec![0; LONGEST];
    loop {
        let patience = if input.is_some() { idle } else { Some(idle.unwrap_or(PATIENCE)) };
        let until = patience.and_then(|patience| Instant::now().checked_add(patience));
        let these: Vec<(&dyn Waitable, Interest)> =
            std::iter::once((socket as &dyn Waitable, Interest::Read))
                .chain(input.iter().map(|input| (input as &dyn Waitable, Interest::Read)))
                .collect();
        let ready = wait_any(&these, until)?;
        if ready.is_empty() || (ready.contains(&0) && !receive(socket, &mut bytes)?) {
            return Ok(());
        }
        if ready.contains(&1) && !input.as_ref().map_or(Ok(false), |input| send(input, socket, &mut bytes))? {
            input = None;
        }
    }
}

/// Prints what is there; false if nobody reads it any more.
fn receive(socket: &Datagram, bytes: &mut [u8]) -> Result<bool> {
    match socket.try_recv(bytes) {
        Ok((length, _)) => print(&bytes[..length]),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(true),
        Err(error) => Err(Report::own(format!("cannot receive from `{}`: {error}", socket.endpoint()))),
    }
}

/// Sends what is there; false at the end.
fn send(input: &Stream, socket: &Datagram, bytes: &mut [u8]) -> Result<bool> {
    match input.try_read(bytes) {
        Ok(0) => Ok(false),
        Ok(length) => socket.send(&bytes[..length], None).map(|()| true).map_err(Report::from),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(true),
        Err(error) => Err(Report::own(format!("cannot read standard input: {error}"))),
    }
}
