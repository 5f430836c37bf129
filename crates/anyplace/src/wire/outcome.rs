//! Outcomes: one byte for the ending, then a payload, an error, or the outcomes of a chunk's calls.

use super::bytes::{Malformed, Reader, Result, Writer};
use super::error::{read_error, write_error};
use super::message::{read_payload, write_payload};
use crate::error::{Error, Kind};
use crate::outcome::{Outcome, Value};

const RETURNED: u8 = 0;
const ITEMS: u8 = 1;
const FAILED: u8 = 2;
const CANCELLED: u8 = 3;
const LOST: u8 = 4;

pub(super) fn write_outcome<'a>(writer: &mut Writer<'a>, outcome: &'a Outcome) {
    match outcome {
        Outcome::Returned(Value::Items(items)) => {
            writer.u8(ITEMS);
            writer.u64(items.len() as u64);
            items.iter().for_each(|item| write_single(writer, item));
        }
        single => write_single(writer, single),
    }
}

fn write_single<'a>(writer: &mut Writer<'a>, outcome: &'a Outcome) {
    let (ending, error) = match outcome {
        Outcome::Returned(Value::Encoded(payload)) => {
            writer.u8(RETURNED);
            return write_payload(writer, payload);
        }
        Outcome::Returned(_) => {
            writer.u8(FAILED);
            return write_error(writer, &stays_here());
        }
        Outcome::Failed(error) => (FAILED, error),
        Outcome::Cancelled(error) => (CANCELLED, error),
        Outcome::Lost(error) => (LOST, error),
    };
    writer.u8(ending);
    write_error(writer, error);
}

fn stays_here() -> Error {
    Error::new(Kind::NotSerializable, "the task returned a value that cannot leave its process")
}

pub(super) fn read_outcome(reader: &mut Reader<'_>) -> Result<Outcome> {
    match reader.u8()? {
        ITEMS => Ok(Outcome::Returned(Value::Items(reader.list(|reader| {
            let ending = reader.u8()?;
            read_single(ending, reader)
        })?))),
        ending => read_single(ending, reader),
    }
}

/// Items hold no items: no message makes the reader call itself without end.
fn read_single(ending: u8, reader: &mut Reader<'_>) -> Result<Outcome> {
    Ok(match ending {
        RETURNED => Outcome::Returned(Value::Encoded(read_payload(reader)?)),
        FAILED => Outcome::Failed(read_error(reader)?),
        CANCELLED => Outcome::Cancelled(read_error(reader)?),
        LOST => Outcome::Lost(read_error(reader)?),
        _ => return Err(Malformed("an outcome")),
    })
}
