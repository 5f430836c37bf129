//! What a place and its zygote say to each other: the process that starts workers by fork.
//!
//! | message | bytes | answer |
//! |---|---|---|
//! | Fork | 1, id; along: control socket, standard error, folder | Born or Unborn, over the control socket |
//! | Reap | 2, id | the id, 0 and an exit code, or 1 and a signal |
//! | Forget | 3, id | none |
//!
//! Each is one packet of a socket that keeps packets apart. Ids are the place's, and never used again.

use super::bytes::{Malformed, Reader, Result, Writer};
use super::frame::{Frame, Kind};
use crate::error::Exit;

/// What a zygote is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Make a worker.
    Fork(u64),
    /// Take the worker out of the process table, and tell how it ended.
    Reap(u64),
    /// Kill the worker, if there is one, and tell nobody.
    Forget(u64),
}

impl Request {
    pub(crate) fn bytes(self) -> [u8; 9] {
        let (kind, id) = match self {
            Self::Fork(id) => (1, id),
            Self::Reap(id) => (2, id),
            Self::Forget(id) => (3, id),
        };
        let mut bytes = [kind; 9];
        bytes[1..].copy_from_slice(&id.to_le_bytes());
        bytes
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let (kind, id) = (reader.u8()?, reader.u64()?);
        reader.end()?;
        match kind {
            1 => Ok(Self::Fork(id)),
            2 => Ok(Self::Reap(id)),
            3 => Ok(Self::Forget(id)),
            _ => Err(Malformed("a request to a zygote")),
        }
    }
}

/// How a zygote's worker ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) id: u64,
    pub(crate) exit: Exit,
}

impl Ended {
    pub(crate) fn bytes(self) -> [u8; 13] {
        let (kind, number) = match self.exit {
            Exit::Code(code) => (0, code),
            Exit::Signal(signal) => (1, signal),
        };
        let mut bytes = [kind; 13];
        bytes[..8].copy_from_slice(&self.id.to_le_bytes());
        bytes[9..].copy_from_slice(&number.to_le_bytes());
        bytes
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let (id, kind, number) = (reader.u64()?, reader.u8()?, reader.u32()?.cast_signed());
        reader.end()?;
        let exit = match kind {
            0 => Exit::Code(number),
            1 => Exit::Signal(number),
            _ => return Err(Malformed("the end of a worker")),
        };
        Ok(Self { id, exit })
    }
}

/// The worker was made: its number, with its descriptor along.
pub(crate) fn born(pid: u32) -> Frame<'static> {
    let mut writer = Writer::new(Kind::Born);
    writer.u32(pid);
    writer.finish()
}

/// No worker could be made: the system's error number, or 0 if the text says why there will never be one.
pub(crate) fn unborn(error: u32, text: &str) -> Frame<'static> {
    let mut writer = Writer::new(Kind::Unborn);
    writer.u32(error);
    writer.text(text);
    writer.finish()
}

pub(super) fn read_unborn(body: &[u8]) -> Result<(u32, String)> {
    let mut reader = Reader::new(body);
    let unborn = (reader.u32()?, reader.text()?.to_owned());
    reader.end()?;
    Ok(unborn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_endings_read_as_they_were_written() {
        for request in [Request::Fork(0), Request::Reap(7), Request::Forget(u64::MAX)] {
            assert_eq!(Request::read(&request.bytes()), Ok(request));
        }
        for exit in [Exit::Code(0), Exit::Code(255), Exit::Signal(9)] {
            let ended = Ended { id: 3, exit };
            assert_eq!(Ended::read(&ended.bytes()), Ok(ended));
        }
        assert!(Request::read(&[9; 9]).is_err());
        assert!(Request::read(b"").is_err());
        assert!(Ended::read(&[9; 13]).is_err());
    }
}
