//! What sharing between processes costs: `cargo run --release -p anyplace-sync --example hall_speed`.

#[cfg(target_os = "linux")]
fn main() {
    speed::all();
}

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "forks, to have a second process")]
#[allow(clippy::print_stdout, reason = "it is a program")]
mod speed {
    use anyplace_sync::ground::Turn;
    use anyplace_sync::shm::hall::{Hall, Order, Queue};
    use std::time::Instant;

    pub(super) fn all() {
        let hall = Hall::create().expect("a hall");
        let lock = hall.lock(None).expect("a lock");
        each("lock and release", 2_000_000, || {
            lock.acquire(&mut Turn::new(&*hall), None);
            lock.release(&*hall).expect("it is held");
        });
        let queue = hall.queue(None, Order::Fifo, 0).expect("a queue");
        each("put and get, one process", 1_000_000, || {
            put(&queue, b"12345678");
            get(&queue);
        });
        let dict = hall.dict(None).expect("a dict");
        for number in 0..10_000_u64 {
            dict.set(&number.to_le_bytes(), &[7; 20]).expect("memory");
        }
        let mut number = 0_u64;
        each("dict get, 10000 keys", 2_000_000, || {
            number = number.wrapping_mul(7).wrapping_add(3) % 10_000;
            dict.get(&number.to_le_bytes()).expect("it is there");
        });
        each("dict set", 1_000_000, || {
            number = number.wrapping_mul(7).wrapping_add(3) % 10_000;
            dict.set(&number.to_le_bytes(), &[8; 20]).expect("memory");
        });
        let one_way = |name, len: usize, count: u64| {
            let bytes = vec![7; len];
            let queue = hall.queue(None, Order::Fifo, 1000).expect("a queue");
            let seconds = beside(
                || (0..count).for_each(|_| put(&queue, &bytes)),
                || {
                    (0..count).for_each(|_| drop(get(&queue)));
                },
            );
            let rate = count as f64 / seconds;
            println!("{name}: {:.2} M/s, {:.2} GB/s", rate / 1e6, rate * len as f64 / 1e9);
        };
        one_way("8 bytes, one producer, one consumer", 8, 2_000_000);
        one_way("200 bytes", 200, 1_000_000);
        one_way("4 KiB", 4096, 300_000);
        one_way("1 MiB, written once", 1 << 20, 5000);
        let there = hall.queue(None, Order::Fifo, 0).expect("a queue");
        let back = hall.queue(None, Order::Fifo, 0).expect("a queue");
        let turns = 200_000;
        let seconds = beside(
            || (0..turns).for_each(|_| put(&back, &get(&there))),
            || {
                for _ in 0..turns {
                    put(&there, b"ping");
                    get(&back);
                }
            },
        );
        println!("round trip: {:.2} us", seconds / f64::from(turns) * 1e6);
    }

    fn put(queue: &Queue, bytes: &[u8]) {
        let mut message = queue.message(bytes).expect("memory");
        let hall = queue.object().hall();
        queue.put(&mut Turn::new(&**hall), &mut message, 0, None).expect("no deadline").expect("memory");
    }

    fn get(queue: &Queue) -> anyplace_sync::shm::hall::Received {
        queue
            .get(&mut Turn::new(&**queue.object().hall()), None)
            .expect("no deadline")
            .expect("it is not shut")
    }

    fn each(name: &str, count: u32, mut what: impl FnMut()) {
        let start = Instant::now();
        (0..count).for_each(|_| what());
        println!("{name}: {:.1} ns", start.elapsed().as_secs_f64() / f64::from(count) * 1e9);
    }

    /// Runs `theirs` in another process and `ours` in this one; how many seconds it took.
    fn beside(theirs: impl FnOnce(), ours: impl FnOnce()) -> f64 {
        let start = Instant::now();
        // SAFETY: this program has one thread, and the child leaves without running what belongs to its parent.
        match unsafe { libc::fork() } {
            0 => {
                theirs();
                // SAFETY: ends the child.
                unsafe { libc::_exit(0) }
            }
            child => {
                ours();
                let seconds = start.elapsed().as_secs_f64();
                // SAFETY: waits for the child that was just made.
                unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
                seconds
            }
        }
    }
}
