//! Kills a process group by a descriptor of its leader.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// `PIDFD_SIGNAL_PROCESS_GROUP`: the signal goes to the group whose number is the process's own.
const TO_THE_GROUP: libc::c_uint = 1 << 2;

/// Kills the group that the process led when it was started, whether or not the process is still there.
///
/// A group known by its number may be a stranger's once its leader is reaped. A descriptor means one process for ever,
/// and with it its group.
///
/// # Errors
/// `ESRCH` when the group is gone; `EINVAL` from kernels before Linux 6.9.
pub fn kill_group(leader: impl AsFd) -> io::Result<()> {
    let (descriptor, nothing) = (leader.as_fd().as_raw_fd(), std::ptr::null::<libc::siginfo_t>());
    // SAFETY: a system call on an open descriptor and numbers; it writes nowhere.
    let sent = unsafe {
        libc::syscall(libc::SYS_pidfd_send_signal, descriptor, libc::SIGKILL, nothing, TO_THE_GROUP)
    };
    if sent == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
