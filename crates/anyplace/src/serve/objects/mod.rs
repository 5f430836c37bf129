//! Objects that stay where they are, and are called from elsewhere: see README.md for who calls on which thread, by which way a
//! call goes, and when an object goes.

mod calling;
mod chain;
mod conversation;
mod desk;
mod door;
mod gate;
mod held;
mod here;
mod host;
mod names;
mod object;
mod pending;
mod proxy;
mod replies;
mod stream;
mod table;
mod threads;
mod traffic;
mod typed;

pub(crate) use desk::Far;
pub(crate) use gate::Most;
pub(crate) use here::{Node, aside, here};
pub(crate) use host::ticket;
pub use host::{Maker, host};
pub(crate) use names::{Names, keep};
pub use object::{Answer, Object, Reach, Reply, Request, Stream, Verb};
pub use pending::Pending;
pub use proxy::Proxy;
pub use replies::Replied;
pub use stream::{Taken, Values};
pub(crate) use traffic::Objects;

/// The number of the object that each process has from the beginning: it makes, finds and publishes others.
const DESK: u64 = 0;
