//! How large a segment may be here.

use rustix::process::{Resource, getrlimit};
use std::io::{self, ErrorKind};

const MIB: u64 = 1 << 20;

/// What to try, in bytes. More than the largest would not help: block numbers and memory end first.
const SIZES: [u64; 5] = [65_536 * MIB, 16_384 * MIB, 4096 * MIB, 1024 * MIB, 256 * MIB];

/// The sizes that this process's limits allow, the largest first.
pub(super) fn sizes() -> impl Iterator<Item = usize> {
    let largest = largest();
    SIZES.into_iter().filter(move |size| *size <= largest).filter_map(|size| usize::try_from(size).ok())
}

/// The largest segment that this process's limits allow.
///
/// Half of the address space is left to the rest of the program, here and in the workers, which inherit the limit.
pub(super) fn largest() -> u64 {
    let file_size = getrlimit(Resource::Fsize).current.unwrap_or(u64::MAX);
    let address_space = getrlimit(Resource::As).current.unwrap_or(u64::MAX);
    file_size.min(address_space / 2)
}

pub(super) fn nothing_fits() -> io::Error {
    let why = "no room for a segment within the limits on address space and file size (see `ulimit -v` and `ulimit -f`)";
    io::Error::new(ErrorKind::OutOfMemory, why)
}
