//! The queue between real threads, in all its orders.
#![cfg(not(loom))]

use anyplace_sync::queue::{DoneTooOften, NotPut, NotTaken, Queue};
use proptest::prelude::*;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread::scope;
use std::time::{Duration, Instant};

const PRODUCERS: usize = 8;
const EACH: usize = 5_000;

/// Every kind: an array, a list, and those behind a lock.
fn kinds() -> Vec<Queue<usize>> {
    let rooms = [Some(1), Some(3), Some(100), Some(1 << 20), None];
    let each = |room| [Queue::fifo(room), Queue::lifo(room), Queue::priority(room)];
    rooms.into_iter().flat_map(each).collect()
}

fn passed() -> Option<Instant> {
    Some(Instant::now())
}

#[test]
fn eight_producers_and_eight_consumers_lose_nothing() {
    for queue in kinds() {
        let sum = AtomicUsize::new(0);
        scope(|consumers| {
            for _ in 0..PRODUCERS {
                consumers.spawn(|| sum.fetch_add(queue.iter().sum(), SeqCst));
            }
            scope(|scope| {
                for producer in 0..PRODUCERS {
                    let own = producer * EACH..(producer + 1) * EACH;
                    let queue = &queue;
                    scope.spawn(move || own.for_each(|item| queue.put(item, None).unwrap()));
                }
            });
            queue.shut_down(false);
        });
        let all = PRODUCERS * EACH;
        assert_eq!(sum.into_inner(), all * (all - 1) / 2);
        assert_eq!((queue.len(), queue.unfinished()), (0, all as u64));
    }
}

#[test]
fn items_of_one_producer_come_in_its_order() {
    for room in [Some(2), None] {
        let queue = Queue::fifo(room);
        scope(|scope| {
            for producer in 0..PRODUCERS {
                let queue = &queue;
                scope.spawn(move || (0..EACH).for_each(|item| queue.put((producer, item), None).unwrap()));
            }
            let mut next = [0; PRODUCERS];
            for (producer, item) in queue.iter().take(PRODUCERS * EACH) {
                assert_eq!(item, next[producer]);
                next[producer] += 1;
            }
        });
    }
}

#[test]
fn equal_items_come_in_the_order_in_which_they_were_put() {
    let queue = Queue::sorted(None, |one: &(u8, u8), other| one.0.cmp(&other.0));
    queue.put_many([(2, 1), (1, 1), (2, 2), (1, 2), (1, 3), (2, 3)], None).unwrap();
    queue.shut_down(false);
    assert_eq!(queue.iter().collect::<Vec<_>>(), [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3)]);
}

#[test]
fn a_deadline_ends_every_wait() {
    let queue = Queue::fifo(Some(1));
    let begin = Instant::now();
    let soon = || Some(Instant::now() + Duration::from_millis(2));
    assert_eq!(queue.get(soon()), Err(NotTaken::Empty));
    queue.put(1, None).unwrap();
    assert_eq!(queue.put(2, soon()), Err(NotPut::Full(2)));
    assert_eq!(queue.put_many([3, 4], soon()), Err(NotPut::Full(vec![3, 4])));
    assert!(!queue.join(soon()));
    assert!(begin.elapsed() >= Duration::from_millis(8));
}

#[test]
fn a_deadline_that_has_passed_does_not_keep_from_what_is_there() {
    let queue = Queue::fifo(Some(1));
    queue.put(1, passed()).unwrap();
    assert_eq!(queue.get(passed()), Ok(1));
    assert!(!queue.join(passed()));
    queue.task_done().unwrap();
    assert!(queue.join(passed()));
}

#[test]
fn a_batch_waits_for_its_first_item_only() {
    let queue = Queue::fifo(None);
    scope(|scope| {
        let waiting = scope.spawn(|| queue.get_many(5, None));
        queue.put(1, None).unwrap();
        assert_eq!(waiting.join().unwrap(), Ok(vec![1]));
    });
    queue.put_many(2..=6, None).unwrap();
    assert_eq!(queue.get_many(3, None), Ok(vec![2, 3, 4]));
    assert_eq!(queue.get_many(0, None), Ok(vec![]));
    assert_eq!(queue.get_many(3, None), Ok(vec![5, 6]));
    assert_eq!(queue.get_many(3, passed()), Err(NotTaken::Empty));
}

#[test]
fn a_shut_down_wakes_all_who_wait() {
    for room in [Some(1), None] {
        let (empty, full) = (Queue::<usize>::fifo(room), Queue::fifo(Some(1)));
        full.put(0, None).unwrap();
        scope(|scope| {
            let takers: Vec<_> = (0..4).map(|_| scope.spawn(|| empty.get(None))).collect();
            let putters: Vec<_> = (1..5)
                .map(|item| {
                    (
                        item,
                        scope.spawn({
                            let full = &full;
                            move || full.put(item, None)
                        }),
                    )
                })
                .collect();
            empty.shut_down(false);
            full.shut_down(false);
            takers.into_iter().for_each(|taker| assert_eq!(taker.join().unwrap(), Err(NotTaken::ShutDown)));
            for (item, putter) in putters {
                assert_eq!(putter.join().unwrap(), Err(NotPut::ShutDown(item)));
            }
        });
        assert_eq!((full.get(None), full.get(None)), (Ok(0), Err(NotTaken::ShutDown)));
    }
}

#[test]
fn what_is_discarded_counts_as_done() {
    for queue in kinds() {
        queue.put(1, None).unwrap();
        queue.shut_down(true);
        assert!(queue.join(None) && queue.is_shut_down());
        assert_eq!((queue.len(), queue.try_get()), (0, Err(NotTaken::ShutDown)));
    }
}

#[test]
fn more_cannot_be_done_than_was_put() {
    let queue = Queue::fifo(None);
    assert_eq!(queue.task_done(), Err(DoneTooOften));
    queue.put((), None).unwrap();
    assert_eq!((queue.task_done(), queue.task_done()), (Ok(()), Err(DoneTooOften)));
}

/// An item that panics when it is compared, in a program that goes on.
#[test]
fn a_panic_of_a_comparison_leaves_the_queue_to_others() {
    let queue = Queue::sorted(None, |one: &u8, other| {
        assert!(*one < 9 && *other < 9, "it does not compare");
        one.cmp(other)
    });
    queue.put(1, None).unwrap();
    scope(|scope| assert!(scope.spawn(|| queue.put(9, None)).join().is_err()));
    assert_eq!((queue.len(), queue.unfinished()), (2, 2));
    queue.shut_down(true);
    assert!(queue.join(None));
}

#[derive(Debug, Clone)]
enum Step {
    Put(u8),
    Get,
    Done,
    Batch(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => any::<u8>().prop_map(Step::Put),
        3 => Just(Step::Get),
        1 => Just(Step::Done),
        1 => (0usize..4).prop_map(Step::Batch),
    ];
    prop::collection::vec(step, 0..60)
}

/// What a queue of each order does, as plainly as can be said.
struct Model {
    items: VecDeque<u8>,
    room: Option<usize>,
    unfinished: u64,
    next: fn(&VecDeque<u8>) -> usize,
}

impl Model {
    fn put(&mut self, item: u8) -> Result<(), NotPut<u8>> {
        if Some(self.items.len()) == self.room {
            return Err(NotPut::Full(item));
        }
        self.items.push_back(item);
        self.unfinished += 1;
        Ok(())
    }

    fn get(&mut self) -> Result<u8, NotTaken> {
        let next = (self.next)(&self.items);
        self.items.remove(next).ok_or(NotTaken::Empty)
    }

    fn done(&mut self) -> Result<(), DoneTooOften> {
        self.unfinished = self.unfinished.checked_sub(1).ok_or(DoneTooOften)?;
        Ok(())
    }

    fn batch(&mut self, most: usize) -> Result<Vec<u8>, NotTaken> {
        if most > 0 && self.items.is_empty() {
            return Err(NotTaken::Empty);
        }
        Ok((0..most).map_while(|_| self.get().ok()).collect())
    }
}

fn first(_: &VecDeque<u8>) -> usize {
    0
}

fn last(items: &VecDeque<u8>) -> usize {
    items.len().saturating_sub(1)
}

fn smallest(items: &VecDeque<u8>) -> usize {
    (0..items.len()).min_by_key(|&index| items[index]).unwrap_or(0)
}

proptest! {
    #[test]
    fn alone_it_does_what_its_model_does(steps in steps(), room in prop::option::of(1usize..6)) {
        let orders = [
            (Queue::fifo(room), first as fn(&_) -> _),
            (Queue::lifo(room), last),
            (Queue::priority(room), smallest),
        ];
        for (queue, next) in orders {
            let mut model = Model { items: VecDeque::new(), room, unfinished: 0, next };
            for step in &steps {
                match *step {
                    Step::Put(item) => prop_assert_eq!(queue.try_put(item), model.put(item)),
                    Step::Get => prop_assert_eq!(queue.try_get(), model.get()),
                    Step::Done => prop_assert_eq!(queue.task_done(), model.done()),
                    Step::Batch(most) => prop_assert_eq!(queue.get_many(most, passed()), model.batch(most)),
                }
                prop_assert_eq!(queue.len(), model.items.len());
                prop_assert_eq!(queue.is_empty(), model.items.is_empty());
                prop_assert_eq!(queue.is_full(), Some(model.items.len()) == room);
                prop_assert_eq!(queue.unfinished(), model.unfinished);
            }
        }
    }
}
