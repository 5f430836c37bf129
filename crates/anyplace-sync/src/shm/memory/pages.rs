//! Pages that come and go behind the address space of a segment.

use crate::shm::segment::Segment;
use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::{Errno, retry_on_intr};
use std::io;
use std::ops::Range;

/// What is asked for at a time. A signal makes the kernel give back all of one call: a program that a profiler
/// interrupts every few milliseconds would never get 100 MB at once.
const STEP: usize = 4 << 20;

/// Puts memory behind `range`, zeros where there was none. Without this, touching it could end the process (SIGBUS).
pub(super) fn back(segment: &Segment, range: Range<usize>) -> io::Result<()> {
    for start in range.clone().step_by(STEP) {
        let len = STEP.min(range.end - start);
        change(segment, FallocateFlags::empty(), start, len)?;
    }
    Ok(())
}

/// Takes the memory behind `range` away. What lay there is lost; touching it again gives zeros.
pub(super) fn punch(segment: &Segment, range: &Range<usize>) -> io::Result<()> {
    change(segment, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, range.start, range.len())
}

fn change(segment: &Segment, how: FallocateFlags, start: usize, len: usize) -> io::Result<()> {
    let fd = segment.fd()?;
    let result: Result<(), Errno> = retry_on_intr(|| fallocate(&fd, how, start as u64, len as u64));
    Ok(result?)
}
