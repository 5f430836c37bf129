//! `anyplace connect`: standard input to a socket, and what comes back to standard output.
//!
//! Ctrl-C needs no care here: the process ends by the signal, and the kernel closes what it had.

mod datagrams;
mod streams;

use std::fs::File;
use std::io::{Seek, Write};
use std::time::Instant;

use anyplace::net::{Datagram, Endpoint, Options, Trust, connect_with};

use crate::args;
use crate::exit::Exit;
use crate::report::{Result, written};

/// How much travels at once.
const BLOCK: usize = 256 << 10;

/// Connects, and carries bytes until the other end has ended.
pub(crate) fn run(args: &args::Connect) -> Result<Exit> {
    let endpoint: Endpoint = args.endpoint.parse()?;
    // A time that no clock reaches has no end.
    let until = Instant::now().checked_add(args.timeout);
    match &endpoint {
        Endpoint::Udp { .. } | Endpoint::Unixgram(_) => {
            let socket = Datagram::to(&endpoint, until)?;
            datagrams::carry(&socket, args.idle)?;
        }
        _ => {
            let trust = args.ca.clone().map_or(Trust::Machine, Trust::File);
            let stream = connect_with(&endpoint, &Options::default().with_trust(trust), until)?;
            streams::carry(&stream, args.idle)?;
        }
    }
    Ok(Exit::SUCCESS)
}

/// Standard input as a file, and where it is read next; nothing if it is anything else.
fn file_of_input() -> Option<(File, u64)> {
    let mut file = File::from(rustix::stdio::stdin().try_clone_to_owned().ok()?);
    let position = file.metadata().ok()?.is_file().then(|| file.stream_position().ok())??;
    Some((file, position))
}

/// Prints what has come; false if nobody reads it any more.
fn print(bytes: &[u8]) -> Result<bool> {
    let mut out = std::io::stdout().lock();
    let result = out.write_all(bytes).and_then(|()| out.flush());
    let is_read = result.is_ok();
    written(result).map(|()| is_read)
}
