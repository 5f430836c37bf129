use super::*;
use crate::Lock;
use crate::ground::{Ground, Turn};
use std::time::Instant;

/// Another party of the same hall, as another process would be one.
pub(super) fn another(hall: &Hall) -> Arc<Hall> {
    let fd = hall.segment.fd().unwrap().try_clone().unwrap();
    Hall::enter(Segment::open(fd).unwrap()).unwrap()
}

/// A hall whose memory has been used before, in blocks that are larger than what will be asked for.
pub(super) fn worn() -> Arc<Hall> {
    let hall = Hall::create().unwrap();
    let sizes = (0..10).map(|octave| 1792 << octave);
    let blocks: Vec<_> = sizes.map(|size| hall.memory().allocate(size).unwrap()).collect();
    for mut block in blocks {
        block.fill(0xaa);
    }
    hall
}

fn now() -> Option<Instant> {
    Some(Instant::now())
}

#[test]
fn a_name_stands_for_one_object_in_all_processes() {
    let ours = Hall::create().unwrap();
    let theirs = another(&ours);
    let lock = ours.lock(Some("door")).unwrap();
    let same = theirs.lock(Some("door")).unwrap();
    assert!(lock.acquire(&mut Turn::new(&*ours), now()).is_some());
    assert!(same.acquire(&mut Turn::new(&*theirs), now()).is_none());
    assert_eq!(same.holding().unwrap().party, ours.me());
    lock.release(&*ours).unwrap();
    assert!(same.try_acquire(&*theirs).is_some());
    assert_eq!((same.name().as_deref(), same.kind()), (Some("door"), Kind::Lock));
}

#[test]
fn a_name_stands_for_one_kind() {
    let hall = Hall::create().unwrap();
    let _lock = hall.lock(Some("door")).unwrap();
    let error = hall.event(Some("door")).unwrap_err();
    assert_eq!(error.to_string(), "`door` is a lock, and cannot be opened as an event");
    assert!(hall.event(Some("another door")).is_ok());
    assert!(matches!(hall.event(Some("")), Err(HallError::Name(_))));
    assert!(matches!(hall.event(Some(&"x".repeat(49))), Err(HallError::Name(_))));
    assert!(hall.event(Some(&"x".repeat(48))).is_ok());
}

#[test]
fn what_has_a_name_stays_and_what_has_none_ends_with_its_last_opening() {
    let ours = Hall::create().unwrap();
    let theirs = another(&ours);
    ours.value(Some("count"), Kind::Value, 3).unwrap().add(4);
    assert_eq!(theirs.value(Some("count"), Kind::Value, 0).unwrap().load(), 7);
    let event = ours.event(None).unwrap();
    let handle = Handle::from_numbers(event.handle().numbers());
    let same: Object<crate::Event> = theirs.open(handle).unwrap();
    event.set(&*ours);
    drop(event);
    assert!(same.is_set());
    drop(same.clone());
    drop(theirs.open::<crate::Event>(handle).unwrap());
    drop(same);
    assert!(matches!(theirs.open::<crate::Event>(handle), Err(HallError::Gone(Kind::Event))));
    assert!(!ours.event(None).unwrap().is_set(), "its place serves again, and is fresh");
}

#[test]
fn a_handle_opens_only_what_it_is_of() {
    let hall = Hall::create().unwrap();
    let lock = hall.lock(None).unwrap();
    assert!(matches!(hall.open::<crate::Event>(lock.handle()), Err(HallError::Gone(_))));
    let (number, state) = lock.handle().numbers();
    assert!(hall.open::<Lock>(Handle::from_numbers((number + 1, state))).is_err());
    assert!(hall.open::<Lock>(Handle::from_numbers((u32::MAX, state))).is_err());
    assert!(hall.open::<Lock>(Handle::from_numbers((number, 0))).is_err());
}

#[test]
fn a_process_has_each_hall_once_and_leaves_it_with_the_last_value() {
    let hall = Hall::create().unwrap();
    let ticket = Ticket::from_numbers(hall.ticket().numbers());
    assert!(Arc::ptr_eq(&hall, &Hall::open_by(&ticket).unwrap()));
    let theirs = another(&hall);
    let (lock, party) = (theirs.lock(Some("door")).unwrap(), theirs.me());
    lock.try_acquire(&*theirs).unwrap();
    drop((lock, theirs));
    assert!(hall.is_gone(party));
    let passed_on = hall.lock(Some("door")).unwrap().try_acquire(&*hall).unwrap();
    assert!(passed_on.abandoned);
    drop(hall);
    let error = Hall::open_by(&ticket).unwrap_err();
    assert!(matches!(error, HallError::Closed { .. }), "{error}");
}

#[test]
fn permits_of_a_party_that_left_come_back() {
    let hall = Hall::create().unwrap();
    let theirs = another(&hall);
    let places = hall.semaphore(Some("places"), 3, true).unwrap();
    let same = theirs.semaphore(Some("places"), 9, true).unwrap();
    assert!(places.try_acquire(&*hall) && same.try_acquire(&*theirs) && same.try_acquire(&*theirs));
    drop((same, theirs));
    assert_eq!(places.value(), 2);
}

#[test]
fn there_are_as_many_objects_as_are_asked_for() {
    let hall = Hall::create().unwrap();
    let events: Vec<_> = (0..1000).map(|_| hall.event(None).unwrap()).collect();
    let numbers: std::collections::HashSet<_> = events.iter().map(Object::handle).collect();
    assert_eq!(numbers.len(), 1000);
    drop(events);
    assert_eq!(hall.live().count(), 0);
    let used = hall.header().objects.load(Relaxed);
    let again: Vec<_> = (0..1000).map(|_| hall.event(None).unwrap()).collect();
    assert_eq!((hall.live().count(), hall.header().objects.load(Relaxed)), (again.len(), used));
}

#[test]
fn numbers_of_parties_serve_again_and_run_out() {
    let hall = Hall::create().unwrap();
    for _ in 0..2 * MOST_PARTIES {
        drop(another(&hall));
    }
    let others: Vec<_> = (2..MOST_PARTIES).map(|_| another(&hall)).collect();
    let fd = hall.segment.fd().unwrap().try_clone().unwrap();
    let error = Hall::enter(Segment::open(fd).unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "there can be at most 254 processes that share");
    drop(others);
    another(&hall);
}

/// The records of waiters come in rows; more than one row is needed here.
#[test]
fn many_threads_wait_at_once() {
    let hall = Hall::create().unwrap();
    let event = hall.event(None).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..100 {
            scope.spawn(|| assert!(event.wait(&mut Turn::new(&*hall), None)));
        }
        while event.monitor().enter(&*hall).line().count() < 100 {
            std::thread::yield_now();
        }
        event.set(&*hall);
    });
    assert_eq!(hall.waiters(), 128);
}

#[test]
fn a_hall_tells_who_waits_for_what() {
    let hall = Hall::create().unwrap();
    let theirs = another(&hall);
    let lock = hall.lock(Some("door")).unwrap();
    lock.try_acquire(&*hall).unwrap();
    let same = theirs.lock(Some("door")).unwrap();
    let mut turn = Turn::new(&*theirs);
    turn.label(42, "main.rs:7");
    assert!(same.acquire(&mut turn, Some(Instant::now() + std::time::Duration::from_millis(1))).is_none());
    let waiting = || (1..=hall.waiters()).filter_map(|number| hall.waiter(number).seen()).collect::<Vec<_>>();
    let all = waiting();
    let [seen] = &all[..] else { panic!("one waits: {all:?}") };
    assert_eq!((seen.party, seen.task, &*seen.label), (theirs.me(), 42, "main.rs:7"));
    assert_eq!(seen.object, hall.name_of(lock.monitor()));
    assert_eq!(hall.catalogue(), [(lock.handle(), Kind::Lock, Some("door".into()))]);
    assert_eq!(hall.process(seen.party), Some(std::process::id()));
    drop(turn);
    assert_eq!(waiting(), []);
}

#[test]
fn a_machine_without_memory_is_told_and_what_is_there_can_be_used() {
    let hall = Hall::create().unwrap();
    let lock = hall.lock(Some("door")).unwrap();
    let poor = Hall::enter(crate::shm::segment::tests::deprived(&hall.segment)).unwrap();
    let same = poor.lock(Some("door")).unwrap();
    assert!(same.try_acquire(&*poor).is_some());
    assert!(matches!(poor.semaphore(None, 1, true), Err(HallError::Full(_))));
    assert_eq!(hall.catalogue().len(), 1, "what could not be made is not there");
    let events: Vec<_> = std::iter::from_fn(|| poor.event(None).ok()).collect();
    assert_eq!(events.len(), OBJECTS.row as usize - 1, "as many as one row has");
    drop((lock, events));
    assert!(poor.event(None).is_ok());
}

/// A party whose process has ended, as one that was killed has.
fn kill(party: Arc<Hall>) {
    let word = &party.header().parties[party.me() as usize];
    word.store(word.load(Relaxed) - (1 << 22), Relaxed);
    // It does not leave as one that lives.
    std::mem::forget(party);
}

/// Its number passes to another one day, and then nobody could tell that who is inside is no more.
#[test]
fn a_party_that_was_buried_is_inside_of_nothing() {
    let hall = Hall::create().unwrap();
    let header = hall.header();
    for monitor in [&header.desk, &header.mason, &header.grave] {
        let killed = another(&hall);
        std::mem::forget(monitor.enter(&*killed));
        kill(killed);
        hall.bury_the_dead();
        assert_eq!(monitor.holder(), 0);
    }
}

/// All are killed at once, and nobody sleeps in the hall who would notice.
#[test]
fn numbers_never_run_out_for_the_dead() {
    let hall = Hall::create().unwrap();
    let others: Vec<_> = (2..MOST_PARTIES).map(|_| another(&hall)).collect();
    others.into_iter().for_each(kill);
    let _last = another(&hall);
}
