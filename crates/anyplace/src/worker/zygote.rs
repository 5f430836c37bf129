//! A zygote: a small process of a language that makes workers by fork, which takes a tenth of the time that starting
//! the language takes.
//!
//! ```text
//!  place ==requests==> zygote --fork--> worker <==control socket, standard error==> place
//!                        '-- Born, with a descriptor of the worker, over the worker's control socket
//! ```
//!
//! - **It has one thread and waits in one place**: for a request, or for the end of its host. When the host ends, by
//!   whatever means, its end of the socket closes and its descriptor tells: the workers, and what they have started,
//!   are killed, and the zygote ends. Before its first fork it may import what takes long and does not look: then the
//!   kernel is to kill it when the thread ends that started it.
//! - **A worker ends with it.** Each asks the kernel for that before it does anything, and looks whether its zygote
//!   was gone already.
//! - **It reaps when it is asked.** Until then the kernel keeps a worker's number, which is its group's, for us.
//! - **A worker inherits no line of another's**: the zygote keeps no control socket once the worker has it.

use super::Lines;
use crate::error::Exit;
use crate::handover;
use crate::wire::{Ended, Request, born, unborn};
use anyplace_sync::spawn::kill_group;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, getpid, getppid, kill_process_group, pidfd_open,
    set_parent_process_death_signal, setpgid, waitid,
};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Only when nobody has wanted anything for so long, there is time for what can wait: when a place opens, its caller and
/// the first workers have better use for the cores.
const QUIET: Timespec = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };

/// Makes workers by fork for the place that started this process, until that ends. Gives `true` in each worker, which
/// then calls [`serve`](super::serve), and `false` in the zygote when it is not needed any more.
///
/// `fork` makes a process by whatever means the language has for it, and gives the child's number, or 0 in the child;
/// the first time it may get ready for that.
/// While no request waits, `idle` is called to do a little of what makes later workers start faster, a few milliseconds'
/// worth, until it says that there is no more.
///
/// Call this while standard input still is the place's socket, in a process with one thread.
///
/// # Errors
/// This process was not started by a place.
pub fn zygote(fork: impl FnMut() -> io::Result<u32>, idle: impl FnMut() -> bool) -> io::Result<bool> {
    let host = getppid().ok_or(Errno::SRCH)?;
    let mut zygote = Zygote {
        socket: rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 100)?,
        host: pidfd_open(host, PidfdFlags::empty())?,
        host_number: host,
        own: getpid(),
        workers: HashMap::new(),
        dying: Vec::new(),
        fork,
        idle: Some(idle),
    };
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    let is_worker = zygote.run();
    zygote.workers.values().for_each(Made::kill);
    is_worker
}

struct Zygote<F, I> {
    socket: OwnedFd,
    host: OwnedFd,
    host_number: Pid,
    own: Pid,
    workers: HashMap<u64, Made>,
    /// Workers that nobody asks for any more.
    dying: Vec<Made>,
    fork: F,
    idle: Option<I>,
}

/// A worker that this process has made.
struct Made {
    pid: Pid,
    pidfd: OwnedFd,
}

impl<F: FnMut() -> io::Result<u32>, I: FnMut() -> bool> Zygote<F, I> {
    fn run(&mut self) -> io::Result<bool> {
        loop {
            match self.next()? {
                None => return Ok(false),
                Some((Request::Fork(id), lines)) => {
                    if let Some(lines) = lines
                        && self.make(id, lines)?
                    {
                        return Ok(true);
                    }
                }
                Some((Request::Reap(id), _)) => self.reap(id),
                Some((Request::Forget(id), _)) => self.forget(id),
            }
        }
    }

    /// The next request; nothing when the host has ended or wants no more.
    fn next(&mut self) -> io::Result<Option<(Request, Option<Lines>)>> {
        self.wait()?;
        let (mut packet, mut came) = ([0; 64], Vec::new());
        let length = handover::receive(&self.socket, &mut packet, &mut came)?;
        let mut came = came.into_iter();
        let two = came.next().zip(came.next());
        let lines = two.map(|(control, stderr)| Lines { control, stderr, folder: came.next() });
        // An empty packet is the end of the line; and what no host says ends it too.
        Ok(Request::read(&packet[..length]).ok().map(|request| (request, lines)))
    }

    /// Waits for a request or the end of the line; does what makes later workers faster meanwhile.
    fn wait(&mut self) -> io::Result<()> {
        loop {
            let limit = self.idle.is_some().then_some(&QUIET);
            let mut waits =
                vec![PollFd::new(&self.socket, PollFlags::IN), PollFd::new(&self.host, PollFlags::IN)];
            waits.extend(self.dying.iter().map(|made| PollFd::new(&made.pidfd, PollFlags::IN)));
            match poll(&mut waits, limit) {
                Ok(0) => self.use_time(),
                Ok(_) if !waits[1].revents().is_empty() => return Err(Errno::PIPE.into()),
                Ok(_) if !waits[0].revents().is_empty() => return Ok(()),
                Ok(_) => self.dying.retain(|made| made.reaped().is_none()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn use_time(&mut self) {
        self.idle.take_if(|idle| !idle());
    }

    /// Does what may take long, while the kernel watches the host.
    fn unwatched<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> io::Result<R> {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        if getppid() != Some(self.host_number) {
            return Err(Errno::PIPE.into());
        }
        let done = work(self);
        set_parent_process_death_signal(None)?;
        Ok(done)
    }

    /// Makes a worker; `true` in the worker itself.
    fn make(&mut self, id: u64, lines: Lines) -> io::Result<bool> {
        match self.unwatched(|zygote| (zygote.fork)())? {
            Ok(0) => {
                self.become_worker(&lines)?;
                Ok(true)
            }
            Ok(pid) => {
                self.announce(id, pid, lines.control.as_fd())?;
                Ok(false)
            }
            Err(error) => {
                // What is no error of the system will be the same for all.
                let number = error.raw_os_error().unwrap_or(0).unsigned_abs();
                tell(lines.control.as_fd(), &unborn(number, &error.to_string()).to_vec(), &[]);
                Ok(false)
            }
        }
    }

    /// In a new worker: keeps nothing of the zygote's, and takes what is its own.
    fn become_worker(&mut self, lines: &Lines) -> io::Result<()> {
        self.workers.clear();
        self.dying.clear();
        lines.take(self.own.as_raw_nonzero().get().unsigned_abs())
    }

    fn announce(&mut self, id: u64, pid: u32, control: BorrowedFd<'_>) -> io::Result<()> {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(Errno::INVAL)?;
        // The worker does the same: whoever is first, the group is there before anybody knows of it. It fails when
        // the worker has ended already.
        let _ = setpgid(Some(pid), Some(pid));
        let made = Made { pid, pidfd: pidfd_open(pid, PidfdFlags::empty())? };
        tell(control, &born(pid.as_raw_nonzero().get().unsigned_abs()).to_vec(), &[made.pidfd.as_fd()]);
        self.workers.insert(id, made);
        Ok(())
    }

    /// The host asks when the worker has ended, so there is nothing to wait for.
    fn reap(&mut self, id: u64) {
        let exit = self.workers.remove(&id).and_then(|made| made.reaped());
        let ended = Ended { id, exit: exit.unwrap_or(Exit::Signal(0)) };
        tell(self.socket.as_fd(), &ended.bytes(), &[]);
    }

    fn forget(&mut self, id: u64) {
        if let Some(made) = self.workers.remove(&id) {
            made.kill();
            self.dying.push(made);
        }
    }
}

impl Made {
    fn kill(&self) {
        if kill_group(&self.pidfd).is_err() {
            // A kernel before 6.9, or nobody is left. The number is the worker's until it is reaped, which is ours
            // to do.
            let _ = kill_process_group(self.pid, Signal::KILL);
        }
    }

    /// How it ended, if it has.
    fn reaped(&self) -> Option<Exit> {
        let ended = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        let status = waitid(WaitId::PidFd(self.pidfd.as_fd()), ended).ok()??;
        Some(Exit::of(&status))
    }
}

/// Says something to the host. If the host does not hear it, it is gone or has changed its mind, and will say so.
fn tell(socket: BorrowedFd<'_>, bytes: &[u8], along: &[BorrowedFd<'_>]) {
    drop(handover::send(socket, &[IoSlice::new(bytes)], along));
}
