//! What processes that share a hall can rely on, whichever of them is killed, and when.
#![cfg(all(target_os = "linux", not(loom)))]
#![allow(unsafe_code, reason = "forks, to have processes that can be killed anywhere")]

mod children;

use anyplace_sync::ground::{Ground, Monitor, Turn};
use anyplace_sync::shm::hall::{Hall, HallError, Kind, Order, Queue, Ticket};
use children::Child;
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Far more than anything here takes.
fn soon() -> Option<Instant> {
    Some(Instant::now() + Duration::from_secs(20))
}

fn turn(hall: &Hall) -> Turn<'_, Hall> {
    Turn::new(hall)
}

#[test]
fn a_hall_is_opened_by_its_ticket_while_its_maker_runs() {
    let mut maker = Child::start(|tell| {
        let hall = Hall::create().unwrap();
        let lock = hall.lock(Some("door")).unwrap();
        lock.try_acquire(&*hall).unwrap();
        for number in hall.ticket().numbers() {
            tell.write_all(&number.to_le_bytes()).unwrap();
        }
        std::mem::forget((lock, hall));
    });
    let ticket = Ticket::from_numbers(std::array::from_fn(|_| {
        u64::from_le_bytes(std::array::from_fn(|_| maker.hear().expect("the maker tells its ticket")))
    }));
    let hall = Hall::open_by(&ticket).unwrap();
    let lock = hall.lock(Some("door")).unwrap();
    assert!(lock.acquire(&mut turn(&hall), Some(Instant::now())).is_none());
    let pid = maker.pid.as_raw_nonzero().get();
    maker.kill();
    assert!(lock.acquire(&mut turn(&hall), soon()).unwrap().abandoned);
    assert!(Arc::ptr_eq(&hall, &Hall::open_by(&ticket).unwrap()), "we have it still");
    drop((lock, hall));
    let HallError::Closed { pid: closed, .. } = Hall::open_by(&ticket).unwrap_err() else {
        panic!("it is closed")
    };
    assert_eq!(closed.cast_signed(), pid);
}

#[test]
fn a_forked_child_is_a_party_of_its_own() {
    let hall = Hall::create().unwrap();
    let lock = hall.lock(None).unwrap();
    lock.try_acquire(&*hall).unwrap();
    let mut child = Child::start(|tell| {
        assert!(lock.try_acquire(&*hall).is_none());
        tell.write_all(&[hall.me() as u8]).unwrap();
    });
    let party = child.hear().expect("the child looks at the lock");
    assert_ne!(u32::from(party), hall.me());
    let handle = lock.handle();
    drop(lock);
    drop(hall.open::<anyplace_sync::Lock>(handle).expect("the child has it open"));
    child.kill();
    hall.bury_the_dead();
    assert!(matches!(hall.open::<anyplace_sync::Lock>(handle), Err(HallError::Gone(Kind::Lock))));
}

/// Nobody has to call for it: who waits finds out.
#[test]
fn a_lock_of_a_killed_process_passes_to_who_waits() {
    let hall = Hall::create().unwrap();
    let lock = hall.lock(None).unwrap();
    let mut holder = Child::start(|tell| {
        lock.acquire(&mut turn(&hall), soon()).unwrap();
        tell.write_all(b"!").unwrap();
    });
    holder.hear().expect("it has the lock");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| lock.acquire(&mut turn(&hall), soon()).unwrap());
        while lock.monitor().enter(&*hall).first() == 0 {
            std::thread::yield_now();
        }
        holder.kill();
        assert!(waiting.join().unwrap().abandoned);
    });
    lock.release(&*hall).unwrap();
    assert!(!lock.try_acquire(&*hall).unwrap().abandoned, "it is told once");
}

#[test]
fn permits_of_a_killed_process_come_back_and_a_signal_never_grows() {
    let hall = Hall::create().unwrap();
    let places = hall.semaphore(None, 2, false).unwrap();
    let signal = hall.semaphore(None, 0, false).unwrap();
    signal.release(&*hall, 1).unwrap();
    let mut child = Child::start(|tell| {
        assert!(places.try_acquire(&*hall) && places.try_acquire(&*hall) && signal.try_acquire(&*hall));
        tell.write_all(b"!").unwrap();
    });
    child.hear().expect("it has them all");
    child.kill();
    assert!(places.acquire(&mut turn(&hall), soon()));
    assert_eq!((places.value(), signal.value()), (1, 0));
}

/// Where a process is killed is left to the scheduler: each round kills it somewhere else in its work.
#[test]
fn locks_and_permits_outlive_processes_that_are_killed_anywhere() {
    let hall = Hall::create().unwrap();
    let lock = hall.lock(None).unwrap();
    let rlock = hall.rlock(None).unwrap();
    let places = hall.semaphore(None, 2, true).unwrap();
    let inside = hall.value(None, Kind::Value, 0).unwrap();
    let work = |done: &mut u64| {
        assert!(lock.acquire(&mut turn(&hall), soon()).is_some(), "the lock is lost");
        inside.store(hall.me().into());
        assert!(rlock.acquire(&mut turn(&hall), 7, soon()).is_some(), "the rlock is lost");
        assert!(rlock.acquire(&mut turn(&hall), 7, soon()).is_some());
        assert_eq!(inside.load(), hall.me().into(), "somebody else is inside, too");
        rlock.release(&*hall, 7).unwrap();
        rlock.release(&*hall, 7).unwrap();
        lock.release(&*hall).unwrap();
        assert!(places.acquire(&mut turn(&hall), soon()), "a permit is lost");
        places.release(&*hall, 1).unwrap();
        *done += 1;
    };
    for round in 0..60_u32 {
        let start = || {
            Child::start(|_| {
                loop {
                    work(&mut 0);
                }
            })
        };
        let children = [start(), start()];
        let mut done = 0;
        while done < u64::from(round) * 7 {
            work(&mut done);
        }
        drop(children);
    }
    hall.bury_the_dead();
    assert!(!lock.is_locked() && places.value() == 2);
    let events: Vec<_> = (0..40).map(|_| hall.event(None).unwrap()).collect();
    assert_eq!(events.len(), 40, "the desk works");
}

/// A number that says whose message it is and which, and bytes that say whether it is whole.
fn letter(number: u64) -> Vec<u8> {
    let len = [8, 9, 100, 1000, 3000, 70_000][(number % 6) as usize];
    let mut bytes = vec![number as u8; len];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    bytes
}

fn number_of(letter: &[u8]) -> u64 {
    let number = u64::from_le_bytes(letter[..8].try_into().unwrap());
    assert!(letter == self::letter(number), "letter {number} is not whole");
    number
}

fn put(queue: &Queue, number: u64) {
    let hall = queue.object().hall();
    let letter = letter(number);
    let mut message = queue.message(&letter).unwrap();
    let key = if queue.order() == Order::Priority { number } else { 0 };
    queue.put(&mut turn(hall), &mut message, key, soon()).expect("there is room in time").unwrap();
}

fn get(queue: &Queue, until: Option<Instant>) -> Option<u64> {
    let hall = queue.object().hall();
    queue.get(&mut turn(hall), until).map(|got| number_of(&got.unwrap()))
}

const ORDERS: [Order; 3] = [Order::Fifo, Order::Lifo, Order::Priority];

/// Each producer's messages come whole, each once, none of them missing before its last.
#[test]
fn a_producer_killed_anywhere_leaves_the_queue_whole() {
    let hall = Hall::create().unwrap();
    let _kept = (hall.event(None).unwrap(), hall.semaphore(None, 1, true).unwrap());
    for order in ORDERS {
        let queue = hall.queue(None, order, 50).unwrap();
        for round in 0..40_u64 {
            let start = |whose: u64| {
                Child::start(|_| (0..u64::MAX).for_each(|number| put(&queue, whose << 32 | number)))
            };
            let producers = [start(1), start(2)];
            let mut got: Vec<_> = (0..round * 3).map(|_| get(&queue, soon()).expect("they go on")).collect();
            drop(producers);
            hall.bury_the_dead();
            got.extend(std::iter::from_fn(|| get(&queue, Some(Instant::now()))));
            for whose in [1, 2] {
                let mut theirs: Vec<_> = got.iter().filter(|number| *number >> 32 == whose).collect();
                if order != Order::Fifo {
                    theirs.sort_unstable();
                }
                let all =
                    (0..theirs.len() as u64).all(|number| *theirs[number as usize] == whose << 32 | number);
                assert!(all, "round {round}, {order:?}: {theirs:?}");
            }
        }
        assert!(queue.is_empty());
        let before = hall.usage().blocks;
        drop(queue);
        assert_eq!(
            hall.usage().blocks,
            before - 1,
            "no long message is left, only the queue's own block was"
        );
    }
}

/// A consumer that is killed takes at most the message that it had just taken with it.
#[test]
fn a_consumer_killed_anywhere_leaves_the_rest() {
    let hall = Hall::create().unwrap();
    for order in ORDERS {
        let queue = hall.queue(None, order, 0).unwrap();
        let seen = [hall.value(None, Kind::Value, 0).unwrap(), hall.value(None, Kind::Value, 0).unwrap()];
        for round in 0..40_u64 {
            (0..200).for_each(|number| put(&queue, number));
            seen.iter().for_each(|seen| seen.store(0));
            let start = |which: usize| {
                let (queue, seen) = (&queue, &seen[which]);
                Child::start(move |_| {
                    while get(queue, soon()).is_some() {
                        seen.add(1);
                    }
                })
            };
            let consumers = [start(0), start(1)];
            let killed_after = Instant::now() + Duration::from_micros(round * 20);
            while Instant::now() < killed_after {
                std::thread::yield_now();
            }
            drop(consumers);
            hall.bury_the_dead();
            let mut left: Vec<_> = std::iter::from_fn(|| get(&queue, Some(Instant::now()))).collect();
            let seen: u64 = seen.iter().map(|seen| seen.load().cast_unsigned()).sum();
            let lost = 200 - seen - left.len() as u64;
            assert!(lost <= 2, "round {round}, {order:?}: {lost} are lost");
            if order == Order::Lifo {
                left.reverse();
            }
            let (all, first) = (left.len() as u64, left.first().copied().unwrap_or(0));
            let expected = if order == Order::Lifo { 0 } else { 200 - all };
            assert!(left.is_empty() || first == expected, "{order:?}: {left:?}");
            assert!(left.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{order:?}: {left:?}");
        }
        let before = hall.usage().blocks;
        drop(queue);
        assert_eq!(hall.usage().blocks, before - 1);
    }
}

#[test]
fn a_queue_between_processes_goes_on_when_one_of_them_sleeps() {
    let hall = Hall::create().unwrap();
    let (there, back) =
        (hall.queue(None, Order::Fifo, 1).unwrap(), hall.queue(None, Order::Fifo, 1).unwrap());
    let _echo = Child::start(|_| {
        loop {
            put(&back, get(&there, soon()).expect("in time"));
        }
    });
    for number in 0..300 {
        if number % 30 == 0 {
            // Longer than anybody spins, so that the other side sleeps.
            let until = Instant::now() + Duration::from_millis(1);
            while Instant::now() < until {
                std::thread::yield_now();
            }
        }
        put(&there, number);
        assert_eq!(get(&back, soon()), Some(number));
    }
}

/// What a key stands for is always a whole value, the last that was set or the one that was being set.
#[test]
fn a_dict_outlives_processes_that_are_killed_anywhere() {
    let hall = Hall::create().unwrap();
    let dict = hall.dict(None).unwrap();
    let set = |number: u64| {
        let key = (number % 50).to_le_bytes();
        match number % 7 {
            0 => drop(dict.remove(&key)),
            _ => dict.set(&key, &letter(number)).unwrap(),
        }
        if let Some(value) = dict.get(&key) {
            assert_eq!(number_of(&value) % 50, number % 50);
        }
    };
    for round in 0..30_u64 {
        let start = |from: u64| Child::start(move |_| (from..u64::MAX).for_each(set));
        let children = [start(round), start(round + 3)];
        (0..round * 10).for_each(set);
        drop(children);
        hall.bury_the_dead();
        let items = dict.items();
        assert_eq!((items.len(), dict.keys().len()), (dict.len(), dict.len()));
        for (key, value) in items {
            let key = u64::from_le_bytes(key.try_into().unwrap());
            assert_eq!(number_of(&value) % 50, key);
            assert_eq!(dict.get(&key.to_le_bytes()), Some(value));
        }
    }
    let before = hall.usage().blocks;
    drop(dict);
    assert_eq!(hall.usage().blocks, before - 1);
}

#[test]
fn an_array_is_one_memory_in_all_processes() {
    let hall = Hall::create().unwrap();
    let array = hall.array(None, 100_000).unwrap();
    let mut child = Child::start(|tell| {
        // SAFETY: the bytes are backed and mapped; nobody else writes them now.
        unsafe { array.start().add(99_999).write(42) };
        tell.write_all(b"!").unwrap();
    });
    child.hear().expect("it has written");
    // SAFETY: as above.
    assert_eq!(unsafe { array.start().add(99_999).read() }, 42);
}

#[test]
fn the_other_end_of_a_pipe_learns_of_a_death() {
    let hall = Hall::create().unwrap();
    let [ours, theirs] = hall.pipe(None, true).unwrap();
    let mut child = Child::start(|tell| {
        put(theirs.outgoing(), 7);
        tell.write_all(b"!").unwrap();
    });
    child.hear().expect("it has sent");
    drop(theirs);
    assert_eq!(get(ours.incoming(), soon()), Some(7));
    std::thread::scope(|scope| {
        let end = scope.spawn(|| ours.incoming().get(&mut turn(&hall), soon()).expect("in time"));
        while ours.incoming().lines()[0].enter(&*hall).first() == 0 {
            std::thread::yield_now();
        }
        child.kill();
        assert!(end.join().unwrap().is_err(), "nobody is there any more");
    });
}

/// Objects are made, found, sent and dropped while processes are killed at it.
#[test]
fn the_desk_outlives_processes_that_are_killed_anywhere() {
    let hall = Hall::create().unwrap();
    let named = hall.queue(Some("named"), Order::Fifo, 0).unwrap();
    let before = hall.usage().blocks;
    let work = |number: u64| {
        let queue = hall.queue(None, Order::Priority, 0).unwrap();
        put(&queue, number * 6 + 5);
        let [one, other] = hall.pipe(None, number.is_multiple_of(2)).unwrap();
        put(other.outgoing(), number * 6 + 5);
        let places = hall.semaphore(None, 1, true).unwrap();
        let same: anyplace_sync::shm::hall::Object<anyplace_sync::Semaphore> =
            hall.open(places.handle()).unwrap();
        assert!(same.try_acquire(&*hall));
        assert_eq!(
            hall.queue(Some("named"), Order::Fifo, 0).unwrap().object().handle(),
            named.object().handle()
        );
        assert_eq!(get(one.incoming(), soon()), Some(number * 6 + 5));
        hall.dict(None).unwrap().set(b"key", &[7; 5000]).unwrap();
    };
    for round in 0..60_u64 {
        let start = || Child::start(|_| (0..u64::MAX).for_each(work));
        let children = [start(), start()];
        (0..round * 2).for_each(work);
        drop(children);
        hall.bury_the_dead();
        let census = hall.catalogue();
        assert_eq!(census.len(), 1, "round {round}: {census:?}");
    }
    // Rows of objects and of waiters stay.
    let rows = hall.usage().blocks - before;
    assert!(rows <= 2, "{rows} blocks are lost");
}

/// What a dead process was working on is done with, as nobody else will say so.
#[test]
fn a_wait_for_rest_ends_when_who_works_is_killed() {
    let hall = Hall::create().unwrap();
    let queue = hall.queue(None, Order::Fifo, 0).unwrap();
    (0..5).for_each(|number| put(&queue, number));
    let mut child = Child::start(|tell| {
        (0..3).for_each(|number| assert_eq!(get(&queue, soon()), Some(number)));
        queue.task_done(1).unwrap();
        tell.write_all(b"!").unwrap();
    });
    child.hear().expect("it has taken three");
    assert_eq!((get(&queue, soon()), get(&queue, soon())), (Some(3), Some(4)));
    queue.task_done(2).unwrap();
    assert_eq!(queue.unfinished(), 2, "what the child works on");
    std::thread::scope(|scope| {
        let rest = scope.spawn(|| queue.join(&mut turn(&hall), soon()));
        child.kill();
        assert!(rest.join().unwrap());
    });
    assert_eq!(queue.unfinished(), 0);
}

fn until_in_line(hall: &Hall, monitor: &Monitor, count: usize) {
    while monitor.enter(hall).line().count() < count {
        std::thread::yield_now();
    }
}

#[test]
fn a_killed_process_leaves_its_place_in_a_barrier_to_another() {
    let hall = Hall::create().unwrap();
    let barrier = hall.barrier(None, 2).unwrap();
    let child = Child::start(|_| assert!(barrier.arrive(&mut turn(&hall), soon()).is_some()));
    until_in_line(&hall, barrier.monitor(), 1);
    child.kill();
    hall.bury_the_dead();
    assert_eq!(barrier.waiting(&*hall), 0);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| barrier.arrive(&mut turn(&hall), soon()).unwrap().unwrap());
        until_in_line(&hall, barrier.monitor(), 1);
        let last = barrier.arrive(&mut turn(&hall), soon()).unwrap().unwrap();
        assert!(last.is_last);
        barrier.open(&*hall).unwrap();
        assert!(!other.join().unwrap().is_last);
    });
}

#[test]
fn a_notification_goes_to_one_who_lives() {
    let hall = Hall::create().unwrap();
    let condition = hall.condition(None).unwrap();
    let wait = || {
        let mut turn = turn(&hall);
        condition.enlist(&mut turn);
        condition.sleep(&mut turn, soon())
    };
    let first = Child::start(|_| assert!(wait()));
    until_in_line(&hall, condition.monitor(), 1);
    std::thread::scope(|scope| {
        let second = scope.spawn(wait);
        until_in_line(&hall, condition.monitor(), 2);
        first.kill();
        hall.bury_the_dead();
        assert_eq!(condition.notify(&*hall, 1), 1);
        assert!(second.join().unwrap());
    });
}

/// Its parent closed what they shared before the child touched it: the entry may be another object's by now.
#[test]
fn a_forked_child_never_takes_another_object_for_its_own() {
    let hall = Hall::create().unwrap();
    let lock = hall.lock(None).unwrap();
    let (mut closed, mut close) = std::io::pipe().unwrap();
    let mut child = Child::start(|tell| {
        closed.read_exact(&mut [0]).unwrap();
        let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| lock.is_locked()));
        tell.write_all(&[refused.is_err().into()]).unwrap();
    });
    drop(lock);
    let _another = hall.event(None).unwrap();
    close.write_all(b"!").unwrap();
    assert_eq!(child.hear(), Some(1));
}

/// Lets time pass: it is what the first in line waits for.
fn until_it_has_waited(long: Duration) {
    let began = Instant::now();
    while began.elapsed() < long {
        std::thread::yield_now();
    }
}

/// Nobody sleeps who would look for the dead: who only tries has to get past them by itself.
#[test]
fn who_only_tries_gets_what_a_killed_process_stood_in_line_for() {
    let hall = Hall::create().unwrap();
    let lock = hall.lock(None).unwrap();
    lock.try_acquire(&*hall).unwrap();
    let waiting = Child::start(|_| assert!(lock.acquire(&mut turn(&hall), soon()).is_some()));
    until_in_line(&hall, lock.monitor(), 1);
    waiting.kill();
    until_it_has_waited(Duration::from_millis(2));
    lock.release(&*hall).unwrap();
    let over = soon().unwrap();
    while lock.try_acquire(&*hall).is_none() {
        assert!(Instant::now() < over, "the lock is free, and nobody gets it");
        std::thread::yield_now();
    }
}

/// Who is first in line and does not come when it is called, is not waited for.
#[test]
fn a_stopped_process_that_waits_keeps_nobody_from_a_free_lock() {
    let hall = Hall::create().unwrap();
    let lock = hall.lock(None).unwrap();
    lock.try_acquire(&*hall).unwrap();
    let waiting = Child::start(|_| assert!(lock.acquire(&mut turn(&hall), soon()).is_some()));
    until_in_line(&hall, lock.monitor(), 1);
    rustix::process::kill_process(waiting.pid, rustix::process::Signal::STOP).unwrap();
    std::thread::scope(|scope| {
        let other = scope.spawn(|| lock.acquire(&mut turn(&hall), soon()).is_some());
        until_in_line(&hall, lock.monitor(), 2);
        until_it_has_waited(Duration::from_millis(2));
        lock.release(&*hall).unwrap();
        assert!(other.join().unwrap());
    });
}

/// It was killed while it waited, and nobody had noticed yet.
#[test]
fn a_notification_of_a_killed_process_passes_to_one_who_lives() {
    let hall = Hall::create().unwrap();
    let condition = hall.condition(None).unwrap();
    let wait = || {
        let mut turn = turn(&hall);
        condition.enlist(&mut turn);
        condition.sleep(&mut turn, soon())
    };
    let first = Child::start(|_| assert!(wait()));
    until_in_line(&hall, condition.monitor(), 1);
    std::thread::scope(|scope| {
        let second = scope.spawn(wait);
        until_in_line(&hall, condition.monitor(), 2);
        rustix::process::kill_process(first.pid, rustix::process::Signal::STOP).unwrap();
        condition.notify(&*hall, 1);
        first.kill();
        assert!(second.join().unwrap());
    });
}
