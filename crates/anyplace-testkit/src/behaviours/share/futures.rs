//! Waiting without a thread.

use crate::share::{Woken, until};
use crate::submit::ended;
use anyplace::{Place, Result};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// More futures than there are threads wait for one of each kind, and go on when it comes.
pub(super) fn a_future_waits_without_a_thread(place: &Place) -> Result<()> {
    let (lock, start, letters) =
        (place.lock("door")?, place.event("start")?, place.queue::<u64>("letters", 0)?);
    let held = lock.acquire()?;
    let wait = |_| {
        let (lock, start, letters) = (lock.clone(), start.clone(), letters.clone());
        place.spawn(async move {
            start.waiting().await?;
            let held = lock.acquiring().await?;
            let letter = letters.getting().await?;
            drop(held);
            Ok::<_, anyplace::Error>(letter)
        })
    };
    let waiters = (0..8).map(wait).collect::<Result<Vec<_>>>()?;
    let n_waiting = |name| {
        let why = place.why();
        why.objects
            .iter()
            .filter(|object| object.name == name)
            .map(|object| object.waiters.len())
            .sum::<usize>()
    };
    until(|| n_waiting("start") == 8);
    start.set();
    until(|| n_waiting("door") == 8);
    drop(held);
    letters.put_many(0..8)?;
    let mut got = waiters.into_iter().map(|waiter| ended(waiter)?).collect::<Result<Vec<_>>>()?;
    got.sort_unstable();
    assert_eq!(got, [0, 1, 2, 3, 4, 5, 6, 7]);
    Ok(())
}

pub(super) fn a_future_that_is_dropped_leaves_the_line(place: &Place) -> Result<()> {
    let lock = place.lock("door")?;
    let held = lock.acquire()?;
    let (woken, mut second) = (Woken::default(), pin!(lock.acquiring()));
    {
        let mut first = pin!(lock.acquiring());
        assert!(first.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let waker = Waker::from(woken.0.clone());
        assert!(second.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        drop(held);
        // The first was called, and goes without having looked.
    }
    until(|| woken.is_woken());
    let got = second.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(got, Poll::Ready(Ok(_))), "what the first would have got is the second's");
    assert!(lock.try_acquire()?.is_none());
    Ok(())
}
