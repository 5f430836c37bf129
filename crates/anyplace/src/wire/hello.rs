//! Who speaks: the first frame of each side. Later versions may add to their ends, so what follows is ignored.

use super::bytes::{Malformed, Reader, Result, Writer};
use super::frame::{Frame, Kind};

/// Changes whenever a frame's layout does.
pub(crate) const PROTOCOL: u32 = 3;

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
    pub(crate) terms: Terms,
}

/// On which terms a worker works.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Terms {
    /// What its language was given for it by whoever opened the place.
    pub(crate) argument: Vec<u8>,
    /// Variables of its environment.
    pub(crate) environment: Vec<(String, String)>,
    /// How many bytes of memory it may use.
    pub(crate) memory: Option<u64>,
    /// The cores that it may use; all that this process may if there are none.
    pub(crate) cpus: Vec<u32>,
    /// It ends when it cannot read a call.
    pub(crate) strict: bool,
}

impl Terms {
    fn write<'a>(&'a self, writer: &mut Writer<'a>) {
        writer.blob(&self.argument);
        writer.u64(self.environment.len() as u64);
        for (name, value) in &self.environment {
            writer.text(name);
            writer.text(value);
        }
        writer.option(self.memory, Writer::u64);
        writer.u64(self.cpus.len() as u64);
        self.cpus.iter().for_each(|cpu| writer.u32(*cpu));
        writer.u32(self.strict.into());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let pair = |reader: &mut Reader<'_>| Ok((reader.text()?.to_owned(), reader.text()?.to_owned()));
        Ok(Self {
            argument: reader.blob()?.to_vec(),
            environment: reader.list(pair)?,
            memory: reader.option(Reader::u64)?,
            cpus: reader.list(Reader::u32)?,
            strict: reader.u32()? != 0,
        })
    }
}

impl Hello {
    pub(crate) fn frame(&self) -> Frame<'_> {
        let mut writer = Writer::new(Kind::Hello);
        writer.text(MAGIC);
        writer.u32(self.protocol);
        writer.text(&self.engine);
        writer.u64(self.worker);
        writer.u64(self.workers);
        self.terms.write(&mut writer);
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
            terms: Terms::read(&mut reader)?,
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
