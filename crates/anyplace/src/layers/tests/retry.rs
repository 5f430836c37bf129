use super::drivers::{Scripted, command, idempotent, nothing};
use super::{NEVER, open};
use crate::error::{Error, Exit, Kind, Result, Retry as Again};
use crate::layers::{Progress, Retry};
use crate::outcome::Outcome;
use crate::task::TaskOptions;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn three_attempts_in_all_are_made_and_counted() -> Result<()> {
    for address in ["retry=3::inline:", "retry=3::threads:2", "retry=3?backoff=1ms::threads:2"] {
        let attempts = Arc::new(AtomicU32::new(0));
        let counted = attempts.clone();
        let fail =
            move |n: u32| -> u32 { panic!("{n} for the {}th time", counted.fetch_add(1, Ordering::SeqCst)) };
        let error = open(address)?.submit(fail, 7)?.wait().unwrap_err();
        assert_eq!((attempts.load(Ordering::SeqCst), error.attempt()), (3, 3), "{address}");
        assert!(error.message().contains("for the 2th time"), "the last attempt's error stands: {error}");
    }
    Ok(())
}

#[test]
fn a_task_knows_which_attempt_it_is() -> Result<()> {
    let place = open("retry=5::threads:1")?;
    let third = |_: ()| {
        let attempt = crate::current().unwrap().attempt;
        assert!(attempt == 3);
        attempt
    };
    assert_eq!(place.submit(third, ())?.wait()?, 3);
    Ok(())
}

/// The table of the module: kind, what the error says, idempotent, tried again.
#[test]
fn only_what_is_harmless_is_tried_again() {
    let rows = [
        (Kind::ResourceExhausted, Again::Safe, false, true),
        (Kind::WorkerLost, Again::Safe, false, true),
        (Kind::TaskFailed, Again::MayRepeat, false, true),
        (Kind::TaskFailed, Again::Never, true, false),
        (Kind::WorkerLost, Again::MayRepeat, false, false),
        (Kind::WorkerLost, Again::MayRepeat, true, true),
        (Kind::Timeout, Again::MayRepeat, false, false),
        (Kind::Timeout, Again::MayRepeat, true, true),
        (Kind::Cancelled, Again::MayRepeat, true, false),
        (Kind::Unsupported, Again::Safe, true, false),
        (Kind::ConfigInvalid, Again::Safe, true, false),
        (Kind::NotSerializable, Again::Safe, true, false),
        (Kind::PlaceClosed, Again::Safe, true, false),
        (Kind::NotFound, Again::Never, true, false),
    ];
    for (kind, again, is_idempotent, repeats) in rows {
        let scripted =
            Scripted::ending(move || Error::new(kind, "as the test wants it").with_retry(again).into());
        let options = if is_idempotent { idempotent() } else { TaskOptions::default() };
        let handle = scripted.place(Retry::times(2)).submit_work(nothing(), options).unwrap();
        assert_eq!(handle.outcome().error().unwrap().kind(), kind);
        let made = if repeats { 2 } else { 1 };
        assert_eq!(scripted.submitted(), made, "{kind:?} {again:?} idempotent: {is_idempotent}");
    }
}

#[test]
fn a_layer_may_declare_every_task_idempotent() {
    let lost = || Error::new(Kind::WorkerLost, "killed").with_retry(Again::MayRepeat).into();
    let scripted = Scripted::ending(lost);
    let place = scripted.place(Retry::times(4).idempotent());
    let outcome = place.submit_work(nothing(), TaskOptions::default()).unwrap().outcome();
    assert_eq!((scripted.submitted(), outcome.error().unwrap().attempt()), (4, 4));
}

#[test]
fn work_that_is_used_up_is_not_tried_again() -> Result<()> {
    let error = open("retry=3::threads:1")?.call(|| panic!("once"))?.wait().unwrap_err();
    assert_eq!(error.attempt(), 1);
    Ok(())
}

#[test]
fn attempts_that_end_at_once_do_not_nest() {
    let fail = || Error::new(Kind::TaskFailed, "again").with_retry(Again::MayRepeat).into();
    let scripted = Scripted::ending(fail);
    let handle =
        scripted.place(Retry::times(100_000)).submit_work(nothing(), TaskOptions::default()).unwrap();
    assert_eq!(handle.outcome().error().unwrap().attempt(), 100_000);
}

#[test]
fn in_the_caller_attempts_and_waits_stay_in_the_caller() -> Result<()> {
    let place = open("retry=3?backoff=1ms&jitter=0::inline:")?;
    let (caller, began) = (thread::current().id(), Instant::now());
    let third = move |_: ()| {
        assert_eq!(thread::current().id(), caller);
        assert_eq!(crate::current().unwrap().attempt, 3);
    };
    place.submit(third, ())?.wait()?;
    assert!(began.elapsed() >= Duration::from_millis(1 + 2));
    Ok(())
}

#[test]
fn waits_double_up_to_the_longest_and_chance_only_shortens_them() {
    let policy = |jitter| {
        Retry::times(9)
            .backoff(Duration::from_millis(100))
            .max_backoff(Duration::from_millis(500))
            .jitter(jitter)
            .policy
    };
    let exact: Vec<u128> = (1..=5).map(|attempt| policy(0.0).wait(attempt, 42).as_millis()).collect();
    assert_eq!(exact, [100, 200, 400, 500, 500]);
    for seed in 0..100 {
        for (attempt, longest) in (1..).zip(&exact) {
            let waits = [policy(1.0), policy(0.5)].map(|policy| policy.wait(attempt, seed));
            assert!(waits[0].as_millis() <= *longest);
            assert!((longest / 2..=*longest).contains(&waits[1].as_millis()));
            assert_eq!(policy(1.0).wait(attempt, seed), waits[0], "the same seed waits the same time");
        }
    }
    assert!((0..100).any(|seed| policy(1.0).wait(1, seed) < Duration::from_millis(20)));
    assert_eq!(policy(0.0).wait(u32::MAX, 0), Duration::from_millis(500));
}

#[test]
fn a_task_that_waits_to_be_tried_again_can_be_cancelled() -> Result<()> {
    let place = open("retry=2?backoff=1h&jitter=0::threads:1")?;
    let (told, tried) = mpsc::channel();
    let handle = place.submit(move |_: ()| -> () { told.send(()).map(|()| panic!("first")).unwrap() }, ())?;
    tried.recv().unwrap();
    while !handle.cancel() {
        thread::yield_now();
    }
    assert_eq!(handle.wait().unwrap_err().kind(), Kind::Cancelled);
    assert!(tried.try_recv().is_err());
    place.close()
}

#[test]
fn closing_a_place_does_not_wait_for_a_retry_to_come() -> Result<()> {
    let place = open("retry=2?backoff=1h&jitter=0::threads:1")?;
    let handle = place.submit(|_: ()| -> () { panic!("first") }, ())?;
    place.close_within(Duration::from_millis(1))?;
    let error = handle.wait_for(NEVER).unwrap().unwrap_err();
    assert!(matches!(error.kind(), Kind::Cancelled | Kind::TaskFailed), "{error:?}");
    assert_eq!(place.unfinished(), 0);
    Ok(())
}

#[test]
fn a_cancelled_outcome_is_never_repeated() {
    let scripted = Scripted::ending(Outcome::cancelled);
    let handle = scripted.place(Retry::times(3)).submit_work(nothing(), idempotent()).unwrap();
    assert!(matches!(handle.outcome(), Outcome::Cancelled(_)));
    assert_eq!(scripted.submitted(), 1);
}

#[test]
fn a_command_that_ends_badly_is_run_again() -> Result<()> {
    let place = open("retry=3::processes:1")?;
    let progress = Progress::counting();
    let place = place.with(progress.clone())?;
    let run = |work| place.submit_work(work, TaskOptions::default())?.wait();
    let error = run(command(&["sh", "-c", "exit 3"])).unwrap_err();
    assert_eq!((error.exit(), error.attempt()), (Some(Exit::Code(3)), 3));
    assert_eq!((progress.counts().started, progress.counts().retried), (1, 2));
    run(command(&["sh", "-c", "exit 0"]))?;
    assert_eq!((progress.counts().started, progress.counts().retried), (2, 2));
    Ok(())
}

#[test]
fn the_strangest_waits_are_still_waits() {
    let longest = Retry::times(2).backoff(Duration::MAX).max_backoff(Duration::MAX).jitter(0.0);
    assert_eq!(longest.policy.wait(1, 7), Duration::MAX);
    let chance = Retry::times(2).backoff(Duration::from_secs(1)).jitter(f64::NAN);
    assert!(chance.policy.wait(1, 7) <= Duration::from_secs(1));
}
