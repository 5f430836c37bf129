use super::open;
use crate::error::Result;
use crate::layers::{Counts, Progress, Retry};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

#[test]
fn the_last_call_has_the_last_numbers_and_calls_are_rare() -> Result<()> {
    let calls = Arc::new(Mutex::new(Vec::<Counts>::new()));
    let noted = calls.clone();
    let began = Instant::now();
    let place = open("threads:2")?.with(Progress::new(move |counts| noted.lock().unwrap().push(*counts)))?;
    for n in 0..1000 {
        place.submit(|n: u32| n, n)?.wait()?;
    }
    place.close()?;
    let calls = calls.lock().unwrap();
    let most = began.elapsed().as_millis() / 50 + 2;
    assert!((1..=most).contains(&(calls.len() as u128)), "{} calls, at most {most}", calls.len());
    let last = calls.last().unwrap();
    assert_eq!((last.submitted, last.started, last.returned, last.ended()), (1000, 1000, 1000, 1000));
    assert!(last.rate() > 0.0 && last.elapsed > Duration::ZERO);
    assert!(calls.windows(2).all(|pair| pair[0].ended() <= pair[1].ended()));
    Ok(())
}

#[test]
fn each_item_counts_once_however_it_ends() -> Result<()> {
    let progress = Progress::counting();
    let attempts = AtomicU32::new(0);
    let place = open("threads:2")?.with(Retry::times(2))?.with(progress.clone())?;
    let work = move |n: u32| {
        assert!(n > 0);
        assert!(n > 1 || attempts.fetch_add(1, Ordering::SeqCst) > 0, "once");
    };
    let ended = place.map(work, [0, 1, 2])?.filter(Result::is_ok).count();
    assert_eq!(ended, 2);
    let counts = progress.counts();
    assert_eq!((counts.submitted, counts.started, counts.retried), (3, 3, 2));
    assert_eq!((counts.returned, counts.failed, counts.cancelled, counts.lost), (2, 1, 0, 0));
    Ok(())
}

#[test]
fn chunks_count_by_their_items() -> Result<()> {
    let progress = Progress::counting();
    let place = open("threads:2")?.with(progress.clone())?;
    place.map(|n: u32| n, 0..100)?.chunk(10).for_each(drop);
    assert_eq!(
        (progress.counts().submitted, progress.counts().started, progress.counts().returned),
        (100, 100, 100)
    );
    assert!(open("progress::threads:1")?.layers().eq(["progress"]));
    Ok(())
}
