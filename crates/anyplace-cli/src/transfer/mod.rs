//! `anyplace send` and `anyplace receive`: files and folders, from one machine to another.

mod receive;
mod send;
mod show;

pub(crate) use receive::run as receive;
pub(crate) use send::run as send;

use anyplace::keys::Keys;
use anyplace::net::files::Transfer;

use crate::exit::Exit;

/// This user's keys; who has no folder for them has keys for as long as this runs.
fn keys() -> Keys {
    match crate::keys::folder() {
        Some(folder) => Keys::new(Some(folder)),
        None => Keys::in_memory(),
    }
}

fn exit(transfer: &Transfer) -> Exit {
    Exit::failed_jobs(transfer.failed)
}
