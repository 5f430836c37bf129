//! TLS between places: both ends have a key, and each is judged by that key alone.
//!
//! A certificate is public, so a key that stands in one proves nothing. What proves something is the signature over the
//! handshake, and both verifiers here check it. The client looks at the server's key before it sends anything of its own:
//! its certificate and all that follows go to that server or to nobody.

use super::{Tls, provider};
use crate::keys::{Identity, KeyHash};
use crate::net::Stream;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::verify_tls13_signature;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, ParsedCertificate};
use rustls::version::TLS13;
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, DistinguishedName, OtherError,
    PeerIncompatible, ServerConfig, ServerConnection, SignatureScheme,
};
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Instant;

/// What we speak inside; its number changes when others could not follow.
const PROTOCOL: &[u8] = b"anyplace/1";

/// A session whose other end has proved to have a key.
#[derive(Debug)]
pub(crate) struct Pinned {
    pub(crate) tls: Tls,
    pub(crate) peer: KeyHash,
}

/// The server has another key than it must have. Found in the error of [`client`] by [`found_key`].
#[derive(Debug)]
struct WrongKey(KeyHash);

/// Agrees with a server that has one of these keys, and none other.
///
/// # Errors
/// As [`Tls::agree`].
pub(crate) fn client(
    below: Stream,
    identity: &Identity,
    pins: Vec<KeyHash>,
    until: Option<Instant>,
) -> io::Result<Pinned> {
    let config = client_config(identity, pins).map_err(io::Error::other)?;
    // The name is never sent: who is talked to is told by the key.
    let name = ServerName::try_from("anyplace.invalid").expect("a name");
    let connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    Pinned::agree(Tls::new(below, connection), until)
}

/// Agrees with a client, whatever its key is: that is for the caller to judge.
///
/// # Errors
/// As [`Tls::agree`].
pub(crate) fn server(below: Stream, identity: &Identity, until: Option<Instant>) -> io::Result<Pinned> {
    let config = server_config(identity).map_err(io::Error::other)?;
    let connection = ServerConnection::new(Arc::new(config)).map_err(io::Error::other)?;
    Pinned::agree(Tls::new(below, connection), until)
}

/// The key that the server had, if that was what was wrong.
pub(crate) fn found_key(error: &io::Error) -> Option<KeyHash> {
    match error.get_ref()?.downcast_ref()? {
        rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(other))) => {
            other.downcast_ref::<WrongKey>().map(|wrong| wrong.0)
        }
        _ => None,
    }
}

impl Pinned {
    fn agree(tls: Tls, until: Option<Instant>) -> io::Result<Self> {
        tls.agree(until)?;
        let invalid = |what| io::Error::new(io::ErrorKind::InvalidData, what);
        if tls.protocol().as_deref() != Some(PROTOCOL) {
            return Err(invalid("the other end speaks no version of anyplace that this one knows"));
        }
        let certificate = tls.certificate().ok_or_else(|| invalid("the other end has no certificate"))?;
        let peer = key(&certificate).map_err(io::Error::other)?;
        Ok(Self { tls, peer })
    }
}

pub(crate) fn client_config(identity: &Identity, pins: Vec<KeyHash>) -> Result<ClientConfig, rustls::Error> {
    let builder = ClientConfig::builder_with_provider(provider()).with_protocol_versions(&[&TLS13])?;
    let verifier = Arc::new(OneOf(pins));
    let mut config = builder
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_auth_cert(vec![identity.certificate()], identity.private_key().into())?;
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    config.enable_sni = false;
    config.resumption = Resumption::disabled();
    Ok(config)
}

pub(crate) fn server_config(identity: &Identity) -> Result<ServerConfig, rustls::Error> {
    let builder = ServerConfig::builder_with_provider(provider()).with_protocol_versions(&[&TLS13])?;
    let mut config = builder
        .with_client_cert_verifier(Arc::new(Anybody))
        .with_single_cert(vec![identity.certificate()], identity.private_key().into())?;
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

fn key(certificate: &CertificateDer<'_>) -> Result<KeyHash, rustls::Error> {
    Ok(KeyHash::of_spki(&ParsedCertificate::try_from(certificate)?.subject_public_key_info()))
}

/// What both verifiers say of signatures: that whoever sent the certificate has its key, in TLS 1.3 and nothing older.
macro_rules! check_signatures {
    () => {
        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            Err(PeerIncompatible::Tls12NotOfferedOrEnabled.into())
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            let algorithms = provider().signature_verification_algorithms;
            verify_tls13_signature(message, certificate, signature, &algorithms)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            vec![SignatureScheme::ED25519]
        }
    };
}

/// Takes a server that has one of these keys.
#[derive(Debug)]
struct OneOf(Vec<KeyHash>);

impl ServerCertVerifier for OneOf {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let found = key(certificate)?;
        if self.0.contains(&found) {
            return Ok(ServerCertVerified::assertion());
        }
        Err(CertificateError::Other(OtherError(Arc::new(WrongKey(found)))).into())
    }

    check_signatures!();
}

/// Takes every client that has a key of its own: what it may do is decided by that key, when the session stands.
#[derive(Debug)]
struct Anybody;

impl ClientCertVerifier for Anybody {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        key(certificate).map(|_| ClientCertVerified::assertion())
    }

    check_signatures!();
}

impl fmt::Display for WrongKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server has the key {}", self.0)
    }
}

impl std::error::Error for WrongKey {}
