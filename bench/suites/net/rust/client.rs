//! A client of echo servers with many connections and one thread, each connection asking as soon as it was answered.

use crate::Result;
use rustix::buffer::spare_capacity;
use rustix::event::epoll;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

pub(super) struct Client {
    epoll: OwnedFd,
    connections: Vec<Connection>,
    message: Vec<u8>,
}

struct Connection {
    stream: TcpStream,
    /// How much of an answer has come.
    come: usize,
    asked: Instant,
}

/// How long each round trip took, and all of them together.
#[derive(Debug)]
pub(super) struct Times {
    each: Vec<Duration>,
    all: Duration,
}

/// Connections that say nothing.
pub(super) fn connect_many(address: &str, count: usize) -> Result<Vec<TcpStream>> {
    (0..count).map(|_| TcpStream::connect(address).map_err(|error| format!("{address}: {error}"))).collect()
}

impl Client {
    pub(super) fn connect(address: &str, connections: usize, message: usize) -> Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(|error| error.to_string())?;
        let streams = connect_many(address, connections)?;
        for (number, stream) in streams.iter().enumerate() {
            stream.set_nodelay(true).map_err(|error| error.to_string())?;
            let data = epoll::EventData::new_u64(number as u64);
            epoll::add(&epoll, stream, data, epoll::EventFlags::IN).map_err(|error| error.to_string())?;
        }
        let now = Instant::now();
        let connections =
            streams.into_iter().map(|stream| Connection { stream, come: 0, asked: now }).collect();
        Ok(Self { epoll, connections, message: counted(message) })
    }

    /// Asks for so long.
    pub(super) fn run(&mut self, time: Duration) -> Result<Times> {
        let began = Instant::now();
        let mut each = Vec::with_capacity(1 << 16);
        let mut under_way = self.connections.len();
        for connection in &mut self.connections {
            connection.ask(&self.message)?;
        }
        let mut events = Vec::with_capacity(256);
        while under_way > 0 {
            epoll::wait(&self.epoll, spare_capacity(&mut events), None).map_err(|error| error.to_string())?;
            for event in events.drain(..) {
                let connection = &mut self.connections[event.data.u64() as usize];
                if let Some(time) = connection.take(self.message.len())? {
                    each.push(time);
                    under_way -= 1;
                } else {
                    continue;
                }
                if began.elapsed() < time {
                    connection.ask(&self.message)?;
                    under_way += 1;
                }
            }
        }
        each.sort_unstable();
        Ok(Times { each, all: began.elapsed() })
    }
}

/// A message with its length in front, so that those who read messages and those who read bytes give back the same.
fn counted(length: usize) -> Vec<u8> {
    let body = u32::try_from(length - 4).expect("a small message");
    let mut message = body.to_be_bytes().to_vec();
    message.resize(length, b'a');
    message
}

impl Connection {
    fn ask(&mut self, message: &[u8]) -> Result<()> {
        self.asked = Instant::now();
        self.stream.write_all(message).map_err(|error| format!("asking: {error}"))
    }

    /// How long the answer took, if it is whole.
    fn take(&mut self, length: usize) -> Result<Option<Duration>> {
        let mut bytes = [0; 4096];
        match self.stream.read(&mut bytes[..length - self.come]) {
            Ok(0) => return Err("the server ended a connection".into()),
            Ok(read) => self.come += read,
            Err(error) => return Err(format!("hearing an answer: {error}")),
        }
        let is_whole = self.come == length;
        if is_whole {
            self.come = 0;
        }
        Ok(is_whole.then(|| self.asked.elapsed()))
    }
}

impl Times {
    /// Microseconds that this share of the round trips took at most.
    pub(super) fn quantile(&self, share: f64) -> f64 {
        let at = (share * (self.each.len() - 1) as f64) as usize;
        self.each[at].as_secs_f64() * 1e6
    }

    /// How many round trips.
    pub(super) fn count(&self) -> usize {
        self.each.len()
    }

    /// Round trips per second.
    pub(super) fn rate(&self) -> f64 {
        self.each.len() as f64 / self.all.as_secs_f64()
    }
}
