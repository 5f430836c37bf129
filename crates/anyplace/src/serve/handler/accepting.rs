//! Taking in who comes.

use super::Handler;
use super::connection::Connection;
use super::gate::{Gate, LISTENER};
use crate::error::{Error, Kind};
use crate::net::{Interest, Listener, Stream, Wish};
use std::io::{self, ErrorKind};
use std::sync::Arc;

/// So many are accepted before others get their turn.
const TURN: usize = 64;

impl Gate {
    /// Accepts those who wait.
    pub(super) fn accept(&mut self) {
        for _ in 0..TURN {
            if self.is_full() {
                return;
            }
            let Some(accepted) = self.listener.as_ref().map(Listener::try_accept) else { return };
            match accepted.and_then(|stream| self.take_in(stream)) {
                Ok(()) => self.is_short = false,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => return self.fall_short(&error),
            }
        }
    }

    fn take_in(&self, stream: Stream) -> io::Result<()> {
        let shared = &self.shared;
        let mut state = shared.state();
        let connection = Arc::new(Connection::new(state.next_number(), stream));
        state.connections.insert(connection.number, connection.clone());
        drop(state);
        if shared.greets && matches!(shared.handler, Handler::Connections(_)) {
            shared.hand_over(&connection);
            return Ok(());
        }
        let (fd, wish) = (connection.stream.fd(Interest::Read), Wish::from(Interest::Read).once());
        shared.poller.add(fd, connection.number, wish).inspect_err(|_| shared.over(&connection, Ok(())))
    }

    /// Whether there are as many connections as may be. Then the others wait in the kernel until one ends.
    fn is_full(&mut self) -> bool {
        let mut state = self.shared.state();
        let is_full = state.connections.len() >= self.shared.limits.connections;
        state.is_full |= is_full;
        drop(state);
        if is_full {
            self.stand_still();
        }
        is_full
    }

    /// Nobody can be accepted now. The listener itself sees to it that it is not asked again at once.
    fn fall_short(&mut self, error: &io::Error) {
        if std::mem::replace(&mut self.is_short, true) {
            return;
        }
        let endpoint =
            self.listener.iter().map(|listener| listener.endpoint().to_string()).collect::<String>();
        let message = format!("cannot accept at `{endpoint}` now, and will try again: {error}");
        let help = "raise the limit of open files (`ulimit -n`), or allow fewer connections";
        self.shared.report(Error::new(Kind::ResourceExhausted, message).at(endpoint).with_help(help));
    }

    fn stand_still(&mut self) {
        self.is_accepting = false;
        self.listen_for(false);
    }

    /// Accepts again once there is room.
    pub(super) fn resume(&mut self) {
        if !self.is_accepting && !self.shared.state().is_full {
            self.is_accepting = true;
            self.listen_for(true);
        }
    }

    fn listen_for(&self, wanted: bool) {
        let wish = if wanted { Interest::Read.into() } else { Wish::NOTHING };
        let listener = self.listener.iter();
        listener.for_each(|listener| self.shared.poller.want(listener.fd(), LISTENER, wish));
    }
}
