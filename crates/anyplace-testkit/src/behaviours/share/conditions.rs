//! Those who wait for something to change.

use crate::share::{PATIENCE, until};
use anyplace::{Place, Result};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Three wait, one after the other; each notification is for one, and they hear in that order.
pub(super) fn who_waits_longest_is_notified_first(place: &Place) -> Result<()> {
    let changed = place.condition("changed")?;
    let (tell, heard) = mpsc::channel();
    thread::scope(|scope| {
        for number in 0..3 {
            let (changed, tell) = (&changed, tell.clone());
            scope.spawn(move || {
                let told = changed.acquire().and_then(|mut held| held.wait_within(PATIENCE));
                tell.send((number, told)).expect("somebody listens");
            });
            until(|| changed.n_waiting() == number + 1);
        }
        for number in 0..3 {
            assert!(changed.acquire()?.notify_one());
            let (who, told) = heard.recv().expect("they all tell");
            assert_eq!((who, told?), (number, true));
        }
        assert!(!changed.acquire()?.notify_one(), "nobody waits any more");
        Ok(())
    })
}

pub(super) fn whoever_waits_lets_go_of_the_lock(place: &Place) -> Result<()> {
    let (changed, number) = (place.condition("changed")?, place.counter("number")?);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let mut held = changed.acquire()?;
            held.wait_while(|| number.get() < 3)?;
            // The lock is ours again: nobody can have changed it since.
            assert!(changed.lock().is_locked());
            Ok::<_, anyplace::Error>(number.get())
        });
        until(|| changed.n_waiting() == 1);
        for _ in 0..3 {
            let held = changed.acquire()?;
            number.add(1);
            held.notify_all();
        }
        assert_eq!(waiter.join().expect("waiting does not panic")?, 3);
        Ok(())
    })
}

pub(super) fn a_wait_without_a_notification_ends_in_time(place: &Place) -> Result<()> {
    let (changed, limit) = (place.condition("changed")?, Duration::from_millis(20));
    let mut held = changed.acquire()?;
    let began = Instant::now();
    assert!(!held.wait_within(limit)?);
    assert!(began.elapsed() >= limit);
    assert!(changed.lock().is_locked(), "it has the lock again");
    drop(held);
    assert!(!changed.lock().is_locked());
    Ok(())
}
