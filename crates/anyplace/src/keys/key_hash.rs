//! The name of a key.

use super::base32;
use std::fmt;
use std::str::FromStr;

/// Which key a peer has: the SHA-256 of its public key, as X.509 writes it (SubjectPublicKeyInfo). No secret.
///
/// Its text is 52 letters of base32. The same comes from other tools' view of a certificate, such as
/// `openssl x509 -pubkey -noout | openssl pkey -pubin -outform der | sha256sum`, there in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyHash([u8; Self::LENGTH]);

impl KeyHash {
    pub(super) const LENGTH: usize = 32;

    /// The name of the key that this SubjectPublicKeyInfo holds.
    pub(crate) fn of_spki(spki: &[u8]) -> Self {
        let digest = ring::digest::digest(&ring::digest::SHA256, spki);
        Self(digest.as_ref().try_into().expect("SHA-256 has 32 bytes"))
    }

    pub(super) fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    pub(super) fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// The first letters: enough for people to tell a few keys apart.
    pub fn short(&self) -> String {
        base32::encode(&self.0[..10])
    }
}

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base32::encode(&self.0))
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyHash({})", self.short())
    }
}

impl FromStr for KeyHash {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        base32::decode_array(text).map(Self).ok_or("a key's hash is 52 letters of a-z and 2-7")
    }
}
