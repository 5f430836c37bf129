//! A worker's way to its place.

use crate::wire::{self, Frame, Terms};
use crate::work::Payload;
use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// A worker's way to its place, for what is said beside the outcomes of tasks. Clones lead to the same place.
#[derive(Clone)]
pub struct Link {
    socket: Arc<Mutex<UnixStream>>,
    /// How many records were sent.
    records: Arc<AtomicUsize>,
    worker: usize,
    workers: usize,
    terms: Arc<Terms>,
}

impl Link {
    pub(super) fn new(socket: UnixStream, worker: usize, workers: usize, terms: Terms) -> Self {
        Self {
            socket: Arc::new(Mutex::new(socket)),
            records: Arc::default(),
            worker,
            workers,
            terms: Arc::new(terms),
        }
    }

    /// Which of the place's workers this process is, from 0.
    pub fn worker(&self) -> usize {
        self.worker
    }

    /// How many workers the place has: they share the machine's cores.
    pub fn workers(&self) -> usize {
        self.workers
    }

    /// What [`Setup::argument`](crate::Setup) is at the other end.
    pub fn argument(&self) -> &[u8] {
        &self.terms.argument
    }

    /// The variables that the place's address sets in its workers. A worker that was started by exec has them in its
    /// environment already; one that was forked has its zygote's environment, and has to set them.
    pub fn environment(&self) -> &[(String, String)] {
        &self.terms.environment
    }

    /// How many cores the place's address gives to its workers; nothing where it says nothing of them.
    pub fn cores(&self) -> Option<usize> {
        Some(self.terms.cpus.len()).filter(|cores| *cores > 0)
    }

    /// How many bytes of memory the place's address gives to each worker; nothing where it says nothing of that.
    pub fn memory(&self) -> Option<u64> {
        self.terms.memory
    }

    /// Whether a call that cannot be read is to end this process, as in `concurrent.futures`, and is not the failure of
    /// that call alone.
    pub fn strict(&self) -> bool {
        self.terms.strict
    }

    /// Sends a record to the caller's log: what [`Setup::on_log`](crate::Setup) takes at the other end. Any thread
    /// may, at any time.
    ///
    /// # Errors
    /// The place is gone, and this process soon will be.
    pub fn log(&self, record: &Payload) -> io::Result<()> {
        // Counted first: whoever ends the task meanwhile says then that there is something to hear.
        self.records.fetch_add(1, Ordering::Relaxed);
        self.send(wire::log(record))
    }

    /// How many records were sent so far.
    pub(super) fn records(&self) -> usize {
        self.records.load(Ordering::Relaxed)
    }

    pub(super) fn send(&self, mut frame: Frame<'_>) -> io::Result<()> {
        // A thread that panicked in the middle of a frame has spoilt the stream for all.
        let mut socket = self.socket.lock().map_err(|_| io::Error::from(ErrorKind::BrokenPipe))?;
        while !frame.is_sent() {
            match socket.write_vectored(&frame.slices()) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(length) => frame.advance(length),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link(worker {} of {})", self.worker, self.workers)
    }
}
