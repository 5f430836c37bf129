//! Servers of ordinary protocols: Python callables as handlers.

mod borrow;
mod handler;
mod server;

pub(crate) use borrow::borrow_stream;
pub(crate) use server::Server;
