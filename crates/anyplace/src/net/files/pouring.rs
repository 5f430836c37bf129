//! The bytes of one file, from the disk to the other end.

use super::digest::Tree;
use super::event::Teller;
use super::hashing::{self, GULP, Hashing};
use super::source::{Entry, State};
use super::talk::{Talk, garbled};
use crate::error::Result;
use crate::wire::Malformed;
use crate::wire::files::{Answers, Digest, MOST_HOLE, Says};
use rustix::fs::{SeekFrom, seek};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;

/// So much is announced at once.
const PIECE: u64 = 4 << 20;

/// So much is sent as soon as it is read, and hashed where it lies.
const SMALL: u64 = 1 << 20;

/// So many answers at most are kept while a file is sent: a few for each offer, and that one is at work.
const MOST_HEARD: usize = 1024;

/// How it went.
pub(super) enum Poured {
    /// All of it is sent, and this is its digest.
    All(Digest),
    /// It cannot be read, or the receiver cannot write it.
    GaveUp(String),
}

/// A part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Data { at: u64, length: u64 },
    Hole(u64),
}

/// Hashes the file from its start, for as long as its groups are these; says how many are.
pub(super) fn read_groups(
    talk: &mut Talk<'_>,
    entry: &Entry,
    tree: &mut Tree,
    groups: &[Digest],
) -> Result<u64> {
    let file = opened(entry)?;
    if groups.len() as u64 > entry.state.length.div_ceil(tree.group_length()) {
        return Err(garbled(Malformed("the groups of this file")));
    }
    let mut buffer = vec![0; GULP];
    for (index, group) in groups.iter().enumerate() {
        while tree.groups().len() == index {
            let at = tree.at();
            let group_end = (index as u64 + 1) * tree.group_length();
            let left = group_end.min(entry.state.length) - at;
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(GULP);
            match file.read_exact_at(&mut buffer[..most], at) {
                Ok(()) => tree.update(&buffer[..most]),
                // What cannot be read is not the same; why is told when it is to be sent.
                Err(_) => {
                    tree.keep(index as u64);
                    return Ok(index as u64);
                }
            }
            talk.still(|into| Says::Still.write(into))?;
        }
        if tree.groups()[index] != *group {
            tree.keep(index as u64);
            return Ok(index as u64);
        }
    }
    Ok(groups.len() as u64)
}

/// Sends what the tree has not hashed yet, and hashes it meanwhile. Gives up if the receiver says that it is done with
/// offer `number`; whatever it says is put to what was heard.
pub(super) fn pour(
    talk: &mut Talk<'_>,
    entry: &Entry,
    tree: Tree,
    teller: &mut Teller,
    heard: &mut VecDeque<Answers>,
    number: u64,
) -> Result<Poured> {
    let (file, from, length) = (opened(entry)?, tree.at(), entry.state.length);
    if length - from <= SMALL && entry.state.stored >= length {
        return pour_at_once(talk, file, tree, teller);
    }
    let hashing = match file.try_clone().and_then(|file| Hashing::start(tree, Some(file))) {
        Ok(hashing) => hashing,
        Err(error) => return Ok(gave_up(&error)),
    };
    let pieces = Pieces { file, state: entry.state, at: from };
    for piece in pieces {
        if !pour_piece(talk, file, piece, &hashing, teller)? {
            break;
        }
        while let Some(answer) = talk.try_next(Answers::read)? {
            let is_over = matches!(answer, Answers::Done(done, _) if done == number);
            if heard.len() > MOST_HEARD {
                return Err(garbled(Malformed("so many answers as there were offers")));
            }
            heard.push_back(answer);
            if is_over {
                return Ok(Poured::GaveUp("the receiver gave up".to_owned()));
            }
        }
    }
    Ok(hashing.end().map_or_else(|error| gave_up(&error), |tree| Poured::All(tree.digest())))
}

/// A small file, or the little that is left of one: read once, and hashed where it lies.
fn pour_at_once(talk: &mut Talk<'_>, file: &File, mut tree: Tree, teller: &mut Teller) -> Result<Poured> {
    let at = tree.at();
    let mut bytes = vec![0; usize::try_from(tree.length() - at).expect("a piece at most")];
    if let Err(error) = file.read_exact_at(&mut bytes, at) {
        return Ok(gave_up(&error));
    }
    if !bytes.is_empty() {
        tree.update(&bytes);
        talk.say(|into| Says::Data(of_piece(bytes.len() as u64)).write(into))?;
        talk.send(&bytes)?;
        teller.moves(bytes.len() as u64);
    }
    Ok(Poured::All(tree.digest()))
}

/// Whether it goes on: if not, hashing has ended and says why.
fn pour_piece(
    talk: &mut Talk<'_>,
    file: &File,
    piece: Piece,
    hashing: &Hashing,
    teller: &mut Teller,
) -> Result<bool> {
    let Piece::Data { at, length } = piece else {
        let Piece::Hole(length) = piece else { return Ok(true) };
        talk.say(|into| Says::Hole(length).write(into))?;
        return Ok(hashing.push(hashing::Piece::Zeros(length)));
    };
    talk.say(|into| Says::Data(of_piece(length)).write(into))?;
    if talk.can_hand_over() {
        let goes_on = hashing.push(hashing::Piece::Read(length));
        talk.send_file(file, at, length, |sent| teller.moves(sent))?;
        return Ok(goes_on);
    }
    let mut goes_on = true;
    let mut done = 0;
    while done < length {
        let mut buffer = hashing.buffer();
        let most = usize::try_from(length - done).unwrap_or(usize::MAX).min(GULP);
        // What cannot be read was announced all the same: zeros take its place, and hashing finds out.
        let is_whole = file.read_exact_at(&mut buffer[..most], at + done).is_ok();
        talk.send(&buffer[..most])?;
        teller.moves(most as u64);
        done += most as u64;
        let next =
            if is_whole { hashing::Piece::Bytes(buffer, most) } else { hashing::Piece::Read(most as u64) };
        goes_on = hashing.push(next);
    }
    Ok(goes_on)
}

/// The parts of a file from a point on: data in pieces, and holes between them.
struct Pieces<'a> {
    file: &'a File,
    state: State,
    at: u64,
}

impl Iterator for Pieces<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let (at, end) = (self.at, self.state.length);
        if at == end {
            return None;
        }
        let data = self.seek(SeekFrom::Data(at)).clamp(at, end);
        if data > at {
            let length = (data - at).min(MOST_HOLE);
            self.at += length;
            return Some(Piece::Hole(length));
        }
        let length = (self.seek(SeekFrom::Hole(at)).clamp(at + 1, end) - at).min(PIECE);
        self.at += length;
        Some(Piece::Data { at, length })
    }
}

impl Pieces<'_> {
    /// Where data or the next hole begins, as far as somebody knows.
    fn seek(&self, to: SeekFrom) -> u64 {
        let is_data = matches!(to, SeekFrom::Data(_));
        if self.state.stored >= self.state.length {
            return if is_data { 0 } else { u64::MAX };
        }
        match seek(self.file, to) {
            Ok(found) => found,
            // There is no more data.
            Err(rustix::io::Errno::NXIO) => u64::MAX,
            // The file system does not know of holes.
            Err(_) if is_data => 0,
            Err(_) => u64::MAX,
        }
    }
}

fn opened(entry: &Entry) -> Result<&File> {
    entry.file.as_ref().ok_or_else(|| garbled(Malformed("an answer to a folder's offer")))
}

fn of_piece(length: u64) -> u32 {
    u32::try_from(length).expect("a piece is short")
}

fn gave_up(error: &io::Error) -> Poured {
    Poured::GaveUp(match error.kind() {
        ErrorKind::UnexpectedEof => "it became shorter while it was sent".to_owned(),
        _ => format!("it cannot be read: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::fstat;
    use std::io::{Seek, Write};

    fn pieces(file: &File, at: u64) -> Vec<Piece> {
        let state = State::of(&fstat(file).unwrap());
        Pieces { file, state, at }.collect()
    }

    #[test]
    fn a_file_comes_in_pieces() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![1; 10_000_000]).unwrap();
        let length = 10_000_000 - 2 * PIECE;
        let expected = [
            Piece::Data { at: 0, length: PIECE },
            Piece::Data { at: PIECE, length: PIECE },
            Piece::Data { at: 2 * PIECE, length },
        ];
        assert_eq!(pieces(&file, 0), expected);
        assert_eq!(pieces(&file, 2 * PIECE), expected[2..]);
        assert!(pieces(&tempfile::tempfile().unwrap(), 0).is_empty());
    }

    #[test]
    fn holes_are_found_and_not_read() {
        let mut file = tempfile::tempfile().unwrap();
        file.seek(io::SeekFrom::Start(1 << 30)).unwrap();
        file.write_all(b"in the middle").unwrap();
        file.set_len(2 << 30).unwrap();
        let pieces = pieces(&file, 0);
        let (first, last) = (pieces[0], pieces[pieces.len() - 1]);
        assert_eq!((first, pieces.len()), (Piece::Hole(1 << 30), 3), "{pieces:?}");
        assert!(matches!(last, Piece::Hole(length) if length > (1 << 30) - (1 << 21)));
    }
}
