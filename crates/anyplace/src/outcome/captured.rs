//! What a command printed, kept until somebody wants it.

use rustix::io::Errno;
use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;

/// What a command printed on one of its streams.
///
/// Short output is in memory; long output is in a temporary file that has no name and is gone with this value, or
/// with the process, however it ends.
pub struct Captured(Kept);

enum Kept {
    Memory(Box<[u8]>),
    File { file: File, length: u64 },
}

/// How much is copied at a time.
const BLOCK: usize = 64 * 1024;

impl Captured {
    pub(crate) fn memory(bytes: Vec<u8>) -> Self {
        Self(Kept::Memory(bytes.into_boxed_slice()))
    }

    pub(crate) fn file(file: File, length: u64) -> Self {
        Self(Kept::File { file, length })
    }

    /// How many bytes.
    pub fn len(&self) -> u64 {
        match &self.0 {
            Kept::Memory(bytes) => bytes.len() as u64,
            Kept::File { length, .. } => *length,
        }
    }

    /// Whether nothing was printed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes, if they are in memory.
    pub fn in_memory(&self) -> Option<&[u8]> {
        match &self.0 {
            Kept::Memory(bytes) => Some(bytes),
            Kept::File { .. } => None,
        }
    }

    /// Reads at `offset`; 0 bytes at the end.
    ///
    /// # Errors
    /// What the system said when it read the file.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match &self.0 {
            Kept::Memory(bytes) => {
                let rest =
                    usize::try_from(offset).ok().and_then(|offset| bytes.get(offset..)).unwrap_or_default();
                let length = rest.len().min(buffer.len());
                buffer[..length].copy_from_slice(&rest[..length]);
                Ok(length)
            }
            Kept::File { file, .. } => file.read_at(buffer, offset),
        }
    }

    /// Copies all of it, holding at most 64 KiB in memory.
    ///
    /// # Errors
    /// What `out` said, or the system when it read the file.
    pub fn copy_to(&self, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
        self.copy_from(0, out)
    }

    fn copy_from(&self, mut offset: u64, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
        if let Some(bytes) = self.in_memory() {
            return out
                .write_all(bytes.get(usize::try_from(offset).unwrap_or(usize::MAX)..).unwrap_or_default());
        }
        let mut block = vec![0; BLOCK];
        loop {
            match self.read_at(&mut block, offset)? {
                0 => return Ok(()),
                length => {
                    out.write_all(&block[..length])?;
                    offset += length as u64;
                }
            }
        }
    }

    /// Copies all of it to an open file, pipe or socket, inside the kernel where that is possible.
    ///
    /// # Errors
    /// As [`copy_to`](Self::copy_to).
    pub fn send_to(&self, out: &mut (impl AsFd + Write)) -> io::Result<()> {
        let mut offset = 0;
        if let Kept::File { file, length } = &self.0 {
            while offset < *length {
                match rustix::fs::sendfile(&*out, file, Some(&mut offset), 1 << 30) {
                    Ok(0) => break,
                    Ok(_) | Err(Errno::INTR) => {}
                    // Some files, such as one opened to append, take only plain writes.
                    Err(Errno::INVAL | Errno::NOSYS | Errno::AGAIN) => break,
                    Err(error) => return Err(error.into()),
                }
            }
        }
        self.copy_from(offset, out)
    }

    /// All of it, in memory: for output that is known to be short.
    ///
    /// # Errors
    /// What the system said when it read the file.
    pub fn to_vec(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(usize::try_from(self.len()).unwrap_or(0));
        self.copy_to(&mut bytes)?;
        Ok(bytes)
    }

    /// The last bytes, at most `length`, as text.
    pub fn tail(&self, length: usize) -> String {
        let mut bytes = vec![0; length];
        let read = self.read_at(&mut bytes, self.len().saturating_sub(length as u64)).unwrap_or(0);
        String::from_utf8_lossy(&bytes[..read]).into_owned()
    }
}

impl fmt::Debug for Captured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.len())
    }
}
