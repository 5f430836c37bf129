use super::super::tests::{another, worn};
use super::*;
use proptest::prelude::*;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

fn queue(order: Order, capacity: usize) -> Queue {
    worn().queue(None, order, capacity).unwrap()
}

fn turn(queue: &Queue) -> Turn<'_, Hall> {
    Turn::new(queue.object().hall())
}

fn now() -> Option<Instant> {
    Some(Instant::now())
}

fn put(queue: &Queue, bytes: &[u8], key: u64) -> Option<Result<(), PutError>> {
    queue.put(&mut turn(queue), &mut queue.message(bytes).unwrap(), key, now())
}

fn get(queue: &Queue) -> Option<Vec<u8>> {
    queue.get(&mut turn(queue), now()).map(|got| got.unwrap().to_vec())
}

/// What a queue is said to do.
#[derive(Debug)]
struct Model {
    order: Order,
    capacity: usize,
    line: VecDeque<Vec<u8>>,
    heap: BinaryHeap<Reverse<(u64, u64, Vec<u8>)>>,
    puts: u64,
}

impl Model {
    fn len(&self) -> usize {
        self.line.len() + self.heap.len()
    }

    fn put(&mut self, bytes: &[u8], key: u64) -> bool {
        if self.capacity > 0 && self.len() >= self.capacity {
            return false;
        }
        self.puts += 1;
        match self.order {
            Order::Priority => self.heap.push(Reverse((key, self.puts, bytes.to_vec()))),
            _ => self.line.push_back(bytes.to_vec()),
        }
        true
    }

    fn get(&mut self) -> Option<Vec<u8>> {
        match self.order {
            Order::Fifo => self.line.pop_front(),
            Order::Lifo => self.line.pop_back(),
            Order::Priority => self.heap.pop().map(|Reverse((_, _, bytes))| bytes),
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Put { len: usize, byte: u8, key: u64 },
    Get,
    GetMany(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let len = prop_oneof![4 => 0..100_usize, 2 => 0..1200_usize, 1 => 0..20_000_usize];
    let put = (len, any::<u8>(), 0..5_u64).prop_map(|(len, byte, key)| Step::Put { len, byte, key });
    let step = prop_oneof![5 => put, 3 => Just(Step::Get), 1 => (0..20_usize).prop_map(Step::GetMany)];
    prop::collection::vec(step, 0..400)
}

fn orders() -> impl Strategy<Value = Order> {
    prop_oneof![Just(Order::Fifo), Just(Order::Lifo), Just(Order::Priority)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]
    /// Two processes use it by turns, whatever the order, the length of messages and the limit.
    #[test]
    fn a_queue_gives_what_was_put_in_its_order(order in orders(), capacity in 0..50_usize, steps in steps()) {
        let ours = queue(order, capacity);
        let theirs = another(ours.object().hall()).open_queue(ours.object().handle()).unwrap();
        let mut model =
            Model { order, capacity, line: VecDeque::new(), heap: BinaryHeap::new(), puts: 0 };
        for (step, queue) in steps.into_iter().zip([&ours, &theirs].into_iter().cycle()) {
            match step {
                Step::Put { len, byte, key } => {
                    let bytes = vec![byte; len];
                    prop_assert_eq!(put(queue, &bytes, key).is_some(), model.put(&bytes, key));
                }
                Step::Get => prop_assert_eq!(get(queue), model.get()),
                Step::GetMany(most) => {
                    let got = queue.get_many(&mut turn(queue), most, now()).map(Result::unwrap);
                    let expected: Vec<_> = (0..most).map_while(|_| model.get()).collect();
                    let got: Vec<_> = got.unwrap_or_default().iter().map(|message| message.to_vec()).collect();
                    prop_assert_eq!(got, expected);
                }
            }
            prop_assert_eq!(ours.len(), model.len());
            prop_assert_eq!(ours.unfinished() as u64, model.puts);
        }
    }
}

#[test]
fn a_queue_that_ends_leaves_no_memory() {
    let hall = Hall::create().unwrap();
    let _kept = hall.event(None).unwrap();
    let before = hall.memory().usage().blocks;
    for order in [Order::Fifo, Order::Lifo, Order::Priority] {
        let queue = hall.queue(None, order, 0).unwrap();
        for len in (0..300).map(|number| number * 17) {
            put(&queue, &vec![7; len], 0).unwrap().unwrap();
        }
        assert!(hall.memory().usage().blocks > before + 100);
        drop(queue);
        assert_eq!(hall.memory().usage().blocks, before);
    }
}

#[test]
fn a_long_message_is_read_where_it_was_written() {
    let queue = queue(Order::Fifo, 0);
    let mut block = queue.block(1 << 20).unwrap();
    block.fill(9);
    let number = block.number();
    queue.put(&mut turn(&queue), &mut block.into(), 0, None).unwrap().unwrap();
    let Received::Long(got) = queue.get(&mut turn(&queue), None).unwrap().unwrap() else {
        panic!("it is long")
    };
    assert_eq!((got.number(), got.len(), got[1 << 19]), (number, 1 << 20, 9));
}

#[test]
fn who_waits_is_woken() {
    let queue = queue(Order::Fifo, 2);
    const MESSAGES: u64 = 20_000;
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for number in 0..MESSAGES {
                    let bytes = number.to_le_bytes();
                    let mut message = queue.message(&bytes).unwrap();
                    queue.put(&mut turn(&queue), &mut message, 0, None).unwrap().unwrap();
                }
            });
        }
        let consume = || {
            let mut sum = 0;
            for _ in 0..MESSAGES {
                let got = queue.get(&mut turn(&queue), None).unwrap().unwrap();
                sum += u64::from_le_bytes((*got).try_into().unwrap());
                queue.task_done(1).unwrap();
            }
            sum
        };
        let others = scope.spawn(consume);
        let all = consume() + others.join().unwrap();
        assert_eq!(all, MESSAGES * (MESSAGES - 1));
    });
    assert!(queue.join(&mut turn(&queue), None));
    assert_eq!(queue.task_done(1), Err(DoneTooOften));
}

#[test]
fn many_are_put_and_got_at_once() {
    let queue = queue(Order::Fifo, 3);
    let words = [b"one", b"two", b"six", b"ten"];
    let mut messages = words.map(|word| queue.message(word).unwrap());
    let mut keyed: Vec<_> = messages.iter_mut().map(|message| (0, message)).collect();
    let mut number = 0;
    let mut ours = turn(&queue);
    assert!(queue.put_many(&mut ours, &mut keyed, &mut number, now()).is_none());
    assert_eq!((number, queue.len()), (3, 3));
    assert_eq!(get(&queue).unwrap(), b"one");
    queue.put_many(&mut ours, &mut keyed, &mut number, None).unwrap().unwrap();
    assert_eq!(number, 4);
    assert_eq!(queue.get_many(&mut turn(&queue), 9, None).unwrap().unwrap().len(), 3);
    assert!(queue.is_empty());
}

#[test]
fn after_a_shutdown_what_is_left_can_be_got_and_nothing_put() {
    let gentle = queue(Order::Fifo, 0);
    put(&gentle, b"last", 0).unwrap().unwrap();
    gentle.shut_down(false);
    assert_eq!(put(&gentle, b"more", 0), Some(Err(PutError::ShutDown)));
    assert_eq!(get(&gentle).unwrap(), b"last");
    assert!(matches!(gentle.get(&mut turn(&gentle), None), Some(Err(ShutDown))));
    let harsh = queue(Order::Fifo, 1);
    put(&harsh, &[7; 5000], 0).unwrap().unwrap();
    std::thread::scope(|scope| {
        let full = scope.spawn(|| harsh.put(&mut turn(&harsh), &mut harsh.message(b"!").unwrap(), 0, None));
        let rest = scope.spawn(|| harsh.join(&mut turn(&harsh), None));
        harsh.shut_down(true);
        assert_eq!(full.join().unwrap(), Some(Err(PutError::ShutDown)));
        assert!(rest.join().unwrap(), "what is thrown away is done with");
    });
    assert!(harsh.is_empty() && harsh.is_shut());
}

/// A message is in the queue, or taken, at any moment that somebody looks: also on its way from one to the other.
#[test]
fn who_waits_for_rest_never_misses_a_message_on_its_way() {
    let hall = Hall::create().unwrap();
    let queue = hall.queue(None, Order::Fifo, 0).unwrap();
    let finished = AtomicU64::new(0);
    let over = Instant::now() + Duration::from_secs(1);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while queue.get(&mut Turn::new(&*hall), None).unwrap().is_ok() {
                finished.fetch_add(1, SeqCst);
                queue.task_done(1).unwrap();
            }
        });
        let rounds = (1..).take_while(|_| Instant::now() < over);
        let missed = rounds.filter(|&round: &u64| {
            queue.put(&mut Turn::new(&*hall), &mut queue.message(b"!").unwrap(), 0, None).unwrap().unwrap();
            while queue.unfinished() > 0 {}
            let was_missed = finished.load(SeqCst) < round;
            assert!(queue.join(&mut Turn::new(&*hall), None));
            was_missed
        });
        let missed = missed.count();
        queue.shut_down(false);
        assert_eq!(missed, 0);
    });
}
