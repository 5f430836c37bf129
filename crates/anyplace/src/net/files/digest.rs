//! The digest of a file, as the tree that it is.
//!
//! BLAKE3 is a tree over chunks of 1 KiB. We keep the digests of larger subtrees, *groups*, from which the digest of the
//! file follows: so two ends can tell how far they agree, and what is there already is hashed once and never sent again.
//! The digest of the file is the one that `b3sum` prints.

use crate::wire::files::{Digest, MOST_GROUPS};
use blake3::Hasher;
use blake3::hazmat::{HasherExt, Mode, left_subtree_len, merge_subtrees_non_root, merge_subtrees_root};

/// The smallest group. So much at most is sent twice when a transfer was cut off and goes on.
const GROUP: u64 = 4 << 20;

/// How long the groups of a file are: powers of two, so that they are subtrees, and not too many.
pub(super) fn group_length(length: u64) -> u64 {
    let mut group = GROUP;
    while length.div_ceil(group) > MOST_GROUPS {
        group *= 2;
    }
    group
}

/// A file's digest in the making, from its first byte on.
#[derive(Debug)]
pub(super) struct Tree {
    length: u64,
    group: u64,
    groups: Vec<Digest>,
    hasher: Hasher,
    /// How much of the present group is hashed.
    filled: u64,
}

impl Tree {
    /// For a file that is so long.
    pub(super) fn new(length: u64) -> Self {
        Self { length, group: group_length(length), groups: Vec::new(), hasher: Hasher::new(), filled: 0 }
    }

    /// How long the file is.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    pub(super) fn group_length(&self) -> u64 {
        self.group
    }

    /// How much is hashed.
    pub(super) fn at(&self) -> u64 {
        // The last group may be shorter.
        (self.groups.len() as u64 * self.group + self.filled).min(self.length)
    }

    /// The groups that are hashed, the last one among them only if it is whole or the file ends with it.
    pub(super) fn groups(&self) -> &[Digest] {
        &self.groups
    }

    /// Forgets all but the first groups.
    pub(super) fn keep(&mut self, groups: u64) {
        self.groups.truncate(usize::try_from(groups).unwrap_or(usize::MAX));
        self.begin_group();
    }

    /// Goes on with the next bytes; there must not be more than the file is long.
    pub(super) fn update(&mut self, mut bytes: &[u8]) {
        debug_assert!(self.at() + bytes.len() as u64 <= self.length, "a file has an end");
        while !bytes.is_empty() {
            let room = usize::try_from(self.group - self.filled).unwrap_or(usize::MAX);
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.hasher.update(now);
            self.filled += now.len() as u64;
            bytes = later;
            if self.filled == self.group || self.at() == self.length {
                self.end_group();
            }
        }
    }

    /// Goes on with so many zeros.
    pub(super) fn update_zeros(&mut self, mut count: u64) {
        static ZEROS: [u8; 64 << 10] = [0; 64 << 10];
        while count > 0 {
            let now = usize::try_from(count).unwrap_or(usize::MAX).min(ZEROS.len());
            self.update(&ZEROS[..now]);
            count -= now as u64;
        }
    }

    /// The digest of the file, all of which is hashed.
    pub(super) fn digest(&self) -> Digest {
        debug_assert_eq!(self.at(), self.length, "all of it is hashed");
        match self.groups.as_slice() {
            [] => *Hasher::new().finalize().as_bytes(),
            [whole] => *whole,
            groups => {
                let (left, right) = self.split(groups);
                *merge_subtrees_root(&left, &right, Mode::Hash).as_bytes()
            }
        }
    }

    fn end_group(&mut self) {
        let is_whole_file = self.filled == self.length;
        let digest = match is_whole_file {
            true => *self.hasher.finalize().as_bytes(),
            false => self.hasher.finalize_non_root(),
        };
        self.groups.push(digest);
        self.begin_group();
    }

    fn begin_group(&mut self) {
        self.filled = 0;
        // A new one: `reset` forgets where the input begins by half.
        self.hasher = Hasher::new();
        self.hasher.set_input_offset(self.groups.len() as u64 * self.group);
    }

    /// The digests of the two subtrees that make this one.
    fn split(&self, groups: &[Digest]) -> (Digest, Digest) {
        // The left one is as large as a full subtree can be, as if each group were a chunk.
        let count = left_subtree_len(groups.len() as u64 * 1024) / 1024;
        let (left, right) = groups.split_at(usize::try_from(count).expect("fewer than there are"));
        (self.merge(left), self.merge(right))
    }

    fn merge(&self, groups: &[Digest]) -> Digest {
        match groups {
            [one] => *one,
            several => {
                let (left, right) = self.split(several);
                merge_subtrees_non_root(&left, &right, Mode::Hash)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(length: u64) -> Vec<u8> {
        (0..length).map(|at| (at ^ at >> 9).to_le_bytes()[0]).collect()
    }

    fn hashed(bytes: &[u8], piece: usize) -> Tree {
        let mut tree = Tree::new(bytes.len() as u64);
        bytes.chunks(piece).for_each(|piece| tree.update(piece));
        tree
    }

    #[test]
    fn the_digest_of_a_file_is_its_blake3() {
        for length in [0, 1, 1024, GROUP - 1, GROUP, GROUP + 1, 3 * GROUP, 5 * GROUP + 7, 8 * GROUP] {
            let bytes = bytes(length);
            let tree = hashed(&bytes, 1_000_003);
            assert_eq!(tree.digest(), *blake3::hash(&bytes).as_bytes(), "{length}");
            assert_eq!(tree.groups().len() as u64, length.div_ceil(GROUP));
        }
    }

    #[test]
    fn what_was_hashed_before_is_not_hashed_again() {
        let bytes = bytes(3 * GROUP + 5);
        let mut tree = hashed(&bytes, 1 << 20);
        tree.keep(2);
        assert_eq!(tree.at(), 2 * GROUP);
        tree.update(&bytes[usize::try_from(2 * GROUP).unwrap()..]);
        assert_eq!(tree.digest(), *blake3::hash(&bytes).as_bytes());
    }

    #[test]
    fn the_longest_file_has_not_too_many_groups() {
        for length in [0, 1 << 36, (1 << 36) + 1, i64::MAX as u64] {
            let group = group_length(length);
            assert!(group.is_power_of_two() && length.div_ceil(group) <= MOST_GROUPS);
        }
        assert_eq!(group_length(1 << 36), GROUP);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn zeros_are_hashed_as_what_they_are(before in 0..3 * GROUP, zeros in 0..3 * GROUP) {
            let mut tree = Tree::new(before + zeros);
            tree.update(&bytes(before));
            tree.update_zeros(zeros);
            let whole = [bytes(before), vec![0; usize::try_from(zeros).unwrap()]].concat();
            prop_assert_eq!(tree.digest(), *blake3::hash(&whole).as_bytes());
        }
    }
}
