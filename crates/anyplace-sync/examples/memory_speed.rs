//! What blocks of shared memory cost: `cargo run --release -p anyplace-sync --example memory_speed`

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
#[allow(clippy::print_stdout, reason = "an example shows what it found")]
mod linux {
    use anyplace_sync::shm::{Memory, Segment};
    use std::error::Error;
    use std::hint::black_box;
    use std::time::{Duration, Instant};

    const LARGE: usize = 100 << 20;

    type Result<T> = std::result::Result<T, Box<dyn Error>>;

    pub(super) fn main() -> Result<()> {
        let opening = Instant::now();
        let segment = Segment::create(64 * 1024, "memory_speed")?;
        let host = Memory::host(segment.clone(), 8)?;
        let worker = Memory::worker(Segment::open(segment.fd()?.try_clone()?)?, 3)?;
        println!("open both ends:                {:9.1?}", opening.elapsed());
        small(&host)?;
        round_trips(&host, &worker)?;
        many(&host, &worker)?;
        large(&host)?;
        println!("{:?}, {:?}, then {:?}", host.usage(), host.trim(), host.trim());
        Ok(())
    }

    /// The mean of a turn, of the best of some rounds.
    fn each(turns: u32, mut turn: impl FnMut() -> Result<()>) -> Result<Duration> {
        let mut best = Duration::MAX;
        for _ in 0..7 {
            let start = Instant::now();
            (0..turns).try_for_each(|_| turn())?;
            best = best.min(start.elapsed() / turns);
        }
        Ok(best)
    }

    fn small(host: &Memory) -> Result<()> {
        let time = each(100_000, || {
            black_box(host.allocate(4096)?);
            Ok(())
        })?;
        println!("allocate and free 4 KiB:       {time:9.1?}");
        Ok(())
    }

    fn round_trips(host: &Memory, worker: &Memory) -> Result<()> {
        let time = each(100_000, || {
            let (number, len) = worker.allocate(4096)?.publish();
            black_box(host.adopt(number, len, 3)?);
            Ok(())
        })?;
        println!("a reply of 4 KiB, adopted:     {time:9.1?}");
        let time = each(100_000, || {
            let argument = host.allocate(4096)?.freeze();
            black_box(worker.borrow(argument.number(), argument.len())?);
            Ok(())
        })?;
        println!("an argument of 4 KiB, read:    {time:9.1?}");
        Ok(())
    }

    /// Many replies that are kept, then dropped, then made again.
    fn many(host: &Memory, worker: &Memory) -> Result<()> {
        for round in ["new", "recycled"] {
            let start = Instant::now();
            let kept = (0..10_000).map(|_| {
                let (number, len) = worker.allocate(40_000)?.publish();
                Ok(host.adopt(number, len, 3)?)
            });
            let kept: Vec<_> = kept.collect::<Result<_>>()?;
            println!("40 KB kept, {round:9}:         {:9.1?} each", start.elapsed() / kept.len() as u32);
        }
        Ok(())
    }

    fn large(host: &Memory) -> Result<()> {
        for round in ["new", "second", "third"] {
            let start = Instant::now();
            let mut block = host.allocate(LARGE)?;
            let allocated = start.elapsed();
            block.fill(1);
            println!(
                "100 MiB, {round:6}: allocate {allocated:9.1?}, fill {:9.1?}",
                start.elapsed() - allocated
            );
        }
        Ok(())
    }
}
