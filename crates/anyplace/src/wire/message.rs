//! What place and worker say to each other after the greeting.
//!
//! | frame | body |
//! |---|---|
//! | Define | id, name, bytes |
//! | First | an order: see `order` |
//! | Reply | see `reply` |
//! | Begin | after how many tasks the worker leaves |
//! | Log | encoding, bytes |

use super::beside::Apart;
use super::bytes::{Malformed, Reader, Result, Writer};
use super::frame::{Frame, Kind};
use super::hello::{Hello, Welcome};
use super::order::Callee;
use super::rows::Rows;
use crate::context::Context;
use crate::outcome::Outcome;
use crate::work::{Arguments, Encoding, Function, Payload};

/// What a worker can be told. Orders are read where they lie, with [`Order::read`](super::Order::read).
#[derive(Debug)]
pub(crate) enum ToWorker<'a> {
    Hello(Hello),
    Define(Function),
    First(&'a [u8]),
    Begin(u64),
}

/// What a worker can say.
#[derive(Debug)]
pub(crate) enum FromWorker {
    /// Said for the worker by the zygote that made it.
    Born(u32),
    Unborn(u32, String),
    Welcome(Welcome),
    Reply(Outcome),
    Log(Payload),
}

pub(crate) fn define(function: &Function) -> Frame<'_> {
    let mut writer = Writer::new(Kind::Define);
    writer.u64(function.id);
    writer.text(&function.name);
    writer.blob(&function.bytes);
    writer.finish()
}

pub(crate) fn begin(max_tasks: u64) -> Frame<'static> {
    let mut writer = Writer::new(Kind::Begin);
    writer.u64(max_tasks);
    writer.finish()
}

pub(crate) fn first<'a>(callee: Callee<'_>, arguments: &'a Arguments, context: &Context) -> Frame<'a> {
    let mut head = Frame::head(Kind::First);
    let rest = super::order::write(&mut head, context, callee, arguments, &Apart);
    Frame::with_rest(head, rest)
}

pub(crate) fn reply(is_chunk: bool, rows: &Rows) -> Frame<'_> {
    let mut head = Frame::head(Kind::Reply);
    let rest = super::reply::write(&mut head, is_chunk, rows, &Apart);
    Frame::with_rest(head, rest)
}

pub(crate) fn log(record: &Payload) -> Frame<'_> {
    let mut writer = Writer::new(Kind::Log);
    writer.u8(record.encoding as u8);
    writer.blob(&record.bytes);
    writer.finish()
}

impl<'a> ToWorker<'a> {
    pub(crate) fn read(kind: Kind, body: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(body);
        let message = match kind {
            Kind::Hello => return Hello::read(body).map(Self::Hello),
            Kind::First => return Ok(Self::First(body)),
            Kind::Define => return read_function(body).map(Self::Define),
            Kind::Begin => Self::Begin(reader.u64()?),
            _ => return Err(Malformed("a message to a worker")),
        };
        reader.end()?;
        Ok(message)
    }
}

impl FromWorker {
    pub(crate) fn read(kind: Kind, body: &[u8]) -> Result<Self> {
        match kind {
            Kind::Born => Reader::new(body).u32().map(Self::Born),
            Kind::Unborn => super::birth::read_unborn(body).map(|(error, text)| Self::Unborn(error, text)),
            Kind::Welcome => Welcome::read(body).map(Self::Welcome),
            Kind::Reply => super::reply::read(body, &Apart).map(Self::Reply),
            Kind::Log => read_record(body).map(Self::Log),
            _ => Err(Malformed("a message of a worker")),
        }
    }
}

pub(crate) fn read_function(body: &[u8]) -> Result<Function> {
    let mut reader = Reader::new(body);
    let function =
        Function { id: reader.u64()?, name: reader.text()?.to_owned(), bytes: reader.blob()?.into() };
    reader.end()?;
    Ok(function)
}

pub(crate) fn read_record(body: &[u8]) -> Result<Payload> {
    let mut reader = Reader::new(body);
    let encoding = Encoding::from_number(reader.u8()?).ok_or(Malformed("in a known encoding"))?;
    let payload = Payload::new(encoding, reader.blob()?);
    reader.end()?;
    Ok(payload)
}
