//! Each test has a host and workers in one process, with mappings of their own.

mod blocks;
mod death;
mod deposits;
mod room;

use super::*;
use crate::shm::segment::tests::deprived;
use std::sync::atomic::Ordering::Relaxed;

const MIB: usize = 1 << 20;

/// A host and workers with mappings of their own, as if each were a process.
fn ends(size: usize, workers: usize) -> (Memory, Vec<Memory>) {
    let segment = Segment::create_sized(0, "test", size).unwrap();
    let host = Memory::host(segment.clone(), workers).unwrap();
    let open = |index| {
        let segment = Segment::open(segment.fd().unwrap().try_clone().unwrap()).unwrap();
        Memory::worker(segment, index).unwrap()
    };
    (host, (0..workers).map(open).collect())
}

fn one_worker() -> (Memory, Memory) {
    let (host, mut workers) = ends(64 * MIB, 1);
    (host, workers.remove(0))
}

fn filled(memory: &Memory, len: usize, byte: u8) -> BlockMut {
    let mut block = memory.allocate(len).unwrap();
    block.fill(byte);
    block
}

fn in_use(memory: &Memory) -> usize {
    memory.usage().blocks
}
