//! What peers say to each other, in frames. Either side may say anything at any time after both have greeted.
//!
//! | frame | means | body |
//! |---|---|---|
//! | Greet | who speaks: the first frame of each side | see `greeting` |
//! | Ping, Pong | is somebody there? yes | nothing |
//! | Answer | what became of something that was asked | the question's number; 0 and the answer, or 1 and an error |
//! | Share | what is done with a shared object | see `share` |
//! | Bye | the conversation is over, on purpose | an error that says why |
//!
//! Each kind of traffic adds its own, in a file of its own here: `objects`.

pub(crate) mod objects;

pub(crate) mod tasks;
pub(crate) mod topic;

mod greeting;
pub(crate) mod share;

pub(crate) use greeting::{Greeting, LONGEST_GREETING, NodeId};

use super::bytes::{Reader, Result, Writer};
use super::error::{read_error, write_error};
use super::frame::{Frame, Kind};
use crate::error::Error;

pub(crate) fn ping() -> Frame<'static> {
    Writer::new(Kind::Ping).finish()
}

pub(crate) fn pong() -> Frame<'static> {
    Writer::new(Kind::Pong).finish()
}

pub(crate) fn bye(why: &Error) -> Frame<'static> {
    let mut writer = Writer::new(Kind::Bye);
    write_error(&mut writer, why);
    writer.finish()
}

pub(crate) fn read_bye(body: &[u8]) -> Result<Error> {
    let mut reader = Reader::new(body);
    let error = read_error(&mut reader)?;
    reader.end()?;
    Ok(error)
}

/// The answer to question `id`.
pub(crate) fn answer<'a>(id: u64, answer: std::result::Result<&'a [u8], &Error>) -> Frame<'a> {
    let mut writer = Writer::new(Kind::Answer);
    writer.u64(id);
    match answer {
        Ok(bytes) => {
            writer.u8(0);
            writer.blob(bytes);
        }
        Err(error) => {
            writer.u8(1);
            write_error(&mut writer, error);
        }
    }
    writer.finish()
}

/// Which question is answered, and how.
pub(crate) fn read_answer(body: &[u8]) -> Result<(u64, std::result::Result<&[u8], Error>)> {
    let mut reader = Reader::new(body);
    let id = reader.u64()?;
    let answer = match reader.u8()? {
        0 => Ok(reader.blob()?),
        _ => Err(read_error(&mut reader)?),
    };
    reader.end()?;
    Ok((id, answer))
}
