//! TLS 1.3, by rustls: what stands between a stream and its reader where others could listen.
//!
//! [`pinned`] is what places speak to each other: mutual, with keys instead of authorities. [`web`] is for foreign peers:
//! `tls://host:port`, whose certificate an authority vouches for.
//!
//! Neither resumes a session nor sends early data: each connection is judged anew, by the tables as they are now.

pub(crate) mod pinned;
mod session;
mod web;

pub(crate) use session::Tls;
pub(super) use web::{Client, Handshake};
pub use web::{Trust, tls};

use rustls::CipherSuite;
use rustls::crypto::CryptoProvider;
use std::sync::{Arc, OnceLock};

/// What rustls computes with. It is ours and not the process's: a program may have another for itself.
fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    let preferring_speed = || {
        let mut provider = rustls::crypto::ring::default_provider();
        // Both are beyond reach, and the shorter key moves half as much again: 5.5 and 3.4 GB/s of records on a machine
        // with VAES. What the other end lacks is still not used.
        provider.cipher_suites.sort_by_key(|suite| suite.suite() != CipherSuite::TLS13_AES_128_GCM_SHA256);
        Arc::new(provider)
    };
    PROVIDER.get_or_init(preferring_speed).clone()
}
