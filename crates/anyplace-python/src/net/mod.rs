//! Streams by address: each file is the part of a class of `anyplace` that the engine does.

mod aside;
mod connecting;
mod data;
mod datagram;
mod descriptors;
mod files;
mod inbox;
mod listener;
mod options;
mod steps;
mod stream;

pub(crate) use connecting::{connect_stream, connecting_stream};
pub(crate) use datagram::Datagram;
pub(crate) use files::{Transfer, receive_files, send_files};
pub(crate) use inbox::{Inbox, reach_stream};
pub(crate) use listener::Listener;
pub(crate) use options::options;
pub(crate) use stream::{Handed, Stream};
