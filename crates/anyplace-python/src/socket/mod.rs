//! What `anyplace.socket` is made of: sockets as Python programs know them, with waits of ours.
//!
//! A class for all families, kinds and options that the system knows by number, as the standard library's `_socket.socket`
//! is. Streams by address are another thing: those are the engine's `net`.

mod address;
mod audit;
mod class;
mod connect;
mod control;
mod hope;
mod host;
mod message;
mod option;
mod patience;
mod raised;
mod receive;
mod send;
mod sys;
mod view;
mod wait;

pub(crate) use class::{Socket, socket_pair};
pub(crate) use view::View;
