//! Both directions of a stream, each on a thread of its own.

use std::io::Read;
use std::thread;
use std::time::{Duration, Instant};

use anyplace::Kind;
use anyplace::net::Stream;

use super::{BLOCK, file_of_input, print};
use crate::report::{Report, Result};

/// How long it may take to say that we end, too.
const PARTING: Duration = Duration::from_millis(100);

/// Carries until the other end has ended, or has been silent for as long as it may.
pub(super) fn carry(stream: &Stream, idle: Option<Duration>) -> Result<()> {
    let sender = stream.clone();
    // Not waited for: once the other end has ended, nobody hears what standard input might still say.
    thread::Builder::new()
        .name("input".into())
        .spawn(move || send(&sender))
        .map_err(|error| Report::own(format!("there is no thread that reads standard input: {error}")))?;
    receive(stream, idle)?;
    // Nobody is left to hear it, but that it was in order.
    drop(stream.close(Some(Instant::now() + PARTING)));
    Ok(())
}

/// What goes wrong here is told by the other direction, which sees the same end: the other side may still have something
/// to say when it hears us no more.
fn send(stream: &Stream) {
    let sent = match file_of_input() {
        Some((file, position)) => stream.send_file(&file, position, u64::MAX - position, None).map(drop),
        None => send_as_it_comes(stream),
    };
    drop(sent.and_then(|()| stream.finish(None)));
}

fn send_as_it_comes(stream: &Stream) -> anyplace::Result<()> {
    let mut bytes = vec![0; BLOCK];
    let mut input = std::io::stdin().lock();
    loop {
        match input.read(&mut bytes)? {
            0 => return Ok(()),
            read => stream.write(&bytes[..read], None)?,
        }
    }
}

fn receive(stream: &Stream, idle: Option<Duration>) -> Result<()> {
    let mut bytes = vec![0; BLOCK];
    loop {
        let until = idle.and_then(|idle| Instant::now().checked_add(idle));
        match stream.read(&mut bytes, until) {
            Ok(0) => return Ok(()),
            Ok(read) if print(&bytes[..read])? => {}
            // Nobody reads what we print.
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == Kind::Timeout => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}
