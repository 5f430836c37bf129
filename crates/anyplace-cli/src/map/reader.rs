//! Reads inputs on a thread of its own, so that a slow source delays nothing else.

use std::thread;

use crossbeam_channel::{Receiver, bounded};

use crate::input::{Inputs, Row};
use crate::report::{Report, Result};

/// So many inputs are read before there is room for their jobs: enough that no job waits for the reader, and few
/// enough that a source which is made as it is read is not read far ahead.
const AHEAD: usize = 16;

/// Starts to read. The channel ends when the inputs do; the first error is the last thing in it.
pub(super) fn read(inputs: &Inputs) -> Result<Receiver<Result<Row>>> {
    let rows = inputs.open()?;
    let (sender, receiver) = bounded(AHEAD);
    let read = move || {
        for row in rows {
            let is_last = row.is_err();
            if sender.send(row).is_err() || is_last {
                return;
            }
        }
    };
    // The thread is not joined: it may wait for a terminal or a pipe for ever, and ends with the process.
    thread::Builder::new()
        .name("inputs".into())
        .spawn(read)
        .map_err(|error| Report::own(format!("no thread to read the inputs: {error}")))?;
    Ok(receiver)
}
