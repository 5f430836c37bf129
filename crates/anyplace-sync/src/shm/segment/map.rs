//! One mapping of the whole segment, undone when dropped.

use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap, munmap};
use std::io;
use std::os::fd::BorrowedFd;
use std::ptr::{self, NonNull};

#[derive(Debug)]
pub(super) struct Map {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: the mapping belongs to the process, not to a thread.
unsafe impl Send for Map {}
// SAFETY: a `Map` only tells where it is; what lies there is reached through `Segment`, which asks for atomics.
unsafe impl Sync for Map {}

impl Map {
    /// Maps the first `len` bytes of `fd`, so that a `fork` inherits the mapping.
    pub(super) fn new(fd: BorrowedFd<'_>, len: usize) -> io::Result<Self> {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        let flags = MapFlags::SHARED | MapFlags::NORESERVE;
        // SAFETY: the kernel chooses the place, so that nothing of ours is replaced.
        let start = unsafe { mmap(ptr::null_mut(), len, access, flags, fd, 0) }?;
        Ok(Self { start: NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?, len })
    }

    #[inline]
    pub(super) fn start(&self) -> NonNull<u8> {
        self.start
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Leaves out of core dumps what begins at `offset`, a multiple of the page size.
    ///
    /// A worker that crashes would otherwise make the kernel look through 64 GiB of address space before anybody can
    /// hear of its death. Where the kernel does not know the advice, that is all that happens.
    pub(super) fn keep_out_of_core_dumps(&self, offset: usize) {
        let start = self.start.as_ptr().wrapping_add(offset);
        // SAFETY: the range is inside the mapping; the advice changes nothing that the program can see.
        let _ = unsafe { madvise(start.cast(), self.len - offset, Advice::LinuxDontDump) };
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and whoever holds a pointer into it keeps the segment alive.
        let _ = unsafe { munmap(self.start.as_ptr().cast(), self.len) };
    }
}
