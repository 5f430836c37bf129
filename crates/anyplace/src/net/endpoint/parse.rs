//! From text to an [`Endpoint`], or to an error that says what is wrong with the text.

use super::Endpoint;
use crate::error::{Error, Result};
use std::net::Ipv6Addr;
use std::path::PathBuf;
use std::str::FromStr;

/// What the kernel has room for, its zero at the end not counted.
const LONGEST_PATH: usize = 107;

impl FromStr for Endpoint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (scheme, rest) = text.split_once(':').ok_or_else(|| wrong(text))?;
        let internet = || host_and_port(rest).ok_or_else(|| wrong(text));
        match scheme {
            "tcp" => internet().map(|(host, port)| Self::Tcp { host, port }),
            "tls" => internet().map(|(host, port)| Self::Tls { host, port }),
            "udp" => internet().map(|(host, port)| Self::Udp { host, port }),
            "unix" => socket_path(text, rest).map(Self::Unix),
            "unixgram" => socket_path(text, rest).map(Self::Unixgram),
            "pipe" => path(text, rest).map(Self::Pipe),
            "stdio" if rest.is_empty() => Ok(Self::Stdio),
            _ => Err(wrong(text)),
        }
    }
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

impl TryFrom<&Self> for Endpoint {
    type Error = Error;

    fn try_from(endpoint: &Self) -> Result<Self> {
        Ok(endpoint.clone())
    }
}

fn host_and_port(rest: &str) -> Option<(String, u16)> {
    let (host, port) = rest.strip_prefix("//")?.rsplit_once(':')?;
    // `parse` would take a sign.
    let port = port.bytes().all(|byte| byte.is_ascii_digit()).then(|| port.parse().ok())??;
    let host = match host.strip_prefix('[') {
        Some(rest) => bracketed(rest.strip_suffix(']')?)?,
        None => named(host)?,
    };
    Some((host, port))
}

/// An address of IPv6. Its zone may be written as in a URL, where `%` is `%25`.
fn bracketed(host: &str) -> Option<String> {
    let (address, zone) = host.split_once('%').map_or((host, None), |(address, zone)| (address, Some(zone)));
    address.parse::<Ipv6Addr>().ok()?;
    match zone.map(|zone| zone.strip_prefix("25").filter(|rest| !rest.is_empty()).unwrap_or(zone)) {
        None => Some(address.to_owned()),
        Some(zone) => is_name(zone).then(|| format!("{address}%{zone}")),
    }
}

fn named(host: &str) -> Option<String> {
    is_name(host).then(|| host.to_owned())
}

fn is_name(text: &str) -> bool {
    let is_wrong = |char: char| char.is_whitespace() || char.is_control() || "/?#@[]:%".contains(char);
    !text.is_empty() && !text.contains(is_wrong)
}

fn path(text: &str, rest: &str) -> Result<PathBuf> {
    // `unix:///path` is the same as `unix:/path`.
    let path = rest.strip_prefix("//").filter(|rest| rest.starts_with('/')).unwrap_or(rest);
    if path.is_empty() || path.contains('\0') {
        return Err(wrong(text));
    }
    Ok(path.into())
}

fn socket_path(text: &str, rest: &str) -> Result<PathBuf> {
    if rest.starts_with(['@', '\0']) {
        return Err(Error::config(format!(
            "`{}` has no file: anybody on this machine could use it",
            text.escape_debug()
        ))
        .with_help(
            "name a file, which has an owner and a mode; one that begins with `@` is `unix:./@name`",
        ));
    }
    let path = path(text, rest)?;
    let length = path.as_os_str().len();
    if length > LONGEST_PATH {
        return Err(Error::config(format!(
            "`{text}` is too long: a socket's path has {LONGEST_PATH} bytes at most, not {length}"
        ))
        .with_help(
            "put it into a folder with a shorter path, or change to its folder and name it from there",
        ));
    }
    Ok(path)
}

fn wrong(text: &str) -> Error {
    // It may be the address of a place, with its ticket.
    let text = crate::keys::without_tickets(text);
    Error::config(format!("`{text}` is no endpoint of a socket")).with_help(
        "write `tcp://host:port`, `tcp://[::1]:port`, `tls://host:port`, `udp://host:port`, `unix:/path`, \
         `unixgram:/path`, `pipe:/path` or `stdio:`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_prints_as_it_was_written() {
        for text in [
            "tcp://localhost:80",
            "tcp://[::1]:0",
            "tcp://[fe80::1%eth0]:80",
            "tls://example.com:443",
            "udp://127.0.0.1:53",
            "unix:/run/any.sock",
            "unix:here.sock",
            "unixgram:/run/log.sock",
            "pipe:/tmp/pipe",
            "stdio:",
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_zone_may_be_written_as_in_a_url() {
        let endpoint: Endpoint = "tcp://[fe80::1%25eth0]:80".parse().unwrap();
        assert_eq!(endpoint.to_string(), "tcp://[fe80::1%eth0]:80");
    }

    #[test]
    fn what_is_no_endpoint_is_said_with_help() {
        for text in [
            "",
            "tcp:",
            "tcp://",
            "tcp://host",
            "tcp://host:99999",
            "tcp://host:+80",
            "tcp://host:",
            "tcp://::1:80",
            "tcp://:80",
            "tcp://[host]:80",
            "tcp://[::1:80",
            "tcp://user@host:80",
            "tcp://host:80/path",
            "tcp://ho st:80",
            "unix:",
            "unix:/a\0b",
            "stdio:x",
            "ftp://host:21",
        ] {
            let error = text.parse::<Endpoint>().unwrap_err();
            assert!(error.help().unwrap().contains("tcp://host:port"), "{text}");
        }
    }

    #[test]
    fn abstract_names_are_refused() {
        for text in ["unix:@name", "unix:\0name", "unixgram:@name"] {
            let error = text.parse::<Endpoint>().unwrap_err();
            assert!(error.message().contains("has no file"), "{error}");
        }
        assert_eq!("unix:./@name".parse::<Endpoint>().unwrap(), Endpoint::Unix("./@name".into()));
    }

    #[test]
    fn a_path_has_at_most_107_bytes() {
        let longest = format!("unix:/{}", "x".repeat(106));
        assert!(longest.parse::<Endpoint>().is_ok());
        let error = format!("{longest}x").parse::<Endpoint>().unwrap_err();
        assert!(error.message().contains("107 bytes at most, not 108"), "{error}");
    }
}
