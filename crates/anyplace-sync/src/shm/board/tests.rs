//! What holds at a board of this process, whose workers are threads or are moved by hand.

use super::{Body, Calls, Host, Job, Reply, Seat, Size, Stage, table};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

const SMALL: Size = Size { workers: 2, slots: 4 };

fn quiet<T>(size: Size) -> (Host<T>, Vec<Seat>) {
    table(size, || {})
}

/// A board whose bell counts how often it is rung.
fn with_a_bell() -> (Host<u64>, Vec<Seat>, Arc<AtomicUsize>) {
    let rings = Arc::new(AtomicUsize::new(0));
    let bell = rings.clone();
    let (host, seats) = table(SMALL, move || {
        bell.fetch_add(1, SeqCst);
    });
    (host, seats, rings)
}

/// How often it was rung since the host last looked.
fn rang(host: &Host<u64>, rings: &AtomicUsize) -> usize {
    host.hush();
    rings.swap(0, SeqCst)
}

fn number(body: Body<'_>) -> u64 {
    let Body::Inline(bytes) = body else { panic!("a number fits into a slot") };
    value(bytes)
}

fn value(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().unwrap())
}

fn answer(seat: &Seat, job: &Job) {
    let doubled = (number(job.message()) * 2).to_le_bytes();
    seat.finish(job, &doubled, None, false);
}

fn post(host: &Host<u64>, task: u64) -> super::Ticket {
    host.post(Body::Inline(&task.to_le_bytes()), Calls::default(), task).unwrap()
}

fn post_four(host: &Host<u64>) {
    (0..4).for_each(|task| {
        post(host, task);
    });
}

fn collect(host: &Host<u64>) -> Vec<(u64, u64)> {
    let mut found = Vec::new();
    host.collect(&mut found);
    found.iter().map(read).collect()
}

fn read((task, reply): &(u64, Reply)) -> (u64, u64) {
    (*task, value(reply.inline()))
}

#[test]
fn tasks_begin_and_end_in_order_and_their_slots_are_used_again() {
    let (host, seats) = quiet(SMALL);
    for round in 0..100 {
        let tickets: Vec<_> = (0..4).map(|task| post(&host, round * 4 + task)).collect();
        assert_eq!(host.post(Body::Inline(&[]), Calls::default(), 0), Err(0), "there are four slots");
        assert_eq!(host.stage(tickets[0]), Stage::Waiting);
        for _ in 0..4 {
            answer(&seats[0], &seats[0].next().unwrap());
        }
        assert!(tickets.iter().all(|ticket| host.stage(*ticket) == Stage::Over));
        let expected: Vec<_> = (round * 4..round * 4 + 4).map(|task| (task, task * 2)).collect();
        assert_eq!(collect(&host), expected);
    }
}

#[test]
fn a_task_that_is_taken_back_never_begins_and_one_that_runs_stays() {
    let (host, seats) = quiet(SMALL);
    let (first, second) = (post(&host, 1), post(&host, 2));
    let job = seats[0].next().unwrap();
    assert_eq!(host.stage(first), Stage::Running(0));
    assert_eq!((host.take_back(first), host.take_back(second)), (None, Some(2)));
    assert_eq!(host.take_back(second), None);
    assert!(seats[1].next().is_none());
    answer(&seats[0], &job);
    assert_eq!(collect(&host), [(1, 2)]);
    post_four(&host);
}

#[test]
fn who_has_a_ticket_finds_the_reply_whether_or_not_others_collect() {
    let (host, seats) = quiet(SMALL);
    let ticket = post(&host, 7);
    assert!(host.collect_one(ticket).is_none());
    answer(&seats[0], &seats[0].next().unwrap());
    assert_eq!(host.collect_one(ticket).as_ref().map(read), Some((7, 14)));
    assert!(host.collect_one(ticket).is_none());
    assert_eq!(collect(&host), []);
    post_four(&host);
}

#[test]
fn a_dead_worker_costs_only_the_task_that_it_ran() {
    let (host, seats) = quiet(SMALL);
    post_four(&host);
    answer(&seats[1], &seats[1].next().unwrap());
    let guilty = seats[1].next().unwrap();
    seats[1].item(&guilty, 5);
    seats[1].written(&guilty, 9, 100);
    let buried = host.bury(1);
    assert_eq!(buried.finished.iter().map(read).collect::<Vec<_>>(), [(0, 0)]);
    let (task, partial) = buried.running.unwrap();
    assert_eq!((task, partial.item, partial.written, partial.condemned), (1, 5, Some((9, 100)), false));
    for _ in 0..2 {
        answer(&seats[0], &seats[0].next().unwrap());
    }
    assert_eq!(collect(&host), [(2, 4), (3, 6)]);
}

/// The worker dies between the two steps of taking a task: it has the hint, and has not claimed the slot.
#[test]
fn a_task_whose_hint_died_is_in_the_queue_again() {
    let (host, seats) = quiet(SMALL);
    post(&host, 3);
    let taken_back = post(&host, 4);
    host.take_back(taken_back);
    host.board.header().head.0.fetch_add(2, SeqCst);
    assert!(seats[0].next().is_none());
    assert!(host.bury(1).running.is_none());
    answer(&seats[0], &seats[0].next().unwrap());
    assert_eq!(collect(&host), [(3, 6)]);
    post_four(&host);
}

/// The worker dies after it has marked its task as done and before it has put it on the stack.
#[test]
fn a_reply_that_is_on_no_stack_is_found_when_its_worker_is_buried() {
    let (host, seats) = quiet(SMALL);
    let (read_before, unread) = (post(&host, 1), post(&host, 2));
    for _ in 0..2 {
        answer(&seats[1], &seats[1].next().unwrap());
    }
    host.board.header().finished.0.store(0, SeqCst);
    assert_eq!(host.collect_one(read_before).as_ref().map(read), Some((1, 2)));
    assert_eq!(host.stage(unread), Stage::Over);
    assert_eq!(host.bury(1).finished.iter().map(read).collect::<Vec<_>>(), [(2, 4)]);
    post_four(&host);
}

#[test]
fn a_condemned_task_does_not_end_by_itself() {
    let (host, seats) = quiet(SMALL);
    let ticket = post(&host, 1);
    assert_eq!(host.condemn(ticket), None, "it does not run");
    let _job = seats[1].next().unwrap();
    assert_eq!(host.condemn(ticket), Some(1));
    assert!(host.bury(1).running.unwrap().1.condemned);
    assert_eq!(host.condemn(ticket), None);
}

#[test]
fn replies_in_blocks_are_counted_until_they_are_read() {
    let (host, seats) = quiet(SMALL);
    post(&host, 1);
    let job = seats[0].next().unwrap();
    seats[0].finish(&job, &[], Some((3, 1 << 20)), false);
    let mut found = Vec::new();
    host.collect(&mut found);
    assert_eq!((found[0].1.inline(), found[0].1.block()), (&[][..], Some((3, 1 << 20))));
    assert!(host.is_reading(0) && !host.is_reading(1));
    found.clear();
    assert!(!host.is_reading(0));
}

#[test]
fn the_bell_rings_for_what_is_watched_announced_or_runs_low() {
    let (host, seats, rings) = with_a_bell();
    let rang = || rang(&host, &rings);
    let plain = post(&host, 1);
    answer(&seats[0], &seats[0].next().unwrap());
    assert!(!host.watch(plain) && rang() == 0);
    assert!(host.watch(post(&host, 2)));
    answer(&seats[0], &seats[0].next().unwrap());
    assert_eq!(rang(), 1);
    let announced = Calls { at_start: true, at_end: false };
    host.post(Body::Inline(&3u64.to_le_bytes()), announced, 3).unwrap();
    let announced = seats[0].next().unwrap();
    assert_eq!(rang(), 1);
    host.ring_below(1);
    answer(&seats[0], &announced);
    assert_eq!(rang(), 1);
}

/// A worker that pops what was taken back makes room for what the host could not post.
#[test]
fn the_bell_rings_when_what_was_taken_back_has_made_room() {
    let rings = Arc::new(AtomicUsize::new(0));
    let bell = rings.clone();
    let (host, seats) = table(SMALL, move || {
        bell.fetch_add(1, SeqCst);
    });
    let tickets: Vec<_> = (0..4).map(|task| post(&host, task)).collect();
    tickets.into_iter().skip(1).for_each(|ticket| assert!(host.take_back(ticket).is_some()));
    assert_eq!(host.post(Body::Inline(&[]), Calls::default(), 9), Err(9), "the first of the queue waits");
    host.ring_below(2);
    let job = seats[0].next().unwrap();
    answer(&seats[0], &job);
    assert_eq!(rings.load(SeqCst), 0, "three hints are left");
    assert!(seats[0].next().is_none());
    assert_eq!(rings.load(SeqCst), 1);
    assert!(host.has_run_low());
    assert_eq!(collect(&host), [(0, 0)]);
    post_four(&host);
}

#[test]
fn slots_that_were_taken_back_are_used_again_though_there_is_no_worker() {
    let (host, seats) = quiet(SMALL);
    for _ in 0..100 {
        let tickets: Vec<_> = (0..4).map(|task| post(&host, task)).collect();
        tickets.into_iter().for_each(|ticket| assert!(host.take_back(ticket).is_some()));
    }
    let last = post(&host, 5);
    answer(&seats[0], &seats[0].next().unwrap());
    assert_eq!(host.collect_one(last).as_ref().map(read), Some((5, 10)));
}

/// The host may have counted on a worker that was about to take another task.
#[test]
fn the_bell_rings_when_a_task_waits_and_no_worker_is_free() {
    let (host, seats, rings) = with_a_bell();
    let rang = || rang(&host, &rings);
    host.ring_for_more(true);
    post_four(&host);
    assert!(seats[0].next().is_some());
    assert_eq!(rang(), 1);
    host.ring_for_more(false);
    assert!(seats[0].next().is_some());
    assert_eq!(rang(), 0);
    host.ring_for_more(true);
    host.board.header().seeking.0.set(1);
    assert!(seats[0].next().is_some());
    assert_eq!(rang(), 0, "another is about to take it");
}

/// Threads submit and wait at once, more than there are slots; nothing is lost, nothing comes twice.
#[test]
fn many_callers_and_workers_find_their_own_replies() {
    let (host, seats) = table::<u64>(Size { workers: 4, slots: 8 }, || {});
    std::thread::scope(|scope| {
        for seat in seats {
            scope.spawn(move || serve(&seat));
        }
        let callers: Vec<_> = (0..4)
            .map(|caller| {
                scope.spawn({
                    let host = &host;
                    move || (0..2000).map(|task| call(host, caller * 10_000 + task)).sum::<usize>()
                })
            })
            .collect();
        let others: usize = callers.into_iter().map(|caller| caller.join().unwrap()).sum();
        host.stop();
        // Each reply was found by its caller or by another who collected it.
        assert_eq!(others, 8000);
    });
}

fn serve(seat: &Seat) {
    loop {
        match seat.next() {
            Some(job) => answer(seat, &job),
            None if seat.is_stopped() => return seat.leave(),
            None => seat.wait(),
        }
    }
}

/// Posts a task, waits for it, and gives how many replies this caller has found.
fn call(host: &Host<u64>, task: u64) -> usize {
    let (mut found, mut checked) = (Vec::new(), 0);
    let mut check = |found: &mut Vec<(u64, Reply)>| {
        found.drain(..).for_each(|found| {
            assert_eq!(found.0 * 2, value(found.1.inline()));
            checked += 1;
        });
    };
    let ticket = loop {
        match host.post(Body::Inline(&task.to_le_bytes()), Calls::default(), task) {
            Ok(ticket) => break ticket,
            Err(_) => host.wait_any(Some(Instant::now() + Duration::from_secs(10)), || false),
        }
        host.collect(&mut found);
        check(&mut found);
    };
    assert!(host.wait(ticket, Some(Instant::now() + Duration::from_secs(60))));
    found.extend(host.collect_one(ticket));
    check(&mut found);
    checked
}

#[test]
fn a_deadline_ends_a_wait() {
    let (host, _seats) = quiet(SMALL);
    let ticket = post(&host, 1);
    assert!(!host.wait(ticket, Some(Instant::now() + Duration::from_millis(2))));
}
