//! Locks and semaphores of threads.

use super::{Measure, clock};
use anyplace_sync::ground::{Here, Turn};
use anyplace_sync::{Lock, Semaphore};
use std::hint::black_box;
use std::sync::Barrier;
use std::time::Duration;

/// What one thread at a time may have.
trait Exclusive: Sync {
    /// One that is free.
    fn new() -> Self;
    /// Takes it and gives it back.
    fn pair(&self);
}

pub(super) const MEASURES: &[Measure] = &[
    Measure {
        case: "Lock acquire + release",
        unit: "ns",
        contenders: &[
            ("anyplace", alone::<Lock>),
            ("std::sync::Mutex", alone::<std::sync::Mutex<()>>),
            ("parking_lot", alone::<parking_lot::Mutex<()>>),
        ],
    },
    Measure {
        case: "Lock contended by 2",
        unit: "ns",
        contenders: &[
            ("anyplace", contended::<Lock>),
            ("std::sync::Mutex", contended::<std::sync::Mutex<()>>),
            ("parking_lot", contended::<parking_lot::Mutex<()>>),
        ],
    },
    Measure {
        case: "Lock of a place acquire + release",
        unit: "ns",
        contenders: &[("anyplace", of_a_place)],
    },
    Measure {
        case: "Semaphore acquire + release",
        unit: "ns",
        contenders: &[("anyplace", alone::<Semaphore>)],
    },
];

/// The nanoseconds of a pair where nobody else wants it.
fn alone<E: Exclusive>(time: Duration) -> f64 {
    let exclusive = E::new();
    clock::each(time, |count| (0..count).for_each(|_| black_box(&exclusive).pair())) * 1e9
}

/// The nanoseconds of a pair through the handle that travels.
fn of_a_place(time: Duration) -> f64 {
    let place = anyplace::open("inline:").expect("it needs nothing");
    let lock = place.lock("door").expect("every place of this process has locks");
    clock::each(time, |count| {
        (0..count).for_each(|_| drop(black_box(&lock).acquire().expect("the place is open")));
    }) * 1e9
}

/// The nanoseconds of a pair where two threads want it all the time.
fn contended<E: Exclusive>(time: Duration) -> f64 {
    let exclusive = E::new();
    let each = clock::each(time, |count| {
        let both = Barrier::new(2);
        let work = || {
            both.wait();
            (0..count).for_each(|_| black_box(&exclusive).pair());
        };
        std::thread::scope(|scope| {
            scope.spawn(work);
            work();
        });
    });
    each / 2.0 * 1e9
}

impl Exclusive for Lock {
    fn new() -> Self {
        Self::new()
    }

    fn pair(&self) {
        self.acquire(&mut Turn::new(&Here), None).expect("it is waited for without end");
        self.release(&Here).expect("it is ours");
    }
}

impl Exclusive for Semaphore {
    fn new() -> Self {
        Self::new(1, false)
    }

    fn pair(&self) {
        assert!(self.acquire(&mut Turn::new(&Here), None));
        self.release(&Here, 1).expect("it is not bounded");
    }
}

impl Exclusive for std::sync::Mutex<()> {
    fn new() -> Self {
        Self::new(())
    }

    fn pair(&self) {
        drop(self.lock().expect("nobody panics"));
    }
}

impl Exclusive for parking_lot::Mutex<()> {
    fn new() -> Self {
        Self::new(())
    }

    fn pair(&self) {
        drop(self.lock());
    }
}
