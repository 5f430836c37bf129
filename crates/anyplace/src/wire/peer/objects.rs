//! Calls of remote objects, and who holds which.
//!
//! | frame | means | body |
//! |---|---|---|
//! | Node | which process speaks, among all that have objects | node |
//! | Call | do this to an object, and answer | question, object, verb, chain, milliseconds, method, arguments |
//! | Withdraw | nobody wants the answer any more: do it not, if it has not begun | question |
//! | Hold | whoever sends it has the object from now on | object |
//! | Release | and no longer | object, how often it was said to be held, whether others may have it from who releases it |
//!
//! An object is 16 bytes of its process and 8 of its own; its own 0 is the desk of whoever hears it. Question 0 wants no answer. Milliseconds are how long the answer is
//! waited for, 0 for as long as it takes. Arguments are an encoding, bytes, and what stands beside them.
//!
//! What is answered is 0 and a value, or 1, a value and the number of the stream that gives more of them.

use crate::wire::bytes::{Malformed, Reader, Result, Writer};
use crate::wire::frame::{Frame, Kind};
use crate::wire::peer::NodeId;
use crate::work::{Bytes, Encoding, Payload, PayloadRef};
use std::time::Duration;

/// Which object, among all of all processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ObjectId {
    pub(crate) node: NodeId,
    /// Random, so that who was not given it cannot guess it; 0 is the process's own desk.
    pub(crate) number: u64,
}

/// What is done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Verb {
    /// Call a method.
    Call,
    /// Give an attribute.
    Get,
    /// Change an attribute.
    Set,
    /// The names of its methods.
    Describe,
    /// The next values of a stream.
    Next,
}

impl Verb {
    const ALL: [Self; 5] = [Self::Call, Self::Get, Self::Set, Self::Describe, Self::Next];

    fn from_number(number: u8) -> Result<Self> {
        Self::ALL.get(usize::from(number)).copied().ok_or(Malformed("what is done to an object"))
    }
}

/// A call on its way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Call<'a> {
    pub(crate) question: u64,
    pub(crate) object: ObjectId,
    pub(crate) verb: Verb,
    /// Which calls belong together: one that a call makes is of the same chain.
    pub(crate) chain: u64,
    pub(crate) within: Option<Duration>,
    pub(crate) method: &'a str,
    pub(crate) arguments: PayloadRef<'a>,
}

impl<'a> Call<'a> {
    pub(crate) fn frame(self) -> Frame<'a> {
        let mut writer = Writer::new(Kind::Call);
        writer.u64(self.question);
        write_object(&mut writer, self.object);
        writer.u8(self.verb as u8);
        writer.u64(self.chain);
        writer.u64(self.within.map_or(0, milliseconds));
        writer.text(self.method);
        write_payload(&mut writer, self.arguments);
        writer.finish()
    }

    /// What stands beside the arguments goes to `buffers`.
    pub(crate) fn read(body: &'a [u8], buffers: &'a mut Vec<Bytes>) -> Result<Self> {
        let mut reader = Reader::new(body);
        let (question, object) = (reader.u64()?, read_object(&mut reader)?);
        let (verb, chain) = (Verb::from_number(reader.u8()?)?, reader.u64()?);
        let within = Some(reader.u64()?).filter(|within| *within > 0).map(Duration::from_millis);
        let method = reader.text()?;
        let (encoding, bytes) = read_payload(&mut reader, buffers)?;
        reader.end()?;
        let arguments = PayloadRef { encoding, bytes, buffers };
        Ok(Self { question, object, verb, chain, within, method, arguments })
    }
}

/// A time that is not over is more than nothing.
fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1)
}

pub(crate) fn node(node: NodeId) -> Frame<'static> {
    let mut writer = Writer::new(Kind::Node);
    write_node(&mut writer, node);
    writer.finish()
}

pub(crate) fn read_node(body: &[u8]) -> Result<NodeId> {
    let mut reader = Reader::new(body);
    let node = read_node_id(&mut reader)?;
    reader.end().map(|()| node)
}

pub(crate) fn hold(object: ObjectId) -> Frame<'static> {
    let mut writer = Writer::new(Kind::Hold);
    write_object(&mut writer, object);
    writer.finish()
}

pub(crate) fn read_hold(body: &[u8]) -> Result<ObjectId> {
    let mut reader = Reader::new(body);
    let object = read_object(&mut reader)?;
    reader.end().map(|()| object)
}

pub(crate) fn withdraw(question: u64) -> Frame<'static> {
    let mut writer = Writer::new(Kind::Withdraw);
    writer.u64(question);
    writer.finish()
}

pub(crate) fn read_withdraw(body: &[u8]) -> Result<u64> {
    let mut reader = Reader::new(body);
    let question = reader.u64()?;
    reader.end().map(|()| question)
}

/// `lent` says that others may have got the object from who releases it.
pub(crate) fn release(object: ObjectId, times: u64, lent: bool) -> Frame<'static> {
    let mut writer = Writer::new(Kind::Release);
    write_object(&mut writer, object);
    writer.u64(times);
    writer.u8(lent.into());
    writer.finish()
}

pub(crate) fn read_release(body: &[u8]) -> Result<(ObjectId, u64, bool)> {
    let mut reader = Reader::new(body);
    let release = (read_object(&mut reader)?, reader.u64()?, reader.u8()? != 0);
    reader.end().map(|()| release)
}

/// What an object answered, as the bytes of an answer: the value, and the stream that gives more of them.
pub(crate) fn answer_bytes(value: PayloadRef<'_>, stream: Option<u64>) -> Vec<u8> {
    let mut out = Vec::with_capacity(32 + value.bytes.len());
    out.push(stream.is_some().into());
    out.push(value.encoding as u8);
    let mut sized = |bytes: &[u8]| {
        out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        out.extend_from_slice(bytes);
    };
    sized(value.bytes);
    sized(&stream.unwrap_or(0).to_le_bytes());
    value.buffers.iter().for_each(|buffer| sized(buffer));
    out
}

pub(crate) fn read_answer_bytes(bytes: &[u8]) -> Result<(Payload, Option<u64>)> {
    let mut reader = Reader::new(bytes);
    let is_stream = reader.u8()? != 0;
    let encoding = Encoding::from_number(reader.u8()?).ok_or(Malformed("an encoding"))?;
    let value = Bytes::from(reader.blob()?);
    let stream = reader.blob()?.try_into().map(u64::from_le_bytes).map_err(|_| Malformed("a stream"))?;
    let mut buffers = Vec::new();
    while !reader.is_empty() {
        buffers.push(Bytes::from(reader.blob()?));
    }
    Ok((Payload { encoding, bytes: value, buffers }, is_stream.then_some(stream)))
}

fn write_node(writer: &mut Writer<'_>, node: NodeId) {
    writer.u64((node.0 >> 64) as u64);
    writer.u64(node.0 as u64);
}

fn read_node_id(reader: &mut Reader<'_>) -> Result<NodeId> {
    Ok(NodeId(u128::from(reader.u64()?) << 64 | u128::from(reader.u64()?)))
}

fn write_object(writer: &mut Writer<'_>, object: ObjectId) {
    write_node(writer, object.node);
    writer.u64(object.number);
}

fn read_object(reader: &mut Reader<'_>) -> Result<ObjectId> {
    Ok(ObjectId { node: read_node_id(reader)?, number: reader.u64()? })
}

fn write_payload<'a>(writer: &mut Writer<'a>, payload: PayloadRef<'a>) {
    writer.u8(payload.encoding as u8);
    writer.blob(payload.bytes);
    writer.u64(payload.buffers.len() as u64);
    payload.buffers.iter().for_each(|buffer| writer.blob(buffer));
}

fn read_payload<'a>(reader: &mut Reader<'a>, buffers: &mut Vec<Bytes>) -> Result<(Encoding, &'a [u8])> {
    let encoding = Encoding::from_number(reader.u8()?).ok_or(Malformed("an encoding"))?;
    let bytes = reader.blob()?;
    buffers.extend(reader.list(|reader| reader.blob().map(Bytes::from))?);
    Ok((encoding, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OBJECT: ObjectId = ObjectId { node: NodeId(u128::MAX - 5), number: 7 };

    #[test]
    fn a_call_reads_as_it_was_written() {
        let beside = [Bytes::from(vec![3; 5000]), Bytes::from(b"b")];
        let call = Call {
            question: 9,
            object: OBJECT,
            verb: Verb::Set,
            chain: 3,
            within: Some(Duration::from_millis(250)),
            method: "colour",
            arguments: PayloadRef { encoding: Encoding::Pickle, bytes: &[1; 6000], buffers: &beside },
        };
        let bytes = call.frame().to_vec();
        let mut buffers = Vec::new();
        assert_eq!(Call::read(&bytes[9..], &mut buffers), Ok(call));
        for cut in (9..bytes.len()).step_by(97) {
            assert!(Call::read(&bytes[9..cut], &mut Vec::new()).is_err());
        }
    }

    #[test]
    fn answers_and_holds_read_as_they_were_written() {
        let beside = [Bytes::from(b"beside")];
        let value = PayloadRef { encoding: Encoding::Plain, bytes: b"one", buffers: &beside };
        for stream in [None, Some(u64::MAX)] {
            let (read, number) = read_answer_bytes(&answer_bytes(value, stream)).unwrap();
            assert_eq!((read.as_ref(), number), (value, stream));
        }
        assert_eq!(read_release(&release(OBJECT, 3, true).to_vec()[9..]), Ok((OBJECT, 3, true)));
        assert_eq!(read_node(&node(OBJECT.node).to_vec()[9..]), Ok(OBJECT.node));
        assert_eq!(read_withdraw(&withdraw(77).to_vec()[9..]), Ok(77));
        assert_eq!(read_hold(&hold(OBJECT).to_vec()[9..]), Ok(OBJECT));
    }

    proptest! {
        #[test]
        fn no_bytes_do_harm(bytes in any::<Vec<u8>>()) {
            let _ = Call::read(&bytes, &mut Vec::new());
            drop(read_answer_bytes(&bytes));
            prop_assert!(read_withdraw(&bytes).is_ok() == (bytes.len() == 8));
            prop_assert!(read_release(&bytes).is_ok() == (bytes.len() == 33));
        }
    }
}
