//! Requests as they come, and answers as they go.

use super::Handler;
use super::connection::{Connection, Doing, Seat};
use super::shared::{Phase, Shared};
use crate::error::{Error, Kind, Result};
use crate::net::Interest;
use std::io::{self, ErrorKind, IoSlice};
use std::sync::{Arc, MutexGuard};

/// So many reads of one connection follow one another before others get their turn.
const TURN: usize = 16;

/// How reading on ended.
enum Came {
    Request(Vec<u8>),
    /// The rest comes later.
    More,
    TooLarge,
    End(Result<()>),
}

impl Shared {
    /// A connection that nobody serves has something to read, or room for the rest of an answer.
    pub(super) fn go_on(self: &Arc<Self>, connection: &Arc<Connection>) {
        let seat = connection.seat();
        match seat.doing {
            Doing::Silent | Doing::Arriving => self.read_on(connection, seat),
            Doing::Answering => self.write_on(connection, seat),
            Doing::Served | Doing::Over => {}
        }
    }

    fn read_on(self: &Arc<Self>, connection: &Arc<Connection>, mut seat: MutexGuard<'_, Seat>) {
        let came = self.come(connection, &mut seat);
        match came {
            Came::Request(request) => self.answer(connection, seat, request),
            Came::More => {
                if seat.doing == Doing::Silent && !seat.arrived.is_empty() {
                    seat.go(Doing::Arriving);
                }
                drop(seat);
                self.want(connection, Interest::Read);
            }
            Came::TooLarge => {
                drop(seat);
                self.give_up(connection, self.too_large());
            }
            Came::End(ended) => {
                drop(seat);
                self.over(connection, ended);
            }
        }
    }

    fn come(&self, connection: &Connection, seat: &mut Seat) -> Came {
        for _ in 0..TURN {
            match seat.arrived.fill(|into| connection.stream.try_read(into)) {
                Ok(0) if seat.arrived.is_empty() => return Came::End(Ok(())),
                Ok(0) => return Came::End(Err(cut_off(connection))),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Came::More,
                Err(error) => return Came::End(Err(lost(connection, &error))),
            }
            match seat.arrived.next(&self.framing, self.limits.request) {
                Ok(Some(request)) => return Came::Request(request),
                Ok(None) => {}
                Err(_) => return Came::TooLarge,
            }
        }
        Came::More
    }

    /// Has a request answered.
    fn answer(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
        mut seat: MutexGuard<'_, Seat>,
        request: Vec<u8>,
    ) {
        let Handler::Requests(handler) = &self.handler else { return };
        seat.go(Doing::Served);
        drop(seat);
        let work = handler.work(request, self.place.limits());
        let handler = handler.clone();
        self.submit(connection, work, move |shared, connection, value| {
            let answer = value.and_then(|value| handler.answer(value));
            match answer.and_then(|answer| shared.framed(answer)) {
                Ok(answer) => {
                    let mut seat = connection.seat();
                    (seat.answer, seat.sent) = (answer, 0);
                    shared.write_on(connection, seat);
                }
                Err(error) => shared.over(connection, Err(error)),
            }
        });
    }

    /// An answer as it is written: no bytes if there is none.
    fn framed(&self, answer: Option<Vec<u8>>) -> Result<Vec<u8>> {
        let framed = answer.map(|answer| self.framing.frame(answer).ok_or_else(too_long)).transpose();
        framed.map(Option::unwrap_or_default)
    }

    fn write_on(self: &Arc<Self>, connection: &Arc<Connection>, mut seat: MutexGuard<'_, Seat>) {
        while seat.sent < seat.answer.len() {
            let rest = [IoSlice::new(&seat.answer[seat.sent..])];
            match connection.stream.try_write(&rest) {
                Ok(written) => {
                    seat.sent += written;
                    seat.go(Doing::Answering);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if seat.doing != Doing::Answering {
                        seat.go(Doing::Answering);
                    }
                    drop(seat);
                    return self.want(connection, Interest::Write);
                }
                Err(error) => {
                    drop(seat);
                    return self.over(connection, Err(lost(connection, &error)));
                }
            }
        }
        seat.answer = Vec::new();
        self.answered(connection, seat);
    }

    /// An answer has gone: the next request may be there already.
    fn answered(self: &Arc<Self>, connection: &Arc<Connection>, mut seat: MutexGuard<'_, Seat>) {
        if seat.is_given_up {
            drop(seat);
            return self.over(connection, Ok(()));
        }
        if seat.arrived.is_empty() {
            seat.go(Doing::Silent);
            drop(seat);
            return self.rest(connection);
        }
        drop(seat);
        // Where the place does its work at once, a thousand requests in a row would nest a thousand calls.
        if self.place.limits().workers == 0 {
            self.state().ready.push(connection.clone());
            return self.poller.ring();
        }
        self.next_request(connection);
    }

    /// Serves the next request of what has arrived, if it is whole.
    pub(super) fn next_request(self: &Arc<Self>, connection: &Arc<Connection>) {
        let mut seat = connection.seat();
        if seat.doing == Doing::Over {
            return;
        }
        match seat.arrived.next(&self.framing, self.limits.request) {
            Ok(Some(request)) => self.answer(connection, seat, request),
            Ok(None) => {
                seat.go(Doing::Arriving);
                drop(seat);
                self.want(connection, Interest::Read);
            }
            Err(_) => {
                drop(seat);
                self.give_up(connection, self.too_large());
            }
        }
    }

    /// Nothing is under way: the connection waits for its client, unless the server stops.
    fn rest(&self, connection: &Connection) {
        let is_open = matches!(self.state().phase, Phase::Open);
        match is_open {
            true => self.want(connection, Interest::Read),
            false => self.over(connection, Ok(())),
        }
    }

    fn too_large(&self) -> Error {
        let limit = self.limits.request;
        Error::new(Kind::ResourceExhausted, format!("a client sent a request of more than {limit} bytes"))
            .with_help("raise the limit `request`, or see whether the client speaks this protocol")
    }
}

fn cut_off(connection: &Connection) -> Error {
    lost(connection, &io::Error::from(ErrorKind::UnexpectedEof))
}

fn lost(connection: &Connection, error: &io::Error) -> Error {
    Error::new(Kind::ConnectionLost, format!("a client went away within a request: {error}"))
        .at(connection.stream.endpoint())
        .during("serve")
}

fn too_long() -> Error {
    Error::new(Kind::ResourceExhausted, "an answer of 4 GiB or more is no message")
        .with_help("send large answers in pieces, by a handler of connections")
}
