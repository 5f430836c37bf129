//! Ends process groups when this process is killed, also by KILL, when no code of ours runs any more.
//!
//! The kernel ends the programs we started (`PR_SET_PDEATHSIG`), but not what those started. So a guard waits for
//! our end: a process that shares our memory (`CLONE_VM`), where the groups are written, and nothing else: it has
//! closed all files, runs only system calls on a stack of its own, and costs a kernel thread and no memory.
//!
//! ```text
//!  we:     group written -> program runs -> group erased -> ...        | killed (or exec)
//!  guard:  asleep .................................................... | kills the groups still written, ends
//! ```
//!
//! It wakes when our process ends (a pidfd), or when a pipe closes that only we hold, which also happens when this
//! process becomes another program by `exec`: then the memory is no longer ours, but still the guard's.
//!
//! The guard shares the thread-local memory of the thread that started it, so it must not use anything there: no
//! `errno`, no cancellation point. rustix makes its system calls without C's wrappers (its `linux_raw` backend).

use super::{STACK, blocked, restore};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, PidfdFlags, Signal, getpid, kill_process_group, pidfd_open, setpgid};
use std::ffi::{c_int, c_void};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI32, Ordering};

/// How many groups a guard can hold; more run without it, and still end with us themselves.
const GROUPS: usize = 4096;

/// A process that ends the groups it is told when ours is killed.
#[derive(Debug)]
pub struct Guard {
    pid: i32,
    shared: Box<Shared>,
    /// The guard's stack: freed when it is gone.
    _stack: Vec<u8>,
    /// Closes when we end, however that happens.
    _alive: OwnedFd,
    free: Mutex<Vec<usize>>,
}

/// What the guard reads.
#[derive(Debug)]
struct Shared {
    groups: Box<[AtomicI32]>,
    us: RawFd,
    alive: RawFd,
}

impl Guard {
    /// Starts a guard of this process.
    ///
    /// # Errors
    /// What the system said if it gives no process, or is too old (Linux 5.9 is needed).
    pub fn start() -> io::Result<Self> {
        let us = pidfd_open(getpid(), PidfdFlags::empty())?;
        let (closes, alive) = pipe_with(PipeFlags::CLOEXEC)?;
        let groups = (0..GROUPS).map(|_| AtomicI32::new(0)).collect();
        let shared = Box::new(Shared { groups, us: us.as_raw_fd(), alive: closes.as_raw_fd() });
        let mut stack = vec![0; STACK];
        let pid = clone_guard(&mut stack, &shared)?;
        let free = Mutex::new((0..GROUPS).collect());
        Ok(Self { pid, shared, _stack: stack, _alive: alive, free })
    }

    /// From now until the result is dropped, `group` ends with this process.
    pub fn watch(&self, group: i32) -> Watched<'_> {
        let place = self.free().pop();
        if let Some(place) = place {
            self.shared.groups[place].store(group, Ordering::Release);
        }
        Watched { guard: self, place }
    }

    fn free(&self) -> std::sync::MutexGuard<'_, Vec<usize>> {
        self.free.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// A group that ends with this process, while this lives.
#[derive(Debug)]
pub struct Watched<'a> {
    guard: &'a Guard,
    place: Option<usize>,
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.guard.shared.groups[place].store(0, Ordering::Release);
            self.guard.free().push(place);
        }
    }
}

impl Drop for Guard {
    /// The guard must be gone before its stack and the groups are.
    fn drop(&mut self) {
        let mut status = 0;
        // SAFETY: the guard is our child, not yet waited for, so the number is its own; `status` is ours. __WALL is
        // needed because it ends without a signal.
        unsafe {
            libc::kill(self.pid, libc::SIGKILL);
            libc::waitpid(self.pid, &raw mut status, libc::__WALL);
        }
    }
}

fn clone_guard(stack: &mut [u8], shared: &Shared) -> io::Result<i32> {
    let end = stack.as_mut_ptr().wrapping_add(stack.len());
    let top = end.wrapping_sub(end.addr() % 16);
    // A handler of ours must never run in the guard: it inherits that everything is blocked.
    let mask = blocked()?;
    // SAFETY: `top` is the aligned end of a stack that `Guard` keeps until the guard is gone, as it does `shared`.
    // `keep_watch` makes only raw system calls (see the module). No CLONE_FILES: closing files there closes none of
    // ours. No exit signal: whoever waits for any child does not see it.
    let pid = unsafe {
        libc::clone(keep_watch, top.cast(), libc::CLONE_VM, ptr::from_ref(shared).cast_mut().cast())
    };
    let error = io::Error::last_os_error();
    restore(&mask);
    if pid < 0 { Err(error) } else { Ok(pid) }
}

/// The guard's whole life.
extern "C" fn keep_watch(shared: *mut c_void) -> c_int {
    // SAFETY: `Guard` keeps it until we are gone; we only read, and what changes is atomic.
    let shared = unsafe { &*shared.cast::<Shared>() };
    // Not in our group, so that a signal for the whole group (a terminal that hangs up, `kill -9 -GROUP`) leaves us
    // alive to do our duty.
    let _ = setpgid(None, None);
    close_all_but([shared.us, shared.alive]);
    // SAFETY: both numbers are open in our copy of the files, which nobody else closes.
    let (us, alive) = unsafe { (BorrowedFd::borrow_raw(shared.us), BorrowedFd::borrow_raw(shared.alive)) };
    let mut fds =
        [PollFd::from_borrowed_fd(us, PollFlags::IN), PollFd::from_borrowed_fd(alive, PollFlags::IN)];
    while !matches!(poll(&mut fds, None), Ok(1..)) {}
    for group in &shared.groups {
        if let Some(group) = Pid::from_raw(group.load(Ordering::Acquire)) {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
    // SAFETY: ends this process without running anything of the other's; as a system call, without C's wrapper.
    unsafe { libc::syscall(libc::SYS_exit_group, 0) };
    0
}

/// A file that the guard kept open would keep others waiting for its end.
fn close_all_but(kept: [RawFd; 2]) {
    let [low, high] = if kept[0] < kept[1] { kept } else { [kept[1], kept[0]] };
    for (first, last) in [(0, low - 1), (low + 1, high - 1), (high + 1, RawFd::MAX)] {
        if first <= last {
            // SAFETY: closes numbers in our copy of the files, where nobody uses them. It fails, and writes errno,
            // only before Linux 5.9.
            unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
        }
    }
}
