//! `processes:N` runs tasks in N processes of this machine.

pub mod command;

pub use command::{Captured, Finished};

use crate::Address;
use crate::driver::{Driver, Entry, Family, Setup};
use crate::error::{Error, Result};
use std::sync::Arc;

pub(crate) const ENTRY: Entry = Entry {
    scheme: "processes",
    about: "in processes of this machine",
    forms: &["processes:", "processes:8"],
    options: &[],
    families: &[Family::Tasks],
    check: |_| Ok(()),
    open,
};

fn open(address: &Address, _: &Setup) -> Result<Arc<dyn Driver>> {
    Err(Error::unsupported(address, "open", "it is being built"))
}
