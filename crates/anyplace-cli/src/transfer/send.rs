//! `anyplace send`.

use std::fs;
use std::time::{Duration, Instant};

use anyplace::net::files::{Sending, reach};

use super::show::Show;
use crate::args;
use crate::exit::Exit;
use crate::report::{Report, Result};

/// So long may it take to come in.
const HANDSHAKE: Duration = Duration::from_secs(30);

/// Sends what is said to where it is said.
pub(crate) fn run(args: &args::Send) -> Result<Exit> {
    let address = address(&args.address)?;
    let stream = reach(&address, &super::keys(), Instant::now() + HANDSHAKE)?;
    let show = Show::new("sent", args.common.progress);
    let sending = Sending::new(&args.files).patience(args.common.patience);
    let sent = sending.on_event(show.watcher()).over(&stream);
    let transfer = show.end(sent)?;
    // It has all of it, and said so: that it hears us go is a matter of politeness.
    drop(stream.close(Some(Instant::now() + args.common.patience)));
    Ok(super::exit(&transfer))
}

/// The address as it stands there, or in a file, which other users cannot see.
fn address(text: &str) -> Result<String> {
    let Some(file) = text.strip_prefix('@') else { return Ok(text.to_owned()) };
    let address = fs::read_to_string(file).map_err(|error| {
        Report::usage(format!("the address cannot be read from `{file}`: {error}"))
            .help("behind `@` stands the name of a file that holds the address, on one line")
    })?;
    Ok(address.trim().to_owned())
}
