//! The typed face on the places of this process.

use anyplace::{Error, Kind, open};
use std::sync::mpsc;

#[anyplace::task]
fn area(radius: f64) -> f64 {
    radius * radius * std::f64::consts::PI
}

#[anyplace::task]
fn add(left: u32, right: u32) -> u32 {
    left + right
}

#[test]
fn a_map_gives_results_in_order_on_every_place_of_the_process() -> Result<(), Error> {
    for address in ["inline:", "threads:1", "threads:4"] {
        let place = open(address)?;
        let squares: Vec<u64> = place.map(|n: u64| n * n, 0..10_000)?.collect::<Result<_, _>>()?;
        assert!(squares.iter().zip(0..).all(|(square, n): (&u64, u64)| *square == n * n), "{address}");
        assert_eq!(squares.len(), 10_000);
    }
    Ok(())
}

#[test]
fn a_task_is_a_function_and_work() -> Result<(), Error> {
    let place = open("threads:2")?;
    assert_eq!(place.submit(area, 2.0)?.wait()?, area(2.0));
    assert_eq!(place.submit(add, (2, 3))?.wait()?, 5);
    assert_eq!(place.map(add, [(1, 2), (3, 4)])?.collect::<Result<Vec<_>, _>>()?, [3, 7]);
    Ok(())
}

#[test]
fn a_panic_is_the_items_error_and_the_others_go_on() -> Result<(), Error> {
    let place = open("threads:2")?;
    let results: Vec<_> = place.map(|n: u32| 10 / n, [1, 0, 5])?.collect();
    assert_eq!(results[0].as_ref().unwrap(), &10);
    let error = results[1].as_ref().unwrap_err();
    assert_eq!(
        (error.kind(), error.message()),
        (Kind::TaskFailed, "the task panicked: attempt to divide by zero")
    );
    assert_eq!((error.place(), error.operation(), error.attempt()), (Some("threads:2"), Some("run"), 1));
    assert_eq!(results[2].as_ref().unwrap(), &2);
    let error = place.submit(|n: u32| 10 / n, 0)?.wait().unwrap_err();
    assert_eq!((error.place(), error.operation(), error.attempt()), (Some("threads:2"), Some("run"), 1));
    Ok(())
}

#[test]
fn a_task_may_wait_for_tasks_of_its_own_place() -> Result<(), Error> {
    let place = open("threads:1")?;
    let inner = place.clone();
    let sum = move |n: u64| -> u64 {
        let parts = inner.map(|k: u64| k, 0..n).unwrap();
        parts.unordered().map(Result::unwrap).sum()
    };
    assert_eq!(place.submit(sum, 100)?.wait()?, 4950);
    Ok(())
}

#[test]
fn an_endless_map_is_read_only_a_little_ahead() -> Result<(), Error> {
    let place = open("threads:2")?;
    let (told, read) = mpsc::channel();
    let inputs = (0_u64..).inspect(move |n| told.send(*n).unwrap());
    let firsts: Vec<u64> = place.map(|n: u64| n, inputs)?.chunk(1).take(10).collect::<Result<_, _>>()?;
    assert_eq!(firsts, (0..10).collect::<Vec<_>>());
    assert!(read.try_iter().count() <= 10 + 2 * 2 + 1);
    Ok(())
}

#[test]
fn a_cancelled_task_never_runs() -> Result<(), Error> {
    let place = open("threads:1")?;
    let (release, held) = mpsc::channel::<()>();
    let first = place.call(move || held.recv())?;
    let second = place.call(|| panic!("it ran"))?;
    assert!(second.cancel());
    release.send(()).unwrap();
    assert!(first.wait()?.is_ok());
    assert_eq!(second.wait().unwrap_err().kind(), Kind::Cancelled);
    Ok(())
}

#[test]
fn futures_run_at_most_n_at_once() -> Result<(), Error> {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    let place = open("async:3")?;
    let now = Arc::new(AtomicUsize::new(0));
    let handles: Vec<_> = (0..50)
        .map(|n| {
            let now = now.clone();
            place.spawn(async move {
                assert!(now.fetch_add(1, Ordering::SeqCst) < 3);
                tokio::task::yield_now().await;
                now.fetch_sub(1, Ordering::SeqCst);
                n
            })
        })
        .collect::<Result<_, _>>()?;
    for (n, handle) in handles.into_iter().enumerate() {
        assert_eq!(handle.wait()?, n);
    }
    Ok(())
}

#[test]
fn work_of_a_kind_that_the_place_does_not_take_is_refused_with_help() -> Result<(), Error> {
    let error = open("async:")?.submit(|n: u32| n, 1).unwrap_err();
    assert_eq!(error.kind(), Kind::Unsupported);
    let error = open("threads:1")?.spawn(async {}).unwrap_err();
    assert!(error.help().unwrap().contains("async:"), "{error:?}");
    Ok(())
}

#[test]
fn a_closed_place_refuses_and_says_so() -> Result<(), Error> {
    let place = open("threads:1")?;
    place.close()?;
    assert_eq!(place.submit(|n: u32| n, 1).unwrap_err().kind(), Kind::PlaceClosed);
    Ok(())
}

/// Nobody holds the place but its own task: it closes when the task is over, from a thread that may wait.
#[test]
fn a_place_held_only_by_its_task_ends_with_it() -> Result<(), Error> {
    for address in ["inline:", "threads:1", "threads:2"] {
        let place = open(address)?;
        let own = place.clone();
        let (tell, told) = mpsc::channel();
        let handle = place.call(move || own.seed())?;
        let seed = place.seed();
        drop(place);
        handle.then(move |result| tell.send(result).unwrap());
        assert_eq!(told.recv().unwrap()?, seed, "{address}");
    }
    let place = open("async:")?;
    let own = place.clone();
    let handle = place.spawn(async move { own.seed() })?;
    let seed = place.seed();
    drop(place);
    assert_eq!(handle.wait()?, seed);
    Ok(())
}

#[test]
fn seeds_are_the_same_on_every_place_and_chunking() -> Result<(), Error> {
    let seeds = |address: &str, chunk: usize| -> Result<Vec<u64>, Error> {
        let place = open(address)?;
        place.map(|_: u32| anyplace::current().unwrap().seed(), 0..100)?.chunk(chunk).collect()
    };
    let expected = seeds("inline:?seed=42", 1)?;
    assert_eq!(seeds("threads:3?seed=42", 1)?, expected);
    assert_eq!(seeds("threads:2?seed=42", 7)?, expected);
    assert_ne!(seeds("threads:2?seed=43", 7)?, expected);
    let distinct: std::collections::HashSet<u64> = expected.iter().copied().collect();
    assert_eq!(distinct.len(), 100);
    Ok(())
}

/// A source that waits between inputs does not hold back those it has given.
#[test]
fn a_slow_source_shows_its_first_results_before_its_last_inputs() -> Result<(), Error> {
    let place = open("threads:2")?;
    let (feed, fed) = mpsc::channel::<u64>();
    let mut results = place.map(|n: u64| n, fed)?.chunk(1);
    for n in 0..20 {
        // Enough inputs for the window, so that asking for a result never waits for an input that comes later.
        (0..6).for_each(|k| feed.send(n * 6 + k).unwrap());
        assert_eq!(results.next().unwrap()?, n);
    }
    drop(feed);
    assert_eq!(results.count(), 100);
    Ok(())
}

#[test]
fn a_handle_can_be_awaited_called_back_and_waited_for_a_while() -> Result<(), Error> {
    let place = open("threads:1")?;
    let (release, held) = mpsc::channel::<u32>();
    let first = place.call(move || held.recv().unwrap())?;
    let first = first.wait_for(std::time::Duration::from_millis(1)).expect_err("nobody released it");
    let second = place.submit(|n: u32| n + 1, 1)?;
    let (tell, told) = mpsc::channel();
    place.submit(|n: u32| n + 2, 1)?.then(move |result| tell.send(result).unwrap());
    release.send(7).unwrap();
    assert_eq!(first.wait()?, 7);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(second)?, 2);
    assert_eq!(told.recv().unwrap()?, 3);
    Ok(())
}

/// The longest wait there is, is a wait without an end.
#[test]
fn a_wait_may_be_as_long_as_can_be_said() -> Result<(), Error> {
    let place = open("threads:1")?;
    assert_eq!(place.submit(|n: u32| n, 7)?.wait_for(std::time::Duration::MAX).unwrap()?, 7);
    Ok(())
}

/// A slow rate is a long wait, never the end of the program.
#[test]
fn a_rate_may_be_as_slow_as_can_be_said() -> Result<(), Error> {
    for rate in ["0.0000000000000003/h", "0.0000000000000003/h&burst=4294967295"] {
        let place = open(format!("limit?rate={rate}::threads:1"))?;
        assert_eq!(place.submit(|n: u32| n, 1)?.wait()?, 1);
        let second = place.submit(|n: u32| n, 2)?;
        assert!(rate.contains("burst") || second.cancel());
    }
    Ok(())
}

/// A task that closes the place it runs in would wait for itself.
#[test]
fn a_task_that_closes_its_own_place_is_told_that_it_cannot() -> Result<(), Error> {
    for address in ["inline:", "threads:1"] {
        let place = open(address)?;
        let own = place.clone();
        let told = place.call(move || own.close())?.wait_for(std::time::Duration::from_secs(20));
        let error = told.unwrap_or_else(|_| panic!("`{address}` hangs"))?.unwrap_err();
        assert!(error.help().is_some());
        place.close()?;
    }
    Ok(())
}

/// As `threads:`, but it has lost what runs tasks.
#[derive(Debug)]
struct Headless(anyplace::Address);

impl anyplace::Driver for Headless {
    fn address(&self) -> &anyplace::Address {
        &self.0
    }

    fn limits(&self) -> anyplace::Limits {
        anyplace::Limits::local(1, &[anyplace::work::WorkKind::Closure])
    }

    fn close(&self, _: std::time::Duration) -> Result<(), Error> {
        Ok(())
    }
}

#[test]
fn a_map_that_cannot_be_sent_says_so_and_ends() -> Result<(), Error> {
    let driver = std::sync::Arc::new(Headless("threads:1".parse()?));
    let place = anyplace::Place::new(driver, vec![], None)?;
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let results: Vec<_> = place.map(|n: u32| n, [1, 2])?.collect();
        tell.send(results.len()).unwrap();
        Ok::<(), Error>(())
    });
    assert_eq!(told.recv_timeout(std::time::Duration::from_secs(20)), Ok(1));
    Ok(())
}
