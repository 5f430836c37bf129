//! Where tasks tell that they have begun, and are held: a socket, so that it works across processes, and so that the
//! end of a task's process is seen, too.

use anyplace::{Error, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use tempfile::TempDir;

/// Longer than anything here takes on a busy machine, in seconds.
pub(crate) const PATIENCE: i64 = 30;

/// A door that tasks knock at.
pub(crate) struct Door {
    listener: UnixListener,
    folder: TempDir,
}

impl Door {
    pub(crate) fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let listener = UnixListener::bind(folder.path().join("door"))?;
        Ok(Self { listener, folder })
    }

    /// What a task needs to find it.
    pub(crate) fn path(&self) -> String {
        self.folder.path().join("door").to_string_lossy().into_owned()
    }

    /// Waits until a task knocks.
    pub(crate) fn knock(&self) -> Result<Held> {
        assert!(is_ready(&self.listener, PATIENCE), "no task began within {PATIENCE} s");
        Ok(Held(self.listener.accept()?.0))
    }

    /// Whether a task stands there now.
    pub(crate) fn is_knocked(&self) -> bool {
        is_ready(&self.listener, 0)
    }
}

/// A task that is held until this is dropped.
pub(crate) struct Held(UnixStream);

impl Held {
    /// Waits until the task is gone by itself.
    pub(crate) fn ends(mut self) {
        assert!(is_ready(&self.0, PATIENCE), "the task still runs after {PATIENCE} s");
        assert!(!matches!(self.0.read(&mut [0]), Ok(1..)), "a held task says nothing");
    }
}

fn is_ready(line: impl AsFd, seconds: i64) -> bool {
    let mut wait = [PollFd::new(&line, PollFlags::IN)];
    poll(&mut wait, Some(&Timespec { tv_sec: seconds, tv_nsec: 0 })) == Ok(1)
}

/// Knocks and waits on this thread; for tasks.
pub(crate) fn wait_at(path: &str) -> std::io::Result<()> {
    // The end of the line is the sign to go on.
    UnixStream::connect(path)?.read_to_end(&mut Vec::new()).map(drop)
}

/// Knocks and waits without a thread of the event loop; for futures. Dropping it ends the line.
pub(crate) struct WaitAt {
    line: UnixStream,
    opened: Arc<Mutex<(bool, Option<Waker>)>>,
}

impl WaitAt {
    pub(crate) fn new(path: &str) -> std::io::Result<Self> {
        let line = UnixStream::connect(path)?;
        let opened = Arc::<Mutex<(bool, Option<Waker>)>>::default();
        let (mut watched, told) = (line.try_clone()?, opened.clone());
        std::thread::Builder::new().spawn(move || {
            // A broken line opens the door as well.
            drop(watched.read_to_end(&mut Vec::new()));
            let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
            told.0 = true;
            told.1.take().into_iter().for_each(Waker::wake);
        })?;
        Ok(Self { line, opened })
    }
}

impl Future for WaitAt {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if opened.0 {
            return Poll::Ready(());
        }
        opened.1 = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Drop for WaitAt {
    fn drop(&mut self) {
        // It may be closed already.
        drop(self.line.shutdown(std::net::Shutdown::Both));
    }
}

/// Adds a line to a file, as one write; for tasks that must be counted across processes.
pub(crate) fn note(file: &str) -> std::io::Result<()> {
    std::fs::OpenOptions::new().create(true).append(true).open(file)?.write_all(b"x")
}

/// A file to [`note`] in.
pub(crate) struct Notes(TempDir);

impl Notes {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self(tempfile::tempdir()?))
    }

    pub(crate) fn path(&self) -> String {
        self.0.path().join("notes").to_string_lossy().into_owned()
    }

    pub(crate) fn count(&self) -> Result<usize> {
        match std::fs::read(self.path()) {
            Ok(bytes) => Ok(bytes.len()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(Error::from(error)),
        }
    }
}
