//! Connecting: one address, one stream.

mod attempts;
mod lookup;

use super::failure::told;
use super::pipe::Pipe;
use super::tls::{Client, Handshake};
use super::transport::Socket;
use super::waiting::{Awaited, Operation, Waiting};
use super::{Endpoint, Options, Stream};
use crate::error::{Error, Result};
use crate::share::Wait;
use attempts::Attempts;
use lookup::Lookup;
pub(super) use lookup::resolve;
use std::io::{self, ErrorKind};
use std::time::Instant;

/// Connects to an endpoint, such as `tcp://localhost:80` or `unix:/run/any.sock`, or opens `stdio:` or `pipe:/path`.
///
/// At `tls://host:port` it also agrees on keys, with a server that must have a certificate for that name
/// ([`Options::trust`]).
///
/// A name with several addresses is tried at all of them, IPv6 and IPv4 in turns, the next when one has failed or has not
/// answered for a quarter of a second; the first that answers is taken (RFC 8305). `until` holds for all of it, the
/// look-up of the name included.
///
/// # Errors
/// `ConfigInvalid` for a wrong endpoint; `Unreachable`, which says what became of each address; `Timeout` if `until` came
/// first; `PermissionDenied` for a certificate that is not good.
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
    way: Way,
}

/// How it is connected.
enum Way {
    /// By asking somebody, and then perhaps by agreeing on keys.
    Asked(Attempts, Option<Client>),
    /// Somebody answered, and keys are being agreed on.
    Answered(Handshake),
    /// It is there already.
    There(Option<Pipe>),
}

impl Connecting {
    fn new(endpoint: Endpoint, options: &Options) -> Result<Self> {
        let client = match &endpoint {
            Endpoint::Tls { host, .. } => Some(Client::new(host, &options.trust)?),
            _ => None,
        };
        let way = Way::to(&endpoint, client, options);
        let way = way.map_err(|error| told(error, &endpoint, "connect to"))?;
        Ok(Self { endpoint, way })
    }
}

impl Way {
    fn to(endpoint: &Endpoint, client: Option<Client>, options: &Options) -> io::Result<Self> {
        match endpoint {
            Endpoint::Tcp { host, port } | Endpoint::Tls { host, port } => {
                let lookup = Lookup::new(host, *port)?;
                Ok(Self::Asked(Attempts::found_by(lookup, options)?, client))
            }
            Endpoint::Unix(path) => Ok(Self::Asked(Attempts::at(path, options)?, client)),
            Endpoint::Stdio => Pipe::stdio().map(|pipe| Self::There(Some(pipe))),
            Endpoint::Pipe(path) => Pipe::at(path).map(|pipe| Self::There(Some(pipe))),
            _ => Err(io::Error::new(ErrorKind::Unsupported, "it is no stream")),
        }
    }
}

impl Operation for Connecting {
    type Given = Stream;

    fn step(&mut self) -> io::Result<Option<Stream>> {
        let endpoint = self.endpoint.clone();
        match &mut self.way {
            Way::Asked(attempts, client) => {
                let stream = Stream::new(Socket::new(attempts.step()?), endpoint);
                let Some(client) = client.take() else { return Ok(Some(stream)) };
                self.way = Way::Answered(client.over(stream));
                Ok(None)
            }
            Way::Answered(handshake) => handshake.step(),
            Way::There(pipe) => Ok(pipe.take().map(|pipe| Stream::new(pipe, endpoint))),
        }
    }

    fn awaits(&self) -> Awaited<'_> {
        match &self.way {
            Way::Asked(attempts, _) => attempts.gate().awaited(),
            Way::Answered(handshake) => handshake.awaits(),
            Way::There(_) => unreachable!("it never waits"),
        }
    }

    fn told(&self, error: io::Error) -> Error {
        match &self.way {
            Way::Answered(handshake) => handshake.told(error),
            _ => told(error, &self.endpoint, "connect to"),
        }
    }

    fn late(&self) -> io::Error {
        match &self.way {
            Way::Asked(attempts, _) => attempts.late(),
            Way::Answered(_) | Way::There(_) => ErrorKind::TimedOut.into(),
        }
    }
}
