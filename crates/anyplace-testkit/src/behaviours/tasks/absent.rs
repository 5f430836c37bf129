use crate::work::double;
use anyplace::{Kind, Place, Result};

/// A place that runs no tasks refuses them at once, names itself, and names places that run them.
pub(super) fn a_place_without_tasks_says_so(place: &Place) -> Result<()> {
    let error = place.submit(double, 1).expect_err("it has no tasks");
    assert_eq!(error.kind(), Kind::Unsupported);
    assert_eq!(error.place(), Some(place.address().to_string().as_str()));
    assert!(error.message().contains(&place.address().to_string()), "{error:?}");
    assert!(error.help().is_some_and(|help| help.contains("processes:")), "{error:?}");
    Ok(())
}
