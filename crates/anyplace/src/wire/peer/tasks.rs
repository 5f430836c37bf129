//! Tasks between peers: the client says Define, Run, End, Resume and Heard, the server Ended and Log.
//!
//! | frame | means | body |
//! |---|---|---|
//! | Define | a callable, once for each conversation | as to a worker: see `message` |
//! | Run | do this | its number and terms; then an order (see `order`), or a program |
//! | End | end it: 0 if it has not begun, 1 on request, 2 since its time is over | number; 1 |
//! | Ended | how it ended | number; how long it took in ns, or 0; then a reply (see `reply`), or what a program left |
//! | Resume | a question: what became of these? | the question's number; the tasks' numbers |
//! | Heard | their Ended has come: said only where the server keeps what it said | the tasks' numbers |
//!
//! The answer to Resume has one byte for each: 0 if it has not begun and never will, 1 if it has ended and the Ended was
//! said in vain, 2 if its Ended comes.

use crate::context::Context;
use crate::error::{Error, Exit};
use crate::outcome::{Captured, Finished, Items, ItemsWriter, Outcome, Value};
use crate::task::{Ending, Task, TaskOptions};
use crate::wire::beside::Apart;
use crate::wire::bytes::{Malformed, Reader, Result, Writer};
use crate::wire::error::{read_error, read_exit, write_error, write_exit};
use crate::wire::frame::{Frame, Kind};
use crate::wire::order::{self, Callee, Order};
use crate::wire::reply;
use crate::work::{Arguments, Bytes, Command, Encoding, Named, Packed, Payload, Work};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::time::Duration;

const COMMAND: u8 = 1;
const IDEMPOTENT: u8 = 2;
const MEASURED: u8 = 4;

/// A task as it has come.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) number: u64,
    /// Whether the client wants to know how long it takes.
    pub(crate) is_measured: bool,
    pub(crate) items: u32,
    pub(crate) context: Context,
    pub(crate) options: TaskOptions,
    pub(crate) work: Told,
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Told {
    /// Work that is complete.
    Work(Work),
    /// A call of the callable that was defined under this number.
    Defined(u64, Arguments),
}

/// The frame of a task; what it calls was defined before. Only work that travels can be told.
pub(crate) fn run(number: u64, task: &Task) -> Frame<'_> {
    let mut writer = Writer::new(Kind::Run);
    writer.u64(number);
    let is_command = matches!(task.work, Work::Command(_));
    let flag = |is, flag| if is { flag } else { 0 };
    writer.u8(flag(is_command, COMMAND)
        | flag(task.options.idempotent, IDEMPOTENT)
        | flag(task.shared.is_measured(), MEASURED));
    writer.u32(task.items);
    writer.option(task.options.timeout, |writer, limit| {
        writer.u64(u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX));
    });
    writer.option(task.options.name.as_deref(), Writer::text);
    let context = task.context(0, 0);
    let (callee, arguments) = match &task.work {
        Work::Named(named) => (Callee::Named(&named.name), &named.arguments),
        Work::Pickled(pickled) => (Callee::Defined(pickled.function.id), &pickled.arguments),
        Work::Command(command) => return run_command(writer, &context, command),
        Work::Call(_) => unreachable!("a place takes only the work that its limits name"),
    };
    let mut head = writer.into_bytes();
    let rest = order::write(&mut head, &context, callee, arguments, &Apart);
    Frame::with_rest(head, rest)
}

fn run_command<'a>(mut writer: Writer<'a>, context: &Context, command: &'a Command) -> Frame<'a> {
    [context.task, context.index, context.root_seed].into_iter().for_each(|number| writer.u64(number));
    writer.u32(context.attempt);
    let text = |writer: &mut Writer<'a>, text: &'a OsStr| writer.blob(text.as_bytes());
    writer.u64(command.argv.len() as u64);
    command.argv.iter().for_each(|word| text(&mut writer, word));
    writer.u64(command.env.len() as u64);
    for (name, value) in &command.env {
        text(&mut writer, name);
        text(&mut writer, value);
    }
    writer.option(command.cwd.as_deref(), |writer, cwd| text(writer, cwd.as_os_str()));
    writer.option(command.stdin.as_deref(), Writer::blob);
    writer.finish()
}

impl Run {
    pub(crate) fn read(body: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(body);
        let (number, flags, items) = (reader.u64()?, reader.u8()?, reader.u32()?);
        let timeout = reader.option(Reader::u64)?.map(Duration::from_nanos);
        let name = reader.option(|reader| reader.text().map(Arc::from))?;
        let options = TaskOptions { name, idempotent: flags & IDEMPOTENT != 0, timeout };
        let (context, work) = match flags & COMMAND {
            0 => read_call(reader.rest())?,
            _ => read_command(reader)?,
        };
        Ok(Self { number, is_measured: flags & MEASURED != 0, items, context, options, work })
    }
}

fn read_call(body: &[u8]) -> Result<(Context, Told)> {
    let mut buffers = Vec::new();
    let order = Order::read(body, &mut buffers, &Apart)?;
    let arguments = arguments(&order)?;
    let work = match order.callee {
        Callee::Named(name) => Told::Work(Work::Named(Named { name: name.into(), arguments })),
        Callee::Defined(id) => Told::Defined(id, arguments),
    };
    Ok((order.context(0, 0), work))
}

fn read_command(mut reader: Reader<'_>) -> Result<(Context, Told)> {
    let (task, index, root_seed, attempt) = (reader.u64()?, reader.u64()?, reader.u64()?, reader.u32()?);
    let text = |reader: &mut Reader<'_>| reader.blob().map(|text| OsStr::from_bytes(text).to_owned());
    let pair = |reader: &mut Reader<'_>| Ok((text(reader)?, text(reader)?));
    let command = Command {
        argv: reader.list::<OsString>(text)?,
        env: reader.list(pair)?,
        cwd: reader.option(text)?.map(Into::into),
        stdin: reader.option(|reader| reader.blob().map(<[u8]>::to_vec))?,
    };
    reader.end()?;
    let context = Context { task, index, attempt, worker: 0, workers: 0, root_seed };
    Ok((context, Told::Work(Work::Command(command))))
}

/// The arguments of an order, which stay when its bytes go.
fn arguments(order: &Order<'_>) -> Result<Arguments> {
    if order.is_chunk {
        return Ok(Arguments::Each(Packed(order.rows.to_rows())));
    }
    let row = order.rows.clone().next().ok_or(Malformed("one call"))?;
    let encoding = Encoding::from_number(row.kind).ok_or(Malformed("in a known encoding"))?;
    let bytes = row.beside.map_or_else(|| row.bytes.into(), Bytes::clone);
    Ok(Arguments::One(Payload { encoding, bytes, buffers: row.buffers.to_vec() }))
}

/// How somebody wants a task to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Only if it has not begun.
    Cancelled,
    /// Whether it has begun or not.
    Ended(Ending),
}

pub(crate) fn end(number: u64, wanted: Wanted) -> Frame<'static> {
    let mut writer = Writer::new(Kind::End);
    writer.u64(number);
    writer.u8(match wanted {
        Wanted::Cancelled => 0,
        Wanted::Ended(Ending::Cancelled) => 1,
        Wanted::Ended(Ending::Timeout) => 2,
    });
    writer.finish()
}

pub(crate) fn read_end(body: &[u8]) -> Result<(u64, Wanted)> {
    let mut reader = Reader::new(body);
    let number = reader.u64()?;
    let wanted = match reader.u8()? {
        0 => Wanted::Cancelled,
        1 => Wanted::Ended(Ending::Cancelled),
        2 => Wanted::Ended(Ending::Timeout),
        _ => return Err(Malformed("how a task is to end")),
    };
    reader.end()?;
    Ok((number, wanted))
}

/// What a program left and how it ended: returned, or one of the endings of a reply's row.
const RETURNED: u8 = 0;
/// No program: a reply follows.
const REPLY: u8 = 0xff;

/// Gives `then` the frame that tells how a task ended.
pub(crate) fn ended<R>(
    number: u64,
    took: Option<Duration>,
    outcome: Outcome,
    then: impl FnOnce(Frame<'_>) -> R,
) -> R {
    let mut writer = Writer::new(Kind::Ended);
    writer.u64(number);
    writer.u64(took.map_or(0, |took| u64::try_from(took.as_nanos()).unwrap_or(u64::MAX).max(1)));
    if let Some((ending, error, finished)) = program(&outcome) {
        writer.u8(ending);
        write_finished(&mut writer, finished);
        writer.option(error, write_error);
        return then(writer.finish());
    }
    writer.u8(REPLY);
    let mut head = writer.into_bytes();
    let (is_chunk, items) = match outcome {
        Outcome::Returned(Value::Items(items)) => (true, items),
        outcome => (false, one(outcome)),
    };
    let rows = items.into_rows();
    let rest = reply::write(&mut head, is_chunk, &rows, &Apart);
    then(Frame::with_rest(head, rest))
}

fn one(outcome: Outcome) -> Items {
    let mut one = ItemsWriter::default();
    one.push(outcome);
    one.finish()
}

fn program(outcome: &Outcome) -> Option<(u8, Option<&Error>, &Finished)> {
    let of = |ending, error| Finished::of(error).map(|finished| (ending, Some(error), finished));
    match outcome {
        Outcome::Returned(Value::Command(finished)) => Some((RETURNED, None, finished)),
        Outcome::Returned(_) => None,
        Outcome::Failed(error) => of(reply::FAILED, error),
        Outcome::Cancelled(error) => of(reply::CANCELLED, error),
        Outcome::Lost(error) => of(reply::LOST, error),
    }
}

fn write_finished(writer: &mut Writer<'_>, finished: &Finished) {
    write_exit(writer, finished.exit);
    writer.u64(u64::try_from(finished.took.as_nanos()).unwrap_or(u64::MAX));
    for captured in [&finished.stdout, &finished.stderr] {
        // What cannot be read back is as good as not printed.
        writer.copied(&captured.to_vec().unwrap_or_default());
    }
}

fn read_finished(reader: &mut Reader<'_>) -> Result<Finished> {
    let exit: Exit = read_exit(reader)?;
    let took = Duration::from_nanos(reader.u64()?);
    let captured = |reader: &mut Reader<'_>| reader.blob().map(|bytes| Captured::memory(bytes.to_vec()));
    Ok(Finished { exit, took, stdout: captured(reader)?, stderr: captured(reader)? })
}

/// Which task ended, after how long, and how.
pub(crate) fn read_ended(body: &[u8]) -> Result<(u64, Option<Duration>, Outcome)> {
    let mut reader = Reader::new(body);
    let (number, took) = (reader.u64()?, reader.u64()?);
    let took = (took > 0).then(|| Duration::from_nanos(took));
    let ending = reader.u8()?;
    if ending == REPLY {
        return Ok((number, took, reply::read(reader.rest(), &Apart)?));
    }
    let finished = read_finished(&mut reader)?;
    let error = reader.option(read_error)?;
    reader.end()?;
    let outcome = match (ending, error) {
        (RETURNED, None) => Outcome::Returned(Value::Command(finished)),
        (reply::FAILED, Some(error)) => Outcome::Failed(error.with_source(finished)),
        (reply::CANCELLED, Some(error)) => Outcome::Cancelled(error.with_source(finished)),
        (reply::LOST, Some(error)) => Outcome::Lost(error.with_source(finished)),
        _ => return Err(Malformed("how a program ended")),
    };
    Ok((number, took, outcome))
}

/// What became of a task that was told before a conversation was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Fate {
    /// It has not begun, and never will.
    Unbegun = 0,
    /// It ended, and how was said in vain.
    Over = 1,
    /// It will be told how it ended.
    Pending = 2,
}

pub(crate) fn resume(question: u64, numbers: &[u64]) -> Frame<'static> {
    let mut writer = Writer::new(Kind::Resume);
    writer.u64(question);
    writer.u64(numbers.len() as u64);
    numbers.iter().for_each(|number| writer.u64(*number));
    writer.finish()
}

pub(crate) fn read_resume(body: &[u8]) -> Result<(u64, Vec<u64>)> {
    let mut reader = Reader::new(body);
    let asked = (reader.u64()?, reader.list(Reader::u64)?);
    reader.end()?;
    Ok(asked)
}

pub(crate) fn heard(numbers: &[u64]) -> Frame<'static> {
    let mut writer = Writer::new(Kind::Heard);
    writer.u64(numbers.len() as u64);
    numbers.iter().for_each(|number| writer.u64(*number));
    writer.finish()
}

pub(crate) fn read_heard(body: &[u8]) -> Result<Vec<u64>> {
    let mut reader = Reader::new(body);
    let numbers = reader.list(Reader::u64)?;
    reader.end()?;
    Ok(numbers)
}

pub(crate) fn read_fates(bytes: &[u8]) -> Result<Vec<Fate>> {
    let fate = |byte: &u8| match byte {
        0 => Ok(Fate::Unbegun),
        1 => Ok(Fate::Over),
        2 => Ok(Fate::Pending),
        _ => Err(Malformed("what became of a task")),
    };
    bytes.iter().map(fate).collect()
}

#[cfg(test)]
mod tests;
