//! Every interleaving of the protocols, up to loom's bounds:
//! `RUSTFLAGS="--cfg loom" cargo test -p anyplace-sync --release --test loom`
//!
//! A lost wake-up shows as a deadlock, which loom reports. Spinning is off: it only puts the sleep off.
#![cfg(loom)]

use anyplace_sync::shm::{hints, tenure, tenure::Holder};
use anyplace_sync::{Job, Latch, Pool, PoolConfig};
use loom::cell::UnsafeCell;
use loom::sync::atomic::{
    AtomicU64, AtomicUsize,
    Ordering::{AcqRel, Relaxed},
};
use loom::thread;
use std::sync::Arc;
use std::time::Instant;

/// Explores `model` with at most `preemptions` switches that the threads did not ask for.
fn explore(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

/// A job that counts itself.
struct Count(Arc<AtomicUsize>);

impl Job for Count {
    fn run(self, _worker: usize) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// A job that sets a latch.
struct Ring(Arc<Latch>);

impl Job for Ring {
    fn run(self, _worker: usize) {
        self.0.set();
    }
}

fn pool<J: Job>(threads: usize) -> Pool<J> {
    Pool::new(PoolConfig::new("model", threads))
}

#[test]
fn a_set_latch_wakes_all_who_wait_and_shows_what_was_written() {
    explore(3, || {
        let shared = Arc::new((Latch::new(), AtomicUsize::new(0)));
        let waiting: Vec<_> = (0..2)
            .map(|_| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    assert!(shared.0.wait_spinning_first(None));
                    assert_eq!(shared.1.load(Relaxed), 7);
                })
            })
            .collect();
        shared.1.store(7, Relaxed);
        shared.0.set();
        waiting.into_iter().for_each(|waiter| waiter.join().unwrap());
    });
}

/// One waits with a deadline that passes, one without: the first must not swallow the wake-up of the second.
#[test]
fn a_deadline_takes_no_wake_up_from_another() {
    explore(3, || {
        let latch = Arc::new(Latch::new());
        let (hasty, patient) = (Arc::clone(&latch), Arc::clone(&latch));
        let hasty = thread::spawn(move || hasty.wait(Some(Instant::now())));
        let patient = thread::spawn(move || assert!(patient.wait(None)));
        latch.set();
        hasty.join().unwrap();
        patient.join().unwrap();
        assert!(latch.wait(Some(Instant::now())), "a set latch stays set");
    });
}

/// The worker may be anywhere between its last look at the queue and its sleep when the second job comes.
#[test]
fn no_wake_up_is_lost_as_a_worker_falls_asleep() {
    explore(3, || {
        let pool = pool(1);
        for _ in 0..2 {
            let done = Arc::new(Latch::new());
            pool.spawn(Ring(Arc::clone(&done))).unwrap();
            done.wait(None);
        }
        pool.join();
    });
}

/// Each job needs the other to run at the same time: the second thread has to be started or woken.
#[test]
fn two_jobs_at_once_get_two_threads() {
    struct Meet(Arc<[Latch; 2]>, usize);
    impl Job for Meet {
        fn run(self, _worker: usize) {
            self.0[self.1].set();
            self.0[1 - self.1].wait(None);
        }
    }
    explore(2, || {
        let pool = pool(2);
        let met = Arc::new([Latch::new(), Latch::new()]);
        pool.spawn(Meet(Arc::clone(&met), 0)).unwrap();
        pool.spawn(Meet(met, 1)).unwrap();
        pool.join();
        assert_eq!(pool.threads_started(), 2);
    });
}

#[test]
fn two_producers_lose_no_job() {
    explore(2, || {
        let (pool, ran) = (pool(1), Arc::new(AtomicUsize::new(0)));
        let (other_pool, other_ran) = (pool.clone(), Arc::clone(&ran));
        let other = thread::spawn(move || other_pool.spawn(Count(other_ran)).unwrap());
        pool.spawn(Count(Arc::clone(&ran))).unwrap();
        other.join().unwrap();
        pool.join();
        assert_eq!(ran.load(Relaxed), 2);
    });
}

/// Wherever the shutdown falls, a job that was taken runs and one that was refused does not.
#[test]
fn a_shutdown_loses_no_job_and_wakes_every_thread() {
    explore(2, || {
        let (pool, ran) = (pool(2), Arc::new(AtomicUsize::new(0)));
        let (other_pool, other_ran) = (pool.clone(), Arc::clone(&ran));
        let other = thread::spawn(move || usize::from(other_pool.spawn(Count(other_ran)).is_ok()));
        let mine = usize::from(pool.spawn(Count(Arc::clone(&ran))).is_ok());
        pool.join();
        let taken = mine + other.join().unwrap();
        assert_eq!(ran.load(Relaxed), taken);
        assert_eq!(pool.queued(), 0);
    });
}

#[test]
fn dropping_the_last_handle_ends_every_thread() {
    explore(2, || {
        let (pool, ran) = (pool(2), Arc::new(AtomicUsize::new(0)));
        for _ in 0..2 {
            pool.spawn(Count(Arc::clone(&ran))).unwrap();
        }
        drop(pool);
        assert_eq!(ran.load(Relaxed), 2);
    });
}

/// The words of one block in shared memory, two of them for readers, and of the hints that find it.
struct Shared {
    tenure: AtomicU64,
    readers: [AtomicU64; 2],
    hints: [AtomicU64; 1],
}

/// Two workers whose bits lie in different words, and one whose bit lies beside the first's.
const FIRST: usize = 0;
const BESIDE: usize = 1;
const APART: usize = 64;

impl Shared {
    /// A block that `holder` holds and `workers` read.
    fn held_by(holder: Holder, workers: &[usize]) -> Arc<Self> {
        let word = || AtomicU64::new(0);
        let block = Self { tenure: word(), readers: [word(), word()], hints: [word()] };
        assert!(tenure::take(&block.tenure, holder));
        workers.iter().for_each(|worker| tenure::enter(&block.readers, *worker));
        Arc::new(block)
    }

    fn give_up(&self, holder: Holder) -> bool {
        tenure::give_up(&self.tenure, &self.readers, holder)
    }

    fn leave(&self, worker: usize) -> bool {
        tenure::leave(&self.tenure, &self.readers, worker)
    }

    fn bury(&self, worker: usize) -> bool {
        tenure::bury(&self.tenure, &self.readers, worker)
    }

    fn holder(&self) -> Holder {
        tenure::holder(&self.tenure)
    }

    /// Takes the block as an allocator does: by its hint.
    fn find(&self, by: Holder) -> bool {
        hints::find(&self.hints, |_| tenure::take(&self.tenure, by)).is_some()
    }
}

/// Runs `step` in a thread of its own.
fn begin<T: 'static>(
    block: &Arc<Shared>,
    step: impl FnOnce(&Shared) -> T + 'static,
) -> thread::JoinHandle<T> {
    let block = Arc::clone(block);
    thread::spawn(move || step(&block))
}

/// Whatever the order in which the host and the readers leave, the block is freed, and by one of them.
fn exactly_one_frees(workers: &'static [usize]) {
    explore(3, move || {
        let block = Shared::held_by(Holder::HOST, workers);
        let leaving: Vec<_> =
            workers.iter().map(|worker| begin(&block, move |block| block.leave(*worker))).collect();
        let mut freed = usize::from(block.give_up(Holder::HOST));
        freed += leaving.into_iter().map(|left| usize::from(left.join().unwrap())).sum::<usize>();
        assert_eq!((freed, block.holder()), (1, Holder::NOBODY));
    });
}

#[test]
fn the_host_or_the_last_reader_frees_a_block_and_never_both() {
    exactly_one_frees(&[FIRST]);
    exactly_one_frees(&[FIRST, BESIDE]);
    exactly_one_frees(&[FIRST, APART]);
}

/// The reader is killed after it left, before it looked whether others read: the sweep does it instead.
#[test]
fn a_block_whose_last_reader_dies_as_it_leaves_is_freed_once() {
    explore(3, || {
        let block = Shared::held_by(Holder::HOST, &[FIRST, APART]);
        let dying = begin(&block, |block| block.readers[0].fetch_and(!1, AcqRel));
        let other = begin(&block, |block| block.leave(APART));
        let mut freed = usize::from(block.give_up(Holder::HOST));
        dying.join().unwrap();
        freed += usize::from(block.bury(FIRST)) + usize::from(other.join().unwrap());
        assert_eq!((freed, block.holder()), (1, Holder::NOBODY));
    });
}

#[test]
fn a_block_is_taken_by_one_of_two() {
    explore(3, || {
        let block = Shared::held_by(Holder::HOST, &[]);
        assert!(block.give_up(Holder::HOST));
        let other = begin(&block, |block| tenure::take(&block.tenure, Holder::worker(FIRST)));
        let mine = tenure::take(&block.tenure, Holder::HOST);
        assert_ne!(mine, other.join().unwrap());
        assert_eq!(block.holder() == Holder::HOST, mine);
    });
}

#[test]
fn a_dead_workers_block_is_adopted_or_swept_and_never_both() {
    explore(3, || {
        let block = Shared::held_by(Holder::worker(FIRST), &[]);
        let adopting =
            begin(&block, |block| tenure::pass_on(&block.tenure, Holder::worker(FIRST), Holder::HOST));
        let swept = block.bury(FIRST);
        assert_ne!(swept, adopting.join().unwrap());
        assert_eq!(block.holder() == Holder::NOBODY, swept);
    });
}

#[test]
fn a_deposit_is_withdrawn_by_one_of_two_with_all_that_was_written() {
    explore(3, || {
        let block = Shared::held_by(Holder::worker(FIRST), &[]);
        let now = tenure::times(&block.tenure);
        let bytes = Arc::new(UnsafeCell::new(()));
        let read = Arc::clone(&bytes);
        let withdraw = move |block: &Shared, by| tenure::withdraw(&block.tenure, |times| times == now, by);
        let other = begin(&block, move |block| {
            let withdrawn = withdraw(block, Holder::worker(APART));
            if withdrawn {
                read.with_mut(|_| ());
            }
            withdrawn
        });
        bytes.with_mut(|_| ());
        assert!(tenure::pass_on(&block.tenure, Holder::worker(FIRST), Holder::HOST));
        let ours = withdraw(&block, Holder::worker(BESIDE));
        if ours {
            bytes.with_mut(|_| ());
        }
        assert!(ours != other.join().unwrap());
    });
}

/// One notes a deposit and is stopped. It is withdrawn and deposited again meanwhile, and must not be thrown away.
#[test]
fn a_note_of_an_earlier_deposit_discards_nothing() {
    explore(4, || {
        let block = Shared::held_by(Holder::HOST, &[]);
        let noted = tenure::times(&block.tenure);
        let slow = begin(&block, move |block| tenure::discard(&block.tenure, |times| times == noted));
        let ours = Holder::worker(FIRST);
        let withdrawn = tenure::withdraw(&block.tenure, |times| times == noted, ours);
        let again = withdrawn && tenure::pass_on(&block.tenure, ours, Holder::HOST);
        assert_ne!(slow.join().unwrap(), withdrawn);
        assert_eq!(block.holder(), if again { Holder::HOST } else { Holder::NOBODY });
    });
}

/// A reader looks at a block that is given up; before it goes on, the block is freed, taken by another, lent to another
/// worker and given up again. The look is out of date, and must not free the block under its new reader.
#[test]
fn a_look_at_an_earlier_tenure_frees_nothing() {
    explore(4, || {
        let block = Shared::held_by(Holder::HOST, &[FIRST, APART]);
        let slow = begin(&block, |block| block.leave(FIRST));
        let quick = block.give_up(Holder::HOST) | block.leave(APART);
        if quick && tenure::take(&block.tenure, Holder::HOST) {
            tenure::enter(&block.readers, BESIDE);
            assert!(!block.give_up(Holder::HOST), "it has a reader");
            assert!(!slow.join().unwrap(), "it was freed already");
            assert_eq!(block.holder(), Holder::READERS);
        } else {
            slow.join().unwrap();
        }
    });
}

/// What the last reader read, the next holder may overwrite: all reading comes before. Loom's cell reports what does not.
#[test]
fn a_reader_has_read_before_the_next_holder_writes() {
    explore(3, || {
        let block = Shared::held_by(Holder::HOST, &[FIRST]);
        let bytes = Arc::new(UnsafeCell::new(()));
        let seen = Arc::clone(&bytes);
        let reader = begin(&block, move |block| {
            seen.with(|_| ());
            block.leave(FIRST);
        });
        block.give_up(Holder::HOST);
        if tenure::take(&block.tenure, Holder::HOST) {
            bytes.with_mut(|_| ());
        }
        reader.join().unwrap();
    });
}

/// The same between two holders, one of which finds the block without a hint: a favourite of its own.
#[test]
fn a_holder_has_written_before_the_next_holder_writes() {
    explore(3, || {
        let block = Shared::held_by(Holder::worker(FIRST), &[]);
        let bytes = Arc::new(UnsafeCell::new(()));
        let written = Arc::clone(&bytes);
        let worker = begin(&block, move |block| {
            written.with_mut(|_| ());
            assert!(block.give_up(Holder::worker(FIRST)));
        });
        while !tenure::take(&block.tenure, Holder::HOST) {
            thread::yield_now();
        }
        bytes.with_mut(|_| ());
        worker.join().unwrap();
    });
}

/// A finder may meet the hint of a block that is only just being given up. Then the block or its hint is left to be found.
#[test]
fn a_block_that_was_told_of_is_found() {
    explore(3, || {
        let block = Shared::held_by(Holder::HOST, &[]);
        hints::tell(&block.hints, 5);
        let finding = begin(&block, |block| block.find(Holder::worker(FIRST)));
        assert!(block.give_up(Holder::HOST));
        hints::tell(&block.hints, 5);
        let found = finding.join().unwrap();
        assert_ne!(found, block.find(Holder::HOST), "one of the two finds it");
    });
}
