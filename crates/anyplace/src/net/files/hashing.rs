//! Hashing on a thread of its own, beside the one that sends or receives.

use super::digest::Tree;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};

/// So much is read or received, and hashed, at once: enough that BLAKE3 works on many chunks side by side, and little
/// enough to stay in a cache.
pub(super) const GULP: usize = 256 << 10;

/// By how many pieces hashing may lag behind: what one thread reads from the disk, the other finds in memory.
const APART: usize = 8;

/// What is hashed next.
pub(super) enum Piece {
    /// The first bytes of a buffer, which is given back.
    Bytes(Vec<u8>, usize),
    /// So many zeros.
    Zeros(u64),
    /// So many bytes of the file, behind those before.
    Read(u64),
}

/// A tree that grows on a thread of its own. Dropping it ends the thread.
#[derive(Debug)]
pub(super) struct Hashing {
    pieces: Option<SyncSender<Piece>>,
    buffers: Receiver<Vec<u8>>,
    thread: Option<JoinHandle<io::Result<Tree>>>,
}

impl Hashing {
    /// Goes on with a tree; with a file, if [`Piece::Read`] is to come.
    pub(super) fn start(tree: Tree, file: Option<File>) -> io::Result<Self> {
        let (pieces, to_hash) = sync_channel(APART);
        let (give_back, buffers) = channel();
        let hash = move || hash(tree, file.as_ref(), &to_hash, &give_back);
        let thread = thread::Builder::new().name("anyplace-digest".to_owned()).spawn(hash)?;
        Ok(Self { pieces: Some(pieces), buffers, thread: Some(thread) })
    }

    /// Room for [`Piece::Bytes`].
    pub(super) fn buffer(&self) -> Vec<u8> {
        self.buffers.try_recv().unwrap_or_else(|_| vec![0; GULP])
    }

    /// Hashes it, soon. Whether that goes on: if not, [`end`](Self::end) says why.
    pub(super) fn push(&self, piece: Piece) -> bool {
        self.pieces.as_ref().is_some_and(|pieces| pieces.send(piece).is_ok())
    }

    /// The tree, when all is hashed.
    ///
    /// # Errors
    /// Those of reading the file.
    pub(super) fn end(mut self) -> io::Result<Tree> {
        drop(self.pieces.take());
        let thread = self.thread.take().expect("it is joined once");
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Drop for Hashing {
    fn drop(&mut self) {
        drop(self.pieces.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn hash(
    mut tree: Tree,
    file: Option<&File>,
    pieces: &Receiver<Piece>,
    give_back: &Sender<Vec<u8>>,
) -> io::Result<Tree> {
    let mut own = vec![];
    for piece in pieces {
        match piece {
            Piece::Zeros(count) => tree.update_zeros(count),
            Piece::Bytes(buffer, count) => {
                tree.update(&buffer[..count]);
                // At the end nobody wants it any more.
                drop(give_back.send(buffer));
            }
            Piece::Read(count) => {
                own.resize(GULP, 0);
                read(&mut tree, file.expect("a file to read"), count, &mut own)?;
            }
        }
    }
    Ok(tree)
}

fn read(tree: &mut Tree, file: &File, count: u64, buffer: &mut [u8]) -> io::Result<()> {
    let end = tree.at() + count;
    while tree.at() < end {
        let most = usize::try_from(end - tree.at()).unwrap_or(usize::MAX).min(buffer.len());
        file.read_exact_at(&mut buffer[..most], tree.at())?;
        tree.update(&buffer[..most]);
    }
    Ok(())
}
