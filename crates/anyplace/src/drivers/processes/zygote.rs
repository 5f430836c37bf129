//! The zygote of this process: the small process of the workers' language that makes workers by fork.
//!
//! There is one for each program and no more, whatever the number of places: it is started when the first place opens
//! that wants it, in the background, and is gone when the last of them is. What it does is told in `worker/zygote.rs`.
//!
//! | who | what |
//! |---|---|
//! | the zygote's thread | starts the program, waits for its end, reaps it. It has no other work: the kernel kills the zygote with the thread that started it. |
//! | any thread that wants a worker | sends a packet with the worker's lines, and hears the rest over the worker's own socket: nobody waits for the zygote. |
//! | any thread that buries a worker | asks how it ended, and waits for the answer: the zygote has nothing to do but to look. |
//!
//! A zygote that died takes its workers with it. Whoever wants the next worker starts another.

use crate::error::{Error, Exit, Kind, Retry};
use crate::handover;
use crate::wire::{Ended, Request};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, Shutdown, SocketFlags, SocketType, shutdown, socketpair};
use rustix::process::{Pid, PidfdFlags, Signal, getpid, pidfd_open, pidfd_send_signal};
use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};

/// A zygote that has not answered by then, never will: it is killed.
const PATIENCE: Timespec = Timespec { tv_sec: 10, tv_nsec: 0 };

/// The zygotes of this process, by their programs.
static ZYGOTES: LazyLock<Mutex<HashMap<Vec<OsString>, Weak<Zygote>>>> = LazyLock::new(Mutex::default);

/// A process that makes workers by fork.
#[derive(Debug)]
pub(super) struct Zygote {
    life: Arc<Life>,
    /// Which process started it: after a fork of ours, the child's copy is of no use.
    owner: Pid,
    ids: AtomicU64,
    /// One asks, hears the answer, then the next.
    asking: Mutex<()>,
    thread: Option<JoinHandle<()>>,
}

/// What the zygote's thread shares with the others.
#[derive(Debug)]
struct Life {
    /// Our end of its standard input, where packets travel.
    socket: OwnedFd,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Starting,
    Running(OwnedFd),
    /// Nobody wants it any more.
    Unwanted,
    Ended,
    Failed(Error),
}

/// A worker that the zygote was asked for: when this is dropped, the zygote kills it and tells nobody.
#[derive(Debug)]
pub(super) struct Asked {
    zygote: Arc<Zygote>,
    id: u64,
    is_known: bool,
}

impl Zygote {
    /// The zygote that runs this program; starts it if there is none, without waiting for it.
    ///
    /// # Errors
    /// The system has no descriptors or threads left.
    pub(super) fn of(program: &[OsString]) -> io::Result<Arc<Self>> {
        let mut zygotes = ZYGOTES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(zygote) = zygotes.get(program).and_then(Weak::upgrade)
            && zygote.is_useful()
        {
            return Ok(zygote);
        }
        zygotes.retain(|_, zygote| zygote.strong_count() > 0);
        let zygote = Arc::new(Self::start(program.to_vec())?);
        zygotes.insert(program.to_vec(), Arc::downgrade(&zygote));
        Ok(zygote)
    }

    fn start(program: Vec<OsString>) -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC;
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
        rustix::io::ioctl_fionbio(&ours, true)?;
        let life = Arc::new(Life { socket: ours, state: Mutex::new(State::Starting) });
        let lived = life.clone();
        let thread = thread::Builder::new().name("anyplace-zygote".to_owned()).stack_size(256 * 1024);
        let thread = thread.spawn(move || lived.live(&program, theirs))?;
        Ok(Self {
            life,
            owner: getpid(),
            ids: AtomicU64::new(1),
            asking: Mutex::default(),
            thread: Some(thread),
        })
    }

    /// Whether it is this process's, and lives as far as is known.
    pub(super) fn is_useful(&self) -> bool {
        self.owner == getpid() && !matches!(*self.life.state(), State::Ended | State::Failed(_))
    }

    /// Asks for a worker with these lines to us. The answer comes over its control socket.
    ///
    /// # Errors
    /// `WouldBlock` when the zygote has much to do: ask again when its [socket](Self::socket) has room.
    pub(super) fn ask(
        self: &Arc<Self>,
        control: BorrowedFd<'_>,
        stderr: BorrowedFd<'_>,
    ) -> io::Result<Asked> {
        let id = self.ids.fetch_add(1, Ordering::Relaxed);
        let folder = here();
        let lines: Vec<BorrowedFd<'_>> =
            [Some(control), Some(stderr), folder.as_ref().map(AsFd::as_fd)].into_iter().flatten().collect();
        handover::send(&self.life.socket, &[IoSlice::new(&Request::Fork(id).bytes())], &lines)?;
        Ok(Asked { zygote: self.clone(), id, is_known: true })
    }

    pub(super) fn socket(&self) -> BorrowedFd<'_> {
        self.life.socket.as_fd()
    }

    /// Why a worker that it was asked for did not come.
    pub(super) fn failure(&self) -> Error {
        match &*self.life.state() {
            State::Failed(error) => error.clone(),
            _ => Error::new(Kind::WorkerLost, "the process that starts workers (their zygote) ended")
                .with_retry(Retry::Safe)
                .with_help("`start=exec` starts workers without it"),
        }
    }
}

impl Asked {
    pub(super) fn zygote(&self) -> &Arc<Zygote> {
        &self.zygote
    }

    /// How the worker ended, which has ended; nothing if the zygote is gone.
    pub(super) fn reap(&mut self) -> Option<Exit> {
        self.is_known = false;
        let _turn = self.zygote.asking.lock().unwrap_or_else(PoisonError::into_inner);
        let life = &self.zygote.life;
        handover::send(&life.socket, &[IoSlice::new(&Request::Reap(self.id).bytes())], &[]).ok()?;
        let exit = life.answer(self.id);
        if exit.is_none() {
            life.end(State::Ended);
        }
        exit
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if self.is_known && self.zygote.owner == getpid() {
            let forget = Request::Forget(self.id).bytes();
            // A zygote that is gone has taken its workers with it.
            drop(handover::send(&self.zygote.life.socket, &[IoSlice::new(&forget)], &[]));
        }
    }
}

impl Life {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The zygote's life, on its thread.
    fn live(&self, program: &[OsString], socket: OwnedFd) {
        match spawn(program, socket) {
            Ok((mut child, pidfd)) => {
                self.begin(pidfd);
                // Whatever it says, it has ended.
                drop(child.wait());
                self.end(State::Ended);
            }
            Err(error) => self.end(State::Failed(error)),
        }
    }

    fn begin(&self, pidfd: OwnedFd) {
        let mut state = self.state();
        if matches!(*state, State::Starting) {
            *state = State::Running(pidfd);
        } else {
            // Nobody waited for it.
            let _ = pidfd_send_signal(&pidfd, Signal::KILL);
        }
    }

    /// From now on it is of no use; what it was asked and has not done will not be done.
    fn end(&self, how: State) {
        let mut state = self.state();
        if let State::Running(pidfd) = &*state {
            // It may have ended by itself.
            let _ = pidfd_send_signal(pidfd, Signal::KILL);
        }
        *state = how;
        // Only fails when it is shut already.
        let _ = shutdown(&self.socket, Shutdown::Both);
    }

    /// The answer to the last request, of this id; answers that nobody waited for any more are passed over.
    fn answer(&self, id: u64) -> Option<Exit> {
        let mut packet = [0; 64];
        loop {
            match poll(&mut [PollFd::new(&self.socket, PollFlags::IN)], Some(&PATIENCE)) {
                Ok(0) => return None,
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(_) => return None,
            }
            let length = rustix::io::read(&self.socket, &mut packet).ok()?;
            let ended = Ended::read(&packet[..length]).ok()?;
            if ended.id == id {
                return Some(ended.exit);
            }
        }
    }
}

impl Drop for Zygote {
    fn drop(&mut self) {
        if self.owner != getpid() {
            // It is the parent's.
            return;
        }
        self.life.end(State::Unwanted);
        // Its thread has reaped it when it ends; it cannot panic.
        drop(self.thread.take().map(JoinHandle::join));
    }
}

#[allow(clippy::disallowed_methods)] // This driver is one of the few that start processes.
fn spawn(program: &[OsString], socket: OwnedFd) -> Result<(std::process::Child, OwnedFd), Error> {
    let (name, arguments) =
        program.split_first().ok_or_else(|| Error::config("the zygote's program is empty"))?;
    let mut command = Command::new(name);
    command.args(arguments).stdin(Stdio::from(socket)).process_group(0);
    let child =
        command.spawn().map_err(|error| super::program::not_started(&name.to_string_lossy(), error))?;
    let pidfd = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).map_err(io::Error::from)?;
    Ok((child, pidfd))
}

/// The folder of this process, which need not have a name any more.
fn here() -> Option<OwnedFd> {
    use rustix::fs::{CWD, Mode, OFlags, openat};
    openat(CWD, ".", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).ok()
}
