//! Processes that tests fork, so that they can be killed anywhere.
#![allow(dead_code, unreachable_pub, reason = "each test uses what it needs")]

use rustix::process::{Pid, Signal, WaitOptions, kill_process, set_parent_process_death_signal, waitpid};
use std::io::{PipeReader, PipeWriter, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A process that runs `life`, tells what it has to tell, and then waits to be killed.
pub struct Child {
    pub pid: Pid,
    told: PipeReader,
}

impl Child {
    pub fn start(life: impl FnOnce(&mut PipeWriter)) -> Self {
        let (told, mut tell) = std::io::pipe().unwrap();
        // SAFETY: the child runs what this test gives it, on memory whose locks no other thread has, and never returns.
        match unsafe { libc::fork() } {
            -1 => panic!("no process can be made"),
            0 => live(|| life(&mut tell)),
            pid => Self { pid: Pid::from_raw(pid).unwrap(), told },
        }
    }

    /// The next byte it tells; none if it failed.
    pub fn hear(&mut self) -> Option<u8> {
        let mut byte = [0];
        self.told.read_exact(&mut byte).ok().map(|()| byte[0])
    }

    /// Ends it, and waits until it has ended.
    pub fn kill(self) {}
}

impl Drop for Child {
    fn drop(&mut self) {
        kill_process(self.pid, Signal::KILL).unwrap();
        waitpid(Some(self.pid), WaitOptions::empty()).unwrap();
    }
}

fn live(life: impl FnOnce()) -> ! {
    set_parent_process_death_signal(Some(Signal::KILL)).unwrap();
    let lived = catch_unwind(AssertUnwindSafe(life));
    if lived.is_ok() {
        loop {
            // SAFETY: pause has no conditions.
            unsafe { libc::pause() };
        }
    }
    // SAFETY: ends the child without running what belongs to its parent.
    unsafe { libc::_exit(101) }
}
