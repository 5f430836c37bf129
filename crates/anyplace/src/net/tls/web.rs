//! TLS to foreign peers: the other end has a certificate for its name, and an authority vouches for it.

use super::{Tls, provider};
use crate::error::{Error, Kind, Result};
use crate::net::waiting::{Awaited, Operation, Waiting};
use crate::net::{Stream, failure};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::TLS13;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Which authorities are believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// Those of this machine, which its owner has chosen: as curl and Python do.
    #[default]
    Machine,
    /// Those in a file of PEM certificates, and no others.
    File(PathBuf),
}

/// Where systems keep the authorities they believe. We carry no list of our own: it would age with this program, and not
/// know the one that a company has added. Reading these needs no crate and no look at the environment.
const BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Speaks TLS 1.3 over a connected stream, with a peer that must have a certificate for the name `host`.
/// [`connect`](crate::net::connect) does it for `tls://host:port`; this is for streams that begin in the clear.
///
/// # Errors
/// `PermissionDenied` if the certificate is not good for that; `Timeout`; `ConnectionLost`; `ConfigInvalid` for a name or
/// file that is none; `NotFound` if this machine lists no authorities.
pub fn tls(stream: Stream, host: &str, trust: &Trust, until: Option<Instant>) -> Result<Stream> {
    Waiting::new(Client::new(host, trust)?.over(stream)).by(until)
}

/// What it takes to speak with a host, before anybody is connected.
pub(in crate::net) struct Client {
    connection: ClientConnection,
    host: String,
}

/// A handshake under way.
pub(in crate::net) struct Handshake {
    /// Until it is over.
    tls: Option<Tls>,
    host: String,
}

impl Client {
    pub(in crate::net) fn new(host: &str, trust: &Trust) -> Result<Self> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| {
            Error::config(format!("`{}` is no name that a certificate could have", host.escape_default()))
                .with_help("write a host's name or its address, without a port")
        })?;
        let connection = ClientConnection::new(config(trust)?, name).map_err(|error| told(&error, host))?;
        Ok(Self { connection, host: host.to_owned() })
    }

    /// Begins the handshake.
    pub(in crate::net) fn over(self, stream: Stream) -> Handshake {
        Handshake { tls: Some(Tls::new(stream, self.connection)), host: self.host }
    }
}

impl Handshake {
    fn tls(&self) -> &Tls {
        self.tls.as_ref().expect("it is asked for nothing when it is over")
    }
}

impl Operation for Handshake {
    type Given = Stream;

    fn step(&mut self) -> io::Result<Option<Stream>> {
        self.tls().agreeing()?;
        Ok(self.tls.take().map(Tls::into_stream))
    }

    fn awaits(&self) -> Awaited<'_> {
        self.tls().awaited()
    }

    fn told(&self, error: io::Error) -> Error {
        match error.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(inner) => told(inner, &self.host),
            None => failure::told(error, self.tls().endpoint(), "agree on keys with"),
        }
    }
}

fn config(trust: &Trust) -> Result<Arc<ClientConfig>> {
    let builder = ClientConfig::builder_with_provider(provider()).with_protocol_versions(&[&TLS13]);
    let builder = builder.map_err(|error| told(&error, "any host"))?;
    Ok(Arc::new(builder.with_root_certificates(roots(trust)?).with_no_client_auth()))
}

fn roots(trust: &Trust) -> Result<RootCertStore> {
    let file = match trust {
        Trust::File(file) => file.as_path(),
        Trust::Machine => BUNDLES.iter().map(Path::new).find(|file| file.exists()).ok_or_else(|| {
            Error::new(Kind::NotFound, "this machine lists no authorities that vouch for servers")
                .with_help("install its `ca-certificates`, or name a file of them: `Trust::File`")
        })?,
    };
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(file).map_err(|error| unreadable(file, &error))?;
    let certificates =
        certificates.collect::<Result<Vec<_>, _>>().map_err(|error| unreadable(file, &error))?;
    // Some machines list certificates that no rule of today allows; the others still count.
    let (taken, _) = roots.add_parsable_certificates(certificates);
    if taken == 0 { Err(unreadable(file, &"there is none in it")) } else { Ok(roots) }
}

fn unreadable(file: &Path, why: &dyn std::fmt::Display) -> Error {
    Error::config(format!("no certificates can be read from `{}`: {why}", file.display()))
        .with_help("name a file of PEM certificates, which begin with `-----BEGIN CERTIFICATE-----`")
}

fn told(error: &rustls::Error, host: &str) -> Error {
    let (kind, help) = match error {
        rustls::Error::InvalidCertificate(_) => (
            Kind::PermissionDenied,
            "do not go on unless you know why; for a server of your own name its authority: `Trust::File`",
        ),
        _ => (Kind::ConnectionLost, "see whether that port speaks TLS 1.3"),
    };
    Error::new(kind, format!("`{host}` cannot be trusted or understood: {error}")).with_help(help)
}
