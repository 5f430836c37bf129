//! Keeps what a command prints while it prints it: a little in memory, the rest in an unlinked file.

use crate::outcome::Captured;
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, SpliceFlags};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;

/// So much of each stream stays in memory; more goes to a file.
const IN_MEMORY: usize = 64 * 1024;

/// A pipe that feeds a file holds more, so that the command and we switch less often.
pub(super) const BIG_PIPE: usize = 1024 * 1024;

/// One stream of a running command.
#[derive(Debug)]
pub(super) struct Capture {
    /// Our end of the pipe, until everybody has closed the other.
    pub(super) pipe: Option<OwnedFd>,
    memory: Vec<u8>,
    file: Option<File>,
    length: u64,
}

impl Capture {
    /// A new stream, and the end of the pipe that the command gets.
    pub(super) fn new() -> io::Result<(Self, OwnedFd)> {
        let (ours, theirs) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
        Ok((Self { pipe: Some(ours), memory: Vec::new(), file: None, length: 0 }, theirs))
    }

    /// Takes what is in the pipe, which must be readable; `buffer` is only a place to work. At the end of the
    /// stream the pipe is closed. Gives how much there was.
    pub(super) fn take(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(pipe) = &self.pipe else { return Ok(0) };
        let taken = match &self.file {
            Some(file) => splice(pipe, file, buffer)?,
            None => {
                let length = retry(|| rustix::io::read(pipe, &mut *buffer))?;
                self.keep(&buffer[..length])?;
                length
            }
        };
        self.length += taken as u64;
        if taken == 0 {
            self.pipe = None;
        }
        Ok(taken)
    }

    fn keep(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.memory.len() + bytes.len() <= IN_MEMORY {
            self.memory.extend_from_slice(bytes);
            return Ok(());
        }
        let mut file = tempfile::tempfile()?;
        file.write_all(&self.memory)?;
        file.write_all(bytes)?;
        self.memory = Vec::new();
        self.file = Some(file);
        if let Some(pipe) = &self.pipe {
            // Without the right to a bigger pipe it works too, a little slower.
            let _ = rustix::pipe::fcntl_setpipe_size(pipe, BIG_PIPE);
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Captured {
        match self.file {
            Some(file) => Captured::file(file, self.length),
            None => {
                self.memory.shrink_to_fit();
                Captured::memory(self.memory)
            }
        }
    }
}

/// Moves what is in the pipe to the file without copying it through our memory.
fn splice(pipe: &OwnedFd, mut file: &File, buffer: &mut [u8]) -> io::Result<usize> {
    match retry(|| rustix::pipe::splice(pipe, None, file, None, BIG_PIPE, SpliceFlags::MOVE)) {
        Err(Errno::INVAL) => {
            let length = retry(|| rustix::io::read(pipe, &mut *buffer))?;
            file.write_all(&buffer[..length])?;
            Ok(length)
        }
        result => Ok(result?),
    }
}

fn retry(mut call: impl FnMut() -> rustix::io::Result<usize>) -> rustix::io::Result<usize> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            result => return result,
        }
    }
}
