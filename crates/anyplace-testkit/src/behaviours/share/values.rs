//! Numbers that all change at once.

use crate::share::{add_to_both, exchange};
use crate::submit::{How, map};
use anyplace::{Place, Result};

pub(super) fn adding_from_many_tasks_loses_nothing(place: &Place) -> Result<()> {
    let (whole, float) = (place.counter("whole")?, place.value("float", 0.0_f64)?);
    let inputs: Vec<_> = (0..20).map(|_| (whole.clone(), float.clone(), 100)).collect();
    map(place, add_to_both, inputs, How::default())?.try_for_each(|done| done.map(drop))?;
    assert_eq!(whole.get(), 2000);
    assert!((float.get() - 1000.0).abs() < 1e-9, "halves are exact");
    Ok(())
}

pub(super) fn a_value_is_exchanged_by_one_alone(place: &Place) -> Result<()> {
    let first = place.value("first", -1_i64)?;
    let inputs: Vec<_> = (0..20).map(|number| (first.clone(), number)).collect();
    let won: Vec<bool> = map(place, exchange, inputs, How::default())?.collect::<Result<_>>()?;
    assert_eq!(won.iter().filter(|won| **won).count(), 1);
    assert!(won[usize::try_from(first.get()).expect("somebody won")]);
    assert!(place.value("flag", true)?.swap(false));
    assert_eq!(place.value("large", u64::MAX)?.add(2), u64::MAX);
    assert_eq!(place.value("large", 0_u64)?.get(), 1, "it wraps around");
    Ok(())
}
