//! Bytes of the system's, for what nobody else may have or guess: secrets, processes, sessions, objects, loans.

use crate::error::{Error, Kind, Result};
use ring::rand::{SecureRandom, SystemRandom};

/// Bytes that nobody can guess.
///
/// # Errors
/// `Unexpected` if the system gives none.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| Error::new(Kind::Unexpected, "the system gives no random numbers"))?;
    Ok(bytes)
}
