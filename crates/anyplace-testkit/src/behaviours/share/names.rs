//! Who says a name means the same object.

use crate::share::use_all;
use crate::submit::{ended, submit};
use anyplace::share::LONGEST_NAME;
use anyplace::{Kind, Place, Result};

pub(super) fn a_name_is_one_object(place: &Place) -> Result<()> {
    place.counter("hits")?.add(2);
    assert_eq!(place.counter("hits")?.get(), 2);
    assert_eq!(place.value("hits", 7_i64)?.get(), 2, "who came first has said how it begins");
    let other = anyplace::open("threads:1")?;
    assert_eq!(other.counter("hits")?.get(), 0, "another place is another place");
    other.close()
}

pub(super) fn a_name_of_another_kind_is_refused_with_help(place: &Place) -> Result<()> {
    place.semaphore("door", 2)?;
    for error in [
        place.lock("door").map(drop),
        place.queue::<String>("door", 1).map(drop),
        place.value("door", 1.0).map(drop),
    ] {
        let error = error.expect_err("it is a semaphore");
        assert_eq!(error.kind(), Kind::ConfigInvalid, "{error:?}");
        assert!(error.message().contains("door") && error.message().contains("semaphore"), "{error:?}");
        assert!(error.help().is_some(), "{error:?}");
    }
    assert_eq!(place.semaphore("door", 9)?.value(), 2);
    place.queue::<u64>("orders", 0)?.put(1)?;
    assert_eq!(place.lifo::<u64>("orders", 0).expect_err("it is no lifo").kind(), Kind::ConfigInvalid);
    Ok(())
}

pub(super) fn a_name_that_is_too_long_is_refused(place: &Place) -> Result<()> {
    place.lock(&"x".repeat(LONGEST_NAME))?;
    let error = place.lock(&"x".repeat(LONGEST_NAME + 1)).expect_err("it is too long");
    assert_eq!(error.kind(), Kind::ConfigInvalid, "{error:?}");
    assert!(error.message().contains(&LONGEST_NAME.to_string()), "{error:?}");
    Ok(())
}

pub(super) fn objects_without_a_name_are_new_ones(place: &Place) -> Result<()> {
    let (one, other) = (place.lock("")?, place.lock("")?);
    let held = one.acquire()?;
    assert!(other.try_acquire()?.is_some());
    assert!(one.clone().try_acquire()?.is_none(), "a clone is the same");
    drop(held);
    Ok(())
}

/// One task uses an object of each kind, with names and without.
pub(super) fn a_handle_opens_itself_in_a_task(place: &Place) -> Result<()> {
    for name in ["", "named"] {
        let called = |kind: &str| if name.is_empty() { String::new() } else { format!("{name}-{kind}") };
        let (lock, rlock) = (place.lock(&called("lock"))?, place.rlock(&called("rlock"))?);
        let semaphore = place.semaphore(&called("semaphore"), 2)?;
        let (condition, event) = (place.condition(&called("condition"))?, place.event(&called("event"))?);
        let (barrier, value) = (place.barrier(&called("barrier"), 1)?, place.value(&called("value"), 1.5)?);
        let queue = place.queue::<String>(&called("queue"), 3)?;
        let locks = (lock.clone(), rlock.clone(), semaphore.clone());
        let others = (condition.clone(), event.clone(), barrier.clone(), value.clone(), queue.clone());
        ended(submit(place, use_all, (locks, others))?)?;
        assert!(lock.is_locked(), "the task has kept it");
        assert_eq!((rlock.is_locked(), semaphore.value()), (false, 1));
        assert_eq!((event.is_set(), value.get()), (true, 2.0));
        assert_eq!(queue.get()?, "it was here");
    }
    Ok(())
}

pub(super) fn a_handle_that_cannot_travel_says_so(place: &Place) -> Result<()> {
    let (away, lock) = (anyplace::open("processes:1")?, place.lock("door")?);
    let error = away.submit(crate::share::get_lock, (lock, place.event("had")?)).expect_err("it stays here");
    assert_eq!(error.kind(), Kind::NotSerializable, "{error:?}");
    assert!(error.message().contains("door"), "{error:?}");
    assert!(error.message().contains(&place.address().to_string()), "{error:?}");
    assert!(error.help().is_some_and(|help| help.contains("processes:")), "{error:?}");
    away.close()
}
