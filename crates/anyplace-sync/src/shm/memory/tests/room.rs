//! Which block serves, and what is said when none does.

use super::*;

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
