//! What an address asks of a place of other processes.

use crate::address::Address;
use crate::duration::parse;
use crate::error::{Error, Result};
use std::time::Duration;

pub(crate) const OPTIONS: &[(&str, &str)] = &[
    (
        "on_disconnect",
        "`cancel` (the default) or `keep`: what the server does with our tasks while we are away",
    ),
    ("reconnect", "how long a server may be away until its tasks are lost, such as `30s` (the default)"),
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choices {
    pub(super) keep: bool,
    pub(super) reconnect: Duration,
}

impl Choices {
    pub(super) fn read(address: &Address) -> Result<Self> {
        let keep = match address.options().get("on_disconnect") {
            None | Some("cancel") => false,
            Some("keep") => true,
            Some(other) => {
                return Err(Error::config(format!("option `on_disconnect` cannot be `{other}`"))
                    .at(address)
                    .during("open")
                    .with_help("write `on_disconnect=cancel` or `on_disconnect=keep`"));
            }
        };
        let reconnect = address.options().get("reconnect").map(parse).transpose()?;
        Ok(Self { keep, reconnect: reconnect.unwrap_or(Duration::from_secs(30)) })
    }
}
