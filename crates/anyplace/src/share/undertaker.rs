//! Burying at once: a thread hears of the deaths of the processes that this one has started.
//!
//! Who waits for what a dead process held would find out by itself, but after as much as a second half. The thread is there
//! only while a process lives that it was told of.

use super::known;
use super::per_process::PerProcess;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::collections::HashMap;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

/// Sets right what a process held of all that is shared, as soon as it ends: it passes on to those who wait.
///
/// It has to be a child of this process that nobody has waited for yet. Asking costs some microseconds, and a thread that
/// sleeps while there is such a child.
///
/// ```
/// let mut child = std::process::Command::new("true").spawn()?;
/// anyplace::share::bury_when_ended(child.id())?;
/// child.wait()?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// What the system said, if there is no such process, no descriptor or no thread to be had. Nothing is lost then: who waits
/// finds out by itself.
pub fn bury_when_ended(pid: u32) -> io::Result<()> {
    let gone = || io::Error::from(io::ErrorKind::NotFound);
    let pid = Pid::from_raw(pid.cast_signed()).ok_or_else(gone)?;
    let process = pidfd_open(pid, PidfdFlags::empty())?;
    let mut watched = watched();
    let watch = match &mut *watched {
        Some(watch) => watch,
        None => watched.insert(Watch::begin()?),
    };
    watch.add(process)
}

/// The processes whose deaths the thread waits for.
struct Watch {
    epoll: OwnedFd,
    processes: HashMap<u64, OwnedFd>,
}

/// Nothing while there is no thread.
fn watched() -> MutexGuard<'static, Option<Watch>> {
    static WATCHED: PerProcess<Mutex<Option<Watch>>> = PerProcess::new();
    WATCHED.get(|_| Mutex::new(None)).lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watch {
    /// Begins the thread. (Whoever calls it puts what it gives where the thread finds it.)
    fn begin() -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let ours = epoll.try_clone()?;
        thread::Builder::new().name("anyplace-bury".into()).spawn(move || bury(&ours))?;
        Ok(Self { epoll, processes: HashMap::new() })
    }

    fn add(&mut self, process: OwnedFd) -> io::Result<()> {
        let number = process.as_raw_fd().unsigned_abs().into();
        epoll::add(&self.epoll, &process, EventData::new_u64(number), EventFlags::IN)?;
        self.processes.insert(number, process);
        Ok(())
    }

    /// Forgets one that has ended; true if it was the last.
    fn forget(&mut self, number: u64) -> bool {
        if let Some(process) = self.processes.remove(&number) {
            // It is none of the thread's any more, also if a child by `fork` has a copy of the descriptor.
            let _ = epoll::delete(&self.epoll, process);
        }
        self.processes.is_empty()
    }
}

/// What the thread does until no process is left.
fn bury(epoll: &OwnedFd) {
    loop {
        let mut ended = Vec::with_capacity(16);
        if epoll::wait(epoll, rustix::buffer::spare_capacity(&mut ended), None).is_err() {
            continue; // A signal came.
        }
        known::bury_the_dead();
        let mut watched = watched();
        let is_over =
            ended.iter().filter_map(|event| Some(watched.as_mut()?.forget(event.data.u64()))).last();
        if is_over == Some(true) {
            *watched = None;
            return;
        }
    }
}
