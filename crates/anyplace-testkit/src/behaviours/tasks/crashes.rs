//! Workers that die.

use crate::door::Door;
use crate::submit::{ended, submit, submit_hold};
use crate::work::{die, double};
use anyplace::{Exit, Kind, Place, Result, Retry};

/// A worker that dies takes its task with it; the tasks beside, before and behind it do not notice.
pub(super) fn a_worker_that_dies_costs_only_its_task(place: &Place) -> Result<()> {
    let door = Door::new()?;
    let beside = submit_hold(place, &door)?;
    let held = door.knock()?;
    let error = ended(submit(place, die, 0)?).expect_err("its process is gone");
    assert_eq!((error.kind(), error.retry()), (Kind::WorkerLost, Retry::MayRepeat), "{error:?}");
    assert_eq!(error.exit(), Some(Exit::Signal(9)), "{error:?}");
    assert_eq!(ended(submit(place, double, 1)?)?, 2);
    drop(held);
    assert_ne!(ended(beside)?, std::process::id());
    Ok(())
}
