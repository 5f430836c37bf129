//! Coming in at somebody's [inbox](crate::serve::Inbox).

use crate::error::{Error, Kind, Result};
use crate::keys::{Keys, Scope, Ticket, join};
use crate::net::{Endpoint, Stream, connect};
use std::time::Instant;

/// Connects to an inbox: `tcp://host:port`, with `#` and the ticket behind it unless this user's key is known there, or
/// `unix:/path` of the same user. What is sent over the stream is encrypted, and goes to that inbox or to nobody.
///
/// # Errors
/// `ConfigInvalid` for a wrong address; `PermissionDenied` if this user may do other things there, but not send files;
/// what [`connect`] and [`join`] say.
///
/// ```
/// use anyplace::keys::Keys;
/// use anyplace::net::files::{Receiving, Sending, reach};
/// use anyplace::serve::Inbox;
/// use std::time::{Duration, Instant};
///
/// let folder = tempfile::tempdir()?;
/// std::fs::write(folder.path().join("letter"), "dear reader")?;
///
/// let inbox = Inbox::open("tcp://127.0.0.1:0", &Keys::in_memory(), Inbox::TERMS)?;
/// let address = inbox.address().reveal();
/// let target = folder.path().join("inbox");
/// let receiver = std::thread::spawn(move || {
///     let arrival = inbox.accept(None)?.expect("nobody closes it");
///     Receiving::into(target).over(&arrival.stream)
/// });
///
/// // On another machine, with other keys:
/// let until = Instant::now() + Duration::from_secs(10);
/// let stream = reach(&address, &Keys::in_memory(), until)?;
/// assert_eq!(Sending::new([folder.path().join("letter")]).over(&stream)?.files, 1);
/// assert_eq!(receiver.join().unwrap()?.bytes, 11);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn reach(address: &str, keys: &Keys, until: Instant) -> Result<Stream> {
    let (endpoint, ticket) = Ticket::split(address)?;
    let endpoint: Endpoint = endpoint.parse()?;
    if !matches!(endpoint, Endpoint::Tcp { .. } | Endpoint::Unix(_)) {
        return Err(Error::config(format!("nobody receives files at `{endpoint}`"))
            .at(&endpoint)
            .with_help("write `tcp://host:port`, or `unix:/path` for processes of the same user"));
    }
    let joined = join(connect(endpoint.clone(), Some(until))?, keys, ticket.as_ref(), until)?;
    if !joined.scope.allows(Scope::FILES) {
        return Err(Error::new(
            Kind::PermissionDenied,
            format!("this user may not send files to `{endpoint}`, but has the scope `{}`", joined.scope),
        )
        .at(&endpoint)
        .with_help("ask for the address that `anyplace receive` prints there: its ticket is for files"));
    }
    Ok(joined.stream)
}
