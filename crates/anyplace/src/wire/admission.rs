//! The first words of two peers, inside TLS: who comes, and whether they may come in. Nothing else is read before that.
//!
//! Each message is two bytes (how long its body is, at most 1024, little-endian) and the body:
//!
//! | message | from | body |
//! |---|---|---|
//! | Hello | client | 1; its name (a text of at most 64 bytes); 1, a ticket's id (10) and a proof (32), or 0 |
//! | Welcome | server | 2; scope (1); until when, in seconds since 1970, or 0 (8); 1 and a proof (32), or 0 |
//! | Refused | server | 3; why (1), and 0 for who has proved nothing |

use super::bytes::{Malformed, Reader, Result, Writer};

/// The longest body.
pub(crate) const LIMIT: usize = 1024;

/// The longest name a peer may give itself.
pub(crate) const NAME: usize = 64;

/// A proof: an HMAC-SHA256.
pub(crate) type Proof = [u8; 32];

/// Who comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hello {
    pub(crate) name: String,
    /// Which ticket, and that they know its secret.
    pub(crate) ticket: Option<([u8; 10], Proof)>,
}

/// Whether they may come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// What they may do, until when, and, where they showed a good ticket, that we know its secret, too.
    Welcome { scope: u8, until: u64, proof: Option<Proof> },
    /// Why not, as a number.
    Refused(u8),
}

/// How long the body is that these two bytes announce.
pub(crate) fn length(head: [u8; 2]) -> Result<usize> {
    let length = usize::from(u16::from_le_bytes(head));
    if length <= LIMIT { Ok(length) } else { Err(Malformed("a first message of at most 1 KiB")) }
}

impl Hello {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut writer = Writer::bare();
        writer.u8(1);
        writer.text(&self.name);
        writer.option(self.ticket.as_ref(), |writer, (id, proof)| {
            id.iter().chain(proof).for_each(|byte| writer.u8(*byte));
        });
        framed(writer)
    }

    pub(crate) fn read(body: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(body);
        if reader.u8()? != 1 {
            return Err(Malformed("a peer's hello"));
        }
        let name = reader.text()?;
        if name.len() > NAME {
            return Err(Malformed("a name of at most 64 bytes"));
        }
        let ticket = reader.option(|reader| Ok((reader.array()?, reader.array()?)))?;
        reader.end()?;
        Ok(Self { name: name.to_owned(), ticket })
    }
}

impl Answer {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut writer = Writer::bare();
        match self {
            Self::Welcome { scope, until, proof } => {
                writer.u8(2);
                writer.u8(*scope);
                writer.u64(*until);
                writer.option(proof.as_ref(), |writer, proof| proof.iter().for_each(|byte| writer.u8(*byte)));
            }
            Self::Refused(why) => {
                writer.u8(3);
                writer.u8(*why);
            }
        }
        framed(writer)
    }

    pub(crate) fn read(body: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(body);
        let answer = match reader.u8()? {
            2 => {
                let (scope, until) = (reader.u8()?, reader.u64()?);
                Self::Welcome { scope, until, proof: reader.option(Reader::array)? }
            }
            3 => Self::Refused(reader.u8()?),
            _ => return Err(Malformed("an answer to a hello")),
        };
        reader.end()?;
        Ok(answer)
    }
}

fn framed(writer: Writer<'_>) -> Vec<u8> {
    let body = writer.into_bytes();
    let length = u16::try_from(body.len()).expect("a first message is short");
    [&length.to_le_bytes()[..], &body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn body(message: &[u8]) -> &[u8] {
        let (head, body) = message.split_first_chunk().unwrap();
        assert_eq!(length(*head), Ok(body.len()));
        body
    }

    proptest! {
        #[test]
        fn a_hello_reads_as_it_was_written(
            name in "[a-z@.-]{0,64}",
            ticket in any::<Option<([u8; 10], [u8; 32])>>(),
        ) {
            let hello = Hello { name, ticket };
            prop_assert_eq!(Hello::read(body(&hello.bytes())), Ok(hello));
        }

        #[test]
        fn an_answer_reads_as_it_was_written(scope: u8, until: u64, proof: Option<[u8; 32]>, why: u8) {
            for answer in [Answer::Welcome { scope, until, proof }, Answer::Refused(why)] {
                prop_assert_eq!(Answer::read(body(&answer.bytes())), Ok(answer));
            }
        }

        #[test]
        fn no_bytes_are_too_strange_to_be_refused(kind in 0_u8..5, rest: Vec<u8>) {
            let bytes = [&[kind][..], &rest].concat();
            // What is taken is what would have been written: there is no second way to say it.
            let said = Hello::read(&bytes).map(|hello| hello.bytes());
            let said = said.or_else(|_| Answer::read(&bytes).map(|answer| answer.bytes()));
            if let Ok(said) = said {
                prop_assert_eq!(body(&said), &bytes[..]);
            }
        }
    }

    #[test]
    fn what_announces_more_than_a_kibibyte_is_refused_before_it_is_read() {
        assert_eq!(length(1024_u16.to_le_bytes()), Ok(1024));
        assert!(length(1025_u16.to_le_bytes()).is_err());
        let announced = [&[1][..], &u64::MAX.to_le_bytes()].concat();
        assert!(Hello::read(&announced).is_err());
    }
}
