//! What a callback may do wherever it runs: panic, and close the place whose task it hears of.

use anyplace::work::{Command, Work};
use anyplace::{Handle, Kind, Place, Result, Retry, TaskOptions, Value, open};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Barrier};
use std::time::Duration;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Places whose tasks end on threads of the engine, two at once.
const PLACES: [&str; 3] = ["threads:2", "async:2", "processes:2"];

type Callback = Box<dyn FnOnce() + Send>;

/// A task that is held until its line is closed.
struct Held {
    ended: Box<dyn FnOnce(Callback)>,
    release: Box<dyn FnOnce()>,
}

fn hold(place: &Place) -> Result<Held> {
    match place.address().scheme() {
        "threads" => {
            let (line, held) = mpsc::channel::<()>();
            Ok(Held::new(place.call(move || held.recv().is_err())?, move || drop(line)))
        }
        "async" => {
            let (line, held) = mpsc::channel::<()>();
            let (beside, line) = (open("threads:1")?, Some(line));
            let waits = beside.call(move || held.recv().is_err())?;
            Ok(Held::new(place.spawn(waits)?, move || drop((line, beside))))
        }
        _ => {
            let pipe = tempfile::tempdir().unwrap();
            let path = pipe.path().join("line");
            run(place, Command::new(["mkfifo".as_ref(), path.as_os_str()]))?.wait()?;
            let task = run(place, Command::new(["cat".as_ref(), path.as_os_str()]))?;
            let release = move || drop((std::fs::File::create(path).unwrap(), pipe));
            Ok(Held::new(task, release))
        }
    }
}

fn run(place: &Place, command: Command) -> Result<Handle<Value>> {
    place.submit_work(Work::Command(command), TaskOptions::default())
}

impl Held {
    fn new<R: 'static>(task: Handle<R>, release: impl FnOnce() + 'static) -> Self {
        let ended = Box::new(move |then: Callback| task.when_done(then));
        Self { ended, release: Box::new(release) }
    }

    /// Ends the task, and has `callback` called on the thread that brings its outcome.
    fn end(self, callback: impl FnOnce() + Send + 'static) {
        (self.ended)(Box::new(callback));
        (self.release)();
    }
}

fn channel<T>() -> (Sender<T>, Receiver<T>) {
    mpsc::channel()
}

#[test]
fn a_callback_that_panics_costs_the_place_nothing() -> Result<()> {
    for address in PLACES {
        let place = open(address)?;
        for _ in 0..2 {
            hold(&place)?.end(|| panic!("the callback's own fault"));
        }
        let (tell, told) = channel();
        hold(&place)?.end(move || tell.send(()).unwrap());
        told.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("`{address}` hangs"));
    }
    Ok(())
}

#[test]
fn a_callback_closes_its_place() -> Result<()> {
    for address in PLACES {
        let (place, (tell, told)) = (open(address)?, channel());
        let closer = place.clone();
        hold(&place)?.end(move || tell.send(closer.close()).unwrap());
        told.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("`{address}` is not closed"))?;
        place.close()?;
    }
    Ok(())
}

#[test]
fn two_callbacks_close_their_place_at_the_same_time() -> Result<()> {
    for address in PLACES {
        let (place, (tell, told)) = (open(address)?, channel());
        let together = Arc::new(Barrier::new(2));
        let held = [hold(&place)?, hold(&place)?];
        for held in held {
            let (closer, together, tell) = (place.clone(), together.clone(), tell.clone());
            held.end(move || {
                together.wait();
                tell.send(closer.close()).unwrap();
            });
        }
        for _ in 0..2 {
            told.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("`{address}` is not closed"))?;
        }
    }
    Ok(())
}

/// A callback that gives way to another may hold the last clone of its place, which then waits for the task.
#[test]
fn a_callback_that_is_replaced_takes_its_place_along() -> Result<()> {
    let (place, (line, held)) = (open("threads:1")?, channel::<()>());
    let task = place.call(move || held.recv().is_err())?;
    task.when_done(move || drop(place));
    let (tell, told) = channel();
    std::thread::spawn(move || {
        tell.send("replacing").unwrap();
        task.when_done(|| ());
        tell.send("replaced").unwrap();
    });
    assert_eq!(told.recv_timeout(PATIENCE), Ok("replacing"));
    drop(line);
    assert_eq!(told.recv_timeout(PATIENCE), Ok("replaced"));
    Ok(())
}

/// Whoever submits while another closes is told, and nothing is started again.
#[test]
fn a_driver_that_is_closed_tells_what_comes_too_late() -> Result<()> {
    for address in PLACES {
        let address: anyplace::Address = address.parse()?;
        let registry = anyplace::Registry::standard();
        let entry = registry.entries().iter().find(|entry| entry.scheme == address.scheme()).unwrap();
        let driver = (entry.open)(&address, &anyplace::Setup::default())?;
        let place = Place::new(driver.clone(), Vec::new(), None)?;
        driver.close(Duration::ZERO)?;
        let error = match address.scheme() {
            "threads" => place.call(|| ())?.wait().unwrap_err(),
            "async" => place.spawn(async {})?.wait().unwrap_err(),
            _ => run(&place, Command::new(["true"]))?.wait().unwrap_err(),
        };
        assert_eq!((error.kind(), error.retry()), (Kind::PlaceClosed, Retry::Safe), "{address}");
    }
    Ok(())
}

/// Whoever watches the counts may have seen enough.
#[test]
fn a_progress_callback_closes_its_place() -> Result<()> {
    let (place, (tell, told)) = (open("threads:1")?, channel());
    let closer = Arc::new(std::sync::OnceLock::<Place>::new());
    let own = closer.clone();
    let watched = place.with(anyplace::layers::Progress::new(move |counts| {
        // What comes while the callback runs is due when it closes.
        if counts.returned == 1
            && let Some(place) = own.get()
        {
            let second = place.submit(|n: u32| n, 2).and_then(Handle::wait);
            tell.send(second.and_then(|_| place.close())).unwrap();
        }
    }))?;
    drop(closer.set(watched.clone()));
    assert_eq!(watched.submit(|n: u32| n, 1)?.wait()?, 1);
    told.recv_timeout(PATIENCE).expect("closing never ended")
}
