//! `unix:/path` is a place that another process of the same user offers on this machine: as `tcp:`, but without
//! encryption, since the kernel says who is at the other end.

use super::tcp::{OPTIONS, Target, connect};
use crate::address::Address;
use crate::driver::{Driver, Entry, Family, Setup};
use crate::error::Result;
use crate::net::Endpoint;
use std::sync::Arc;

pub(crate) const ENTRY: Entry = Entry {
    scheme: "unix",
    about: "a place that another process of this machine offers",
    forms: &["unix:/run/user/1000/any.sock"],
    options: OPTIONS,
    families: &[Family::Tasks, Family::Share, Family::Serve],
    check: |_| Ok(()),
    open,
};

fn open(address: &Address, setup: &Setup) -> Result<Arc<dyn Driver>> {
    let endpoint: Endpoint = format!("unix:{}", address.target()).parse()?;
    connect(address, vec![Target { endpoint, ticket: None }], setup)
}
