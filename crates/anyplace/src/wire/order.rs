//! Orders: a call to make, or the calls of a chunk.
//!
//! | bytes | |
//! |---|---|
//! | 8, 8, 8 | task, index of the first item, root seed |
//! | 4 | attempt |
//! | 1 | 1 if it is a chunk, and 2 if the callee is known by its name |
//! | 4, 8 | how many rows, and of how many bytes |
//! | 4 | how many values stand beside |
//! | 8, or 8 and n | the callee: an id, or the length of its name and the name |
//! | | the list of values beside: see `beside` |
//! | n | the arguments of each call: see `rows` |
//! | n | the values that follow |
//!
//! Which worker runs it is not in it: whoever takes it knows.

use super::beside::{self, Blocks};
use super::bytes::{Malformed, Reader, Result};
use super::rows::{Head, LARGE, RowsRef};
use crate::context::Context;
use crate::work::{Arguments, Bytes, Encoding, Payload};
use std::borrow::Cow;

const CHUNK: u8 = 1;
const NAMED: u8 = 2;

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Callee<'a> {
    /// A function that the worker finds by its name.
    Named(&'a str),
    /// A callable that was defined under this id.
    Defined(u64),
}

/// What of a message is not copied into it, but sent from where it is: first the one, then the others.
pub(crate) struct Rest<'a> {
    pub(crate) rows: Cow<'a, [u8]>,
    pub(crate) following: Vec<&'a Bytes>,
}

/// Appends an order to `out`, all but what it gives. One call with small arguments allocates nothing.
pub(crate) fn write<'a>(
    out: &mut Vec<u8>,
    context: &Context,
    callee: Callee<'_>,
    arguments: &'a Arguments,
    blocks: &dyn Blocks,
) -> Rest<'a> {
    match arguments {
        Arguments::One(payload) => write_one(out, context, callee, payload, blocks),
        Arguments::Each(packed) => {
            let (rows, buffers) = packed.0.parts();
            let counts = Counts { chunk: true, rows: packed.len(), bytes: rows.len(), beside: buffers.len() };
            write_head(out, context, callee, counts);
            Rest { rows, following: beside::write(out, buffers.iter(), blocks) }
        }
    }
}

fn write_one<'a>(
    out: &mut Vec<u8>,
    context: &Context,
    callee: Callee<'_>,
    payload: &'a Payload,
    blocks: &dyn Blocks,
) -> Rest<'a> {
    let Payload { encoding, bytes, buffers } = payload;
    let is_beside = bytes.len() >= LARGE || blocks.locate(bytes).is_some();
    let head = Head::here(*encoding as u8, bytes.len(), buffers.len()).filter(|_| !is_beside);
    let (head, rows, value) = match head {
        Some(head) => (head, &**bytes, None),
        None => (Head::beside(*encoding as u8, buffers.len() + 1), &[][..], Some(bytes)),
    };
    let beside = buffers.len() + usize::from(value.is_some());
    let row = head.as_bytes();
    write_head(out, context, callee, Counts { chunk: false, rows: 1, bytes: row.len() + rows.len(), beside });
    let following = beside::write(out, value.into_iter().chain(buffers), blocks);
    out.extend_from_slice(row);
    Rest { rows: rows.into(), following }
}

struct Counts {
    chunk: bool,
    rows: usize,
    bytes: usize,
    beside: usize,
}

fn write_head(out: &mut Vec<u8>, context: &Context, callee: Callee<'_>, counts: Counts) {
    let mut number = |bytes: &[u8]| out.extend_from_slice(bytes);
    number(&context.task.to_le_bytes());
    number(&context.index.to_le_bytes());
    number(&context.root_seed.to_le_bytes());
    number(&context.attempt.to_le_bytes());
    let named = if matches!(callee, Callee::Named(_)) { NAMED } else { 0 };
    number(&[if counts.chunk { CHUNK } else { 0 } | named]);
    number(&(counts.rows as u32).to_le_bytes());
    number(&(counts.bytes as u64).to_le_bytes());
    number(&(counts.beside as u32).to_le_bytes());
    match callee {
        Callee::Defined(id) => number(&id.to_le_bytes()),
        Callee::Named(name) => {
            number(&(name.len() as u64).to_le_bytes());
            number(name.as_bytes());
        }
    }
}

/// An order where it lies.
#[derive(Clone, Debug)]
pub(crate) struct Order<'a> {
    pub(crate) task: u64,
    pub(crate) index: u64,
    pub(crate) root_seed: u64,
    pub(crate) attempt: u32,
    pub(crate) is_chunk: bool,
    pub(crate) callee: Callee<'a>,
    pub(crate) rows: RowsRef<'a>,
}

impl<'a> Order<'a> {
    /// Reads an order; `buffers` is where what stands beside it is kept meanwhile.
    pub(crate) fn read(body: &'a [u8], buffers: &'a mut Vec<Bytes>, blocks: &dyn Blocks) -> Result<Self> {
        let mut reader = Reader::new(body);
        let (task, index, root_seed) = (reader.u64()?, reader.u64()?, reader.u64()?);
        let (attempt, kind) = (reader.u32()?, reader.u8()?);
        let (rows, bytes, values) = (reader.u32()? as usize, reader.count()?, reader.u32()?);
        let callee = match kind & NAMED {
            0 => Callee::Defined(reader.u64()?),
            _ => Callee::Named(reader.text()?),
        };
        let listed = beside::read(&mut reader, values, blocks)?;
        let bytes = reader.take(bytes)?;
        *buffers = beside::collect(&mut reader, listed)?;
        reader.end()?;
        let is_chunk = kind & CHUNK != 0;
        if kind & !(CHUNK | NAMED) != 0 || !(is_chunk || rows == 1) {
            return Err(Malformed("one call, or a chunk"));
        }
        let is_encoding = |kind| Encoding::from_number(kind).is_some();
        let rows = RowsRef::checked(bytes, buffers, rows, is_encoding)?;
        Ok(Self { task, index, root_seed, attempt, is_chunk, callee, rows })
    }

    /// What the task may know about itself on `worker` of `workers`.
    pub(crate) fn context(&self, worker: usize, workers: usize) -> Context {
        let Self { task, index, attempt, root_seed, .. } = *self;
        Context { task, index, attempt, worker, workers, root_seed }
    }
}
