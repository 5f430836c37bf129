//! What the system says of a socket, as an error of the engine.

use super::Endpoint;
use crate::error::{Error, Kind, Retry};
use rustix::io::Errno;
use std::io::{self, ErrorKind};

/// The error of an operation on `endpoint`. Whether something was done by then, the operation knows.
pub(super) fn told(error: io::Error, endpoint: &Endpoint, operation: &'static str) -> Error {
    let (kind, help) = match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => {
            (Kind::Timeout, "give it more time, or look at the other end")
        }
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
            (Kind::Unreachable, "see whether somebody listens there: `anyplace serve` prints where it does")
        }
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => (
            Kind::Unreachable,
            "see whether the name is right, the host is up, and no firewall stands in between",
        ),
        ErrorKind::AddrInUse => {
            (Kind::ResourceExhausted, "somebody listens there already; end them, or choose another port")
        }
        ErrorKind::AddrNotAvailable => {
            (Kind::ConfigInvalid, "listen at an address of this machine, such as 127.0.0.1 or 0.0.0.0")
        }
        ErrorKind::PermissionDenied => (
            Kind::PermissionDenied,
            "ports below 1024 and files of others need rights that this process lacks",
        ),
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::NotConnected
        | ErrorKind::UnexpectedEof => (Kind::ConnectionLost, "see what the other end says of it"),
        ErrorKind::Unsupported => (Kind::Unsupported, "see the endpoints that `net::Endpoint` takes"),
        ErrorKind::QuotaExceeded => {
            (Kind::ResourceExhausted, "raise the limit, or see whether the other end is who it should be")
        }
        ErrorKind::InvalidInput => (Kind::ConfigInvalid, "see the endpoints that `net::Endpoint` takes"),
        ErrorKind::FileTooLarge => {
            (Kind::ResourceExhausted, "offer more room; a datagram has 65 507 bytes at most")
        }
        _ => match error.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::MFILE | Errno::NFILE) => {
                (Kind::ResourceExhausted, "raise the limit of open files (`ulimit -n`)")
            }
            Some(Errno::MSGSIZE) => (Kind::ConfigInvalid, "send less at once: 65 507 bytes go over IPv4"),
            _ => (Kind::Unexpected, "see what the system says of it"),
        },
    };
    Error::new(kind, format!("cannot {operation} `{endpoint}`: {error}"))
        .at(endpoint)
        .during(operation)
        .with_retry(if operation == "connect to" { Retry::Safe } else { Retry::Never })
        .with_help(help)
        .with_source(error)
}
