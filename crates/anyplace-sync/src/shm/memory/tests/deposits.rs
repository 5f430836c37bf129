//! What is left for all: withdrawn by one, kept when its maker dies, and never mistaken for what came later.

use super::*;

fn deposited(memory: &Memory, len: usize, byte: u8) -> Deposit {
    let block = filled(memory, len, byte);
    let deposit = block.as_deposit().unwrap();
    block.deposit();
    deposit
}

#[test]
fn what_one_process_deposits_another_withdraws_once() {
    let (host, workers) = ends(64 * MIB, 2);
    let deposit = deposited(&workers[0], 5000, 7);
    assert!(host.is_deposited(deposit));
    let block = workers[1].withdraw(deposit, 5000).unwrap();
    assert_eq!(*block, [7; 5000]);
    assert!(workers[0].withdraw(deposit, 5000).is_none());
    drop(block);
    assert_eq!(in_use(&host), 0);
}

#[test]
fn a_deposit_outlives_its_maker() {
    let (host, workers) = ends(64 * MIB, 2);
    let deposit = deposited(&workers[0], 1000, 3);
    host.sweep(0);
    assert_eq!(*workers[1].withdraw(deposit, 1000).unwrap(), [3; 1000]);
}

#[test]
fn what_a_dead_process_had_withdrawn_is_available_after_a_sweep() {
    let (host, workers) = ends(64 * MIB, 2);
    std::mem::forget(workers[0].withdraw(deposited(&workers[1], 1000, 3), 1000));
    assert_eq!(in_use(&host), 1);
    host.sweep(0);
    assert_eq!(in_use(&host), 0);
}

/// Somebody noted the deposit, and looks at the note long after the block went from hand to hand.
#[test]
fn a_deposit_out_of_date_does_nothing() {
    let (host, worker) = one_worker();
    let old = deposited(&worker, 1000, 1);
    drop(worker.withdraw(old, 1000).unwrap());
    let new = deposited(&worker, 1000, 2);
    assert_ne!(old, new);
    assert!(!host.discard(old) && !host.is_deposited(old) && host.withdraw(old, 1).is_none());
    assert!(host.is_deposited(new) && host.discard(new));
    assert!(!host.discard(new));
    assert_eq!(in_use(&host), 0);
}

#[test]
fn a_deposit_is_as_long_as_its_block() {
    let (_host, worker) = one_worker();
    let deposit = deposited(&worker, 1024, 1);
    assert!(worker.withdraw(deposit, 1025).is_none());
    assert_eq!(worker.place_of(deposit).unwrap().1, 1024);
    assert_eq!(Deposit::from_word(deposit.word()), Some(deposit));
    assert_eq!(Deposit::from_word(0), None);
    let nonsense = Deposit::from_word(u64::MAX).unwrap();
    assert!(worker.withdraw(nonsense, 0).is_none() && worker.place_of(nonsense).is_none());
}
