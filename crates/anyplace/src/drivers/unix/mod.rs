//! `unix:/path` is a place that another process of the same user offers on this machine: as `tcp:`, but without
//! encryption, since the kernel says who is at the other end.

use super::tcp::{self, Target};
use crate::address::Address;
use crate::driver::{Driver, Entry, Setup};
use crate::error::Result;
use crate::net::Endpoint;
use std::sync::Arc;

pub(crate) const ENTRY: Entry = Entry {
    scheme: "unix",
    about: "a place that another process of this machine offers",
    forms: &["unix:/run/user/1000/any.sock"],
    open,
    options: tcp::OPTIONS,
    families: tcp::FAMILIES,
    check: |_| Ok(()),
};

fn open(address: &Address, setup: &Setup) -> Result<Arc<dyn Driver>> {
    let endpoint: Endpoint = format!("unix:{}", address.target()).parse()?;
    tcp::connect(address, vec![Target { endpoint, ticket: None }], setup)
}
