//! What is shared with a place that another process offers: who is lost loses nothing for the others, and nobody hangs.

use crate::support::{Door, Nothing, wait_at};
use anyplace::serve::Offer;
use anyplace::share::{Lock, Queue, Value, Wait, reached};
use anyplace::{Kind, Place, Result, open};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

crate::trials!["distant":
    what_a_killed_client_held_passes_on,
    a_killed_client_leaves_its_lines,
    what_a_killed_client_was_putting_is_there_or_not_and_never_twice,
    whoever_waits_is_told_when_the_server_is_killed,
    a_closed_offer_tells_whoever_waits,
    two_hundred_futures_wait_over_one_connection_without_a_thread_each,
    a_lock_that_comes_too_late_is_not_lost,
    a_value_that_comes_too_late_is_not_lost,
    a_received_value_that_comes_too_late_is_received_next,
    a_notification_that_comes_too_late_is_the_next_ones,
    a_handle_goes_to_a_task_of_its_place_and_comes_back,
    why_names_the_process_at_the_other_end,
];

const PATIENCE: Duration = Duration::from_secs(30);
const MOMENT: Duration = Duration::from_millis(1);

/// A place that is offered, and where.
struct Stage {
    address: String,
    offer: Offer,
    _folder: TempDir,
}

impl Stage {
    fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let address = socket(&folder);
        Ok(Self { offer: open("processes:1")?.offer(&address)?, address, _folder: folder })
    }

    fn client(&self) -> Result<Place> {
        open(self.address.as_str())
    }
}

fn socket(folder: &TempDir) -> String {
    format!("unix:{}", folder.path().join("place.sock").display())
}

fn until(mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "it has not come about");
        thread::yield_now();
    }
}

fn waiters(place: &Place, name: &str) -> usize {
    let objects = place.why().objects;
    objects.iter().filter(|object| object.name == name).map(|object| object.waiters.len()).sum()
}

/// Counts how often it was woken.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

/// A client that takes one of each, and waits at the door with them.
#[anyplace::task]
fn hold_all(address: String, door: String) -> u32 {
    let hold = || -> Result<u32> {
        let place = open(address.as_str())?;
        let (lock, rlock, permits) =
            (place.lock("lock")?, place.rlock("rlock")?, place.semaphore("permits", 1)?);
        let _held = (lock.acquire()?, rlock.acquire()?, permits.acquire()?);
        Ok(wait_at(door))
    };
    hold().expect("the offer is there")
}

fn what_a_killed_client_held_passes_on() -> Nothing {
    let (stage, hosts, door) = (Stage::new()?, open("processes:1")?, Door::new());
    let holder = hosts.submit(hold_all, (stage.address.clone(), door.path()))?;
    let held = door.knock();
    let place = stage.client()?;
    let (lock, rlock, permits) = (place.lock("lock")?, place.rlock("rlock")?, place.semaphore("permits", 1)?);
    assert!(lock.try_acquire()?.is_none() && rlock.try_acquire()?.is_none());
    assert_eq!(permits.value(), 0);
    assert!(holder.kill());
    held.ends();
    assert!(lock.acquire_within(PATIENCE)?.is_some_and(|held| held.was_abandoned()), "the next one is told");
    assert!(lock.acquire()?.keep() == anyplace::share::Acquired { abandoned: false }, "only the next one");
    assert!(rlock.acquire_within(PATIENCE)?.is_some_and(|held| held.was_abandoned()));
    assert!(permits.acquire_within(PATIENCE)?.is_some());
    Ok(())
}

/// A client that stands in lines, and tells when it is about to.
#[anyplace::task]
fn stand_in_lines(address: String) -> bool {
    let stand = || -> Result<()> {
        let place = open(address.as_str())?;
        let (lock, letters) = (place.lock("lock")?, place.queue::<u64>("letters", 0)?);
        thread::scope(|scope| {
            scope.spawn(|| letters.get());
            lock.acquire().map(drop)
        })
    };
    stand().is_ok()
}

fn a_killed_client_leaves_its_lines() -> Nothing {
    let (stage, hosts) = (Stage::new()?, open("processes:1")?);
    let place = stage.client()?;
    let (lock, letters) = (place.lock("lock")?, place.queue::<u64>("letters", 0)?);
    let held = lock.acquire()?;
    let waiter = hosts.submit(stand_in_lines, stage.address.clone())?;
    until(|| waiters(&place, "lock") == 1 && waiters(&place, "letters") == 1);
    assert!(waiter.kill());
    until(|| waiters(&place, "lock") == 0 && waiters(&place, "letters") == 0);
    drop(held);
    assert!(lock.acquire_within(PATIENCE)?.is_some());
    letters.put(7)?;
    assert_eq!(letters.get_within(PATIENCE)?, Some(7));
    Ok(())
}

/// A client that puts numbers for as long as it lives.
#[anyplace::task]
fn put_for_ever(address: String, name: String) {
    let put = || -> Result<()> {
        let place = open(address.as_str())?;
        let letters = place.queue::<u64>(&name, 5)?;
        (0..).try_for_each(|number| letters.put(number))
    };
    drop(put());
}

fn what_a_killed_client_was_putting_is_there_or_not_and_never_twice() -> Nothing {
    let (stage, hosts) = (Stage::new()?, open("processes:1")?);
    let place = stage.client()?;
    for round in 0..8 {
        let letters = place.queue::<u64>(&format!("letters {round}"), 5)?;
        let putter = hosts.submit(put_for_ever, (stage.address.clone(), letters.name().to_owned()))?;
        for expected in 0..20 * round {
            assert_eq!(letters.get_within(PATIENCE)?, Some(expected));
        }
        assert!(putter.kill());
        assert!(putter.wait().is_err());
        until(|| waiters(&place, letters.name()) == 0);
        let left: Vec<u64> = std::iter::from_fn(|| letters.try_get().ok().flatten()).collect();
        let first = left.first().copied().unwrap_or_default();
        assert!(left.iter().copied().eq(first..first + left.len() as u64), "{left:?}");
        assert!(left.is_empty() || first == 20 * round, "{left:?}");
    }
    Ok(())
}

/// A server that waits at the door.
#[anyplace::task]
fn offer_at(endpoint: String, door: String) -> u32 {
    let _offer = open("processes:1").and_then(|place| place.offer(&endpoint)).expect("the folder is there");
    wait_at(door)
}

fn whoever_waits_is_told_when_the_server_is_killed() -> Nothing {
    let (folder, hosts, door) = (tempfile::tempdir()?, open("processes:1")?, Door::new());
    let server = hosts.submit(offer_at, (socket(&folder), door.path()))?;
    let held = door.knock();
    let place = open(socket(&folder).as_str())?;
    let (lock, letters, hits) =
        (place.lock("lock")?, place.queue::<u64>("letters", 0)?, place.counter("hits")?);
    let (never, changed) = (place.event("never")?, place.condition("changed")?);
    let mine = lock.acquire()?;
    thread::scope(|scope| {
        let waiting = [
            scope.spawn(|| letters.get().map(drop)),
            scope.spawn(|| never.wait()),
            scope.spawn(|| lock.acquire_within(PATIENCE).map(drop)),
            scope.spawn(|| changed.acquire()?.wait()),
        ];
        until(|| ["letters", "never", "lock", "changed"].iter().all(|name| waiters(&place, name) == 1));
        assert!(server.kill());
        for waiter in waiting {
            let error = waiter.join().expect("waiting does not panic").expect_err("nothing can come");
            assert_eq!(error.kind(), Kind::ConnectionLost, "{error:?}");
            assert_eq!(error.place(), Some(&*place.address().to_string()), "{error:?}");
            assert!(error.help().is_some(), "{error:?}");
        }
    });
    drop((mine, held));
    let error = reached(|| hits.get()).expect_err("nobody is there");
    assert_eq!(error.kind(), Kind::ConnectionLost, "{error:?}");
    assert_eq!(lock.release().expect_err("nobody is there").kind(), Kind::ConnectionLost);
    Ok(())
}

fn a_closed_offer_tells_whoever_waits() -> Nothing {
    let Stage { address, offer, _folder } = Stage::new()?;
    let place = open(address.as_str())?;
    let letters = place.queue::<u64>("letters", 0)?;
    thread::scope(|scope| {
        let waiter = scope.spawn(|| letters.get());
        until(|| waiters(&place, "letters") == 1);
        offer.close(Duration::ZERO)?;
        let error = waiter.join().expect("waiting does not panic").expect_err("nothing can come");
        assert!(matches!(error.kind(), Kind::PlaceClosed | Kind::ConnectionLost), "{error:?}");
        Ok(())
    })
}

fn threads() -> Result<usize> {
    Ok(std::fs::read_dir("/proc/self/task")?.count())
}

fn two_hundred_futures_wait_over_one_connection_without_a_thread_each() -> Nothing {
    let stage = Stage::new()?;
    let place = stage.client()?;
    let seats = place.semaphore("seats", 0)?;
    let before = threads()?;
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(wakes.clone());
    let mut context = Context::from_waker(&waker);
    let mut waiting: Vec<_> = (0..200).map(|_| Box::pin(seats.acquiring())).collect();
    assert!(waiting.iter_mut().all(|one| one.as_mut().poll(&mut context).is_pending()));
    until(|| waiters(&place, "seats") == 200);
    // Other trials run beside this one, and have threads of their own.
    assert!(threads()? < before + 50, "{} instead of {before}", threads()?);
    seats.release(200)?;
    until(|| wakes.0.load(Ordering::Acquire) == 200);
    for one in &mut waiting {
        let Poll::Ready(permit) = one.as_mut().poll(&mut context) else { panic!("it was woken for nothing") };
        permit?.keep();
    }
    assert_eq!(seats.value(), 0);
    Ok(())
}

/// Everybody gives up after hardly a moment, by a limit or by going away: whatever they get, the lock is free in the end.
fn a_lock_that_comes_too_late_is_not_lost() -> Nothing {
    let stage = Stage::new()?;
    let (one, other) = (stage.client()?, stage.client()?);
    let (lock, same) = (one.lock("lock")?, other.lock("lock")?);
    let got = AtomicUsize::new(0);
    thread::scope(|scope| {
        for (lock, number) in [(&lock, 5), (&lock, 7), (&same, 9)] {
            let got = &got;
            scope.spawn(move || {
                for round in 0..400 {
                    let held = given_up(|| lock.acquiring(), round, number);
                    got.fetch_add(usize::from(held.is_some()), Ordering::Relaxed);
                }
            });
        }
    });
    assert!(lock.acquire_within(PATIENCE)?.is_some_and(|held| !held.was_abandoned()));
    assert!(got.into_inner() > 0, "some were in time");
    Ok(())
}

/// Polls for so long, then drops the wait.
fn dropped_after<W: Wait>(waiting: W, limit: Duration) -> Option<W::Given> {
    let mut waiting = pin!(waiting);
    let began = Instant::now();
    loop {
        match waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(given) => return Some(given.expect("the place is open")),
            Poll::Pending if began.elapsed() >= limit => return None,
            Poll::Pending => thread::yield_now(),
        }
    }
}

/// As with the lock: each number is got by somebody, once.
fn a_value_that_comes_too_late_is_not_lost() -> Nothing {
    const LETTERS: usize = 600;
    let stage = Stage::new()?;
    let (one, other) = (stage.client()?, stage.client()?);
    let (letters, same) = (one.queue::<usize>("letters", 4)?, other.queue::<usize>("letters", 4)?);
    let (total, began) = (AtomicUsize::new(0), Instant::now());
    let take = |letters: &Queue<usize>, number: u64| {
        let (mut got, mut round) = (Vec::new(), 0);
        while total.load(Ordering::Acquire) < LETTERS && began.elapsed() < PATIENCE {
            round += 1;
            let taken = given_up(|| letters.getting(), round, number);
            total.fetch_add(taken.iter().len(), Ordering::AcqRel);
            got.extend(taken);
        }
        got
    };
    let mut got = thread::scope(|scope| {
        let takers = [scope.spawn(|| take(&letters, 5)), scope.spawn(|| take(&same, 7))];
        for letter in 0..LETTERS {
            let mut next = Some(letter);
            while let Some(letter) = next {
                // Who puts gives up, too, and tries again with what it has got back.
                next = letters.put_within(letter, MOMENT / 20).expect("it is open");
            }
        }
        takers.map(|taker| taker.join().expect("taking does not panic")).concat()
    });
    got.sort_unstable();
    assert!(got.iter().copied().eq(0..LETTERS), "{} instead of {LETTERS}: {got:?}", got.len());
    Ok(())
}

/// Waits for a short while, of a different length each time, and gives up by its limit or by going away.
fn given_up<W: Wait>(wait: impl Fn() -> W, round: u64, number: u64) -> Option<W::Given> {
    let limit = Duration::from_micros(25 * ((round * number) % 11));
    match round % 2 {
        0 => wait().within(limit).expect("the place is open"),
        _ => dropped_after(wait(), limit),
    }
}

fn a_received_value_that_comes_too_late_is_received_next() -> Nothing {
    let stage = Stage::new()?;
    let place = stage.client()?;
    let (here, there) = place.pipe::<u64>("")?;
    thread::scope(|scope| {
        scope.spawn(|| (0..300).try_for_each(|number| there.send(number)));
        let began = Instant::now();
        let (mut expected, mut round) = (0, 0);
        while expected < 300 {
            round += 1;
            if let Some(number) = given_up(|| here.receiving(), round, 3) {
                assert_eq!(number, expected, "they come in their order");
                expected += 1;
            }
            assert!(began.elapsed() < PATIENCE, "{expected} is lost");
        }
    });
    Ok(())
}

fn a_notification_that_comes_too_late_is_the_next_ones() -> Nothing {
    let stage = Stage::new()?;
    let (one, other) = (stage.client()?, stage.client()?);
    let (changed, same) = (one.condition("changed")?, other.condition("changed")?);
    for _ in 0..100 {
        let mut first = Box::pin(changed.enlist());
        assert!(first.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let second = same.enlist();
        until(|| changed.n_waiting() == 2);
        thread::scope(|scope| {
            scope.spawn(|| same.notify(1));
            drop(first);
        });
        assert!(second.within(PATIENCE)?.is_some(), "it was for one of the two, and the other is gone");
    }
    Ok(())
}

#[anyplace::task]
fn add_and_send_back((lock, hits): (Lock, Value<i64>)) -> Option<(Lock, Value<i64>)> {
    let held = lock.acquire().ok()?;
    hits.add(1);
    drop(held);
    Some((lock, hits))
}

fn a_handle_goes_to_a_task_of_its_place_and_comes_back() -> Nothing {
    let (folder, hosts, door) = (tempfile::tempdir()?, open("processes:1")?, Door::new());
    let server = hosts.submit(offer_at, (socket(&folder), door.path()))?;
    let held = door.knock();
    let place = open(socket(&folder).as_str())?;
    for name in ["", "named"] {
        let (lock, hits) = (place.lock(name)?, place.counter(&name.replace("named", "hits"))?);
        let back = place.submit(add_and_send_back, (lock.clone(), hits.clone()))?.wait()?;
        let (same, counted) = back.expect("the worker opens them");
        assert_eq!((hits.get(), counted.get()), (1, 1));
        let mine = lock.acquire()?;
        assert!(same.try_acquire()?.is_none(), "it is the same lock");
        drop(mine);
        assert!(same.try_acquire()?.is_some());
    }
    drop(held);
    server.wait().map(drop)
}

#[anyplace::task]
fn process_number() -> u32 {
    std::process::id()
}

fn why_names_the_process_at_the_other_end() -> Nothing {
    let (stage, hosts, door) = (Stage::new()?, open("processes:1")?, Door::new());
    let process = hosts.submit(process_number, ())?.wait()?;
    let holder = hosts.submit(hold_all, (stage.address.clone(), door.path()))?;
    let held = door.knock();
    for why in [stage.client()?.why(), stage.offer.place().why()] {
        let lock = why.objects.iter().find(|object| object.name == "lock").expect("it is held");
        assert_eq!(lock.holders.iter().map(|who| who.process).collect::<Vec<_>>(), [process], "{why}");
        assert!(lock.holders.iter().all(|who| who.thread != 0 && !who.from.is_empty()), "{why}");
    }
    drop(held);
    holder.wait().map(drop)
}
