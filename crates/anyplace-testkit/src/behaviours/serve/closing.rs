//! The end of a place, for its objects.

use crate::thing::Thing;
use anyplace::{Kind, Place, Result};

pub(super) fn a_closed_place_keeps_no_names(place: &Place) -> Result<()> {
    place.publish("thing", Thing::default())?;
    place.close()?;
    let refusals =
        [place.find("thing").map(drop), place.names().map(drop), place.publish("other", Thing::default())];
    for refused in refusals {
        let error = refused.expect_err("it is closed");
        assert_eq!(error.kind(), Kind::PlaceClosed, "{error:?}");
        assert!(error.help().is_some(), "{error:?}");
    }
    Ok(())
}
