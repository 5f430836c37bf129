//! Who speaks: the first frame of each side of a conversation between peers. Later versions may add to its end, so what
//! follows is ignored.

use crate::wire::bytes::{Malformed, Reader, Result, Writer};
use crate::wire::frame::{Frame, Kind};
use std::fmt;

/// Changes whenever the layout of something that peers say does.
const PROTOCOL: u32 = 1;

const MAGIC: &str = "anyplace peer";

/// No greeting is longer.
pub(crate) const LONGEST_GREETING: u64 = 1024;

/// A process among all that talk to each other: a random number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NodeId(pub(crate) u128);

/// What a peer says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Greeting {
    pub(crate) protocol: u32,
    pub(crate) engine: String,
    /// Such as `rust` or `python 3.12`.
    pub(crate) language: String,
    pub(crate) node: NodeId,
    /// What it offers or wants; each kind of conversation knows its own words.
    pub(crate) topic: Vec<u8>,
}

impl Greeting {
    pub(crate) fn new(language: String, node: NodeId, topic: Vec<u8>) -> Self {
        Self { protocol: PROTOCOL, engine: env!("CARGO_PKG_VERSION").to_owned(), language, node, topic }
    }

    /// Whether the two sides speak the same.
    pub(crate) fn is_understood(&self) -> bool {
        self.protocol == PROTOCOL
    }

    pub(crate) fn frame(&self) -> Frame<'_> {
        let mut writer = Writer::new(Kind::Greet);
        writer.text(MAGIC);
        writer.u32(self.protocol);
        writer.text(&self.engine);
        writer.text(&self.language);
        writer.u64((self.node.0 >> 64) as u64);
        writer.u64(self.node.0 as u64);
        writer.copied(&self.topic);
        writer.finish()
    }

    pub(crate) fn read(body: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(body);
        if reader.text()? != MAGIC {
            return Err(Malformed("an anyplace peer's"));
        }
        Ok(Self {
            protocol: reader.u32()?,
            engine: reader.text()?.to_owned(),
            language: reader.text()?.to_owned(),
            node: NodeId(u128::from(reader.u64()?) << 64 | u128::from(reader.u64()?)),
            topic: reader.blob()?.to_vec(),
        })
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeId({:032x})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_reads_as_it_was_written() {
        let greeting = Greeting::new("rust".into(), NodeId(u128::MAX - 7), vec![1, 2]);
        let bytes = greeting.frame().to_vec();
        assert_eq!(Greeting::read(&bytes[9..]), Ok(greeting));
        assert!(Greeting::read(b"GET / HTTP/1.1").is_err());
    }

    #[test]
    fn only_the_same_protocol_is_understood() {
        let ours = Greeting::new("rust".into(), NodeId(1), Vec::new());
        assert!(ours.is_understood());
        for protocol in [0, PROTOCOL + 1, u32::MAX] {
            assert!(!Greeting { protocol, ..ours.clone() }.is_understood());
        }
    }
}
