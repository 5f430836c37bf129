//! The first thing a worker process does: it takes its socket, makes sure that it ends with its place, and hears who
//! it is.
//!
//! The place hands the socket over as descriptor 0. The worker takes it away from there at once, so that neither the
//! work nor what the work starts can read from it or keep it open. Behind the first byte of the place's greeting come
//! the descriptors that the two share, such as that of their memory.
//!
//! A worker never outlives its place. The kernel kills it when the thread that started it ends, however that came
//! about. If that thread ended before the worker could ask for this, the greeting finds the socket closed: no task
//! comes before the greeting, so no task runs without the kernel's promise.

use super::ears::Ears;
use super::terms;
use crate::wire::{Hello, ToWorker};
use rustix::process::{Signal, set_parent_process_death_signal};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

/// What a worker has heard from its place before it does anything.
#[derive(Debug)]
pub(super) struct Greeting {
    pub(super) hello: Hello,
    /// What the place shares with its workers, in the order in which it was sent.
    pub(super) descriptors: Vec<OwnedFd>,
    pub(super) socket: UnixStream,
    pub(super) ears: Ears,
}

/// Waits for the place's greeting.
///
/// # Errors
/// This process was not started by a place, or the place is gone.
pub(super) fn listen() -> io::Result<Greeting> {
    let socket = take_standard_input()?;
    set_parent_process_death_signal(Some(Signal::KILL))?;
    die_before_others();
    let mut ears = Ears::new(socket.try_clone()?);
    ears.wait();
    let Some(ToWorker::Hello(hello)) = ears.next() else { return Err(ErrorKind::InvalidData.into()) };
    terms::accept(&hello.terms)?;
    Ok(Greeting { hello, descriptors: ears.take_descriptors(), socket, ears })
}

/// Takes the socket out of the way of the work: to a high number that nothing inherits.
fn take_standard_input() -> io::Result<UnixStream> {
    let socket = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 100)?;
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    Ok(UnixStream::from(socket))
}

/// When memory runs out, a worker should go, not the program that waits for it. Where this is not allowed, the
/// kernel chooses as it always does.
fn die_before_others() {
    drop(fs::write("/proc/self/oom_score_adj", "500"));
}
