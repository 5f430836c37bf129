use crate::thing::Thing;
use anyplace::{Error, Kind, Place, Result};

/// A place that keeps no objects refuses at once, names itself, and names places that keep some.
pub(super) fn a_place_that_keeps_no_objects_says_so(place: &Place) -> Result<()> {
    let refusals: [Error; 4] = [
        place.create(Thing::default()).expect_err("it keeps none"),
        place.publish("thing", Thing::default()).expect_err("it knows no names"),
        place.find("thing").expect_err("it knows no names"),
        place.names().expect_err("it knows no names"),
    ];
    for error in refusals {
        assert_eq!(error.kind(), Kind::Unsupported);
        assert_eq!(error.place(), Some(place.address().to_string().as_str()));
        assert!(error.message().contains(&place.address().to_string()), "{error:?}");
        assert!(error.help().is_some_and(|help| help.contains("processes:")), "{error:?}");
    }
    Ok(())
}
