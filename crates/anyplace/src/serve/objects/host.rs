//! A process that does nothing but keep objects: the one worker of a place of its own, with one task that lasts as long as the
//! process that wants it.

use super::conversation::Rights;
use super::door::Hint;
use super::here::here;
use super::names::keep;
use super::object::Object;
use super::proxy::Proxy;
use super::typed;
use crate::driver::{Making, Recipe, Serve};
use crate::error::{Error, Kind, Result, Retry};
use crate::work::{Encoding, Payload, PayloadRef, plain};
use std::fmt;
use std::sync::Arc;

/// Makes the objects of a host, in its language.
pub trait Maker: Send + Sync + 'static {
    /// Makes an object of what was said of it.
    ///
    /// # Errors
    /// Whatever the creator is to be told.
    fn make(&self, of: PayloadRef<'_>) -> Result<Arc<dyn Object>>;
}

/// Keeps objects for the process that has started this one, until it wants no more. `ticket` is what that has said.
///
/// # Errors
/// `NotSerializable` if it is no ticket; `WorkerLost` if that process is gone.
pub fn host(ticket: &[u8], maker: Arc<dyn Maker>) -> Result<()> {
    let (hint, number): (Hint, u64) = postcard::from_bytes(ticket)
        .map_err(|_| Error::new(Kind::NotSerializable, "these bytes are no ticket of a host"))?;
    let desk: Arc<dyn Serve> = Arc::new(Desk(maker));
    let rights = Rights { desk: Some(desk), gateway: true, ..Rights::of_same_user() };
    let peer = here()?.come_in(hint, number, rights)?;
    peer.wait_for_end();
    Ok(())
}

/// What a host is told to begin with: bytes, as every language reads them.
pub(crate) fn ticket(hint: Hint, number: u64) -> Result<Payload> {
    let ticket = typed::encode(&(hint, number))?;
    let mut plain = Vec::new();
    plain::write(&mut plain, plain::Token::Bytes(&ticket.bytes));
    Ok(Payload::new(Encoding::Plain, plain))
}

/// The desk of a host: it makes objects, and knows no names.
struct Desk(Arc<dyn Maker>);

impl Serve for Desk {
    fn create(&self, recipe: Recipe) -> Result<Proxy> {
        match recipe.making {
            Making::Encoded(of) => keep(self.0.make(of.as_ref())?, recipe.exclusive),
            Making::Made(object) => keep(object, recipe.exclusive),
        }
    }

    fn publish(&self, _: &str, _: &Proxy) -> Result<()> {
        Err(no_names())
    }

    fn unpublish(&self, _: &str) -> Result<bool> {
        Err(no_names())
    }

    fn find(&self, _: &str) -> Result<Proxy> {
        Err(no_names())
    }

    fn names(&self) -> Result<Vec<String>> {
        Err(no_names())
    }
}

fn no_names() -> Error {
    Error::new(Kind::Unsupported, "a process that keeps objects has no names")
        .with_retry(Retry::Safe)
        .with_help("ask the place that it is of")
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Maker")
    }
}
