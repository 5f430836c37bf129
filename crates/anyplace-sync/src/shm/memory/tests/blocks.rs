//! What holders and readers of blocks can rely on.

use super::*;

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
fn a_worker_does_not_find_what_it_has_published() {
    let (_host, worker) = one_worker();
    let reply = worker.allocate(10).unwrap();
    let start = reply.as_ptr();
    assert!(worker.find(start, 1).is_some());
    let _ = reply.publish();
    assert!(worker.find(start, 1).is_none());
}

/// For replies that the host may have to save: the new block can be told before the old one is gone.
#[test]
fn a_block_stays_while_its_bytes_move_to_a_larger_one() {
    let (host, worker) = one_worker();
    let reply = filled(&worker, 1000, 5);
    let larger = reply.moved(3000).unwrap();
    assert_eq!((larger.len(), &larger[..1000]), (3000, &*reply));
    host.adopt(reply.number(), 1000, 0).unwrap();
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
