//! Where a socket is: the text that a user types, parsed.

mod parse;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Where a socket is.
///
/// | text | what it is |
/// |---|---|
/// | `tcp://host:port` | a stream; `tcp://[::1]:port`, `tcp://[fe80::1%eth0]:port` |
/// | `tls://host:port` | a stream to a server that the web's authorities vouch for |
/// | `udp://host:port` | datagrams |
/// | `unix:/path` | a stream through the file system |
/// | `unixgram:/path` | datagrams through the file system |
/// | `pipe:/path` | a named pipe: who reads is its reader, who writes its writer |
/// | `stdio:` | standard input and output |
///
/// ```
/// use anyplace::net::Endpoint;
///
/// let endpoint: Endpoint = "tcp://[::1]:7777".parse()?;
/// assert_eq!(endpoint, Endpoint::Tcp { host: "::1".into(), port: 7777 });
/// assert_eq!(endpoint.to_string(), "tcp://[::1]:7777");
/// # Ok::<(), anyplace::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// `tcp://host:port`; port 0 is any free one, for who listens.
    Tcp {
        /// A name, or an address without brackets; of IPv6 with its zone, as in `fe80::1%eth0`.
        host: String,
        /// The port.
        port: u16,
    },
    /// `tls://host:port`: as `tcp`, encrypted, to a server whose certificate an authority of the web has signed.
    Tls {
        /// The name that the certificate is for.
        host: String,
        /// The port.
        port: u16,
    },
    /// `udp://host:port`; port 0 is any free one, for who binds.
    Udp {
        /// As in `tcp`.
        host: String,
        /// The port.
        port: u16,
    },
    /// `unix:/path`: a socket in the file system.
    Unix(PathBuf),
    /// `unixgram:/path`: a socket in the file system, for datagrams.
    Unixgram(PathBuf),
    /// `pipe:/path`: a named pipe (FIFO).
    Pipe(PathBuf),
    /// `stdio:`: the standard input and output of this process.
    Stdio,
}

impl Endpoint {
    /// A TCP endpoint as the system says it.
    pub(super) fn tcp(address: SocketAddr) -> Self {
        Self::Tcp { host: host(address), port: address.port() }
    }

    /// A UDP endpoint as the system says it.
    pub(super) fn udp(address: SocketAddr) -> Self {
        Self::Udp { host: host(address), port: address.port() }
    }
}

/// The address without brackets, with the number of its zone if it has one.
fn host(address: SocketAddr) -> String {
    match address {
        SocketAddr::V6(address) if address.scope_id() != 0 => {
            format!("{}%{}", address.ip(), address.scope_id())
        }
        _ => address.ip().to_string(),
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, host, port) = match self {
            Self::Tcp { host, port } => ("tcp", host, port),
            Self::Tls { host, port } => ("tls", host, port),
            Self::Udp { host, port } => ("udp", host, port),
            Self::Unix(path) => return write!(f, "unix:{}", path.display()),
            Self::Unixgram(path) => return write!(f, "unixgram:{}", path.display()),
            Self::Pipe(path) => return write!(f, "pipe:{}", path.display()),
            Self::Stdio => return f.write_str("stdio:"),
        };
        match host.contains(':') {
            true => write!(f, "{scheme}://[{host}]:{port}"),
            false => write!(f, "{scheme}://{host}:{port}"),
        }
    }
}
