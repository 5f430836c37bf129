//! Starts a program: faster than `fork`, and the program dies with us.
//!
//! [`std::process::Command`] starts programs by `posix_spawn`, which cannot ask the kernel to end the child when its
//! parent is killed (`PR_SET_PDEATHSIG` has to be called between `fork` and `exec`), and gives no pidfd. As soon as
//! one asks for more, it falls back to `fork`, which copies page tables and must not be used where other threads
//! hold locks. So this module does what `posix_spawn` does inside: `clone` with `CLONE_VM | CLONE_VFORK`.
//!
//! # What happens between `clone` and `exec`
//!
//! The child runs in *our* memory, on a stack of its own, while the calling thread is suspended by the kernel until
//! the child executes the program or ends. Therefore
//!
//! - everything the child needs is prepared before (no allocation, no lock, no environment look-up in the child);
//! - all signals are blocked in the calling thread, and so in the child, until the child has put every handler of
//!   ours back to the default: else a handler could run in the child and change our memory;
//! - the child only makes system calls. Their C wrappers write `errno` of the calling thread, which is suspended.
//!
//! The child ends with the *thread* that started it ([`prctl(2)`], `PR_SET_PDEATHSIG`), so that thread has to
//! outlive it: one thread starts a program, waits for it, and takes the next.
//!
//! [`prctl(2)`]: https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html

#![allow(
    unsafe_code,
    reason = "the only place that starts processes by clone; every block says why it holds"
)]

mod group;
mod guard;

pub use group::kill_group;
pub use guard::{Guard, Watched};

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;

/// A program to start, with everything the child needs already in the form the kernel takes.
#[derive(Debug)]
pub struct Program<'a> {
    /// Where the program may be, in the order to try; the first that can be executed is.
    pub candidates: &'a [CString],
    /// Its arguments, the name first.
    pub argv: &'a [CString],
    /// Its whole environment, as `NAME=value`.
    pub environment: &'a [CString],
    /// Where it runs; our own folder if unset.
    pub folder: Option<&'a CStr>,
    /// Its standard input, output and error.
    pub streams: [BorrowedFd<'a>; 3],
}

/// A program that was started. It leads a process group of its own, whose number is its own.
#[derive(Debug)]
pub struct Started {
    /// Its process number.
    pub pid: i32,
    /// A descriptor of it: readable when it has ended, and never another process's.
    pub pidfd: OwnedFd,
}

/// Starts programs from the thread that owns it; keeps the stack that the children borrow.
#[derive(Debug)]
pub struct Spawner {
    stack: Vec<u8>,
}

/// The deepest call in the child is a C wrapper of a system call; glibc's own `posix_spawn` takes 32 KiB.
const STACK: usize = 64 * 1024;

/// The signals that have handlers; 32 and 33 are glibc's own, and no handler of ours can be on them.
const LAST_SIGNAL: c_int = 64;

impl Default for Spawner {
    fn default() -> Self {
        Self::new()
    }
}

impl Spawner {
    /// A spawner for one thread.
    pub fn new() -> Self {
        Self { stack: vec![0; STACK] }
    }

    /// Starts `program`, and returns when it executes.
    ///
    /// # Errors
    /// What the last candidate's `execve` said (`NotFound`, `PermissionDenied`, `ArgumentListTooLong`, ...), or
    /// what the system said when no process can be made.
    ///
    /// # Panics
    /// If there is no candidate.
    pub fn start(&mut self, program: &Program<'_>) -> io::Result<Started> {
        assert!(!program.candidates.is_empty(), "a program has a path");
        let argv = pointers(program.argv);
        let environment = pointers(program.environment);
        let candidates = pointers(program.candidates);
        let mut birth = Birth {
            candidates: candidates.as_ptr(),
            argv: argv.as_ptr(),
            environment: environment.as_ptr(),
            folder: program.folder.map_or(ptr::null(), CStr::as_ptr),
            streams: program.streams.map(|stream| stream.as_raw_fd()),
            // SAFETY: getpid has no conditions.
            parent: unsafe { libc::getpid() },
            mask: blocked()?,
            error: 0,
        };
        let cloned = self.clone_child(&mut birth);
        restore(&birth.mask);
        let started = cloned?;
        match birth.error {
            0 => Ok(started),
            error => {
                reap(&started);
                Err(io::Error::from_raw_os_error(error))
            }
        }
    }

    fn clone_child(&mut self, birth: &mut Birth) -> io::Result<Started> {
        let mut pidfd: c_int = -1;
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PIDFD | libc::SIGCHLD;
        let end = self.stack.as_mut_ptr().wrapping_add(STACK);
        let top = end.wrapping_sub(end.addr() % 16);
        // SAFETY: `top` is the aligned end of a stack that nobody else uses: we own it mutably, and CLONE_VFORK
        // suspends us until the child has left it. `birth` and `pidfd` are on our stack and outlive that. `be_born`
        // only makes system calls (see the module), and all signals are blocked.
        let pid = unsafe {
            libc::clone(be_born, top.cast(), flags, ptr::from_mut(birth).cast(), ptr::from_mut(&mut pidfd))
        };
        if pid < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: clone succeeded with CLONE_PIDFD, so the kernel wrote a new descriptor that only we know.
        Ok(Started { pid, pidfd: unsafe { OwnedFd::from_raw_fd(pidfd) } })
    }
}

/// What the child reads, and the one thing it writes: why it failed.
struct Birth {
    candidates: *const *const c_char,
    argv: *const *const c_char,
    environment: *const *const c_char,
    folder: *const c_char,
    streams: [c_int; 3],
    parent: libc::pid_t,
    mask: libc::sigset_t,
    error: c_int,
}

/// The child's whole life before the program.
extern "C" fn be_born(birth: *mut c_void) -> c_int {
    // SAFETY: the parent passed its own `Birth` and is suspended, so this is the only reference.
    let birth = unsafe { &mut *birth.cast::<Birth>() };
    // SAFETY: we are in the child of a vfork, as `prepare` and `execute` ask.
    birth.error = unsafe { prepare(birth).err().unwrap_or_else(|| execute(birth)) };
    // SAFETY: _exit ends the child without running anything of the parent's.
    unsafe { libc::_exit(127) }
}

/// Everything between birth and the program.
///
/// # Safety
/// Only in the child of a vfork: it changes the signals, streams and folder of the calling process.
unsafe fn prepare(birth: &Birth) -> Result<(), c_int> {
    // SAFETY: each is a plain system call on values of our own; `birth`'s pointers are valid (see `be_born`).
    unsafe {
        checked(libc::setpgid(0, 0))?;
        checked(libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL))?;
        // The parent may have died before the kernel knew that we want to follow it.
        if libc::getppid() != birth.parent {
            libc::_exit(127);
        }
        set_streams(birth.streams)?;
        if !birth.folder.is_null() {
            checked(libc::chdir(birth.folder))?;
        }
        reset_signals(&birth.mask)
    }
}

/// Puts the streams at 0, 1 and 2, where the program expects them.
///
/// A stream that already is at 0, 1 or 2 (its owner had closed its own) is moved up first, so that it is not
/// overwritten by another.
///
/// # Safety
/// As [`prepare`].
unsafe fn set_streams(mut streams: [c_int; 3]) -> Result<(), c_int> {
    // SAFETY: system calls on numbers; a wrong number is an error, not undefined behaviour.
    unsafe {
        for stream in streams.iter_mut().filter(|stream| **stream < 3) {
            *stream = checked(libc::fcntl(*stream, libc::F_DUPFD_CLOEXEC, 3))?;
        }
        for (target, stream) in (0..).zip(streams) {
            checked(libc::dup2(stream, target))?;
        }
    }
    Ok(())
}

/// Gives the program the signals of a fresh process: no handler of ours, SIGPIPE not ignored (Rust ignores it),
/// and the mask we had before blocking all.
///
/// # Safety
/// As [`prepare`].
unsafe fn reset_signals(mask: &libc::sigset_t) -> Result<(), c_int> {
    for signal in 1..=LAST_SIGNAL {
        // SAFETY: sigaction only writes into `action`, or reads it; for signals that cannot be changed it fails.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            let known = libc::sigaction(signal, ptr::null(), &raw mut action) == 0;
            let caught = action.sa_sigaction != libc::SIG_IGN && action.sa_sigaction != libc::SIG_DFL;
            if known && (caught || signal == libc::SIGPIPE) {
                action = std::mem::zeroed();
                libc::sigaction(signal, &raw const action, ptr::null_mut());
            }
        }
    }
    // SAFETY: `mask` is a valid set, read only.
    match unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, mask, ptr::null_mut()) } {
        0 => Ok(()),
        error => Err(error),
    }
}

/// Tries the candidates; returns only if none of them can be executed, with the error that says most.
///
/// As `execvp`: a path that is not there does not hide that another was there and could not be executed.
///
/// # Safety
/// As [`prepare`].
unsafe fn execute(birth: &Birth) -> c_int {
    let mut told = libc::ENOENT;
    let mut candidate = birth.candidates;
    // SAFETY: the three arrays end with a null pointer, and all their strings outlive the child.
    unsafe {
        while !(*candidate).is_null() {
            libc::execve(*candidate, birth.argv, birth.environment);
            match errno() {
                libc::ENOENT | libc::ENOTDIR => {}
                libc::EACCES => told = libc::EACCES,
                error => return error,
            }
            candidate = candidate.add(1);
        }
    }
    told
}

fn checked(result: c_int) -> Result<c_int, c_int> {
    match result {
        -1 => Err(errno()),
        result => Ok(result),
    }
}

fn errno() -> c_int {
    // SAFETY: the pointer is this thread's own (in the child: the suspended parent thread's).
    unsafe { *libc::__errno_location() }
}

/// Blocks all signals in this thread; gives the mask before.
fn blocked() -> io::Result<libc::sigset_t> {
    // SAFETY: both sets are ours; sigfillset and pthread_sigmask only write into them.
    let (before, result) = unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        let mut before: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        let result = libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        (before, result)
    };
    match result {
        0 => Ok(before),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

fn restore(mask: &libc::sigset_t) {
    // SAFETY: `mask` is a valid set, read only; with valid arguments the call cannot fail.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, mask, ptr::null_mut()) };
}

/// Takes the child that never became a program out of the process table.
fn reap(started: &Started) {
    let mut status = 0;
    // SAFETY: the child is ours and nobody else knows its number; `status` is ours.
    unsafe { libc::waitpid(started.pid, &raw mut status, 0) };
}

/// As C takes arrays of strings: pointers, with a null pointer at the end.
fn pointers(strings: &[CString]) -> Vec<*const c_char> {
    strings.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect()
}
