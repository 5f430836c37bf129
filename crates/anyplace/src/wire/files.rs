//! What a sender and a receiver of files say to each other: bytes <-> meaning.
//!
//! Each message is four bytes (how long its body is, little-endian) and the body, whose first byte says what it is. The
//! bytes of a file follow their [`Says::Data`] as they are.
//!
//! | from | message | body |
//! |---|---|---|
//! | both | hello | 1; "anyplace files", a version (4) |
//! | both | still | 2: "I am at it", for who hashes a long file |
//! | both | bye | 9: that was all |
//! | sender | offer | 3; the path as a list of names; 0, or 1 with a file's length and how much of it is stored; mode (4); modified, in seconds (8) and nanoseconds (4) |
//! | sender | verdict | 4; how many of the groups that were named are the same (8) |
//! | sender | data | 5; so many bytes follow (4) |
//! | sender | hole | 6; so many zeros that are stored nowhere (8) |
//! | sender | end | 7; the BLAKE3 of the file |
//! | sender | gave up | 8; why |
//! | receiver | take | 10; which offer (8); the groups that are there: 32 bytes each |
//! | receiver | compare | 11; which offer (8); the groups of what has that name already |
//! | receiver | done | 12; which offer (8); 0 written, 1 was there, 2 refused and why, 3 failed and why |
//!
//! An offer of a file is answered by `take` or `compare`, unless it is `done` at once, as that of a folder is. A verdict
//! follows on `compare`, and on `take` where there are groups; behind `take` come the bytes, up to `end` or `gave up`. The
//! sender goes on to another file only then, in the order of the answers. Each offer is `done` once.

use super::bytes::{Malformed, Reader, Result, Writer};

/// The longest body: a file has at most [`MOST_GROUPS`] groups.
pub(crate) const LIMIT: usize = 1 << 20;

/// So many bytes at most follow one [`Says::Data`].
pub(crate) const MOST_DATA: u32 = 4 << 20;

/// So many zeros at most are one [`Says::Hole`]: they are hashed as all bytes are.
pub(crate) const MOST_HOLE: u64 = 1 << 30;

/// So many digests at most say what is there of a file.
pub(crate) const MOST_GROUPS: u64 = 16_384;

const VERSION: u32 = 1;
const WHO: &str = "anyplace files";
/// The longest path, and the longest reason.
const LONGEST: usize = 4096;
const NANOSECONDS: u32 = 1_000_000_000;

/// The digest of a group of bytes, or of a whole file.
pub(crate) type Digest = [u8; 32];

/// What a sender says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    Hello,
    Still,
    Offer(Offer),
    /// So many groups are the same; the bytes go on behind them.
    Verdict(u64),
    Data(u32),
    Hole(u64),
    End(Digest),
    GaveUp(String),
    Bye,
}

/// A file or folder that a sender has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    /// Where it belongs. Nothing is promised of the names: they are a stranger's.
    pub(crate) path: Vec<Vec<u8>>,
    pub(crate) what: What,
    pub(crate) mode: u32,
    pub(crate) modified: (i64, u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Folder,
    /// A file that is so long, and of which so much is stored: the rest are holes.
    File {
        length: u64,
        stored: u64,
    },
}

/// What a receiver says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answers {
    Hello,
    Still,
    /// Send it, but for the groups that are here.
    Take(u64, Vec<Digest>),
    /// Something of that name and length is here: is it the same?
    Compare(u64, Vec<Digest>),
    Done(u64, Ended),
    Bye,
}

/// How it ended with one file or folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Written,
    /// The same was there already.
    There,
    Refused(String),
    Failed(String),
}

impl Says {
    pub(crate) fn write(&self, into: &mut Vec<u8>) {
        framed(into, |writer| match self {
            Self::Hello => hello(writer),
            Self::Still => writer.u8(2),
            Self::Offer(offer) => {
                writer.u8(3);
                offer.write(writer);
            }
            Self::Verdict(groups) => {
                writer.u8(4);
                writer.u64(*groups);
            }
            Self::Data(length) => {
                writer.u8(5);
                writer.u32(*length);
            }
            Self::Hole(length) => {
                writer.u8(6);
                writer.u64(*length);
            }
            Self::End(digest) => {
                writer.u8(7);
                digest.iter().for_each(|byte| writer.u8(*byte));
            }
            Self::GaveUp(why) => {
                writer.u8(8);
                writer.text(shortened(why));
            }
            Self::Bye => writer.u8(9),
        });
    }

    pub(crate) fn read(body: &[u8]) -> Result<Self> {
        whole(body, |reader| {
            Ok(match reader.u8()? {
                1 => is_hello(reader, Self::Hello)?,
                2 => Self::Still,
                3 => Self::Offer(Offer::read(reader)?),
                4 => Self::Verdict(reader.u64()?),
                5 => match reader.u32()? {
                    length @ 1..=MOST_DATA => Self::Data(length),
                    _ => return Err(Malformed("a piece of a file")),
                },
                6 => match reader.u64()? {
                    length @ 1..=MOST_HOLE => Self::Hole(length),
                    _ => return Err(Malformed("a hole in a file")),
                },
                7 => Self::End(reader.array()?),
                8 => Self::GaveUp(reason(reader)?),
                9 => Self::Bye,
                _ => return Err(Malformed("what a sender of files says")),
            })
        })
    }
}

impl Offer {
    fn write(&self, writer: &mut Writer<'_>) {
        writer.u64(self.path.len() as u64);
        self.path.iter().for_each(|name| writer.copied(name));
        match self.what {
            What::Folder => writer.u8(0),
            What::File { length, stored } => {
                writer.u8(1);
                writer.u64(length);
                writer.u64(stored);
            }
        }
        writer.u32(self.mode);
        let (seconds, nanoseconds) = self.modified;
        writer.u64(seconds.cast_unsigned());
        writer.u32(nanoseconds);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let path = reader.list(|reader| reader.blob().map(<[u8]>::to_vec))?;
        if path.is_empty() || path.iter().map(|name| name.len() + 1).sum::<usize>() > LONGEST {
            return Err(Malformed("a path of 1 to 4096 bytes"));
        }
        let what = match reader.u8()? {
            0 => What::Folder,
            1 => What::File { length: reader.u64()?, stored: reader.u64()? },
            _ => return Err(Malformed("a file or a folder")),
        };
        let (mode, modified) = (reader.u32()?, (reader.u64()?.cast_signed(), reader.u32()?));
        if modified.1 >= NANOSECONDS || matches!(what, What::File { length, .. } if length > i64::MAX as u64)
        {
            return Err(Malformed("the state of a file"));
        }
        Ok(Self { path, what, mode, modified })
    }
}

impl Answers {
    pub(crate) fn write(&self, into: &mut Vec<u8>) {
        framed(into, |writer| match self {
            Self::Hello => hello(writer),
            Self::Still => writer.u8(2),
            Self::Bye => writer.u8(9),
            Self::Take(offer, groups) => {
                writer.u8(10);
                writer.u64(*offer);
                write_groups(writer, groups);
            }
            Self::Compare(offer, groups) => {
                writer.u8(11);
                writer.u64(*offer);
                write_groups(writer, groups);
            }
            Self::Done(offer, ended) => {
                writer.u8(12);
                writer.u64(*offer);
                ended.write(writer);
            }
        });
    }

    pub(crate) fn read(body: &[u8]) -> Result<Self> {
        whole(body, |reader| {
            Ok(match reader.u8()? {
                1 => is_hello(reader, Self::Hello)?,
                2 => Self::Still,
                9 => Self::Bye,
                10 => Self::Take(reader.u64()?, reader.list(Reader::array)?),
                11 => Self::Compare(reader.u64()?, reader.list(Reader::array)?),
                12 => Self::Done(reader.u64()?, Ended::read(reader)?),
                _ => return Err(Malformed("what a receiver of files says")),
            })
        })
    }
}

impl Ended {
    fn write(&self, writer: &mut Writer<'_>) {
        match self {
            Self::Written => writer.u8(0),
            Self::There => writer.u8(1),
            Self::Refused(why) => {
                writer.u8(2);
                writer.text(shortened(why));
            }
            Self::Failed(why) => {
                writer.u8(3);
                writer.text(shortened(why));
            }
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        Ok(match reader.u8()? {
            0 => Self::Written,
            1 => Self::There,
            2 => Self::Refused(reason(reader)?),
            3 => Self::Failed(reason(reader)?),
            _ => return Err(Malformed("how a file ended")),
        })
    }
}

/// How long the body is that these bytes announce.
pub(crate) fn length(head: [u8; 4]) -> Result<usize> {
    match u32::from_le_bytes(head) as usize {
        length if length <= LIMIT => Ok(length),
        _ => Err(Malformed("a message of at most 1 MiB")),
    }
}

fn framed(into: &mut Vec<u8>, write: impl FnOnce(&mut Writer<'_>)) {
    let mut writer = Writer::bare();
    write(&mut writer);
    let body = writer.into_bytes();
    debug_assert!(body.len() <= LIMIT, "{} bytes", body.len());
    into.extend_from_slice(&u32::try_from(body.len()).expect("a message is short").to_le_bytes());
    into.extend_from_slice(&body);
}

fn whole<T>(body: &[u8], read: impl FnOnce(&mut Reader<'_>) -> Result<T>) -> Result<T> {
    let mut reader = Reader::new(body);
    let message = read(&mut reader)?;
    reader.end()?;
    Ok(message)
}

fn hello(writer: &mut Writer<'_>) {
    writer.u8(1);
    writer.text(WHO);
    writer.u32(VERSION);
}

fn is_hello<T>(reader: &mut Reader<'_>, hello: T) -> Result<T> {
    match (reader.text()?, reader.u32()?) {
        (WHO, VERSION) => Ok(hello),
        _ => Err(Malformed("the hello of a program that sends files as this one does")),
    }
}

fn write_groups(writer: &mut Writer<'_>, groups: &[Digest]) {
    writer.u64(groups.len() as u64);
    groups.iter().flatten().for_each(|byte| writer.u8(*byte));
}

/// A reason is for people, and a stranger's: what could move a terminal's cursor is not in it.
fn reason(reader: &mut Reader<'_>) -> Result<String> {
    let text = reader.text()?;
    if text.len() > LONGEST {
        return Err(Malformed("a reason of at most 4096 bytes"));
    }
    Ok(text.chars().map(|letter| if letter.is_control() { '?' } else { letter }).collect())
}

fn shortened(text: &str) -> &str {
    let fits = |end: &usize| *end <= LONGEST && text.is_char_boundary(*end);
    &text[..(0..=text.len().min(LONGEST)).rev().find(fits).unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn body(message: &[u8]) -> &[u8] {
        let (head, body) = message.split_first_chunk().unwrap();
        assert_eq!(length(*head), Ok(body.len()));
        body
    }

    fn offer() -> impl Strategy<Value = Offer> {
        let what = prop_oneof![
            Just(What::Folder),
            (0..=i64::MAX as u64, any::<u64>()).prop_map(|(length, stored)| What::File { length, stored }),
        ];
        let modified = (any::<i64>(), 0..NANOSECONDS);
        (vec(vec(any::<u8>(), 0..40), 1..10), what, any::<u32>(), modified)
            .prop_map(|(path, what, mode, modified)| Offer { path, what, mode, modified })
    }

    fn says() -> impl Strategy<Value = Says> {
        prop_oneof![
            Just(Says::Hello),
            Just(Says::Still),
            offer().prop_map(Says::Offer),
            any::<u64>().prop_map(Says::Verdict),
            (1..=MOST_DATA).prop_map(Says::Data),
            (1..=MOST_HOLE).prop_map(Says::Hole),
            any::<Digest>().prop_map(Says::End),
            "[ -~é]{0,50}".prop_map(Says::GaveUp),
            Just(Says::Bye),
        ]
    }

    fn answers() -> impl Strategy<Value = Answers> {
        let ended = prop_oneof![
            Just(Ended::Written),
            Just(Ended::There),
            "[ -~é]{0,50}".prop_map(Ended::Refused),
            "[ -~é]{0,50}".prop_map(Ended::Failed),
        ];
        prop_oneof![
            Just(Answers::Hello),
            Just(Answers::Still),
            Just(Answers::Bye),
            (any::<u64>(), vec(any::<Digest>(), 0..5))
                .prop_map(|(offer, groups)| Answers::Take(offer, groups)),
            (any::<u64>(), vec(any::<Digest>(), 0..5))
                .prop_map(|(offer, groups)| Answers::Compare(offer, groups)),
            (any::<u64>(), ended).prop_map(|(offer, ended)| Answers::Done(offer, ended)),
        ]
    }

    proptest! {
        #[test]
        fn what_a_sender_says_reads_as_it_was_written(says in says()) {
            let mut bytes = vec![];
            says.write(&mut bytes);
            prop_assert_eq!(Says::read(body(&bytes)), Ok(says));
        }

        #[test]
        fn what_a_receiver_says_reads_as_it_was_written(answers in answers()) {
            let mut bytes = vec![];
            answers.write(&mut bytes);
            prop_assert_eq!(Answers::read(body(&bytes)), Ok(answers));
        }

        #[test]
        fn no_bytes_are_too_strange_to_be_refused(kind in 0_u8..14, rest in vec(any::<u8>(), 0..100)) {
            let bytes = [&[kind][..], &rest].concat();
            // What is taken takes no more memory than it took to say it.
            if let Ok(Says::Offer(offer)) = Says::read(&bytes) {
                prop_assert!(offer.path.concat().len() < bytes.len());
            }
            if let Ok(Answers::Take(_, groups) | Answers::Compare(_, groups)) = Answers::read(&bytes) {
                prop_assert!(groups.len() * 32 < bytes.len());
            }
        }

        #[test]
        fn a_reason_moves_no_cursor(why in any::<String>()) {
            let mut bytes = vec![];
            Says::GaveUp(why).write(&mut bytes);
            let Ok(Says::GaveUp(why)) = Says::read(body(&bytes)) else { panic!("a reason") };
            prop_assert!(!why.chars().any(char::is_control));
        }
    }

    #[test]
    fn the_longest_list_of_groups_is_no_message_too_long() {
        let mut bytes = vec![];
        Answers::Take(0, vec![[0; 32]; usize::try_from(MOST_GROUPS).unwrap()]).write(&mut bytes);
        assert!(bytes.len() <= LIMIT);
        assert!(length((u32::try_from(LIMIT).unwrap() + 1).to_le_bytes()).is_err());
    }

    #[test]
    fn a_path_has_a_length_that_files_can_have() {
        let offer = |path| Offer { path, what: What::Folder, mode: 0, modified: (0, 0) };
        let read = |path| {
            let mut bytes = vec![];
            Says::Offer(offer(path)).write(&mut bytes);
            Says::read(body(&bytes))
        };
        assert!(read(vec![]).is_err());
        assert!(read(vec![vec![b'a'; 5000]]).is_err());
        assert!(read(vec![vec![]; 5000]).is_err());
        assert!(read(vec![vec![b'a'; 255]; 16]).is_ok());
    }

    #[test]
    fn a_reason_too_long_is_cut_where_a_letter_ends() {
        assert_eq!(shortened("why"), "why");
        assert_eq!(shortened(&"é".repeat(3000)).len(), LONGEST);
        assert_eq!(shortened(&format!("a{}", "é".repeat(3000))).len(), LONGEST - 1);
    }
}
