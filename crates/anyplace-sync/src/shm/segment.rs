//! A [`Segment`]: memory without a name that several processes map.
//!
//! ```text
//! | header, one page | control: whole pages, always backed | the rest: sparse, for the memory |
//! ```
//!
//! Its size is address space, not memory: pages come when they are asked for (`memory/pages.rs`). It is sealed, so that
//! nobody can shrink it under somebody's feet: a page that was backed stays, and reading it can never raise SIGBUS.

#![allow(unsafe_code, reason = "maps the memory and gives out references into it")]

mod limits;
mod map;

use map::Map;
use rustix::fs::{FallocateFlags, MemfdFlags, SealFlags};
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock};

/// What lengths are rounded to. Where pages are larger, some things share one.
pub(crate) const PAGE: usize = 4096;

const MAGIC: u64 = u64::from_le_bytes(*b"anyplace");
/// Grows with every change to what lies in a segment.
const VERSION: u32 = 1;

/// Nobody may change the size any more, nor what may be changed.
const SEALS: SealFlags = SealFlags::SHRINK.union(SealFlags::GROW).union(SealFlags::SEAL);

/// Memory without a name that several processes map; it is gone with the last of them.
///
/// The pages that processes of a place share: at the front the `control` bytes for whoever made it, then what
/// [`Memory`](super::Memory) hands out in blocks.
///
/// ```
/// use anyplace_sync::shm::Segment;
///
/// let segment = Segment::create(100, "example")?;
/// assert_eq!(segment.control_len(), 4096, "whole pages");
/// let other = Segment::open(segment.fd()?.try_clone()?)?; // in another process: its copy of the descriptor
/// assert_eq!(other.len(), segment.len());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Segment {
    /// None when it is retired.
    fd: RwLock<Option<Arc<OwnedFd>>>,
    map: Map,
    control_len: usize,
}

/// What the first page says.
#[repr(C)]
struct Header {
    magic: AtomicU64,
    version: AtomicU32,
    reserved: AtomicU32,
    len: AtomicU64,
    control_len: AtomicU64,
}

fn held(fd: OwnedFd) -> RwLock<Option<Arc<OwnedFd>>> {
    RwLock::new(Some(Arc::new(fd)))
}

/// Types that may lie in the segment.
///
/// # Safety
/// Consists of atomics only, so that any bytes are a value of it and any process may change it at any time.
pub(crate) unsafe trait Shared {}
// SAFETY: an atomic.
unsafe impl Shared for AtomicU32 {}
// SAFETY: an atomic.
unsafe impl Shared for AtomicU64 {}
// SAFETY: atomics only.
unsafe impl Shared for Header {}

impl Segment {
    /// Makes a segment whose first `control_bytes`, rounded up to whole pages, are zero and backed by memory.
    ///
    /// It takes 64 GiB of address space, or less (down to 256 MiB) where the system or this process's limits on address
    /// space and file sizes do not allow that. The kernel shows `name` in `/proc/PID/maps`; it means nothing.
    ///
    /// # Errors
    /// What the system said; `OutOfMemory` if `control_bytes` or the smallest size do not fit.
    pub fn create(control_bytes: usize, name: &str) -> io::Result<Arc<Self>> {
        let mut refused = limits::nothing_fits();
        for size in limits::sizes() {
            match Self::create_sized(control_bytes, name, size) {
                Ok(segment) => return Ok(segment),
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    /// Makes a segment of `size` bytes of address space, rounded up to whole pages.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn create_sized(control_bytes: usize, name: &str, size: usize) -> io::Result<Arc<Self>> {
        let size = size.next_multiple_of(PAGE);
        let control_len = control_bytes.next_multiple_of(PAGE);
        let front = PAGE + control_len;
        // Asked first: a file beyond the limit on file sizes is answered by a signal that ends the process.
        if front >= size || size as u64 > limits::largest() {
            return Err(limits::nothing_fits());
        }
        let fd = memfd(name)?;
        rustix::fs::ftruncate(&fd, size as u64)?;
        rustix::fs::fallocate(&fd, FallocateFlags::empty(), 0, front as u64)?;
        rustix::fs::fcntl_add_seals(&fd, SEALS)?;
        let segment = Self { map: Map::new(fd.as_fd(), size)?, fd: held(fd), control_len };
        segment.write_header();
        segment.map.keep_out_of_core_dumps(segment.rest());
        Ok(Arc::new(segment))
    }

    /// Maps the segment that another process made and sent us.
    ///
    /// # Errors
    /// `InvalidData` if `fd` is no segment, one of another version, or one that could still shrink; what the system
    /// said if it cannot be mapped.
    pub fn open(fd: OwnedFd) -> io::Result<Arc<Self>> {
        let size = usize::try_from(rustix::fs::fstat(&fd)?.st_size).unwrap_or(0);
        if size < PAGE || !sealed(&fd) {
            return Err(not_ours("it is no sealed memory"));
        }
        let mut segment = Self { map: Map::new(fd.as_fd(), size)?, fd: held(fd), control_len: 0 };
        segment.control_len = segment.believe_header()?;
        segment.map.keep_out_of_core_dumps(segment.rest());
        Ok(Arc::new(segment))
    }

    /// The descriptor by which another process can [`open`](Self::open) it; closed on exec.
    ///
    /// # Errors
    /// `NotConnected` once it is [retired](Self::retire).
    pub fn fd(&self) -> io::Result<Arc<OwnedFd>> {
        let fd = self.fd.read().unwrap_or_else(PoisonError::into_inner);
        fd.clone().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// Lets go of the descriptor. What is mapped stays, and what is held can be read and given up; there is no more
    /// memory to be had.
    pub fn retire(&self) {
        *self.fd.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Where the control bytes begin: at a page. Other processes may change them at any time.
    pub fn control(&self) -> NonNull<u8> {
        self.pointer(PAGE, self.control_len)
    }

    /// How many control bytes there are: whole pages.
    pub fn control_len(&self) -> usize {
        self.control_len
    }

    /// All of it, in bytes of address space.
    #[allow(clippy::len_without_is_empty, reason = "it is never empty")]
    #[inline]
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Where what follows the control bytes begins.
    pub(crate) fn rest(&self) -> usize {
        PAGE + self.control_len
    }

    /// Where `len` bytes at `offset` are in this process.
    ///
    /// # Panics
    /// If they are not in the segment.
    #[inline]
    pub(crate) fn pointer(&self, offset: usize, len: usize) -> NonNull<u8> {
        let inside = offset.checked_add(len).is_some_and(|end| end <= self.len());
        assert!(inside, "{len} bytes at {offset} are outside the segment");
        // SAFETY: the mapping has `self.len()` bytes, and `offset` is at most that.
        unsafe { self.map.start().add(offset) }
    }

    /// The `count` values of `T` at `offset`.
    ///
    /// # Panics
    /// If they are not in the segment, or not aligned.
    #[inline]
    pub(crate) fn shared<T: Shared>(&self, offset: usize, count: usize) -> &[T] {
        let start = self.pointer(offset, count.saturating_mul(size_of::<T>())).cast::<T>();
        assert!(start.is_aligned(), "what lies at {offset} is not aligned");
        // SAFETY: the bytes are inside the mapping, which lives as long as `self`, and aligned; being `Shared`, they are
        // atomics, of which any bytes are values and which others may change while we look.
        unsafe { std::slice::from_raw_parts(start.as_ptr(), count) }
    }

    fn header(&self) -> &Header {
        &self.shared(0, 1)[0]
    }

    fn write_header(&self) {
        let header = self.header();
        header.magic.store(MAGIC, Relaxed);
        header.version.store(VERSION, Relaxed);
        header.len.store(self.len() as u64, Relaxed);
        header.control_len.store(self.control_len as u64, Relaxed);
    }

    /// How many control bytes the header tells of, if all it tells can be true.
    fn believe_header(&self) -> io::Result<usize> {
        let header = self.header();
        if header.magic.load(Relaxed) != MAGIC {
            return Err(not_ours("it is something else"));
        }
        if header.version.load(Relaxed) != VERSION {
            return Err(not_ours("it was made by another version of anyplace"));
        }
        let len = header.len.load(Relaxed);
        let control_len = usize::try_from(header.control_len.load(Relaxed)).unwrap_or(usize::MAX);
        let fits = control_len.checked_add(PAGE).is_some_and(|front| front < self.len());
        if len != self.len() as u64 || !fits || control_len % PAGE != 0 {
            return Err(not_ours("its sizes cannot be true"));
        }
        Ok(control_len)
    }
}

/// A file in memory, without a name, that no `exec` inherits and nobody can execute.
fn memfd(name: &str) -> io::Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    match rustix::fs::memfd_create(name, flags | MemfdFlags::NOEXEC_SEAL) {
        // Linux before 6.3 does not know the wish that it cannot be executed.
        Err(rustix::io::Errno::INVAL) => Ok(rustix::fs::memfd_create(name, flags)?),
        made => Ok(made?),
    }
}

fn sealed(fd: &OwnedFd) -> bool {
    rustix::fs::fcntl_get_seals(fd).is_ok_and(|seals| seals.contains(SealFlags::SHRINK))
}

fn not_ours(why: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("this descriptor is no segment of ours: {why}"))
}

#[cfg(test)]
pub(crate) mod tests;
