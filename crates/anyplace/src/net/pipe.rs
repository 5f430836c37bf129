//! Pipes, files and terminals as a stream: standard input and output, and named pipes.

mod end;

use super::readiness::Interest;
use super::transport::Transport;
use end::End;
use rustix::fs::{FileType, OFlags};
use std::io::{self, ErrorKind, IoSlice};
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// One descriptor to read from and another to write to.
#[derive(Debug)]
pub(super) struct Pipe {
    reader: End,
    writer: End,
    /// The standard output of the process is to end, too, when ours does.
    is_stdout: AtomicBool,
}

impl Pipe {
    /// The standard input and output of this process.
    pub(super) fn stdio() -> io::Result<Self> {
        let reader = End::of(rustix::stdio::stdin(), Interest::Read)?;
        let writer = End::of(rustix::stdio::stdout(), Interest::Write)?;
        Ok(Self { reader, writer, is_stdout: true.into() })
    }

    /// A named pipe. Each direction is opened when it is first used.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        if FileType::from_raw_mode(rustix::fs::stat(path)?.st_mode) != FileType::Fifo {
            return Err(io::Error::new(ErrorKind::InvalidInput, "it is no named pipe; `mkfifo` makes one"));
        }
        let reader = End::at(path, OFlags::RDONLY)?;
        let writer = End::at(path, OFlags::WRONLY)?;
        Ok(Self { reader, writer, is_stdout: false.into() })
    }

    fn end(&self, interest: Interest) -> &End {
        match interest {
            Interest::Read => &self.reader,
            Interest::Write => &self.writer,
        }
    }
}

impl Transport for Pipe {
    fn try_read(&self, into: &mut [u8]) -> io::Result<usize> {
        self.reader.try_read(into)
    }

    fn try_write(&self, from: &[IoSlice<'_>]) -> io::Result<usize> {
        self.writer.try_write(from)
    }

    fn try_finish(&self) -> io::Result<()> {
        self.writer.close();
        if self.is_stdout.swap(false, Ordering::Relaxed) {
            // Whoever reads what this process prints would wait for the other copies.
            let nothing =
                rustix::fs::open("/dev/null", OFlags::WRONLY | OFlags::CLOEXEC, rustix::fs::Mode::empty())?;
            rustix::stdio::dup2_stdout(&nothing)?;
        }
        Ok(())
    }

    fn abort(&self) {
        self.reader.close();
        self.writer.close();
    }

    fn end_reading(&self) {
        self.reader.close();
    }

    fn fd(&self, interest: Interest) -> BorrowedFd<'_> {
        self.end(interest).fd()
    }

    /// A gate can be read when what is behind it is ready.
    fn interest(&self, _: Interest) -> Interest {
        Interest::Read
    }
}
