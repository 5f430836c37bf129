use anyplace::{Kind, Place, Result};

/// A place that shares nothing refuses at once, names itself, and names places that share.
pub(super) fn a_place_that_shares_nothing_says_so(place: &Place) -> Result<()> {
    let error = place.lock("door").expect_err("it shares nothing");
    assert_eq!(error.kind(), Kind::Unsupported);
    assert_eq!(error.place(), Some(place.address().to_string().as_str()));
    assert!(error.message().contains(&place.address().to_string()), "{error:?}");
    assert!(error.help().is_some_and(|help| help.contains("processes:")), "{error:?}");
    Ok(())
}
