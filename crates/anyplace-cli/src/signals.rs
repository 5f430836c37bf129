//! The signals a run hears: Ctrl-C ends it in order, a second one at once.

use std::io;
use std::thread;

use crossbeam_channel::{Receiver, unbounded};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use signal_hook::low_level::emulate_default_handler;

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

/// Hears signals from now on; they no longer end the process.
pub(crate) fn listen() -> io::Result<Receiver<Heard>> {
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP, SIGUSR1])?;
    let (sender, receiver) = unbounded();
    thread::Builder::new().name("signals".into()).spawn(move || {
        for signal in signals.forever() {
            let heard = match signal {
                SIGHUP => Heard::Finish,
                SIGUSR1 => Heard::Tell,
                signal => Heard::End(signal),
            };
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
