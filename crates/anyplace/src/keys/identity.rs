//! The key of a user, and the certificate that TLS wants it in.

use super::{KeyHash, base32};
use crate::error::{Error, Kind, Result};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use std::fmt;

/// What a user is known by to other machines: an ed25519 key, which never leaves this one.
pub struct Identity {
    seed: [u8; 32],
    certificate: CertificateDer<'static>,
    hash: KeyHash,
}

/// What stands before the seed of an ed25519 key in PKCS #8 (RFC 8410, section 7).
const PKCS8: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

/// What stands before the public key in a SubjectPublicKeyInfo (RFC 8410, section 4).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];

const ABOUT: &str = "# anyplace: this user's private key. Whoever reads it can act as this user; `anyplace keys rotate` makes a new one.\n";

impl Identity {
    pub(super) const FILE: &'static str = "identity";

    /// A new key.
    pub(super) fn new() -> Result<Self> {
        Self::of_seed(crate::random::bytes()?)
    }

    /// The certificate is made from the key each time: it says nothing else, never expires, and pins are what counts.
    fn of_seed(seed: [u8; 32]) -> Result<Self> {
        let key =
            Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| broken("the key is no ed25519 key"))?;
        let spki = [&SPKI[..], key.public_key().as_ref()].concat();
        let certificate =
            certificate(&pkcs8(&seed)).map_err(|_| broken("no certificate can be made of the key"))?;
        Ok(Self { seed, certificate, hash: KeyHash::of_spki(&spki) })
    }

    /// What the file says.
    pub(super) fn text(&self) -> String {
        format!("{ABOUT}ed25519 {}\n", base32::encode(&self.seed))
    }

    /// Reads what [`text`](Self::text) wrote; `None` for a text without a line.
    pub(super) fn of_text(text: &str) -> Result<Option<Self>> {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let Some(line) = lines.next() else { return Ok(None) };
        let seed = line.strip_prefix("ed25519 ").and_then(|letters| base32::decode_array(letters.trim()));
        match (seed, lines.next()) {
            (Some(seed), None) => Self::of_seed(seed).map(Some),
            _ => Err(Error::config("the keys' file `identity` cannot be read")
                .with_help("bring back a copy of it, or make a new key: `anyplace keys rotate`")),
        }
    }

    /// By what others know it.
    pub fn hash(&self) -> KeyHash {
        self.hash
    }

    pub(crate) fn certificate(&self) -> CertificateDer<'static> {
        self.certificate.clone()
    }

    pub(crate) fn private_key(&self) -> PrivatePkcs8KeyDer<'static> {
        pkcs8(&self.seed)
    }
}

fn pkcs8(seed: &[u8; 32]) -> PrivatePkcs8KeyDer<'static> {
    [&PKCS8[..], seed].concat().into()
}

fn certificate(key: &PrivatePkcs8KeyDer<'_>) -> std::result::Result<CertificateDer<'static>, rcgen::Error> {
    let key = KeyPair::from_pkcs8_der_and_sign_algo(key, &rcgen::PKCS_ED25519)?;
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, "anyplace");
    Ok(parameters.self_signed(&key)?.into())
}

fn broken(message: &'static str) -> Error {
    Error::new(Kind::Unexpected, message)
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({}, ***)", self.hash.short())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_reads_as_it_was_written() {
        let identity = Identity::new().unwrap();
        let same = Identity::of_text(&identity.text()).unwrap().unwrap();
        assert_eq!(same.hash(), identity.hash());
        assert_eq!(same.certificate(), identity.certificate());
        assert!(Identity::of_text("").unwrap().is_none());
    }

    #[test]
    fn its_name_is_that_of_the_key_in_its_certificate() {
        let identity = Identity::new().unwrap();
        let certificate = identity.certificate();
        let parsed = rustls::server::ParsedCertificate::try_from(&certificate).unwrap();
        assert_eq!(KeyHash::of_spki(&parsed.subject_public_key_info()), identity.hash());
    }

    #[test]
    fn it_is_shown_without_its_secret() {
        let identity = Identity::new().unwrap();
        let shown = format!("{identity:?}");
        assert!(shown.contains("***") && !shown.contains(&base32::encode(&identity.seed)[..8]), "{shown}");
    }

    #[test]
    fn a_file_that_is_damaged_is_no_reason_for_a_new_key() {
        for text in ["ed25519", "ed25519 abc", "rsa abc", "ed25519 a\ned25519 b"] {
            assert!(Identity::of_text(text).unwrap_err().help().unwrap().contains("keys rotate"), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_strange_to_be_refused(text in "(ed25519 )?[a-z2-7#\n ]{0,120}") {
            drop(Identity::of_text(&text));
        }
    }
}
