//! What a peer does with the shared objects of a place that is offered to it: operations as data.
//!
//! | frame | body |
//! |---|---|
//! | a question | 0; its number; the object's; what is [asked](Asked); the values that go with it |
//! | a [note](Note), which nobody answers | 1; the note |
//!
//! The answer to a question is what is [said](Said), and the values that go with it. A value is one byte, how it is encoded;
//! how many parts stand beside it; its bytes, and each part, as blobs. Who offers the place only passes values on, and never
//! looks into them.

use crate::share::Shape;
use crate::wire::bytes::{Malformed, Reader, Result, Writer};
use crate::wire::frame::{Frame, Kind};
use crate::work::{Bytes, Encoding, Payload};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

const QUESTION: u8 = 0;
const NOTE: u8 = 1;

/// An operation on a shared object. What it means for which kind of object stands with the handles in `share`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Op {
    /// From here on the object's number means the one of this name. A pipe's second end is the number after it.
    Open {
        name: String,
        shape: Shape,
    },
    /// From here on the object's number means the one of this ticket, which its server gave out; of a pipe, this end.
    Arrive {
        ticket: Vec<u8>,
        shape: Shape,
    },
    /// Tells who has and who waits for what in the place, whatever the object's number.
    Why,
    /// Gives the ticket by which workers of the place open it.
    Ticket,
    /// A lock, an rlock for its owner, a permit of a semaphore.
    Acquire {
        owner: u64,
    },
    /// An rlock, as often as its owner had it.
    Restore {
        owner: u64,
        count: u32,
    },
    /// A lock, an rlock once, so many permits.
    Release {
        owner: u64,
        count: u32,
    },
    /// An rlock as often as its owner has it.
    ReleaseAll {
        owner: u64,
    },
    /// Whether a lock is held; how many permits there are.
    Held,
    /// How often the owner has an rlock.
    CountOf {
        owner: u64,
    },
    /// Waits: for an event; for all to come to a barrier; to be told at a condition.
    Wait,
    /// Waits for all to come to a barrier, but does not let them go.
    Gather,
    /// Lets the round of a barrier go.
    LetGo,
    Abort,
    Reset,
    IsBroken,
    Parties,
    /// How many wait, for those kinds that tell.
    Waiting,
    /// Tells so many who wait at a condition.
    Notify {
        count: u64,
    },
    Set,
    Clear,
    IsSet,
    /// Puts the one value that goes with it.
    Put {
        rank: i64,
    },
    /// Takes one value.
    Get,
    /// Takes as many as there are, but no more than that.
    GetMany {
        most: u64,
    },
    /// Waits until there is something to get.
    Look,
    /// Waits until all is done that was put.
    Join,
    TaskDone,
    ShutDown {
        discards: bool,
    },
    IsShutDown,
    Capacity,
    /// How many values or bytes there are.
    Len,
    /// The number of a value, by its bits.
    Load,
    Store {
        bits: i64,
    },
    Swap {
        bits: i64,
    },
    Add {
        bits: i64,
    },
    Exchange {
        expected: i64,
        new: i64,
    },
    /// Of a dict; the key goes with it.
    Find,
    Contains,
    /// A key and a value go with these.
    Insert,
    FindOrInsert,
    /// A key goes with it; then what is expected, if something is, and the new value, if there is one.
    Replace {
        expects: bool,
        gives: bool,
    },
    /// Keys and values in turn.
    InsertAll,
    Remove,
    RemoveLast,
    Keys,
    Items,
    RemoveAll,
    /// So many bytes of an array.
    Read {
        at: u64,
        len: u64,
    },
    /// The bytes that go with it.
    Write {
        at: u64,
    },
}

/// An operation, and for whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Asked {
    pub(crate) op: Op,
    /// Whether it may wait. If not, it looks once.
    pub(crate) waits: bool,
    /// The thread that asks, as its machine counts them.
    pub(crate) thread: u32,
    /// Where in its program.
    pub(crate) line: String,
}

/// What came of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Said {
    /// It did not come to that: it was not to wait, or was withdrawn.
    NotNow,
    /// It is done; what that gives, as a number.
    Done(i64),
    /// It is not done, because of this number.
    Refused(i64),
}

/// What needs no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Note {
    /// The number of the process that asks: for those who want to know why nothing goes on.
    Process(u32),
    /// Who asked this question does not wait any longer. It is answered yet: with what was given before this was heard, or that
    /// it did not come to that.
    Withdraw(u64),
    /// What was given in answer to this question has arrived with who asked.
    Keep(u64),
    /// As `Withdraw`, and if values were given in answer meanwhile, they go back.
    Return(u64),
    /// Nobody there has a handle of this object any more.
    Close(u64),
    /// Who asked this question waits in this line of the program.
    Line(u64, String),
}

/// What a peer says about shared objects.
#[derive(Debug, PartialEq)]
pub(crate) enum Heard {
    Question { id: u64, object: u64, asked: Asked, values: Vec<Payload> },
    Note(Note),
}

/// A question as a frame.
pub(crate) fn question<'a>(id: u64, object: u64, asked: &Asked, values: &'a [Payload]) -> Frame<'a> {
    let mut writer = Writer::new(Kind::Share);
    writer.u8(QUESTION);
    writer.u64(id);
    writer.u64(object);
    writer.copied(&bytes_of(asked));
    write_values(&mut writer, values);
    writer.finish()
}

/// A note as a frame.
pub(crate) fn note(note: &Note) -> Frame<'static> {
    let mut writer = Writer::new(Kind::Share);
    writer.u8(NOTE);
    writer.copied(&bytes_of(note));
    writer.finish()
}

/// What is in the body of such a frame.
pub(crate) fn read(body: &[u8]) -> Result<Heard> {
    let mut reader = Reader::new(body);
    let heard = match reader.u8()? {
        QUESTION => Heard::Question {
            id: reader.u64()?,
            object: reader.u64()?,
            asked: value_of(reader.blob()?)?,
            values: read_values(&mut reader)?,
        },
        NOTE => Heard::Note(value_of(reader.blob()?)?),
        _ => return Err(Malformed("what is done with a shared object")),
    };
    reader.end()?;
    Ok(heard)
}

/// The answer to a question, as bytes.
pub(crate) fn answer(said: Said, values: &[Payload]) -> Vec<u8> {
    let mut writer = Writer::bare();
    writer.copied(&bytes_of(&said));
    writer.u32(values.len() as u32);
    for value in values {
        writer.u8(value.encoding as u8);
        writer.u32(value.buffers.len() as u32);
        std::iter::once(&value.bytes).chain(&value.buffers).for_each(|bytes| writer.copied(bytes));
    }
    writer.into_bytes()
}

pub(crate) fn read_answer(bytes: &[u8]) -> Result<(Said, Vec<Payload>)> {
    let mut reader = Reader::new(bytes);
    let said = value_of(reader.blob()?)?;
    let values = read_values(&mut reader)?;
    reader.end()?;
    Ok((said, values))
}

fn write_values<'a>(writer: &mut Writer<'a>, values: &'a [Payload]) {
    writer.u32(values.len() as u32);
    for value in values {
        writer.u8(value.encoding as u8);
        writer.u32(value.buffers.len() as u32);
        writer.blob(&value.bytes);
        value.buffers.iter().for_each(|bytes| writer.blob(bytes));
    }
}

/// A wrong announcement ends at the last byte, having cost nothing.
fn read_values(reader: &mut Reader<'_>) -> Result<Vec<Payload>> {
    let count = reader.u32()?;
    let bytes = |reader: &mut Reader<'_>| reader.blob().map(Bytes::from);
    let value = |reader: &mut Reader<'_>| {
        let encoding = Encoding::from_number(reader.u8()?).ok_or(Malformed("a value in a known encoding"))?;
        let buffers = reader.u32()?;
        let value = bytes(reader)?;
        let buffers = (0..buffers).map(|_| bytes(reader)).collect::<Result<_>>()?;
        Ok(Payload { encoding, bytes: value, buffers })
    };
    (0..count).map(|_| value(reader)).collect()
}

fn bytes_of(value: &impl Serialize) -> Vec<u8> {
    postcard::to_stdvec(value).expect("numbers and texts can be written")
}

fn value_of<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        _ => Err(Malformed("what is done with a shared object")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::share::Order;
    use proptest::prelude::*;

    fn shape() -> impl Strategy<Value = Shape> {
        prop_oneof![
            Just(Shape::Lock),
            Just(Shape::Dict),
            (any::<u32>(), any::<bool>())
                .prop_map(|(permits, bounded)| Shape::Semaphore { permits, bounded }),
            any::<usize>().prop_map(|capacity| Shape::Queue { order: Order::Priority, capacity }),
            any::<i64>().prop_map(|first| Shape::Value { first, is_float: true }),
        ]
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            (any::<String>(), shape()).prop_map(|(name, shape)| Op::Open { name, shape }),
            (any::<Vec<u8>>(), shape()).prop_map(|(ticket, shape)| Op::Arrive { ticket, shape }),
            any::<u64>().prop_map(|owner| Op::Acquire { owner }),
            (any::<u64>(), any::<u32>()).prop_map(|(owner, count)| Op::Restore { owner, count }),
            any::<i64>().prop_map(|rank| Op::Put { rank }),
            (any::<i64>(), any::<i64>()).prop_map(|(expected, new)| Op::Exchange { expected, new }),
            (any::<bool>(), any::<bool>()).prop_map(|(expects, gives)| Op::Replace { expects, gives }),
            Just(Op::RemoveAll),
        ]
    }

    fn asked() -> impl Strategy<Value = Asked> {
        (op(), any::<bool>(), any::<u32>(), any::<String>()).prop_map(|(op, waits, thread, line)| Asked {
            op,
            waits,
            thread,
            line,
        })
    }

    fn payload() -> impl Strategy<Value = Payload> {
        let bytes = || prop_oneof![prop::collection::vec(any::<u8>(), 0..60), Just(vec![7; 5000])];
        (0..4_u8, bytes(), prop::collection::vec(bytes(), 0..3)).prop_map(|(encoding, bytes, buffers)| {
            let encoding = Encoding::from_number(encoding).unwrap();
            Payload { encoding, bytes: bytes.into(), buffers: buffers.into_iter().map(Bytes::from).collect() }
        })
    }

    fn said() -> impl Strategy<Value = Said> {
        prop_oneof![
            Just(Said::NotNow),
            any::<i64>().prop_map(Said::Done),
            any::<i64>().prop_map(Said::Refused)
        ]
    }

    /// What follows the head of a frame.
    fn body(frame: &Frame<'_>) -> Vec<u8> {
        frame.to_vec()[9..].to_vec()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn every_question_arrives_as_it_was_asked(
            id in any::<u64>(), object in any::<u64>(), asked in asked(),
            values in prop::collection::vec(payload(), 0..4),
        ) {
            let body = body(&question(id, object, &asked, &values));
            prop_assert_eq!(read(&body).unwrap(), Heard::Question { id, object, asked, values });
        }

        #[test]
        fn every_answer_arrives_as_it_was_given(
            said in said(), values in prop::collection::vec(payload(), 0..4),
        ) {
            prop_assert_eq!(read_answer(&answer(said, &values)).unwrap(), (said, values));
        }

        #[test]
        fn nothing_that_is_cut_off_or_made_up_is_believed(
            asked in asked(), values in prop::collection::vec(payload(), 0..3), cut in any::<prop::sample::Index>(),
            noise in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let body = body(&question(1, 2, &asked, &values));
            prop_assert!(read(&body[..cut.index(body.len())]).is_err());
            // It ends, and sets nothing aside for what is only announced.
            drop((read(&noise), read_answer(&noise)));
        }
    }

    #[test]
    fn a_note_arrives_as_it_was_written() {
        for sent in [Note::Withdraw(7), Note::Keep(u64::MAX), Note::Line(1, "a.py:3".to_owned())] {
            assert_eq!(read(&body(&note(&sent))), Ok(Heard::Note(sent)));
        }
    }
}
