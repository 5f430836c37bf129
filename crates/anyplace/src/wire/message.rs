//! What place and worker say to each other after the greeting.
//!
//! | frame | body |
//! |---|---|
//! | Define | id, name, bytes |
//! | Forget | id |
//! | First, Task | task, index, attempt, worker, workers, root seed; callee; arguments |
//! | Reply | an outcome |
//! | Log | a payload |

use super::bytes::{Malformed, Reader, Result, Writer};
use super::frame::{Frame, Kind};
use super::hello::{Hello, Welcome};
use super::outcome::{read_outcome, write_outcome};
use crate::context::Context;
use crate::outcome::Outcome;
use crate::work::{Arguments, Encoding, Function, Payload};
use std::sync::Arc;

/// What a worker can be told.
#[derive(Debug)]
pub(crate) enum ToWorker {
    Hello(Hello),
    Define(Function),
    Forget(u64),
    First(Order),
    Task(Order),
}

/// What a worker can say.
#[derive(Debug)]
pub(crate) enum FromWorker {
    Welcome(Welcome),
    Reply(Outcome),
    Log(Payload),
}

/// A call to make, or the calls of a chunk.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) context: Context,
    pub(crate) callee: Callee,
    pub(crate) arguments: Arguments,
}

/// What is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Callee {
    /// A function that the worker finds by its name.
    Named(Arc<str>),
    /// A callable that was defined under this id.
    Defined(u64),
}

pub(crate) fn define(function: &Function) -> Frame<'_> {
    let mut writer = Writer::new(Kind::Define);
    writer.u64(function.id);
    writer.text(&function.name);
    writer.blob(&function.bytes);
    writer.finish()
}

pub(crate) fn forget(id: u64) -> Frame<'static> {
    let mut writer = Writer::new(Kind::Forget);
    writer.u64(id);
    writer.finish()
}

/// `kind` is `First` or `Task`.
pub(crate) fn order<'a>(
    kind: Kind,
    callee: &Callee,
    arguments: &'a Arguments,
    context: &Context,
) -> Frame<'a> {
    let mut writer = Writer::new(kind);
    write_context(&mut writer, context);
    match callee {
        Callee::Named(name) => {
            writer.u8(0);
            writer.text(name);
        }
        Callee::Defined(id) => {
            writer.u8(1);
            writer.u64(*id);
        }
    }
    match arguments {
        Arguments::One(payload) => {
            writer.u8(0);
            write_payload(&mut writer, payload);
        }
        Arguments::Each(payloads) => {
            writer.u8(1);
            writer.u64(payloads.len() as u64);
            payloads.iter().for_each(|payload| write_payload(&mut writer, payload));
        }
    }
    writer.finish()
}

pub(crate) fn reply(outcome: &Outcome) -> Frame<'_> {
    let mut writer = Writer::new(Kind::Reply);
    write_outcome(&mut writer, outcome);
    writer.finish()
}

pub(crate) fn log(record: &Payload) -> Frame<'_> {
    let mut writer = Writer::new(Kind::Log);
    write_payload(&mut writer, record);
    writer.finish()
}

impl ToWorker {
    pub(crate) fn read(kind: Kind, body: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(body);
        let message = match kind {
            Kind::Hello => return Hello::read(body).map(Self::Hello),
            Kind::Define => Self::Define(read_function(&mut reader)?),
            Kind::Forget => Self::Forget(reader.u64()?),
            Kind::First => Self::First(read_order(&mut reader)?),
            Kind::Task => Self::Task(read_order(&mut reader)?),
            Kind::Welcome | Kind::Reply | Kind::Log => return Err(Malformed("a message to a worker")),
        };
        reader.end()?;
        Ok(message)
    }
}

impl FromWorker {
    pub(crate) fn read(kind: Kind, body: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(body);
        let message = match kind {
            Kind::Welcome => return Welcome::read(body).map(Self::Welcome),
            Kind::Reply => Self::Reply(read_outcome(&mut reader)?),
            Kind::Log => Self::Log(read_payload(&mut reader)?),
            _ => return Err(Malformed("a message of a worker")),
        };
        reader.end()?;
        Ok(message)
    }
}

fn read_function(reader: &mut Reader<'_>) -> Result<Function> {
    Ok(Function { id: reader.u64()?, name: reader.text()?.to_owned(), bytes: reader.blob()?.to_vec() })
}

fn read_order(reader: &mut Reader<'_>) -> Result<Order> {
    let context = read_context(reader)?;
    let callee = match reader.u8()? {
        0 => Callee::Named(reader.text()?.into()),
        1 => Callee::Defined(reader.u64()?),
        _ => return Err(Malformed("something to call")),
    };
    let arguments = match reader.u8()? {
        0 => Arguments::One(read_payload(reader)?),
        1 => Arguments::Each(reader.list(read_payload)?),
        _ => return Err(Malformed("arguments")),
    };
    Ok(Order { context, callee, arguments })
}

fn write_context(writer: &mut Writer<'_>, context: &Context) {
    writer.u64(context.task);
    writer.u64(context.index);
    writer.u32(context.attempt);
    writer.u64(context.worker as u64);
    writer.u64(context.workers as u64);
    writer.u64(context.root_seed);
}

fn read_context(reader: &mut Reader<'_>) -> Result<Context> {
    Ok(Context {
        task: reader.u64()?,
        index: reader.u64()?,
        attempt: reader.u32()?,
        worker: reader.count()?,
        workers: reader.count()?,
        root_seed: reader.u64()?,
    })
}

pub(super) fn write_payload<'a>(writer: &mut Writer<'a>, payload: &'a Payload) {
    writer.u8(payload.encoding as u8);
    writer.blob(&payload.bytes);
}

pub(super) fn read_payload(reader: &mut Reader<'_>) -> Result<Payload> {
    let encoding = Encoding::from_number(reader.u8()?).ok_or(Malformed("in a known encoding"))?;
    Ok(Payload { encoding, bytes: reader.blob()?.into() })
}
