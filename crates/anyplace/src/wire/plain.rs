//! Plain values: numbers, texts and tuples of them, the same in every language, quick to write and to read.
//!
//! | tag | bytes behind it | means |
//! |---|---|---|
//! | 0 | | nothing: null, `None`, `()` |
//! | 1, 2 | | false, true |
//! | 3 | 8: two's complement | a whole number |
//! | 4 | 8: IEEE 754 | a floating-point number, bit by bit |
//! | 5 | 4: how many bytes follow; these | text in UTF-8 |
//! | 6 | 4: how many bytes follow; these | bytes |
//! | 7 | 4: how many values follow | a tuple of these values |
//!
//! All numbers are little-endian. Tuples may hold tuples, [`DEEPEST`] of them inside each other, so that reading never
//! runs out of stack. What is none of this travels in the encoding of its language.
//!
//! ```
//! use anyplace::work::plain::{Reader, Token, write};
//!
//! let mut bytes = Vec::new();
//! for token in [Token::Tuple(2), Token::Integer(12), Token::Text("pens")] {
//!     write(&mut bytes, token);
//! }
//! let mut reader = Reader::new(&bytes);
//! assert_eq!(reader.next().unwrap()?, Token::Tuple(2));
//! assert_eq!(reader.next().unwrap()?, Token::Integer(12));
//! # Ok::<(), anyplace::work::plain::NotPlain>(())
//! ```

use std::fmt;

/// How many tuples may stand inside each other: the arguments of a call, and tuples among them.
pub const DEEPEST: usize = 2;

/// The longest text or bytes.
pub const LONGEST: usize = u32::MAX as usize;

/// A value, or the beginning of one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Token<'a> {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A floating-point number.
    Float(f64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// The next so many values are those of a tuple.
    Tuple(u32),
}

/// Bytes that are no plain value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotPlain;

/// Appends a token.
///
/// # Panics
/// If text or bytes are longer than [`LONGEST`].
#[inline]
pub fn write(out: &mut Vec<u8>, token: Token<'_>) {
    match token {
        Token::Null => out.push(0),
        Token::Bool(value) => out.push(1 + u8::from(value)),
        Token::Integer(value) => out.extend_from_slice(&integer(value)),
        Token::Float(value) => out.extend_from_slice(&float(value)),
        Token::Text(text) => write_long(out, 5, text.as_bytes()),
        Token::Bytes(bytes) => write_long(out, 6, bytes),
        Token::Tuple(values) => write_four(out, 7, values),
    }
}

/// How many bytes a number has.
pub const NUMBER: usize = 9;

/// What [`write()`] appends for nothing.
pub const NULL: [u8; 1] = [0];

/// What [`write()`] appends for a whole number: maps are mostly about numbers, and these need no buffer.
#[inline]
pub fn integer(value: i64) -> [u8; NUMBER] {
    eight(INTEGER, value.to_le_bytes())
}

/// What [`write()`] appends for a floating-point number.
#[inline]
pub fn float(value: f64) -> [u8; NUMBER] {
    eight(FLOAT, value.to_le_bytes())
}

/// The number that these bytes are, if they are one and no more.
///
/// ```
/// use anyplace::work::plain::{Token, float, number};
///
/// assert_eq!(number(&float(0.5)), Some(Token::Float(0.5)));
/// assert_eq!(number(b"no number"), None);
/// ```
#[inline]
pub fn number(bytes: &[u8]) -> Option<Token<'static>> {
    let [tag, number @ ..]: &[u8; NUMBER] = bytes.try_into().ok()?;
    match *tag {
        INTEGER => Some(Token::Integer(i64::from_le_bytes(*number))),
        FLOAT => Some(Token::Float(f64::from_le_bytes(*number))),
        _ => None,
    }
}

const INTEGER: u8 = 3;
const FLOAT: u8 = 4;

#[inline]
fn eight(tag: u8, number: [u8; 8]) -> [u8; NUMBER] {
    let [a, b, c, d, e, f, g, h] = number;
    [tag, a, b, c, d, e, f, g, h]
}

fn write_four(out: &mut Vec<u8>, tag: u8, number: u32) {
    let [a, b, c, d] = number.to_le_bytes();
    out.extend_from_slice(&[tag, a, b, c, d]);
}

fn write_long(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).expect("at most `LONGEST` bytes");
    write_four(out, tag, length);
    out.extend_from_slice(bytes);
}

/// Reads tokens. That tuples have all their values is for whoever puts them together to see; see also [`check`].
#[derive(Clone, Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Reads the tokens of these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    #[inline]
    fn token(&mut self) -> Option<Token<'a>> {
        let (&tag, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(match tag {
            0 => Token::Null,
            1 => Token::Bool(false),
            2 => Token::Bool(true),
            INTEGER => Token::Integer(i64::from_le_bytes(self.array()?)),
            FLOAT => Token::Float(f64::from_le_bytes(self.array()?)),
            5 => Token::Text(std::str::from_utf8(self.long()?).ok()?),
            6 => Token::Bytes(self.long()?),
            7 => Token::Tuple(u32::from_le_bytes(self.array()?)),
            _ => return None,
        })
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    fn long(&mut self) -> Option<&'a [u8]> {
        let length = u32::from_le_bytes(self.array()?) as usize;
        let (long, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(long)
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Result<Token<'a>, NotPlain>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        Some(self.token().ok_or(NotPlain))
    }
}

/// Says whether the bytes are one plain value and no more.
///
/// # Errors
/// They are not.
pub fn check(bytes: &[u8]) -> Result<(), NotPlain> {
    let mut reader = Reader::new(bytes);
    check_value(&mut reader, 0)?;
    reader.next().map_or(Ok(()), |_| Err(NotPlain))
}

fn check_value(reader: &mut Reader<'_>, depth: usize) -> Result<(), NotPlain> {
    match reader.next().ok_or(NotPlain)?? {
        Token::Tuple(_) if depth == DEEPEST => Err(NotPlain),
        Token::Tuple(values) => (0..values).try_for_each(|_| check_value(reader, depth + 1)),
        _ => Ok(()),
    }
}

impl fmt::Display for NotPlain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("these bytes are no plain value")
    }
}

impl std::error::Error for NotPlain {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Tree {
        Null,
        Bool(bool),
        Integer(i64),
        Float(f64),
        Text(String),
        Bytes(Vec<u8>),
        Tuple(Vec<Self>),
    }

    impl Tree {
        fn tokens(&self) -> Vec<Token<'_>> {
            match self {
                Self::Null => vec![Token::Null],
                Self::Bool(value) => vec![Token::Bool(*value)],
                Self::Integer(value) => vec![Token::Integer(*value)],
                Self::Float(value) => vec![Token::Float(*value)],
                Self::Text(text) => vec![Token::Text(text)],
                Self::Bytes(bytes) => vec![Token::Bytes(bytes)],
                Self::Tuple(values) => std::iter::once(Token::Tuple(values.len() as u32))
                    .chain(values.iter().flat_map(Self::tokens))
                    .collect(),
            }
        }
    }

    fn tree() -> impl Strategy<Value = Tree> {
        let leaf = prop_oneof![
            Just(Tree::Null),
            any::<bool>().prop_map(Tree::Bool),
            any::<i64>().prop_map(Tree::Integer),
            any::<f64>().prop_map(Tree::Float),
            any::<String>().prop_map(Tree::Text),
            any::<Vec<u8>>().prop_map(Tree::Bytes),
        ];
        leaf.prop_recursive(DEEPEST as u32, 30, 5, |inner| {
            prop::collection::vec(inner, 0..5).prop_map(Tree::Tuple)
        })
    }

    fn written(tokens: &[Token<'_>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        tokens.iter().for_each(|token| write(&mut bytes, *token));
        bytes
    }

    proptest! {
        #[test]
        fn every_plain_value_is_read_as_it_was_written(tree in tree()) {
            let bytes = written(&tree.tokens());
            prop_assert_eq!(check(&bytes), Ok(()));
            let read: Vec<_> = Reader::new(&bytes).map(Result::unwrap).collect();
            prop_assert_eq!(read, tree.tokens());
            let is_number = matches!(tree, Tree::Integer(_) | Tree::Float(_));
            prop_assert_eq!(number(&bytes), tree.tokens().first().copied().filter(|_| is_number));
        }

        #[test]
        fn a_value_that_is_cut_or_goes_on_is_none(tree in tree(), more in any::<u8>()) {
            let mut bytes = written(&tree.tokens());
            for cut in 0..bytes.len() {
                prop_assert_eq!(check(&bytes[..cut]), Err(NotPlain));
            }
            bytes.push(more);
            prop_assert_eq!(check(&bytes), Err(NotPlain));
        }

        #[test]
        fn no_bytes_do_harm(bytes in any::<Vec<u8>>()) {
            let _ = check(&bytes);
        }
    }

    #[test]
    fn an_announced_count_costs_nothing() {
        assert_eq!(check(&written(&[Token::Tuple(u32::MAX), Token::Null])), Err(NotPlain));
        assert_eq!(check(&[5, 255, 255, 255, 255, b'a']), Err(NotPlain));
    }

    #[test]
    fn tuples_inside_each_other_have_an_end() {
        let nested = |tuples: usize| written(&[vec![Token::Tuple(1); tuples], vec![Token::Null]].concat());
        assert_eq!(check(&nested(DEEPEST)), Ok(()));
        assert_eq!(check(&nested(DEEPEST + 1)), Err(NotPlain));
    }
}
