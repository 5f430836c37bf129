//! What shared memory promises when its processes fork, die and have little.
#![cfg(all(target_os = "linux", not(loom)))]
#![allow(unsafe_code, reason = "forks, to have processes that can be killed anywhere")]

mod children;

use anyplace_sync::shm::{Memory, Segment};
use children::Child;
use rustix::process::{Resource, Rlimit, setrlimit};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

const MIB: usize = 1 << 20;

fn segment() -> Arc<Segment> {
    Segment::create_sized(4096, "test", 256 * MIB).unwrap()
}

/// Another mapping, as another process would have it.
fn opened(segment: &Segment) -> Arc<Segment> {
    Segment::open(segment.fd().unwrap().try_clone().unwrap()).unwrap()
}

/// The first control word: what the tests' processes count in.
fn counter(segment: &Segment) -> &AtomicU64 {
    let word = segment.control().cast::<AtomicU64>();
    // SAFETY: the control bytes are mapped as long as the segment lives, aligned to a page, and only atomics here.
    unsafe { word.as_ref() }
}

#[test]
fn a_worker_reads_and_answers_in_another_process() {
    let host = Memory::host(segment(), 1).unwrap();
    let mut argument = host.allocate(MIB).unwrap();
    argument.fill(7);
    let argument = argument.freeze();
    let mut worker = Child::start(|tell| {
        let worker = Memory::worker(opened(host.segment()), 0).unwrap();
        let seen = worker.borrow(argument.number(), MIB).unwrap();
        let mut reply = worker.allocate(MIB).unwrap();
        reply.copy_from_slice(&seen);
        tell.write_all(&[reply.publish().0 as u8]).unwrap();
    });
    let number = worker.hear().expect("the worker answers");
    assert_eq!(*host.adopt(number.into(), MIB, 0).unwrap(), *argument);
    worker.kill();
}

#[test]
fn a_killed_workers_blocks_are_available_after_a_sweep() {
    let host = Memory::host(segment(), 1).unwrap();
    let argument = host.allocate(MIB).unwrap().freeze();
    let mut worker = Child::start(|tell| {
        let worker = Memory::worker(opened(host.segment()), 0).unwrap();
        let held = (worker.borrow(argument.number(), MIB).unwrap(), worker.allocate(MIB).unwrap());
        tell.write_all(b"!").unwrap();
        std::mem::forget(held);
    });
    worker.hear().expect("the worker has its blocks");
    drop(argument);
    worker.kill();
    assert_eq!(host.usage().blocks, 2);
    host.sweep(0);
    assert_eq!(host.usage().blocks, 0);
}

/// What a worker had written when it died is saved, if it is adopted before the sweep.
#[test]
fn a_killed_workers_reply_can_still_be_adopted() {
    let host = Memory::host(segment(), 1).unwrap();
    let mut worker = Child::start(|tell| {
        let worker = Memory::worker(opened(host.segment()), 0).unwrap();
        let mut reply = worker.allocate(100).unwrap();
        reply.fill(9);
        tell.write_all(&[reply.number() as u8]).unwrap();
        std::mem::forget(reply);
    });
    let number = worker.hear().expect("the worker has written").into();
    worker.kill();
    let saved = host.adopt(number, 100, 0).unwrap();
    host.sweep(0);
    assert_eq!(*saved, [9; 100]);
}

/// Takes blocks of many sizes, reads, grows, trims and gives back, until it is killed somewhere in between.
fn work_for_ever(memory: &Memory, argument: u32) {
    let steps = counter(memory.segment());
    for turn in 0.. {
        let view = memory.borrow(argument, 10).unwrap();
        let mut block = memory.allocate(500 << (turn % 7)).unwrap();
        block.grow(700 << (turn % 5)).unwrap();
        steps.fetch_add(1, Relaxed);
        let shared = block.freeze();
        drop((view, shared.clone()));
        steps.fetch_add(1, Relaxed);
    }
}

/// The kill falls anywhere. Nothing is held afterwards, and the blocks there are serve the next worker: if any were lost,
/// each round would need more.
#[test]
fn a_worker_killed_anywhere_costs_no_block() {
    let host = Memory::host(segment(), 1).unwrap();
    let steps = counter(host.segment());
    let mut held = 0;
    for round in 0..60 {
        let argument = host.allocate(3 << 20).unwrap().freeze();
        let started = steps.load(Relaxed);
        let worker = Child::start(|_| {
            work_for_ever(&Memory::worker(opened(host.segment()), 0).unwrap(), argument.number());
        });
        while steps.load(Relaxed) < started + 20 + 7 * round {
            std::thread::yield_now();
        }
        drop(argument);
        worker.kill();
        host.sweep(0);
        assert_eq!(host.usage().blocks, 0, "round {round}");
        if round == 0 {
            held = host.usage().held;
        }
    }
    assert!(host.usage().held <= 2 * held, "{held} bytes were enough for the first, then {:?}", host.usage());
}

#[test]
fn a_forked_child_gives_nothing_of_its_parents_back() {
    let segment = segment();
    let (host, worker) = (Memory::host(segment.clone(), 1).unwrap(), Memory::worker(segment, 0).unwrap());
    let argument = host.allocate(10).unwrap().freeze();
    let view = worker.borrow(argument.number(), 10).unwrap();
    let reply = worker.allocate(10).unwrap();
    let before = host.usage();
    let mut child = Child::start(|tell| {
        let generation = anyplace_sync::fork_generation();
        assert!(host.allocate(1).is_err() && worker.borrow(argument.number(), 1).is_err());
        assert!(host.adopt(reply.number(), 1, 0).is_err());
        host.sweep(0);
        // The values of the parent, as the copies that the child has.
        for copy in 0..3 {
            // SAFETY: this process drops each once: it pauses for ever after this and returns to no owner of them.
            unsafe {
                match copy {
                    0 => drop(std::ptr::read(&raw const argument)),
                    1 => drop(std::ptr::read(&raw const view)),
                    _ => drop(std::ptr::read(&raw const reply)),
                }
            }
        }
        tell.write_all(&[generation as u8]).unwrap();
    });
    let theirs = child.hear().expect("nothing panics in the child");
    assert_eq!(u32::from(theirs), anyplace_sync::fork_generation() + 1);
    assert_eq!(host.usage(), before);
    child.kill();
    drop((argument, reply));
    assert_eq!(host.usage().blocks, 1, "the parent still reads the argument");
    drop(view);
    assert_eq!(host.usage().blocks, 0);
}

/// As a worker that is forked from the host has it: the mapping is inherited, the end of the memory is its own.
#[test]
fn a_forked_child_can_open_an_end_of_its_own() {
    let host = Memory::host(segment(), 1).unwrap();
    let mut child = Child::start(|tell| {
        let worker = Memory::worker(host.segment().clone(), 0).unwrap();
        tell.write_all(&[worker.allocate(10).unwrap().publish().0 as u8]).unwrap();
    });
    let number = child.hear().expect("the child has a block").into();
    child.kill();
    host.adopt(number, 10, 0).unwrap();
}

/// The size of the segment that a process with such a limit gets, in MiB.
fn size_within(resource: Resource, limit: usize) -> Option<usize> {
    let mut child = Child::start(|tell| {
        let limit = Some(limit as u64);
        setrlimit(resource, Rlimit { current: limit, maximum: limit }).unwrap();
        let size = Segment::create(100, "test").map_or(0, |segment| segment.len() / MIB);
        tell.write_all(&[size.checked_ilog2().map_or(NONE, |power| power as u8)]).unwrap();
    });
    let power = child.hear().expect("no signal ends it");
    (power != NONE).then(|| 1 << power)
}

const NONE: u8 = u8::MAX;

#[test]
fn a_segment_fits_into_the_limits_of_its_process() {
    assert_eq!(size_within(Resource::As, 100 << 30), Some(16 * 1024));
    assert_eq!(size_within(Resource::As, 9 << 30), Some(4096));
    assert_eq!(size_within(Resource::As, 3 << 30), Some(1024));
    assert_eq!(size_within(Resource::Fsize, 64 << 30), Some(64 * 1024));
    assert_eq!(size_within(Resource::Fsize, 256 << 20), Some(256));
    assert_eq!(size_within(Resource::Fsize, 255 << 20), None);
}

/// How often this thread has touched a page that was not mapped.
fn page_faults() -> i64 {
    // SAFETY: plain numbers, for which zeros are values.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: writes into `usage`, which is ours.
    assert_eq!(unsafe { libc::getrusage(libc::RUSAGE_THREAD, &raw mut usage) }, 0);
    usage.ru_minflt + usage.ru_majflt
}

#[test]
fn a_block_used_again_is_warm() {
    let host = Memory::host(segment(), 1).unwrap();
    let faults_of_a_use = || {
        let before = page_faults();
        host.allocate(100 * MIB).unwrap().fill(1);
        page_faults() - before
    };
    let (first, second) = (faults_of_a_use(), faults_of_a_use());
    assert!(first > 100 && second < 10, "{first}, then {second}");
}
