use super::*;
use crate::shm::{BlockMut, View};

/// A host and workers with mappings of their own, as if each were a process.
fn ends(size: usize, workers: usize) -> (Memory, Vec<Memory>) {
    let segment = Segment::create_sized(0, "test", size).unwrap();
    let host = Memory::host(segment.clone(), workers).unwrap();
    let open = |index| {
        let segment = Segment::open(segment.fd().try_clone_to_owned().unwrap()).unwrap();
        Memory::worker(segment, index).unwrap()
    };
    (host, (0..workers).map(open).collect())
}

fn one_worker() -> (Memory, Memory) {
    let (host, mut workers) = ends(64 << 20, 1);
    (host, workers.remove(0))
}

fn filled(memory: &Memory, len: usize, byte: u8) -> BlockMut {
    let mut block = memory.allocate(len).unwrap();
    block.fill(byte);
    block
}

#[test]
fn an_argument_is_read_where_it_is() {
    let (host, worker) = one_worker();
    let argument = filled(&host, 100_000, 7).freeze();
    let view = worker.borrow(argument.number(), argument.len()).unwrap();
    assert_eq!(*view, *argument);
    assert_ne!(view.as_ptr(), argument.as_ptr(), "two mappings of the same memory");
}

#[test]
fn a_reply_changes_hands_without_a_copy() {
    let (host, worker) = one_worker();
    let (number, len) = filled(&worker, 5000, 9).publish();
    let reply = host.adopt(number, len, 0).unwrap();
    assert_eq!(*reply, [9; 5000]);
    drop(reply);
    assert_eq!(host.usage().in_use, 0);
}

#[test]
fn a_block_stays_until_its_last_reader_left() {
    let (host, worker) = one_worker();
    let argument = filled(&host, 2000, 1).freeze();
    let view: View = worker.borrow(argument.number(), 2000).unwrap();
    let other = view.clone();
    drop(argument);
    drop(view);
    assert_eq!(host.usage().blocks, 1);
    assert_eq!(*other, [1; 2000]);
    drop(other);
    assert_eq!(host.usage().blocks, 0);
}
