//! Where a socket is: the text that a user types, parsed.

use crate::error::{Error, Result};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Where a socket is.
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
        /// A name, or an address without brackets.
        host: String,
        /// The port.
        port: u16,
    },
    /// `unix:/path`: a socket in the file system.
    Unix(PathBuf),
}

impl TryFrom<&str> for Endpoint {
    type Error = Error;

    fn try_from(text: &str) -> Result<Self> {
        text.parse()
    }
}

impl TryFrom<String> for Endpoint {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl FromStr for Endpoint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.split_once(':') {
            Some(("tcp", rest)) => {
                host_and_port(rest).map(|(host, port)| Self::Tcp { host, port }).ok_or_else(|| wrong(text))
            }
            Some(("unix", rest)) if !rest.is_empty() => {
                // `unix:///path` is the same as `unix:/path`.
                let path = rest.strip_prefix("//").filter(|rest| rest.starts_with('/')).unwrap_or(rest);
                Ok(Self::Unix(path.into()))
            }
            _ => Err(wrong(text)),
        }
    }
}

fn host_and_port(rest: &str) -> Option<(String, u16)> {
    let (host, port) = rest.strip_prefix("//")?.rsplit_once(':')?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host = match bare {
        Some(bare) => bare,
        None if host.contains(':') || host.is_empty() => return None,
        None => host,
    };
    Some((host.to_owned(), port.parse().ok()?))
}

fn wrong(text: &str) -> Error {
    Error::config(format!("`{text}` is no endpoint of a socket"))
        .with_help("write `tcp://host:port`, `tcp://[::1]:port` or `unix:/path`")
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "tcp://[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_prints_as_it_was_written() {
        for text in ["tcp://localhost:80", "tcp://[::1]:0", "unix:/run/any.sock", "unix:here.sock"] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_endpoint_is_said_with_help() {
        for text in [
            "",
            "tcp:",
            "tcp://",
            "tcp://host",
            "tcp://host:99999",
            "tcp://::1:80",
            "tcp://:80",
            "unix:",
            "ftp://host:21",
        ] {
            let error = text.parse::<Endpoint>().unwrap_err();
            assert!(error.help().unwrap().contains("tcp://host:port"), "{text}");
        }
    }
}
