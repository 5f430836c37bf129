//! What processes share, beyond what every place promises.

use crate::support::{Door, Nothing, wait_at};
use anyplace::share::{Lock, commons, from_ticket, to_ticket};
use anyplace::{Kind, open};
use std::pin::pin;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

crate::trials!["sharing":
    what_a_killed_worker_held_has_its_next_owner_within_10_ms,
    what_a_retired_worker_kept_passes_on,
    the_commons_are_shared_without_a_place,
    a_ticket_whose_place_is_gone_says_so,
    a_handle_that_comes_back_is_the_same,
    a_future_gets_what_a_killed_worker_held,
    sharing_leaves_nothing_behind,
];

const PATIENCE: Duration = Duration::from_secs(30);

/// Takes the lock, and waits at the door with it.
#[anyplace::task]
fn hold(lock: Lock, door: String) -> u32 {
    let _held = lock.acquire().expect("the place is open");
    wait_at(door)
}

/// Takes the lock and goes without it.
#[anyplace::task]
fn keep(lock: Lock) -> u32 {
    lock.acquire().expect("the place is open").keep();
    std::process::id()
}

#[anyplace::task]
fn send_back(lock: Lock) -> Lock {
    lock
}

/// From the kill to the next owner. A busy machine may be late: the quickest of a few counts.
fn what_a_killed_worker_held_has_its_next_owner_within_10_ms() -> Nothing {
    let place = open("processes:1")?;
    let lock = place.lock("door")?;
    let handed_over = || -> anyplace::Result<Duration> {
        let door = Door::new();
        let holder = place.submit(hold, (lock.clone(), door.path()))?;
        let held = door.knock();
        let (waits, got) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(|| {
                waits.send(lock.acquire_within(PATIENCE).map(|held| (Instant::now(), held.is_some())))
            });
            while place.why().objects.iter().all(|object| object.waiters.is_empty()) {
                thread::yield_now();
            }
            let killed = Instant::now();
            assert!(holder.kill());
            let (at, is_ours) = got.recv().expect("it is told")?;
            assert!(is_ours);
            drop(held);
            Ok(at - killed)
        })
    };
    let mut all = (0..10).map(|_| handed_over()).collect::<anyplace::Result<Vec<_>>>()?;
    all.sort();
    assert!(all[0] < Duration::from_millis(10), "{all:?}");
    Ok(())
}

/// The worker ends in peace, since it has done all that it was hired for; what it kept passes on as if it had been killed.
fn what_a_retired_worker_kept_passes_on() -> Nothing {
    let place = open("processes:1?max_tasks=1")?;
    let lock = place.lock("door")?;
    assert_ne!(place.submit(keep, lock.clone())?.wait()?, std::process::id());
    let held = lock.acquire_within(PATIENCE)?.expect("its worker is gone");
    assert!(held.was_abandoned());
    Ok(())
}

fn the_commons_are_shared_without_a_place() -> Nothing {
    let (place, lock) = (open("processes:1")?, commons().lock("")?);
    place.submit(keep, lock.clone())?.wait()?;
    assert!(lock.is_locked());
    lock.release()?;
    assert!(!commons().lock("")?.is_locked(), "another one");
    place.close()?;
    lock.acquire().map(drop)
}

fn a_ticket_whose_place_is_gone_says_so() -> Nothing {
    let place = open("processes:1")?;
    let lock = place.lock("door")?;
    let ticket = to_ticket(&lock)?;
    assert_eq!(from_ticket::<Lock>(&ticket)?.name(), "door");
    drop(lock);
    place.close()?;
    let error = from_ticket::<Lock>(&ticket).expect_err("nobody has it open");
    assert_eq!((error.kind(), error.place()), (Kind::NotFound, Some("processes:1")), "{error:?}");
    assert!(error.help().is_some(), "{error:?}");
    let error = from_ticket::<Lock>(b"what?").expect_err("it is no ticket");
    assert_eq!(error.kind(), Kind::NotSerializable, "{error:?}");
    Ok(())
}

fn a_handle_that_comes_back_is_the_same() -> Nothing {
    let place = open("processes:1")?;
    let lock = place.lock("")?;
    let back = place.submit(send_back, lock.clone())?.wait()?;
    let held = lock.acquire()?;
    assert!(back.try_acquire()?.is_none());
    drop(held);
    place.close()?;
    assert_eq!(back.acquire().expect_err("its place is closed").kind(), Kind::PlaceClosed);
    Ok(())
}

/// No runtime is needed: a thread that parks will do.
fn a_future_gets_what_a_killed_worker_held() -> Nothing {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let (place, door) = (open("processes:1")?, Door::new());
    let lock = place.lock("door")?;
    let holder = place.submit(hold, (lock.clone(), door.path()))?;
    let held = door.knock();
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut wait = pin!(lock.acquiring());
    let mut poll = || wait.as_mut().poll(&mut Context::from_waker(&waker));
    assert!(poll().is_pending());
    assert!(holder.kill());
    held.ends();
    let began = Instant::now();
    let got = loop {
        match poll() {
            Poll::Ready(got) => break got?,
            Poll::Pending => thread::park_timeout(PATIENCE),
        }
        assert!(began.elapsed() < PATIENCE, "it is never woken");
    };
    assert!(got.was_abandoned());
    Ok(())
}

/// Descriptors and threads are as before, however often places share something.
fn sharing_leaves_nothing_behind() -> Nothing {
    let count = |folder: &str| std::fs::read_dir(folder).map(Iterator::count);
    let holdings = || Ok::<_, std::io::Error>([count("/proc/self/fd")?, count("/proc/self/task")?]);
    let share = || -> Nothing {
        let place = open("processes:1")?;
        let lock = place.lock("door")?;
        let back = place.submit(send_back, lock.clone())?.wait()?;
        drop(back.acquire()?);
        place.close()
    };
    share()?;
    let before = holdings()?;
    for _ in 0..5 {
        share()?;
    }
    let began = Instant::now();
    while holdings()?.iter().zip(before).any(|(now, before)| *now > before) {
        assert!(began.elapsed() < PATIENCE, "more is held than before: {before:?}");
        thread::yield_now();
    }
    Ok(())
}
