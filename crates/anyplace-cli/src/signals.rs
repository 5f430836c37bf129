//! The signals a run hears: Ctrl-C ends it in order, a second one at once.

use std::io;
use std::thread;

use crossbeam_channel::{Receiver, unbounded};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use signal_hook::low_level::emulate_default_handler;

/// The first time asks, the second time kills the jobs, the third time is enough.
const PATIENCE: u32 = 3;

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// End: the signal to end by.
    End(i32),
    /// Start no more, let the running finish.
    Finish,
    /// Say what runs.
    Tell,
}

/// Hears signals from now on. They no longer end the process, but for the third that asks for it: whatever the run
/// waits for then, a reader that does not read perhaps, the process ends, and its guard ends the jobs.
pub(crate) fn listen() -> io::Result<Receiver<Heard>> {
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP, SIGUSR1])?;
    let (sender, receiver) = unbounded();
    thread::Builder::new().name("signals".into()).spawn(move || {
        let mut endings = 0;
        for signal in signals.forever() {
            let heard = match signal {
                SIGHUP => Heard::Finish,
                SIGUSR1 => Heard::Tell,
                signal => Heard::End(signal),
            };
            endings += u32::from(heard == Heard::End(signal));
            if endings == PATIENCE {
                end_by(signal);
            }
            if sender.send(heard).is_err() {
                return;
            }
        }
    })?;
    Ok(receiver)
}

/// Ends this process by the signal itself, so that a shell, `make` or a script sees why it ended.
///
/// Returns only for a signal that does not end a process.
pub(crate) fn end_by(signal: i32) {
    drop(emulate_default_handler(signal));
}
