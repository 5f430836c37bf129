//! Who speaks: the first frame of each side. Later versions may add to their ends, so what follows is ignored.

use super::bytes::{Malformed, Reader, Result, Writer};
use super::frame::{Frame, Kind};

/// Changes whenever a frame's layout does.
pub(crate) const PROTOCOL: u32 = 2;

/// Both sides' first bytes, so that a stranger's program is recognised as one.
const MAGIC: &str = "anyplace";

/// What a worker hears first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hello {
    pub(crate) protocol: u32,
    pub(crate) engine: String,
    /// Which worker it is, of how many.
    pub(crate) worker: u64,
    pub(crate) workers: u64,
}

impl Hello {
    pub(crate) fn frame(&self) -> Frame<'_> {
        let mut writer = Writer::new(Kind::Hello);
        writer.text(MAGIC);
        writer.u32(self.protocol);
        writer.text(&self.engine);
        writer.u64(self.worker);
        writer.u64(self.workers);
        writer.finish()
    }

    pub(super) fn read(body: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(body);
        expect_magic(&mut reader)?;
        Ok(Self {
            protocol: reader.u32()?,
            engine: reader.text()?.to_owned(),
            worker: reader.u64()?,
            workers: reader.u64()?,
        })
    }
}

/// What a worker answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Welcome {
    pub(crate) protocol: u32,
    pub(crate) engine: String,
    /// Such as `rust` or `python 3.12`.
    pub(crate) language: String,
}

impl Welcome {
    pub(crate) fn frame(&self) -> Frame<'_> {
        let mut writer = Writer::new(Kind::Welcome);
        writer.text(MAGIC);
        writer.u32(self.protocol);
        writer.text(&self.engine);
        writer.text(&self.language);
        writer.finish()
    }

    pub(super) fn read(body: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(body);
        expect_magic(&mut reader)?;
        Ok(Self {
            protocol: reader.u32()?,
            engine: reader.text()?.to_owned(),
            language: reader.text()?.to_owned(),
        })
    }
}

fn expect_magic(reader: &mut Reader<'_>) -> Result<()> {
    if reader.text()? == MAGIC { Ok(()) } else { Err(Malformed("an anyplace worker's")) }
}
