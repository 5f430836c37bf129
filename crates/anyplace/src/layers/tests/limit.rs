use super::drivers::{Scripted, nothing};
use super::open;
use crate::error::{Error, Kind, Result};
use crate::layers::Limit;
use crate::outcome::{Done, Outcome};
use crate::task::{Task, TaskOptions};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

#[test]
fn at_most_n_run_at_once() -> Result<()> {
    let place = open("limit=2::threads:8")?;
    let (now, most) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let seen = most.clone();
    let work = move |n: u32| {
        seen.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::yield_now();
        now.fetch_sub(1, Ordering::SeqCst);
        n
    };
    let results: Vec<u32> = place.map(work, 0..500)?.collect::<Result<_>>()?;
    assert_eq!(results, (0..500).collect::<Vec<_>>());
    assert!(most.load(Ordering::SeqCst) <= 2);
    Ok(())
}

#[test]
fn every_ending_gives_the_slot_back() -> Result<()> {
    let place = open("limit=1::threads:2")?;
    assert_eq!(place.submit(|n: u32| 1 / n, 0)?.wait().unwrap_err().kind(), Kind::TaskFailed);
    let (release, held) = mpsc::channel::<()>();
    let first = place.call(move || held.recv())?;
    let second = place.call(|| unreachable!("it was cancelled"))?;
    let third = place.submit(|n: u32| n, 3)?;
    assert!(second.cancel());
    assert!(!third.is_done());
    release.send(()).unwrap();
    assert!(first.wait()?.is_ok());
    assert_eq!(third.wait()?, 3);

    let place = open("limit=1::async:2")?;
    let endless = place.spawn(std::future::pending::<()>())?;
    let next = place.spawn(async { 1 })?;
    while !endless.kill() {
        std::thread::yield_now();
    }
    assert_eq!(endless.wait().unwrap_err().kind(), Kind::Cancelled);
    assert_eq!(next.wait()?, 1);
    Ok(())
}

#[test]
fn first_come_first_served() -> Result<()> {
    let place = open("limit=1::threads:4")?;
    let (told, order) = mpsc::channel();
    let handles: Vec<_> = (0..50)
        .map(|n| {
            let told = told.clone();
            place.call(move || told.send(n).unwrap())
        })
        .collect::<Result<_>>()?;
    handles.into_iter().try_for_each(crate::Handle::wait)?;
    assert_eq!(order.try_iter().collect::<Vec<_>>(), (0..50).collect::<Vec<_>>());
    Ok(())
}

#[test]
fn a_rate_spreads_beginnings() -> Result<()> {
    for address in
        ["limit?rate=200/s::inline:", "limit?rate=200/s::threads:4", "limit=9?rate=600/3s::threads:4"]
    {
        let (place, began) = (open(address)?, Instant::now());
        let caller = std::thread::current().id();
        let is_caller = place.map(move |_: u32| std::thread::current().id() == caller, 0..5)?;
        assert!(is_caller.map(Result::unwrap).all(|is_caller| is_caller == address.contains("inline")));
        assert!(began.elapsed() >= Duration::from_millis(4 * 5), "{address}: {:?}", began.elapsed());
    }
    let (place, began) = (open("limit?rate=1/h&burst=5::threads:2")?, Instant::now());
    place.map(|n: u32| n, 0..5)?.try_for_each(|result| result.map(drop))?;
    assert!(began.elapsed() < Duration::from_secs(600));
    Ok(())
}

#[test]
fn a_task_inside_a_task_of_the_caller_has_its_slot() -> Result<()> {
    let place = open("limit=1::inline:")?;
    let inner = place.clone();
    let nested = move |n: u32| inner.submit(|n: u32| n + 1, n).and_then(crate::Handle::wait).unwrap();
    assert_eq!(place.submit(nested, 1)?.wait()?, 2);
    Ok(())
}

#[test]
fn refusals_do_not_nest() {
    let held = Arc::new(Mutex::new(None::<Done>));
    let first = held.clone();
    let refused = || Outcome::Failed(Error::new(Kind::ResourceExhausted, "full"));
    let scripted = Scripted::new(move |task: Task, done| match task.id {
        0 => *first.lock().unwrap() = Some(done),
        _ => done.call(refused()),
    });
    let place = scripted.place(Limit::at_most(1));
    let submit = |_| place.submit_work(nothing(), TaskOptions::default()).unwrap();
    let handles: Vec<_> = (0..100_000).map(submit).collect();
    assert_eq!(scripted.submitted(), 1);
    held.lock().unwrap().take().unwrap().call(refused());
    assert!(handles.into_iter().all(|handle| handle.is_done()));
}

#[test]
fn cancelling_the_place_empties_the_queue() -> Result<()> {
    let place = open("limit?rate=1/h::threads:1")?;
    let handles: Vec<_> = (0..3).map(|n| place.submit(|n: u32| n, n)).collect::<Result<_>>()?;
    let [first, second, third] = handles.try_into().unwrap();
    first.wait()?;
    place.cancel();
    for waited in [second, third] {
        assert_eq!(waited.wait().unwrap_err().kind(), Kind::Cancelled);
    }
    place.close()
}
