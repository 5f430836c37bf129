//! Frames: where a message begins and ends in a stream of bytes.

use super::bytes::{Malformed, WORTH_LISTING};
use super::order::Rest;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::io::IoSlice;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Hello = 1,
    Welcome,
    Define,
    First,
    Reply,
    Begin,
    Log,
    Born,
    Unborn,
    Greet,
    Ping,
    Pong,
    Bye,
    Answer,
    Run,
    Ended,
    End,
    Resume,
    Heard,
    Node,
    Call,
    Hold,
    Release,
    Share,
    Withdraw,
}

impl Kind {
    const ALL: [Self; 25] = [
        Self::Hello,
        Self::Welcome,
        Self::Define,
        Self::First,
        Self::Reply,
        Self::Begin,
        Self::Log,
        Self::Born,
        Self::Unborn,
        Self::Greet,
        Self::Ping,
        Self::Pong,
        Self::Bye,
        Self::Answer,
        Self::Run,
        Self::Ended,
        Self::End,
        Self::Resume,
        Self::Heard,
        Self::Node,
        Self::Call,
        Self::Hold,
        Self::Release,
        Self::Share,
        Self::Withdraw,
    ];

    fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == number)
    }
}

/// The kind and the length of the body.
const HEAD: usize = 9;

/// A message to be sent, in pieces: small ones written together, large ones where they already are.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    pieces: VecDeque<Cow<'a, [u8]>>,
    /// So much of the first piece is sent.
    sent: usize,
}

/// The kernel takes at most 1024 at once, and a socket's buffer is full long before.
const PIECES: usize = 64;

impl<'a> Frame<'a> {
    /// A head whose length is not known yet.
    pub(crate) fn head(kind: Kind) -> Vec<u8> {
        let mut head = Vec::with_capacity(64);
        head.push(kind as u8);
        head.extend_from_slice(&[0; HEAD - 1]);
        head
    }

    pub(crate) fn new(mut pieces: Vec<Cow<'a, [u8]>>) -> Self {
        let length: usize = pieces.iter().map(|piece| piece.len()).sum();
        let body = (length - HEAD) as u64;
        pieces[0].to_mut()[1..HEAD].copy_from_slice(&body.to_le_bytes());
        Self { pieces: pieces.into(), sent: 0 }
    }

    /// A head with the beginning of a body, and the rest of the body from where it is.
    pub(super) fn with_rest(mut head: Vec<u8>, rest: Rest<'a>) -> Self {
        let mut pieces = Vec::with_capacity(2 + rest.following.len());
        if rest.rows.len() < WORTH_LISTING {
            head.extend_from_slice(&rest.rows);
            pieces.push(Cow::Owned(head));
        } else {
            pieces.extend([Cow::Owned(head), rest.rows]);
        }
        pieces.extend(rest.following.iter().map(|bytes| Cow::Borrowed(&***bytes)));
        Self::new(pieces)
    }

    /// Whole frames, one behind the other, as one.
    pub(crate) fn joined(frames: Vec<u8>) -> Frame<'static> {
        Frame { pieces: [Cow::Owned(frames)].into(), sent: 0 }
    }

    /// How many bytes it has.
    pub(crate) fn length(&self) -> usize {
        self.pieces.iter().map(|piece| piece.len()).sum()
    }

    /// What is to be sent next, as the kernel takes it; nothing when all is sent.
    pub(crate) fn slices(&self) -> Vec<IoSlice<'_>> {
        let mut slices: Vec<_> = self.pieces.iter().take(PIECES).map(|piece| IoSlice::new(piece)).collect();
        if let Some(first) = slices.first_mut() {
            first.advance(self.sent);
        }
        slices
    }

    /// Notes that so many bytes are sent.
    pub(crate) fn advance(&mut self, length: usize) {
        self.sent += length;
        while let Some(piece) = self.pieces.front()
            && piece.len() <= self.sent
        {
            self.sent -= piece.len();
            self.pieces.pop_front();
        }
    }

    /// All of it in one piece, for what is small.
    pub(crate) fn to_vec(&self) -> Vec<u8> {
        self.pieces.iter().flat_map(|piece| piece.iter().copied()).collect()
    }

    pub(crate) fn is_sent(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Appends what is not sent yet.
    pub(crate) fn append_to(&self, bytes: &mut Vec<u8>) {
        let mut skipped = self.sent;
        for piece in &self.pieces {
            bytes.extend_from_slice(&piece[skipped..]);
            skipped = 0;
        }
    }
}

/// Bytes as they come in, and the messages in them.
#[derive(Debug)]
pub(crate) struct Inbox {
    bytes: Vec<u8>,
    /// So many of the bytes have been given out.
    taken: usize,
    /// No message has a longer body.
    limit: u64,
}

impl Default for Inbox {
    fn default() -> Self {
        Self::limited(u64::MAX)
    }
}

/// An empty inbox keeps no more memory than this.
const KEPT: usize = 1 << 20;

impl Inbox {
    /// For messages of at most so many bytes: a longer one is refused as soon as it is announced.
    pub(crate) fn limited(limit: u64) -> Self {
        Self { bytes: Vec::new(), taken: 0, limit }
    }

    /// Adds what has come.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        if self.taken > self.bytes.len() / 2 {
            self.bytes.drain(..self.taken);
            self.taken = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Whether there is a whole message, or bytes that are none.
    pub(crate) fn is_ready(&self) -> bool {
        !matches!(first(&self.bytes[self.taken..], self.limit), Ok(None))
    }

    /// The next whole message: its kind and its body; nothing if it has not come yet.
    pub(crate) fn next(&mut self) -> Result<Option<(Kind, &[u8])>, Malformed> {
        if self.taken == self.bytes.len() {
            self.bytes.clear();
            self.bytes.shrink_to(KEPT);
            self.taken = 0;
        }
        let found = first(&self.bytes[self.taken..], self.limit)?;
        self.taken += found.map_or(0, |(_, body)| HEAD + body.len());
        Ok(found)
    }
}

/// What is said of a message that is longer than it may be.
pub(crate) const TOO_LONG: Malformed = Malformed("a message of a length that is accepted here");

fn first(bytes: &[u8], limit: u64) -> Result<Option<(Kind, &[u8])>, Malformed> {
    let Some((&[number, ref length @ ..], rest)) = bytes.split_first_chunk::<HEAD>() else {
        return Ok(None);
    };
    let kind = Kind::from_number(number).ok_or(Malformed("a message of anyplace"))?;
    let length = u64::from_le_bytes(*length);
    if length > limit {
        return Err(TOO_LONG);
    }
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    Ok(rest.get(..length).map(|body| (kind, body)))
}
