//! Errors with everything they carry. The error below one travels as its text.

use super::bytes::{Malformed, Reader, Result, Writer};
use crate::error::{Error, Exit, Kind, Remote, Retry};
use std::error::Error as StdError;
use std::fmt;

const RETRIES: [Retry; 3] = [Retry::Never, Retry::Safe, Retry::MayRepeat];

pub(super) fn write_error(writer: &mut Writer<'_>, error: &Error) {
    writer.text(error.kind().name());
    writer.text(error.message());
    writer.option(error.help(), Writer::text);
    writer.option(error.place(), Writer::text);
    writer.option(error.operation(), Writer::text);
    writer.u32(error.attempt());
    writer.u8(RETRIES.iter().position(|retry| *retry == error.retry()).unwrap_or(0) as u8);
    writer.option(error.remote(), write_remote);
    writer.option(error.exit(), write_exit);
    writer.option(error.log_tail(), Writer::text);
    writer.option(error.source(), |writer, source| writer.text(&source.to_string()));
}

pub(super) fn read_error(reader: &mut Reader<'_>) -> Result<Error> {
    let kind = Kind::from_name(reader.text()?).ok_or(Malformed("a kind of error"))?;
    let mut error = Error::new(kind, reader.text()?.to_owned());
    let text = |reader: &mut Reader<'_>| reader.text().map(str::to_owned);
    if let Some(help) = reader.option(text)? {
        error = error.with_help(help);
    }
    if let Some(place) = reader.option(text)? {
        error = error.at(place);
    }
    if let Some(operation) = reader.option(text)? {
        error = error.during(operation);
    }
    error = error.on_attempt(reader.u32()?);
    let retry = RETRIES.get(usize::from(reader.u8()?)).ok_or(Malformed("whether it may be repeated"))?;
    error = error.with_retry(*retry);
    if let Some(remote) = reader.option(read_remote)? {
        error = error.with_remote(remote);
    }
    if let Some(exit) = reader.option(read_exit)? {
        error = error.with_exit(exit);
    }
    if let Some(tail) = reader.option(text)? {
        error = error.with_log_tail(tail);
    }
    match reader.option(text)? {
        Some(source) => Ok(error.with_source(Told(source))),
        None => Ok(error),
    }
}

fn write_remote(writer: &mut Writer<'_>, remote: &Remote) {
    writer.text(&remote.type_name);
    writer.text(&remote.message);
    writer.text(&remote.traceback);
    writer.option(remote.payload.as_deref(), Writer::copied);
}

fn read_remote(reader: &mut Reader<'_>) -> Result<Remote> {
    Ok(Remote {
        type_name: reader.text()?.to_owned(),
        message: reader.text()?.to_owned(),
        traceback: reader.text()?.to_owned(),
        payload: reader.option(|reader| reader.blob().map(<[u8]>::to_vec))?,
    })
}

pub(super) fn write_exit(writer: &mut Writer<'_>, exit: Exit) {
    let (kind, number) = match exit {
        Exit::Code(code) => (0, code),
        Exit::Signal(signal) => (1, signal),
    };
    writer.u8(kind);
    writer.u32(number.cast_unsigned());
}

pub(super) fn read_exit(reader: &mut Reader<'_>) -> Result<Exit> {
    let kind = reader.u8()?;
    let number = reader.u32()?.cast_signed();
    match kind {
        0 => Ok(Exit::Code(number)),
        1 => Ok(Exit::Signal(number)),
        _ => Err(Malformed("how a process ended")),
    }
}

/// An error of another process, of which the text came along.
#[derive(Debug)]
struct Told(String);

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Told {}

/// So that a task may return one, as with `?`: it arrives with everything but its source, of which the text is there.
impl serde::Serialize for Error {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        super::reply::error_bytes(self).serialize(serializer)
    }
}

impl<'de> serde::Deserialize<'de> for Error {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Vec::<u8>::deserialize(deserializer).map(|bytes| super::reply::read_error_bytes(&bytes))
    }
}
