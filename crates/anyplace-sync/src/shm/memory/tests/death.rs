//! What dead processes leave, and what they may have scribbled.

use super::*;

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
