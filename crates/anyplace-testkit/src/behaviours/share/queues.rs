//! Values on their way.

use crate::door::Door;
use crate::share::{PATIENCE, hold_at_queue, produce, until};
use crate::submit::{How, ended, map, submit};
use anyplace::{Kind, Place, Result};
use std::thread;
use std::time::Duration;

pub(super) fn values_of_one_producer_come_in_its_order(place: &Place) -> Result<()> {
    let letters = place.queue::<(u64, u64)>("letters", 0)?;
    let inputs: Vec<_> = (0..4).map(|who| (letters.clone(), who, 200)).collect();
    thread::scope(|scope| {
        let got = scope.spawn(|| letters.iter().collect::<Vec<_>>());
        map(place, produce, inputs, How::default())?.try_for_each(|done| done.map(drop))?;
        letters.shut_down(false);
        let got = got.join().expect("getting does not panic");
        for who in 0..4 {
            let of_one = got.iter().filter(|(producer, _)| *producer == who).map(|(_, number)| *number);
            assert!(of_one.eq(0..200), "those of {who} come in order, and once");
        }
        Ok(())
    })
}

pub(super) fn a_full_queue_holds_its_producers_back(place: &Place) -> Result<()> {
    let letters = place.queue::<(u64, u64)>("letters", 2)?;
    let producer = submit(place, produce, (letters.clone(), 7, 5))?;
    until(|| letters.is_full());
    assert_eq!(letters.put_within((8, 0), Duration::from_millis(5))?, Some((8, 0)), "it comes back");
    assert!(!producer.is_done());
    assert_eq!((letters.len(), letters.capacity()), (2, 2));
    for number in 0..5 {
        assert_eq!(letters.get_within(PATIENCE)?, Some((7, number)));
    }
    ended(producer)?;
    assert_eq!(letters.try_get()?, None);
    Ok(())
}

pub(super) fn the_last_or_the_lowest_comes_first_where_that_is_asked_for(place: &Place) -> Result<()> {
    let pile = place.lifo::<u64>("pile", 0)?;
    pile.put_many(0..3)?;
    assert_eq!(pile.get_many(9)?, [2, 1, 0]);
    let ranked = place.priority::<String>("ranked", 0)?;
    for (rank, name) in [(5, "last"), (-1, "first"), (2, "second"), (2, "third")] {
        ranked.put_ranked(rank, name.to_owned())?;
    }
    assert_eq!(ranked.get_many(9)?, ["first", "second", "third", "last"]);
    Ok(())
}

pub(super) fn a_queue_that_is_shut_down_gives_what_it_has_and_ends(place: &Place) -> Result<()> {
    let letters = place.queue::<u64>("letters", 3)?;
    letters.put_many([1, 2])?;
    letters.shut_down(false);
    assert!(letters.is_shut_down());
    assert_eq!(letters.put(3).expect_err("it is shut").kind(), Kind::Ended);
    assert_eq!(letters.iter().collect::<Vec<_>>(), [1, 2]);
    let error = letters.get().expect_err("it is empty, too");
    assert_eq!(error.kind(), Kind::Ended, "{error:?}");
    assert!(error.help().is_some(), "{error:?}");
    let empty = place.queue::<u64>("empty", 3)?;
    thread::scope(|scope| {
        let waiter = scope.spawn(|| empty.get());
        until(|| place.why().objects.iter().any(|object| object.name == "empty"));
        empty.shut_down(true);
        let told = waiter.join().expect("waiting does not panic");
        assert_eq!(told.expect_err("nothing comes").kind(), Kind::Ended);
    });
    let full = place.queue::<u64>("full", 3)?;
    full.put(1)?;
    full.shut_down(true);
    assert_eq!(full.get().expect_err("it was thrown away").kind(), Kind::Ended);
    full.join()
}

pub(super) fn a_queue_is_joined_when_all_is_done(place: &Place) -> Result<()> {
    let letters = place.queue::<u64>("letters", 0)?;
    letters.join()?;
    letters.put_many(0..3)?;
    thread::scope(|scope| {
        let joiner = scope.spawn(|| letters.join());
        for _ in 0..3 {
            assert!(!joiner.is_finished());
            letters.get()?;
            letters.task_done()?;
        }
        joiner.join().expect("waiting does not panic")
    })?;
    let error = letters.task_done().expect_err("all is done");
    assert_eq!(error.kind(), Kind::ConfigInvalid, "{error:?}");
    Ok(())
}

pub(super) fn a_batch_is_what_is_there(place: &Place) -> Result<()> {
    let letters = place.queue::<u64>("letters", 0)?;
    letters.put_many(0..5)?;
    assert_eq!(letters.get_many(3)?, [0, 1, 2]);
    assert_eq!(letters.get_many(3)?, [3, 4]);
    assert_eq!(letters.get_many(0)?, [0; 0]);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| letters.get_many(3));
        until(|| place.why().objects.iter().any(|object| !object.waiters.is_empty()));
        letters.put(9)?;
        assert_eq!(
            waiter.join().expect("waiting does not panic")?,
            [9],
            "it waits for the first, and no more"
        );
        Ok(())
    })
}

/// Much larger than any room that a queue may have.
pub(super) fn a_value_may_be_large(place: &Place) -> Result<()> {
    let letters = place.queue::<Vec<u8>>("letters", 2)?;
    for length in [0, 100, 100_000, 64 << 20] {
        let letter: Vec<u8> = (0..length).map(|number| (number % 251) as u8).collect();
        letters.put(letter.clone())?;
        assert!(letters.get()? == letter, "{length} bytes");
    }
    Ok(())
}

/// A worker is killed while it puts and gets as fast as it can; the queue goes on, with whole values only.
pub(super) fn a_worker_killed_at_a_queue_breaks_nothing(place: &Place) -> Result<()> {
    let letters = place.queue::<Vec<u8>>("letters", 0)?;
    for _ in 0..5 {
        let door = Door::new()?;
        let busy = submit(place, hold_at_queue, (letters.clone(), door.path()))?;
        let held = door.knock()?;
        drop(held);
        until(|| !letters.is_empty());
        assert!(busy.kill());
        assert!(ended(busy).is_err());
        while let Some(letter) = letters.try_get()? {
            assert!(letter.iter().all(|byte| *byte == 7) && [10, 5000].contains(&letter.len()));
        }
        letters.put(vec![1])?;
        assert_eq!(letters.get()?, [1]);
    }
    Ok(())
}
