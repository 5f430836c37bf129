//! Connecting: one address, one stream.

mod attempts;
mod lookup;

use super::failure::told;
use super::pipe::Pipe;
use super::tls::Handshake;
use super::transport::Socket;
use super::waiting::{Awaited, Operation, Waiting};
use super::{Endpoint, Options, Stream, Trust};
use crate::error::{Error, Result};
use crate::share::Wait;
use attempts::Attempts;
use lookup::Lookup;
pub(super) use lookup::resolve;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::time::Instant;

/// Connects to an endpoint, such as `tcp://localhost:80`, `tls://example.com:443` or `unix:/run/any.sock`, or opens
/// `stdio:` or `pipe:/path`.
///
/// A name with several addresses is tried at all of them, IPv6 and IPv4 in turns, the next when one has failed or has not
/// answered for a quarter of a second; the first that answers is taken (RFC 8305). `until` holds for all of it, the
/// look-up of the name included.
///
/// # Errors
/// `ConfigInvalid` for a wrong endpoint; `Unreachable`, which says what became of each address; `Timeout` if `until` came
/// first; `PermissionDenied` for a server whose certificate is not good for its name.
pub fn connect<E>(endpoint: E, until: Option<Instant>) -> Result<Stream>
where
    E: TryInto<Endpoint>,
    Error: From<E::Error>,
{
    connect_with(endpoint, &Options::default(), until)
}

/// [`connect`], with options.
///
/// # Errors
/// As [`connect`].
pub fn connect_with<E>(endpoint: E, options: &Options, until: Option<Instant>) -> Result<Stream>
where
    E: TryInto<Endpoint>,
    Error: From<E::Error>,
{
    Waiting::new(Connecting::new(endpoint.try_into()?, options)?).by(until)
}

/// [`connect_with`], as a value to wait for. Given up, it leaves nothing but perhaps a look-up that ends by itself.
///
/// # Errors
/// As [`connect`], as far as it can be known at once.
pub fn connecting<E>(endpoint: E, options: &Options) -> Result<impl Wait<Given = Stream> + use<E>>
where
    E: TryInto<Endpoint>,
    Error: From<E::Error>,
{
    Ok(Waiting::new(Connecting::new(endpoint.try_into()?, options)?))
}

struct Connecting {
    endpoint: Endpoint,
    trust: Trust,
    way: Way,
}

/// How far it is.
enum Way {
    /// Somebody was asked.
    Asked(Attempts),
    /// They have answered, and TLS comes over it.
    Agreeing(Box<Handshake>),
    /// It was there already.
    There(Option<Pipe>),
}

impl Connecting {
    fn new(endpoint: Endpoint, options: &Options) -> Result<Self> {
        let way = Way::to(&endpoint, options).map_err(|error| told(error, &endpoint, "connect to"))?;
        Ok(Self { endpoint, trust: options.trust.clone(), way })
    }

    /// Goes on with what has been connected.
    fn go_on(&mut self, fd: OwnedFd) -> io::Result<Option<Stream>> {
        let stream = Stream::new(Socket::new(fd), self.endpoint.clone());
        let Endpoint::Tls { host, .. } = &self.endpoint else { return Ok(Some(stream)) };
        let handshake = Handshake::new(stream, host, &self.trust).map_err(io::Error::other)?;
        self.way = Way::Agreeing(Box::new(handshake));
        Ok(None)
    }
}

impl Way {
    fn to(endpoint: &Endpoint, options: &Options) -> io::Result<Self> {
        match endpoint {
            Endpoint::Tcp { host, port } | Endpoint::Tls { host, port } => {
                let lookup = Lookup::new(host, *port)?;
                Attempts::found_by(lookup, options).map(Self::Asked)
            }
            Endpoint::Unix(path) => Attempts::at(path, options).map(Self::Asked),
            Endpoint::Stdio => Pipe::stdio().map(|pipe| Self::There(Some(pipe))),
            Endpoint::Pipe(path) => Pipe::at(path).map(|pipe| Self::There(Some(pipe))),
            _ => Err(io::Error::new(ErrorKind::Unsupported, "it is no stream")),
        }
    }
}

impl Operation for Connecting {
    type Given = Stream;

    fn step(&mut self) -> io::Result<Option<Stream>> {
        match &mut self.way {
            Way::Asked(attempts) => {
                let fd = attempts.step()?;
                self.go_on(fd)
            }
            Way::Agreeing(handshake) => handshake.step(),
            Way::There(pipe) => Ok(pipe.take().map(|pipe| Stream::new(pipe, self.endpoint.clone()))),
        }
    }

    fn awaits(&self) -> Awaited<'_> {
        match &self.way {
            Way::Asked(attempts) => attempts.gate().awaited(),
            Way::Agreeing(handshake) => handshake.awaits(),
            Way::There(_) => unreachable!("it never waits"),
        }
    }

    fn told(&self, error: io::Error) -> Error {
        match (error.downcast::<Error>(), &self.way) {
            (Ok(error), _) => error,
            (Err(error), Way::Agreeing(handshake)) => handshake.told(error),
            (Err(error), _) => told(error, &self.endpoint, "connect to"),
        }
    }

    fn late(&self) -> io::Error {
        match &self.way {
            Way::Asked(attempts) => attempts.late(),
            Way::Agreeing(handshake) => handshake.late(),
            Way::There(_) => ErrorKind::TimedOut.into(),
        }
    }
}
