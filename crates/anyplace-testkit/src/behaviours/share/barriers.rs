//! All wait for each other.

use crate::share::until;
use anyplace::share::Barrier;
use anyplace::{Kind, Place, Result};
use std::thread;

const ROUNDS: i64 = 20;

pub(super) fn a_barrier_opens_when_all_have_come(place: &Place) -> Result<()> {
    let (start, came) = (place.barrier("start", 3)?, place.counter("came")?);
    let play = || {
        for round in 1..=ROUNDS {
            came.add(1);
            start.wait()?;
            let now = came.get();
            assert!((round * 3..=(round + 1) * 3).contains(&now), "{now} came before round {round} ended");
        }
        Ok::<_, anyplace::Error>(())
    };
    thread::scope(|scope| {
        let players: Vec<_> = (0..3).map(|_| scope.spawn(play)).collect();
        players.into_iter().try_for_each(|player| player.join().expect("every round counts"))
    })?;
    assert_eq!((came.get(), start.n_waiting()), (ROUNDS * 3, 0));
    Ok(())
}

pub(super) fn a_broken_barrier_says_so_to_all(place: &Place) -> Result<()> {
    let start = place.barrier("start", 2)?;
    let is_broken = |barrier: &Barrier| {
        let error = barrier.wait().expect_err("it is broken");
        assert_eq!(error.kind(), Kind::Broken, "{error:?}");
        assert!(error.help().is_some(), "{error:?}");
    };
    thread::scope(|scope| {
        let waiter = scope.spawn(|| is_broken(&start));
        until(|| start.n_waiting() == 1);
        start.abort();
        waiter.join().expect("it is told");
    });
    assert!(start.is_broken());
    is_broken(&start);
    start.reset();
    thread::scope(|scope| {
        let other = scope.spawn(|| start.wait());
        start.wait()?;
        other.join().expect("waiting does not panic").map(drop)
    })
}
