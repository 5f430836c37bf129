//! Calls of objects, wherever they are.

use crate::submit::ended;
use crate::thing::{Thing, encoded};
use anyplace::serve::objects::Verb;
use anyplace::{Kind, Place, Proxy, Result, Retry};
use std::thread;

/// An object of this process, as others find it.
fn published(place: &Place, name: &str) -> Result<Proxy> {
    place.publish(name, Thing::default())?;
    place.find(name)
}

pub(super) fn an_object_that_is_created_is_called_by_its_proxy(place: &Place) -> Result<()> {
    let (one, other) = (place.create(Thing::default())?, place.create(Thing::of(10))?);
    assert_eq!(one.call::<_, i64>("add", 1_i64)?, 1);
    assert_eq!(other.call::<_, i64>("add", 1_i64)?, 11);
    assert_eq!(one.clone().call::<_, i64>("add", 1_i64)?, 2);
    assert!(one == one.clone() && one != other);
    assert!(place.names()?.is_empty(), "it has no name");
    Ok(())
}

pub(super) fn attributes_are_read_and_set_where_the_object_is(place: &Place) -> Result<()> {
    let thing = published(place, "thing")?;
    thing.set_attribute("total", 40_i64)?;
    assert_eq!(thing.call::<_, i64>("add", 2_i64)?, 42);
    assert_eq!(place.find("thing")?.attribute::<i64>("total")?, 42);
    let unknown = thing.attribute::<i64>("colour").expect_err("it has none");
    assert_eq!(unknown.kind(), Kind::NotFound, "{unknown:?}");
    Ok(())
}

pub(super) fn what_a_method_fails_with_is_told_to_its_caller(place: &Place) -> Result<()> {
    let thing = published(place, "thing")?;
    let failed = thing.call::<_, ()>("fail", "out of ink").expect_err("it fails");
    assert!(failed.message().contains("out of ink"), "{failed:?}");
    let unknown = thing.call::<_, ()>("sing", ()).expect_err("it cannot");
    assert_eq!(unknown.retry(), Retry::Safe, "{unknown:?}");
    assert!(unknown.message().contains("sing"), "{unknown:?}");
    assert_eq!(thing.call::<_, i64>("add", 1_i64)?, 1);
    Ok(())
}

pub(super) fn values_that_come_one_by_one_are_made_as_they_are_taken(place: &Place) -> Result<()> {
    let thing = published(place, "thing")?;
    let few: Vec<i64> = thing.values("count", 5_i64)?.collect::<Result<_>>()?;
    assert_eq!(few, [0, 1, 2, 3, 4]);
    let mut endless = thing.values::<_, i64>("count", i64::MAX)?;
    let taken: Vec<i64> = endless.by_ref().take(3000).collect::<Result<_>>()?;
    assert!(taken.iter().copied().eq(0..3000));
    let made: u64 = thing.attribute("made")?;
    assert!((3005..100_000).contains(&made), "{made} values were made for 3005");
    Ok(())
}

/// Two objects that pass a number to and fro.
pub(super) fn a_call_may_come_back_to_its_caller(place: &Place) -> Result<()> {
    let (ping, pong) = (published(place, "ping")?, published(place, "pong")?);
    ping.call::<_, ()>("join", pong.to_bytes()?)?;
    pong.call::<_, ()>("join", ping.to_bytes()?)?;
    assert_eq!(ping.call::<_, u64>("forward", 20_u64)?, 21);
    Ok(())
}

pub(super) fn a_call_without_waiting_gives_its_value_later(place: &Place) -> Result<()> {
    let thing = published(place, "thing")?;
    let handle = thing.submit(Verb::Call, "add", encoded(5), None);
    let value = ended(handle)?;
    assert!(matches!(value, anyplace::Value::Encoded(total) if total.bytes == encoded(5).bytes));
    thing.send("add", encoded(1))?;
    crate::share::until(|| thing.attribute::<i64>("total").is_ok_and(|total| total == 6));
    Ok(())
}

pub(super) fn many_threads_share_a_proxy(place: &Place) -> Result<()> {
    let thing = published(place, "thing")?;
    let echo = |text: String| thing.call::<_, String>("echo", &text).map(|answer| answer == text);
    let are_own = thread::scope(|scope| {
        let start =
            |number: usize| scope.spawn(move || (0..50).map(|n| echo(format!("{number}/{n}"))).collect());
        let threads: Vec<_> = (0..20).map(start).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("calls do not panic"))
            .collect::<Vec<Result<Vec<bool>>>>()
    });
    for own in are_own {
        assert_eq!(own?, [true; 50]);
    }
    Ok(())
}
