//! Sockets: one address, one stream. The only part of the engine that opens them.
//!
//! Every descriptor is nonblocking, and every operation is a step that either happens now or says what it waits for. So
//! there is one implementation and two ways to wait: who blocks polls on its own thread until a deadline, without a hop
//! through a runtime; who awaits is woken by the reactor, one thread of the process that waits for many descriptors.
//! README.md beside this file says why nobody sleeps through what they wait for, and what giving up a wait costs.

mod address;
mod ahead;
mod bound;
mod clock;
mod connect;
mod credentials;
mod datagram;
mod descriptors;
mod driven;
mod endpoint;
mod epoll;
mod failure;
mod file;
pub mod files;
mod gate;
mod lend;
mod listener;
mod message;
mod multicast;
mod options;
mod outgoing;
mod party;
mod pipe;
mod poller;
mod pulse;
pub(crate) mod reactor;
mod readiness;
mod stream;
pub(crate) mod tls;
mod transport;
mod waiting;
mod watch;

pub use crate::share::Wait;
pub use connect::{connect, connect_with, connecting};
pub use credentials::Credentials;
pub use datagram::{Datagram, bind, bind_with};
pub(crate) use driven::driven;
pub use endpoint::Endpoint;
pub(crate) use epoll::{Ready, Wish};
pub(crate) use lend::{Lent, lending};
pub use lend::{borrow, lend};
pub use listener::{Listener, listen, listen_with};
pub use options::{Keepalive, Options};
pub use party::Party;
pub(crate) use poller::Poller;
pub(crate) use pulse::Beat;
pub use readiness::{Interest, Waitable, wait_any};
pub use stream::{Incomplete, Stream};
pub use tls::{Trust, tls};
