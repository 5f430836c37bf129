//! Numbers of the system's, for what must be nobody else's: processes, sessions, objects, loans.

use crate::error::Result;
use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};
use std::io;

/// A number that nobody can guess.
///
/// # Errors
/// What the system says if it gives none.
pub(crate) fn random<T: Random>() -> Result<T> {
    T::draw()
}

pub(crate) trait Random: Sized {
    fn draw() -> Result<Self>;
}

impl Random for u64 {
    fn draw() -> Result<Self> {
        bytes().map(Self::from_ne_bytes)
    }
}

impl Random for u128 {
    fn draw() -> Result<Self> {
        bytes().map(Self::from_ne_bytes)
    }
}

fn bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    let mut filled = 0;
    while filled < N {
        match getrandom(&mut bytes[filled..], GetRandomFlags::empty()) {
            Ok(more) => filled += more,
            Err(Errno::INTR) => {}
            Err(error) => return Err(io::Error::from(error).into()),
        }
    }
    Ok(bytes)
}
