//! Objects by their names.

use crate::thing::Thing;
use anyplace::{Kind, Place, Result, Retry};

pub(super) fn a_published_object_is_found_and_called(place: &Place) -> Result<()> {
    place.publish("thing", Thing::default())?;
    let (found, again) = (place.find("thing")?, place.find("thing")?);
    assert_eq!(found.class(), "Thing");
    assert_eq!(found.call::<_, i64>("add", 2_i64)?, 2);
    assert_eq!(again.call::<_, i64>("add", 3_i64)?, 5, "it is one object");
    Ok(())
}

pub(super) fn names_are_told_in_their_order(place: &Place) -> Result<()> {
    assert!(place.names()?.is_empty());
    for name in ["venus", "mars", "earth"] {
        place.publish(name, Thing::default())?;
    }
    assert_eq!(place.names()?, ["earth", "mars", "venus"]);
    let mars = place.find("mars")?;
    assert!(place.unpublish("mars")?);
    assert!(!place.unpublish("mars")?, "it is gone");
    assert_eq!(place.names()?, ["earth", "venus"]);
    assert_eq!(mars.call::<_, i64>("add", 1_i64)?, 1, "who has found it goes on to use it");
    Ok(())
}

pub(super) fn a_name_that_is_taken_is_refused_with_help(place: &Place) -> Result<()> {
    place.publish("thing", Thing::of(7))?;
    for name in ["thing", ""] {
        let error = place.publish(name, Thing::default()).expect_err("it is no name for another");
        assert_eq!((error.kind(), error.retry()), (Kind::ConfigInvalid, Retry::Safe), "{error:?}");
        assert!(error.help().is_some(), "{error:?}");
    }
    assert_eq!(place.find("thing")?.call::<_, i64>("add", 0_i64)?, 7);
    Ok(())
}

pub(super) fn a_name_that_nobody_has_is_told_with_the_nearest(place: &Place) -> Result<()> {
    place.publish("greeter", Thing::default())?;
    let near = place.find("greter").expect_err("nobody has it");
    assert_eq!((near.kind(), near.retry()), (Kind::NotFound, Retry::Safe), "{near:?}");
    assert!(near.message().contains("greter"), "{near:?}");
    assert!(near.help().is_some_and(|help| help.contains("greeter")), "{near:?}");
    let far = place.find("xyzzy").expect_err("nobody has it");
    assert!(far.help().is_some_and(|help| !help.contains("greeter")), "{far:?}");
    Ok(())
}
