//! Queues between threads.

use super::{Measure, clock};
use anyplace_sync::queue::Queue;
use std::time::Duration;

/// A queue of numbers that any number of threads use at once.
trait Channel: Sync {
    /// An empty one: of so many items at most, or without bounds.
    fn of(capacity: Option<usize>) -> Self;
    fn put(&self, number: u64);
    fn get(&self) -> u64;
}

pub(super) const MEASURES: &[Measure] = &[
    Measure {
        case: "bounded queue 1 to 1",
        unit: "items/s",
        contenders: &[
            ("anyplace", |time| passed::<Queue<u64>, 1>(ROOM, time)),
            ("crossbeam-channel", |time| passed::<Crossbeam, 1>(ROOM, time)),
            ("flume", |time| passed::<Flume, 1>(ROOM, time)),
        ],
    },
    Measure {
        case: "bounded queue 4 to 4",
        unit: "items/s",
        contenders: &[
            ("anyplace", |time| passed::<Queue<u64>, 4>(ROOM, time)),
            ("crossbeam-channel", |time| passed::<Crossbeam, 4>(ROOM, time)),
            ("flume", |time| passed::<Flume, 4>(ROOM, time)),
        ],
    },
    Measure {
        case: "unbounded queue 1 to 1",
        unit: "items/s",
        contenders: &[
            ("anyplace", |time| passed::<Queue<u64>, 1>(None, time)),
            ("crossbeam-channel", |time| passed::<Crossbeam, 1>(None, time)),
            ("flume", |time| passed::<Flume, 1>(None, time)),
        ],
    },
    Measure {
        case: "unbounded queue 4 to 4",
        unit: "items/s",
        contenders: &[
            ("anyplace", |time| passed::<Queue<u64>, 4>(None, time)),
            ("crossbeam-channel", |time| passed::<Crossbeam, 4>(None, time)),
            ("flume", |time| passed::<Flume, 4>(None, time)),
        ],
    },
    Measure {
        case: "queue there and back",
        unit: "us",
        contenders: &[
            ("anyplace", there_and_back::<Queue<u64>>),
            ("crossbeam-channel", there_and_back::<Crossbeam>),
            ("flume", there_and_back::<Flume>),
        ],
    },
];

/// What a bounded queue has room for.
const ROOM: Option<usize> = Some(1024);

/// How many items a second so many producers give to as many consumers.
fn passed<C: Channel, const SIDES: u64>(capacity: Option<usize>, time: Duration) -> f64 {
    let each = clock::each(time, |count| {
        let (channel, share) = (C::of(capacity), count.div_ceil(SIDES));
        let sum = std::thread::scope(|scope| {
            for _ in 0..SIDES {
                scope.spawn(|| (0..share).for_each(|number| channel.put(number)));
            }
            let consume = || (0..share).map(|_| channel.get()).sum::<u64>();
            let consumers: Vec<_> = (0..SIDES).map(|_| scope.spawn(consume)).collect();
            consumers.into_iter().map(|consumer| consumer.join().expect("it only adds")).sum::<u64>()
        });
        assert_eq!(sum, SIDES * (share * share.saturating_sub(1) / 2));
    });
    1.0 / each
}

/// The microseconds to another thread and back.
fn there_and_back<C: Channel>(time: Duration) -> f64 {
    let each = clock::each(time, |count| {
        let [there, back] = [(); 2].map(|()| C::of(Some(1)));
        std::thread::scope(|scope| {
            scope.spawn(|| (0..count).for_each(|_| back.put(there.get())));
            for number in 0..count {
                there.put(number);
                assert_eq!(back.get(), number);
            }
        });
    });
    each * 1e6
}

impl Channel for Queue<u64> {
    fn of(capacity: Option<usize>) -> Self {
        Self::fifo(capacity)
    }

    fn put(&self, number: u64) {
        Self::put(self, number, None).expect("nobody shuts it");
    }

    fn get(&self) -> u64 {
        Self::get(self, None).expect("nobody shuts it")
    }
}

struct Crossbeam(crossbeam_channel::Sender<u64>, crossbeam_channel::Receiver<u64>);

impl Channel for Crossbeam {
    fn of(capacity: Option<usize>) -> Self {
        let (sender, receiver) =
            capacity.map_or_else(crossbeam_channel::unbounded, crossbeam_channel::bounded);
        Self(sender, receiver)
    }

    fn put(&self, number: u64) {
        self.0.send(number).expect("we have the other end");
    }

    fn get(&self) -> u64 {
        self.1.recv().expect("we have the other end")
    }
}

struct Flume(flume::Sender<u64>, flume::Receiver<u64>);

impl Channel for Flume {
    fn of(capacity: Option<usize>) -> Self {
        let (sender, receiver) = capacity.map_or_else(flume::unbounded, flume::bounded);
        Self(sender, receiver)
    }

    fn put(&self, number: u64) {
        self.0.send(number).expect("we have the other end");
    }

    fn get(&self) -> u64 {
        self.1.recv().expect("we have the other end")
    }
}
