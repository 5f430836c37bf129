//! A file that comes: what has come of it, and its digest.

use super::digest::Tree;
use super::folder::{Outcome, Part, failed};
use super::talk::{Talk, garbled};
use crate::error::Result;
use crate::wire::Malformed;
use crate::wire::files::{Answers, Digest, Ended, Offer};
use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;

/// So much is read to be hashed at once: it stays in the cache.
const GULP: usize = 256 << 10;

/// A file that comes.
#[derive(Debug)]
pub(super) struct Incoming {
    part: Part,
    tree: Tree,
    mode: u32,
    modified: (i64, u32),
}

impl Incoming {
    /// Goes on with a part of which so much is hashed.
    pub(super) fn new(part: Part, tree: Tree, offer: &Offer) -> Self {
        Self { part, tree, mode: offer.mode, modified: offer.modified }
    }

    pub(super) fn length(&self) -> u64 {
        self.tree.length()
    }

    /// How much of it is here.
    pub(super) fn at(&self) -> u64 {
        self.tree.at()
    }

    /// So many groups are good; the rest is forgotten.
    pub(super) fn begin(&mut self, groups: u64) -> Outcome<()> {
        self.tree.keep(groups);
        self.part.file.set_len(self.at()).map_err(|error| failed(&error))
    }

    /// That there can be so many bytes more.
    pub(super) fn check(&self, count: u64) -> Result<()> {
        match self.at().checked_add(count) {
            Some(end) if end <= self.length() => Ok(()),
            _ => Err(garbled(Malformed("a file as long as it was said to be"))),
        }
    }

    /// The bytes that are next.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Outcome<()> {
        self.part.file.write_all_at(bytes, self.at()).map_err(|error| failed(&error))?;
        self.tree.update(bytes);
        Ok(())
    }

    /// A hole: nothing is written, and what is read there are zeros.
    pub(super) fn skip(&mut self, count: u64) {
        self.tree.update_zeros(count);
    }

    /// That was all of it, and its sender computed this digest.
    pub(super) fn end(self, digest: &Digest, may_replace: bool) -> Outcome<()> {
        if self.at() != self.length() || self.tree.digest() != *digest {
            return Err(Ended::Failed("what has come is not what was sent; send it again".to_owned()));
        }
        self.part.file.set_len(self.length()).map_err(|error| failed(&error))?;
        self.part.end(self.mode, self.modified, may_replace)
    }
}

/// The tree of a file that is to be `length` bytes long, as far as the `there` bytes that are there fill groups.
pub(super) fn read_tree(talk: &mut Talk<'_>, file: &File, length: u64, there: u64) -> Result<Outcome<Tree>> {
    let mut tree = Tree::new(length);
    let end = if there >= length { length } else { there - there % tree.group_length() };
    let mut buffer = vec![0; GULP];
    while tree.at() < end {
        let most = usize::try_from(end - tree.at()).unwrap_or(usize::MAX).min(GULP);
        match file.read_exact_at(&mut buffer[..most], tree.at()) {
            Ok(()) => tree.update(&buffer[..most]),
            // Somebody made it shorter meanwhile.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                tree.keep(tree.groups().len() as u64);
                break;
            }
            Err(error) => return Ok(Err(failed(&error))),
        }
        talk.still(|into| Answers::Still.write(into))?;
    }
    Ok(Ok(tree))
}
