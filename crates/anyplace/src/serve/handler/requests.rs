//! Where a request begins and ends in the bytes of a connection, and how an answer is written.

use std::sync::Arc;

/// The length in front of a message.
const HEAD: usize = 4;

/// How much the first read of a request offers room for: most requests are small, and cost no memory but their own.
const FEW: usize = 4 << 10;
/// The same of later ones, at least.
const ROOM: usize = 16 << 10;

/// Where a request ends.
#[derive(Clone, Debug)]
pub(super) enum Framing {
    /// Its length stands in front of it, in four bytes, the highest first.
    Counted,
    /// At these bytes.
    Ended(Arc<[u8]>),
}

/// Somebody asks more than is allowed.
#[derive(Debug)]
pub(super) struct TooLarge;

/// What has come of a connection's requests. It has no memory while nothing has.
#[derive(Debug, Default)]
pub(super) struct Arrived {
    bytes: Vec<u8>,
    /// So many bytes were looked through for an end, in vain.
    seen: usize,
}

impl Arrived {
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Reads on, once: how many bytes came.
    pub(super) fn fill<E>(&mut self, read: impl FnOnce(&mut [u8]) -> Result<usize, E>) -> Result<usize, E> {
        let length = self.bytes.len();
        if length == 0 {
            let mut room = [0; FEW];
            let read = read(&mut room)?;
            self.bytes.extend_from_slice(&room[..read]);
            return Ok(read);
        }
        // As much again as is there: what somebody claims to send takes no memory before it comes.
        self.bytes.resize(length + length.max(ROOM), 0);
        let result = read(&mut self.bytes[length..]);
        self.bytes.truncate(length + result.as_ref().map_or(0, |read| *read));
        result
    }

    /// The next request, if it is whole.
    pub(super) fn next(&mut self, framing: &Framing, limit: usize) -> Result<Option<Vec<u8>>, TooLarge> {
        let found = match framing {
            Framing::Counted => self.counted(limit)?,
            Framing::Ended(ends) => self.ended(ends, limit)?,
        };
        let Some((start, length, end)) = found else { return Ok(None) };
        let mut request = match end == self.bytes.len() {
            // Most often there is one request and no more, and it needs no copy.
            true => std::mem::take(&mut self.bytes),
            false => self.bytes.drain(..end).collect(),
        };
        request.truncate(start + length);
        request.drain(..start);
        self.seen = 0;
        Ok(Some(request))
    }

    /// Where it begins, how long it is, and where the next one begins.
    fn counted(&self, limit: usize) -> Result<Option<(usize, usize, usize)>, TooLarge> {
        let Some(head) = self.bytes.first_chunk::<HEAD>() else { return Ok(None) };
        let length = usize::try_from(u32::from_be_bytes(*head)).map_err(|_| TooLarge)?;
        if length > limit {
            return Err(TooLarge);
        }
        let end = HEAD + length;
        Ok((self.bytes.len() >= end).then_some((HEAD, length, end)))
    }

    fn ended(&mut self, ends: &[u8], limit: usize) -> Result<Option<(usize, usize, usize)>, TooLarge> {
        // An end may stand across what was seen and what has come since.
        let from = self.seen.saturating_sub(ends.len() - 1);
        let found = self.bytes[from..].windows(ends.len()).position(|window| window == ends);
        let length = found.map_or(self.bytes.len(), |at| from + at);
        if length > limit {
            return Err(TooLarge);
        }
        self.seen = self.bytes.len();
        Ok(found.map(|_| (0, length, length + ends.len())))
    }
}

impl Framing {
    /// An answer as it is written; nothing if it cannot be told from what follows.
    pub(super) fn frame(&self, answer: Vec<u8>) -> Option<Vec<u8>> {
        match self {
            Self::Counted => {
                let length = u32::try_from(answer.len()).ok()?;
                let mut framed = Vec::with_capacity(HEAD + answer.len());
                framed.extend_from_slice(&length.to_be_bytes());
                framed.extend_from_slice(&answer);
                Some(framed)
            }
            Self::Ended(ends) => {
                let mut framed = answer;
                framed.extend_from_slice(ends);
                Some(framed)
            }
        }
    }
}
