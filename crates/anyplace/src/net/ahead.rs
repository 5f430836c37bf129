//! Bytes that were read before anybody asked for them.

use std::io;

/// How much room a read offers; a message that is longer gets its own.
const ROOM: usize = 16 << 10;

/// Bytes that were read before anybody asked for them: the rest after a line, or a message that is not whole yet. They are
/// read next, so a wait that is given up loses nothing.
#[derive(Default)]
pub(super) struct Ahead {
    bytes: Vec<u8>,
    /// Where they begin.
    start: usize,
}

impl Ahead {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// Reads on, at most `most` bytes if that is said: how many came, 0 at the end.
    pub(super) fn fill(
        &mut self,
        most: Option<usize>,
        read: impl FnOnce(&mut [u8]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        let length = self.bytes.len();
        // As much again as is there: what somebody claims to send takes no memory before it comes.
        let room = most.unwrap_or(usize::MAX).min(self.bytes().len().max(ROOM));
        self.bytes.resize(length + room, 0);
        let result = read(&mut self.bytes[length..]);
        self.bytes.truncate(length + result.as_ref().map_or(0, |read| *read));
        self.tidy();
        result
    }

    /// Takes the first bytes.
    pub(super) fn take(&mut self, count: usize) -> Vec<u8> {
        if count < self.bytes().len() {
            let taken = self.bytes()[..count].to_vec();
            self.skip(count);
            return taken;
        }
        let mut taken = std::mem::take(&mut self.bytes);
        taken.drain(..std::mem::take(&mut self.start));
        taken
    }

    /// Forgets the first bytes.
    pub(super) fn skip(&mut self, count: usize) {
        self.start += count;
        self.tidy();
    }

    /// Moves the first bytes to where somebody wants them.
    pub(super) fn copy_to(&mut self, into: &mut [u8]) -> usize {
        let count = into.len().min(self.bytes().len());
        into[..count].copy_from_slice(&self.bytes()[..count]);
        self.skip(count);
        count
    }

    /// Puts bytes back, before all others.
    pub(super) fn put_back(&mut self, bytes: &[u8]) {
        self.bytes.splice(..self.start, bytes.iter().copied());
        self.start = 0;
    }

    /// Gives memory back when nothing is in it, and moves bytes only when that is cheap.
    fn tidy(&mut self) {
        if self.start == self.bytes.len() {
            self.start = 0;
            match self.bytes.capacity() > 2 * ROOM {
                true => self.bytes = Vec::new(),
                false => self.bytes.clear(),
            }
        } else if self.start > self.bytes.len() / 2 {
            self.bytes.drain(..std::mem::take(&mut self.start));
        }
    }
}

/// What a read that takes several steps makes of the bytes that are there.
pub(super) enum Found {
    /// After so many bytes of no interest come so many that were asked for.
    Whole(usize, usize),
    /// There is more to come: so many bytes, if that is known.
    More(Option<usize>),
    /// There is nothing more to come, and nothing is there.
    End,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Step {
        Fill(Vec<u8>),
        Take(usize),
        Copy(usize),
        PutBack(Vec<u8>),
    }

    fn step() -> impl Strategy<Value = Step> {
        let bytes = || proptest::collection::vec(any::<u8>(), 0..100);
        prop_oneof![
            bytes().prop_map(Step::Fill),
            (0..200_usize).prop_map(Step::Take),
            (0..200_usize).prop_map(Step::Copy),
            bytes().prop_map(Step::PutBack),
        ]
    }

    proptest! {
        #[test]
        fn what_was_read_ahead_comes_out_in_order(steps in proptest::collection::vec(step(), 0..50)) {
            let (mut ahead, mut model) = (Ahead::default(), Vec::new());
            for step in steps {
                match step {
                    Step::Fill(bytes) => {
                        let read = |into: &mut [u8]| {
                            into[..bytes.len()].copy_from_slice(&bytes);
                            Ok(bytes.len())
                        };
                        prop_assert_eq!(ahead.fill(None, read).unwrap(), bytes.len());
                        model.extend(bytes);
                    }
                    Step::Take(count) => {
                        let count = count.min(model.len());
                        prop_assert_eq!(ahead.take(count), model.drain(..count).collect::<Vec<_>>());
                    }
                    Step::Copy(count) => {
                        let mut into = vec![0; count];
                        let copied = ahead.copy_to(&mut into);
                        prop_assert_eq!(copied, count.min(model.len()));
                        prop_assert_eq!(into[..copied].to_vec(), model.drain(..copied).collect::<Vec<_>>());
                    }
                    Step::PutBack(bytes) => {
                        ahead.put_back(&bytes);
                        model.splice(..0, bytes);
                    }
                }
                prop_assert_eq!(ahead.bytes(), model.as_slice());
            }
        }
    }
}
