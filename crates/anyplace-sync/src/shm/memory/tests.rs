use super::*;
use crate::shm::segment::tests::deprived;
use std::sync::atomic::Ordering::Relaxed;

const MIB: usize = 1 << 20;

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
    assert_eq!(in_use(&host), 0);
}

#[test]
fn a_block_is_adopted_once_and_from_its_worker_alone() {
    let (host, workers) = ends(64 * MIB, 2);
    let (number, len) = filled(&workers[1], 10, 9).publish();
    host.adopt(number, len, 0).unwrap_err();
    host.adopt(number, len, 2).unwrap_err();
    host.adopt(number, 2000, 1).unwrap_err();
    host.adopt(number + 1, len, 1).unwrap_err();
    let reply = host.adopt(number, len, 1).unwrap();
    host.adopt(number, len, 1).unwrap_err();
    assert_eq!(*reply, [9; 10]);
}

#[test]
fn only_what_the_host_holds_is_borrowed() {
    let (host, worker) = one_worker();
    let argument = host.allocate(1000).unwrap().freeze();
    let own = worker.allocate(1000).unwrap();
    worker.borrow(own.number(), 1).unwrap_err();
    worker.borrow(own.number() + 1, 1).unwrap_err();
    worker.borrow(argument.number(), 1025).unwrap_err();
    assert_eq!(worker.borrow(argument.number(), 1024).unwrap().len(), 1024);
}

#[test]
fn a_block_stays_until_its_last_reader_left() {
    let (host, worker) = one_worker();
    let argument = filled(&host, 2000, 1).freeze();
    let view: View = worker.borrow(argument.number(), 2000).unwrap();
    let again = worker.borrow(argument.number(), 10).unwrap();
    let copy = view.clone();
    drop((argument, view, again));
    assert_eq!(in_use(&host), 1);
    assert_eq!(*copy, [1; 2000]);
    drop(copy);
    assert_eq!(in_use(&host), 0);
}

/// Their bits lie in different words, in the last bit of one and the first of another.
#[test]
fn readers_beyond_the_first_word_count_too() {
    let (host, workers) = ends(64 * MIB, 200);
    let argument = filled(&host, 2000, 1).freeze();
    let views = [0, 63, 64, 199].map(|index| workers[index].borrow(argument.number(), 2000).unwrap());
    drop(argument);
    for view in views {
        assert_eq!((in_use(&host), *view.first().unwrap()), (1, 1));
        drop(view);
    }
    assert_eq!(in_use(&host), 0);
}

#[test]
fn there_are_as_many_workers_as_the_host_said() {
    let segment = Segment::create_sized(0, "test", MIB).unwrap();
    Memory::worker(segment.clone(), 0).unwrap_err();
    Memory::host(segment.clone(), 1024).unwrap_err();
    Memory::host(segment.clone(), 1023).unwrap();
    Memory::worker(segment.clone(), 1022).unwrap();
    Memory::worker(segment, 1023).unwrap_err();
}

#[test]
fn a_process_gets_the_block_again_that_it_used_last() {
    let (host, worker) = one_worker();
    let first = host.allocate(4096).unwrap();
    let (ours, other) = (first.number(), worker.allocate(4096).unwrap());
    drop(first);
    drop(other);
    assert_eq!(host.allocate(4096).unwrap().number(), ours);
}

#[test]
fn what_one_process_gives_up_serves_another() {
    let (host, workers) = ends(64 * MIB, 2);
    let (number, len) = workers[0].allocate(MIB).unwrap().publish();
    drop(host.adopt(number, len, 0).unwrap());
    assert_eq!(workers[1].allocate(MIB).unwrap().number(), number);
    assert_eq!(host.usage().held, MIB, "no new memory was needed");
}

#[test]
fn a_block_up_to_twice_as_large_serves_before_a_new_one_is_made() {
    let (host, worker) = one_worker();
    let large = host.allocate(2 * MIB).unwrap().number();
    assert_eq!(worker.allocate(MIB + MIB / 4).unwrap().number(), large);
    assert_ne!(worker.allocate(MIB).unwrap().number(), large);
}

#[test]
fn a_table_that_is_full_says_so() {
    let (host, worker) = ends(4 * MIB, 1);
    let kept: Vec<_> = std::iter::from_fn(|| host.allocate(100).ok()).collect();
    let blocks = 4 * MIB / (16 * 1024);
    assert_eq!(kept.len(), blocks);
    assert_eq!(worker[0].allocate(100).unwrap_err(), Full::Table { blocks: blocks as u32 });
    drop(kept);
    worker[0].allocate(100).unwrap();
}

#[test]
fn space_that_is_full_says_so() {
    let (host, _) = ends(4 * MIB, 1);
    let kept = host.allocate(2 * MIB).unwrap();
    let Full::Space { wanted, left } = host.allocate(2 * MIB).unwrap_err() else { panic!("space is full") };
    assert_eq!(wanted, 2 * MIB as u64);
    assert!((MIB as u64..wanted).contains(&left), "{left} are left");
    drop(kept);
    host.allocate(2 * MIB).unwrap();
    assert!(matches!(host.allocate(usize::MAX).unwrap_err(), Full::Space { .. }));
}

#[test]
fn any_larger_block_serves_once_no_other_can_be_made() {
    let (host, _) = ends(4 * MIB, 1);
    let large = host.allocate(2 * MIB).unwrap().number();
    let kept: Vec<_> = std::iter::from_fn(|| host.allocate(100_000).ok()).collect();
    assert_eq!(kept.last().unwrap().number(), large);
}

#[test]
fn a_machine_without_memory_is_told_and_nothing_is_lost() {
    let (host, _) = ends(4 * MIB, 2);
    let descriptor = host.allocate(1).unwrap();
    let poor = Memory::worker(deprived(host.segment()), 1).unwrap();
    assert!(matches!(poor.allocate(MIB).unwrap_err(), Full::Machine { .. }));
    drop(descriptor);
    assert_eq!(in_use(&host), 0);
    host.allocate(MIB).unwrap();
}

/// A block whose memory was taken back is there, and nothing behind it can be had.
#[test]
fn a_block_without_memory_is_given_up_again() {
    let (host, _) = ends(4 * MIB, 2);
    drop(host.allocate(MIB).unwrap());
    host.trim();
    assert_eq!(host.trim().given_back, MIB);
    let poor = Memory::worker(deprived(host.segment()), 1).unwrap();
    assert_eq!(poor.allocate(MIB).unwrap_err(), Full::Machine { wanted: MIB as u64 });
    assert_eq!(in_use(&host), 0);
    assert_eq!(*filled(&host, MIB, 3), [3; MIB]);
}

#[test]
fn a_block_is_found_by_any_of_its_bytes() {
    let (host, worker) = one_worker();
    let (number, len) = filled(&worker, 5000, 9).publish();
    let reply = host.adopt(number, len, 0).unwrap();
    let (found, offset) = host.find(&raw const reply[4000], 1000).unwrap();
    assert_eq!((found.number(), offset), (number, 4000));
    drop(reply);
    assert_eq!(found[4000], 9, "the lease that was found keeps it");
    let beyond = found.as_ptr().wrapping_add(found.len());
    assert!(host.find(beyond, 1).is_none());
    assert!(host.find(found.as_ptr(), found.len() + 1).is_none());
    assert!(host.find(found.as_ptr().wrapping_sub(1), 1).is_none());
    let gone = found.as_ptr();
    drop(found);
    assert!(host.find(gone, 1).is_none());
    assert_eq!(in_use(&host), 0);
}

#[test]
fn a_block_grows_with_its_bytes() {
    let (_host, worker) = one_worker();
    let mut reply = filled(&worker, 1000, 5);
    let number = reply.number();
    reply.grow(1024).unwrap();
    assert_eq!((reply.number(), reply.len()), (number, 1024), "there was room");
    reply.grow(1025).unwrap();
    assert_ne!(reply.number(), number);
    assert_eq!((reply.len(), &reply[..1000]), (1025, &[5; 1000][..]));
    reply.truncate(10);
    assert_eq!(*reply, [5; 10]);
    assert_eq!(in_use(&worker), 1);
}

#[test]
fn a_block_dropped_before_it_is_shared_is_available() {
    let (host, worker) = one_worker();
    drop((host.allocate(10).unwrap(), worker.allocate(10).unwrap(), worker.allocate(10).unwrap().freeze()));
    assert_eq!(in_use(&host), 0);
}

#[test]
fn a_trim_spares_what_was_used_since_the_last() {
    let (host, worker) = one_worker();
    let kept = filled(&host, MIB, 1);
    drop(filled(&worker, 2 * MIB, 1));
    assert_eq!(host.trim(), Trimmed { given_back: 0, waiting: 2 * MIB });
    assert_eq!(host.trim(), Trimmed { given_back: 2 * MIB, waiting: 0 });
    assert_eq!(host.trim(), Trimmed::default());
    assert_eq!(host.usage().held, MIB);
    assert_eq!(*kept, [1; MIB]);
    let again = worker.allocate(2 * MIB).unwrap();
    assert_eq!(*again, [0; 2 * MIB], "fresh pages");
}

#[test]
fn a_sweep_takes_back_what_a_worker_held_and_read() {
    let (host, workers) = ends(64 * MIB, 2);
    let argument = filled(&host, 1000, 1).freeze();
    let views = [0, 1].map(|index| workers[index].borrow(argument.number(), 1000).unwrap());
    let (published, _) = workers[0].allocate(2000).unwrap().publish();
    let living = filled(&workers[1], 3000, 3);
    drop(argument);
    let [dead, alive] = views;
    std::mem::forget((dead, workers[0].allocate(4000).unwrap()));
    host.sweep(0);
    assert_eq!(in_use(&host), 2, "what the living worker reads and holds");
    assert_eq!((&*alive, &*living), (&[1; 1000][..], &[3; 3000][..]));
    host.adopt(published, 1, 0).unwrap_err();
    drop((alive, living));
    assert_eq!(in_use(&host), 0);
}

/// Its maker was killed when it had taken the descriptor, and before it gave it bytes.
#[test]
fn a_sweep_finds_descriptors_without_bytes() {
    let (host, worker) = one_worker();
    let table = worker.table();
    table.back_descriptor(0).unwrap();
    assert!(tenure::take(&table.entry_unchecked(0).words.tenure, Holder::worker(0)));
    table.use_up_to(0);
    host.sweep(0);
    assert_eq!(in_use(&host), 0);
    assert_eq!(host.allocate(10).unwrap().number(), 0);
}

/// Its holder was killed when it had given it up, and before it could tell anybody.
#[test]
fn a_sweep_tells_of_blocks_that_nobody_was_told_of() {
    let (host, workers) = ends(64 * MIB, 2);
    let block = workers[0].allocate(MIB).unwrap();
    let number = block.number();
    std::mem::forget(block);
    let entry = host.table().entry(number).unwrap();
    assert!(tenure::give_up(&entry.words.tenure, entry.readers, Holder::worker(0)));
    host.sweep(0);
    assert_eq!(workers[1].allocate(MIB).unwrap().number(), number);
}

/// After a crash anything may stand in the table. No byte outside the segment's space is given out for it.
#[test]
fn a_table_that_lies_is_not_believed() {
    let (host, worker) = one_worker();
    let space = host.table().space() as u64;
    for (offset, capacity) in
        [(0, 1024), (space, 64 << 20), (u64::MAX, 1024), (space, u64::MAX), (space, 1000)]
    {
        let (number, len) = worker.allocate(1024).unwrap().publish();
        let entry = host.table().entry(number).unwrap();
        let truth = entry.extent(host.table()).unwrap();
        entry.place(offset, capacity);
        host.adopt(number, len, 0).unwrap_err();
        tenure::give_up(&entry.words.tenure, entry.readers, Holder::worker(0));
        hints::tell(host.table().hints(0), number);
        assert_ne!(host.allocate(1).unwrap().number(), number);
        entry.place(truth.start as u64, truth.len() as u64);
    }
    let header = host.table().header();
    header.frontier.store(u64::MAX, Relaxed);
    assert!(matches!(host.allocate(MIB).unwrap_err(), Full::Space { .. }));
}

#[test]
fn threads_of_a_process_never_get_the_same_block() {
    let (host, worker) = one_worker();
    let turns = |memory: &Memory, byte: u8| {
        for turn in 0..2000 {
            let block = filled(memory, 1000 + turn % 3000, byte);
            let shared = block.freeze();
            assert!(shared.clone().iter().all(|found| *found == byte));
        }
    };
    std::thread::scope(|scope| {
        for byte in 0..4 {
            let memory = if byte % 2 == 0 { &host } else { &worker };
            scope.spawn(move || turns(memory, byte));
        }
    });
    assert_eq!(in_use(&host), 0);
    assert!(host.usage().held < 100_000, "blocks were used again: {:?}", host.usage());
}
