use super::drivers::{Scripted, command, idempotent, nothing};
use super::{NEVER, open};
use crate::driver::Layer;
use crate::error::{Kind, Result, Retry as Again};
use crate::layers::{Retry, Timeout};
use crate::outcome::{Done, Outcome};
use crate::task::{Ending, Task, TaskOptions};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

const SHORT: Duration = Duration::from_millis(10);

#[test]
fn a_place_that_can_end_tasks_does() -> Result<()> {
    struct Ended(mpsc::Sender<()>);
    impl Drop for Ended {
        fn drop(&mut self) {
            self.0.send(()).unwrap();
        }
    }
    let place = open("timeout=10ms::async:2")?;
    let (told, gone) = mpsc::channel();
    let ended = Ended(told);
    let handle = place.spawn(async move {
        let _ended = ended;
        std::future::pending::<()>().await;
    })?;
    let error = handle.wait().unwrap_err();
    assert!(gone.try_recv().is_ok(), "the task is gone when its outcome is there");
    assert_eq!((error.kind(), error.retry()), (Kind::Timeout, Again::MayRepeat));
    assert_eq!(error.message(), "the task was ended after 10ms, the time it was given");
    place.close()
}

#[test]
fn a_place_that_cannot_end_tasks_says_so_at_once() -> Result<()> {
    let place = open("timeout=10ms::threads:1")?;
    let (release, held) = mpsc::channel::<()>();
    let (told, ended) = mpsc::channel();
    let handle = place.call(move || {
        held.recv().unwrap();
        told.send(()).unwrap();
    })?;
    let error = handle.wait().unwrap_err();
    assert!(ended.try_recv().is_err(), "it still runs");
    assert_eq!(
        (error.kind(), error.retry(), error.place()),
        (Kind::Timeout, Again::MayRepeat, Some("threads:1"))
    );
    assert!(error.message().contains("`threads:1` cannot end a task: it still runs"), "{error}");
    assert!(error.help().unwrap().contains("`processes:`"));
    release.send(()).unwrap();
    ended.recv().unwrap();
    assert_eq!(place.submit(|n: u32| n, 1)?.wait()?, 1);
    place.close()
}

#[test]
fn in_the_caller_a_late_task_is_late_when_it_has_ended() -> Result<()> {
    let place = open("timeout=1ns::inline:")?;
    let error = place.submit(|_: ()| std::thread::yield_now(), ())?.wait().unwrap_err();
    assert_eq!(error.kind(), Kind::Timeout);
    assert!(error.message().contains("`inline:` runs it in the caller and cannot end it"), "{error}");
    assert_eq!(open("timeout=1h::inline:")?.submit(|n: u32| n, 1)?.wait()?, 1);
    Ok(())
}

#[test]
fn a_task_that_ends_in_time_leaves_no_alarm() -> Result<()> {
    let layer = Timeout::after(NEVER);
    let timer = layer.timer.clone();
    let place = open("threads:2")?.with(layer)?;
    let results = place.map(|n: u32| 10 / n, [5, 0, 1])?;
    assert_eq!(
        results.map(|result| result.map_err(|error| error.kind())).collect::<Vec<_>>(),
        [Ok(2), Err(Kind::TaskFailed), Ok(10)]
    );
    assert_eq!(format!("{timer:?}"), "Timer(0 alarms)");
    Ok(())
}

#[test]
fn waiting_for_a_worker_does_not_count() {
    let held = Arc::new(Mutex::new(None::<(Task, Done)>));
    let waiting = held.clone();
    let scripted = Scripted::new(move |task, done| *waiting.lock().unwrap() = Some((task, done)));
    let place = scripted.place(Timeout::after(SHORT));
    let handle = place.submit_work(nothing(), TaskOptions::default()).unwrap();
    let handle = handle.wait_for(SHORT * 3).expect_err("no worker has begun it");
    let (task, done) = held.lock().unwrap().take().unwrap();
    assert!(task.start(0));
    done.call(Outcome::local(()));
    assert!(handle.wait().is_ok());
}

/// A driver may tell the outcome from inside the call that ends the task; the next attempt must not be hit by it.
#[test]
fn each_attempt_has_a_clock_of_its_own() {
    let endings = Arc::new(Mutex::new(Vec::new()));
    let seen = endings.clone();
    let scripted = Scripted::new(move |task: Task, done: Done| {
        assert!(task.start(0));
        if task.attempt == 3 {
            return done.call(Outcome::local(()));
        }
        let (seen, done, control) = (seen.clone(), Mutex::new(Some(done)), task.control());
        task.control().on_kill(move |ending| {
            control.clear_kill();
            seen.lock().unwrap().push(ending);
            if let Some(done) = done.lock().unwrap().take() {
                done.call(Outcome::cancelled());
            }
        });
    });
    let layers: Vec<Arc<dyn Layer>> = vec![Arc::new(Retry::times(3)), Arc::new(Timeout::after(SHORT))];
    let place = crate::Place::new(Arc::new(scripted.clone()), layers, Some(1)).unwrap();
    let outcome = place.submit_work(nothing(), idempotent()).unwrap().outcome();
    assert!(matches!(outcome, Outcome::Returned(_)), "{outcome:?}");
    assert_eq!(scripted.submitted(), 3);
    assert_eq!(*endings.lock().unwrap(), [Ending::Timeout, Ending::Timeout]);
}

/// A task that somebody ends may take a while to be gone; that its time is over meanwhile changes nothing.
#[test]
fn what_was_killed_is_cancelled_though_its_time_is_over() {
    let (held, asked) = (Arc::new(Mutex::new(None)), Arc::new(Mutex::new(Vec::new())));
    let (holding, seen) = (held.clone(), asked.clone());
    let scripted = Scripted::new(move |task: Task, done: Done| {
        assert!(task.start(0));
        let seen = seen.clone();
        task.control().on_kill(move |ending| seen.lock().unwrap().push(ending));
        *holding.lock().unwrap() = Some(done);
    });
    let timeout = Timeout::after(SHORT * 10);
    let timer = timeout.timer.clone();
    let layers: Vec<Arc<dyn Layer>> = vec![Arc::new(Retry::times(3)), Arc::new(timeout)];
    let place = crate::Place::new(Arc::new(scripted.clone()), layers, Some(1)).unwrap();
    let handle = place.submit_work(nothing(), idempotent()).unwrap();
    assert!(handle.kill());
    while format!("{timer:?}") != "Timer(0 alarms)" {
        std::thread::yield_now();
    }
    // Its thread has then done what it does at that time.
    timer.stop();
    assert_eq!(*asked.lock().unwrap(), [Ending::Cancelled]);
    held.lock().unwrap().take().unwrap().call(Outcome::cancelled());
    let outcome = handle.outcome();
    assert!(matches!(outcome, Outcome::Cancelled(_)), "{outcome:?}");
    assert_eq!(scripted.submitted(), 1);
}

#[test]
fn a_command_that_takes_too_long_is_ended() -> Result<()> {
    let place = open("timeout=20ms::processes:1")?;
    let work = command(&["sleep", "3600"]);
    let error = place.submit_work(work, TaskOptions::default())?.wait().unwrap_err();
    assert_eq!((error.kind(), error.place()), (Kind::Timeout, Some("processes:1")), "{error:?}");
    assert!(error.message().contains("ended after 20ms"), "{error}");
    place.close()
}
