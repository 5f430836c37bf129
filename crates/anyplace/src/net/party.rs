//! Who sends datagrams, or gets them.

use super::connect::resolve;
use super::failure::told;
use super::{Endpoint, address};
use crate::error::{Error, Result};
use rustix::net::{AddressFamily, SocketAddrAny, SocketAddrUnix};
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Instant;

/// Who sends datagrams, or gets them: an address as the system has it, so that an answer costs no look-up.
///
/// ```
/// use anyplace::net::Party;
///
/// let party = Party::at("udp://127.0.0.1:53", None)?;
/// assert_eq!(party.to_string(), "udp://127.0.0.1:53");
/// # Ok::<(), anyplace::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Party(SocketAddrAny);

impl Party {
    /// Whoever is at an endpoint; a name is looked up, and stands for its first address.
    ///
    /// # Errors
    /// `ConfigInvalid`; `Unreachable` if nobody knows the name; `Timeout`.
    pub fn at<E>(endpoint: E, until: Option<Instant>) -> Result<Self>
    where
        E: TryInto<Endpoint>,
        Error: From<E::Error>,
    {
        let endpoint = endpoint.try_into()?;
        let all = all_at(&endpoint, until).map_err(|error| told(error, &endpoint, "find"))?;
        Ok(all.into_iter().next().expect("no address is an error"))
    }

    /// Where that is; nothing if it has no name, so that nobody can answer.
    pub fn endpoint(&self) -> Option<Endpoint> {
        address::named(&self.0, false).ok().flatten()
    }

    pub(super) fn from_system(address: SocketAddrAny) -> Self {
        Self(address)
    }

    pub(super) fn address(&self) -> &SocketAddrAny {
        &self.0
    }

    pub(super) fn family(&self) -> AddressFamily {
        self.0.address_family()
    }
}

/// All that are at an endpoint for datagrams; at least one.
pub(super) fn all_at(endpoint: &Endpoint, until: Option<Instant>) -> io::Result<Vec<Party>> {
    match endpoint {
        Endpoint::Udp { host, port } => {
            let found: Vec<_> = resolve(host, *port, until)?.into_iter().map(Party::from).collect();
            let nowhere = || io::Error::new(ErrorKind::HostUnreachable, "the name has no address");
            if found.is_empty() { Err(nowhere()) } else { Ok(found) }
        }
        Endpoint::Unixgram(path) => Ok(vec![Party(SocketAddrUnix::new(path.as_path())?.into())]),
        _ => Err(io::Error::new(ErrorKind::Unsupported, "it takes no datagrams")),
    }
}

impl From<SocketAddr> for Party {
    fn from(address: SocketAddr) -> Self {
        Self(address.into())
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.endpoint() {
            Some(endpoint) => endpoint.fmt(f),
            None => f.write_str("somebody without an address"),
        }
    }
}
