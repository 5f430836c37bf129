//! What travels between processes, as bytes and back. Nothing here reads or writes a descriptor.
//!
//! A frame is one byte (what it is), eight bytes (how long its body is, little-endian), and the body. Numbers are
//! little-endian and of fixed width; texts and blobs stand behind their length in eight bytes. Nothing that comes in
//! is believed: every length is checked against the bytes that are there, and nothing is set aside for bytes that
//! have only been announced.
//!
//! | frame | from | means |
//! |---|---|---|
//! | Born, Unborn | zygote | the worker's process was made, or why not |
//! | Hello | place | who asks: protocol and engine version, which worker of how many, on which terms |
//! | Welcome | worker | who answers: protocol, engine and language version |
//! | Define | place | a callable, once, under its id |
//! | First | place | what to do before the first task |
//! | Reply | worker | how First ended |
//! | Begin | place | tasks may be taken from the memory that both share |
//! | Log | worker | a record for the caller's log, at any time |
//!
//! Peers say other things in the same frames: see `peer`. Who sends files speaks as `files` says.
//!
//! A worker that a zygote makes by fork is asked for in packets of their own: see `birth`.
//!
//! The layouts stand beside the types: `hello`, `message`, `order`, `reply`, `rows`, `beside`, `error`, `plain`.
//! Orders and replies are the same bytes in a frame and in memory that place and worker share.

pub mod plain;

pub(crate) mod admission;
pub(crate) mod beside;
pub(crate) mod files;
pub(crate) mod listed;
pub(crate) mod order;
pub(crate) mod peer;
pub(crate) mod reply;
pub(crate) mod rows;

mod birth;
mod bytes;
mod error;
mod frame;
mod hello;
mod message;

#[cfg(test)]
mod tests;

pub(crate) use birth::{Ended, Request, born, unborn};
pub(crate) use bytes::Malformed;
pub(crate) use frame::{Frame, Inbox, Kind, TOO_LONG};
pub(crate) use hello::{Hello, PROTOCOL, Terms, Welcome};
pub(crate) use message::{
    FromWorker, ToWorker, begin, define, first, log, read_function, read_record, reply,
};
pub(crate) use order::{Callee, Order};
pub(crate) use reply::{CANCELLED, FAILED, LOST, error_bytes, read_error_bytes, stays_here};
