//! Servers of ordinary protocols: Python callables as handlers.

mod handler;
mod server;
mod stream;

pub(crate) use server::Server;
pub(crate) use stream::{ServedStream, borrow_stream};
