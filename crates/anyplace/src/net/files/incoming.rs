//! A file that comes: what has come of it, and its digest.

use super::digest::Tree;
use super::folder::{Outcome, Part, failed};
use super::hashing::{GULP, Hashing, Piece};
use super::talk::{Talk, garbled};
use crate::error::Result;
use crate::wire::Malformed;
use crate::wire::files::{Answers, Digest, Ended, Offer};
use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;

/// A file that is no longer is hashed by the thread that receives it.
const SMALL: u64 = 1 << 20;

/// A file that comes.
#[derive(Debug)]
pub(super) struct Incoming {
    part: Part,
    hash: Hash,
    length: u64,
    /// How much of it is here.
    at: u64,
    mode: u32,
    modified: (i64, u32),
}

/// Who hashes what comes.
#[derive(Debug)]
enum Hash {
    /// This thread, into a buffer that stays.
    Here(Box<Tree>, Vec<u8>),
    Beside(Hashing),
}

impl Incoming {
    /// Goes on with a part of which so much is hashed.
    pub(super) fn new(part: Part, tree: Tree, offer: &Offer) -> Self {
        let (length, at) = (tree.length(), tree.at());
        let hash = Hash::Here(Box::new(tree), vec![]);
        Self { part, hash, length, at, mode: offer.mode, modified: offer.modified }
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// How much of it is here.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// So many groups are good; the rest is forgotten.
    pub(super) fn begin(&mut self, groups: u64) -> Outcome<()> {
        let Hash::Here(tree, _) = &mut self.hash else { unreachable!("nothing has come yet") };
        tree.keep(groups);
        self.at = tree.at();
        self.part.file.set_len(self.at).map_err(|error| failed(&error))?;
        if self.length - self.at > SMALL {
            let tree = std::mem::replace(&mut **tree, Tree::new(0));
            self.hash = Hash::Beside(Hashing::start(tree, None).map_err(|error| failed(&error))?);
        }
        Ok(())
    }

    /// That there can be so many bytes more.
    pub(super) fn check(&self, count: u64) -> Result<()> {
        match self.at.checked_add(count) {
            Some(end) if end <= self.length => Ok(()),
            _ => Err(garbled(Malformed("a file as long as it was said to be"))),
        }
    }

    /// Takes the next bytes, at most so many: how many, and whether they could be written.
    pub(super) fn take(&mut self, talk: &mut Talk<'_>, most: usize) -> Result<(usize, Outcome<()>)> {
        let most = most.min(GULP);
        let mut buffer = match &mut self.hash {
            Hash::Here(_, buffer) => std::mem::take(buffer),
            Hash::Beside(hashing) => hashing.buffer(),
        };
        buffer.resize(buffer.len().max(most), 0);
        let count = talk.read(&mut buffer[..most])?;
        let written = self.part.file.write_all_at(&buffer[..count], self.at);
        self.at += count as u64;
        match &mut self.hash {
            Hash::Here(tree, keep) => {
                tree.update(&buffer[..count]);
                *keep = buffer;
            }
            // It ends only when this does.
            Hash::Beside(hashing) => drop(hashing.push(Piece::Bytes(buffer, count))),
        }
        Ok((count, written.map_err(|error| failed(&error))))
    }

    /// A hole: nothing is written, and what is read there are zeros.
    pub(super) fn skip(&mut self, count: u64) {
        self.at += count;
        match &mut self.hash {
            Hash::Here(tree, _) => tree.update_zeros(count),
            Hash::Beside(hashing) => drop(hashing.push(Piece::Zeros(count))),
        }
    }

    /// That was all of it, and its sender computed this digest.
    pub(super) fn end(self, digest: &Digest, may_replace: bool) -> Outcome<()> {
        let tree = match self.hash {
            Hash::Here(tree, _) => *tree,
            Hash::Beside(hashing) => hashing.end().map_err(|error| failed(&error))?,
        };
        if self.at != self.length || tree.digest() != *digest {
            return Err(Ended::Failed("what has come is not what was sent; send it again".to_owned()));
        }
        self.part.file.set_len(self.length).map_err(|error| failed(&error))?;
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
