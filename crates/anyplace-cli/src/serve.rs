//! `anyplace serve`: offers a place to others, until a signal ends it.

use std::ffi::OsString;
use std::io::{Write, stdout};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyplace::serve::{Offer, Terms};
use anyplace::{Registry, Setup};
use crossbeam_channel::{Receiver, bounded, select};

use crate::args;
use crate::exit::Exit;
use crate::map::End;
use crate::report::{Report, Result, written};
use crate::signals::{self, Heard};

/// The Python module that is a worker, or makes them, when it is run.
const WORKER: &str = "anyplace._worker";

/// Standard output says where the place is, so what functions print goes to standard error.
const PRINTS: &str = "prints=stderr";

/// Offers the place, says where, and waits for the end.
pub(crate) fn run(args: &args::Serve) -> Result<End> {
    let heard =
        signals::listen().map_err(|error| Report::own(format!("signals cannot be heard: {error}")))?;
    let place = registry(args).open(args.on.as_str())?;
    let terms = Terms {
        scope: args.scope,
        lasts: args.expires,
        once: args.once,
        ticket: !args.no_ticket,
        limits: args.limits.unwrap_or_default(),
    };
    let offer = Arc::new(place.offer_on(&args.address, &terms)?);
    let address = offer.address().reveal();
    if let Some(name) = &args.name {
        keys().set_place(name, &address)?;
    }
    written(writeln!(stdout(), "{address}").and_then(|()| stdout().flush()))?;
    let end = until_the_end(&offer, &heard, args.grace.unwrap_or(Duration::MAX));
    place.close()?;
    end
}

/// The first signal drains: nobody else is let in, and what runs ends by itself. The second ends what runs.
fn until_the_end(offer: &Arc<Offer>, heard: &Receiver<Heard>, grace: Duration) -> Result<End> {
    let (tell, closed) = bounded(1);
    let mut ending = None;
    loop {
        select! {
            recv(heard) -> signal => match (signal, ending) {
                (Ok(Heard::Tell), _) => say(offer)?,
                (Ok(Heard::End(signal)), Some(_)) => {
                    offer.close(Duration::ZERO)?;
                    return Ok(End::Signal(signal));
                }
                (Ok(_), None) => {
                    ending = Some(());
                    let (offer, tell) = (offer.clone(), tell.clone());
                    std::thread::spawn(move || drop(tell.send(offer.close(grace))));
                }
                (Ok(Heard::Finish), Some(())) => {}
                (Err(_), _) => return Err(Report::own("signals are not heard any more")),
            },
            recv(closed) -> result => {
                return match result {
                    Ok(result) => Ok(result.map(|()| End::Exit(Exit::SUCCESS))?),
                    Err(_) => Err(Report::own("the place could not be closed")),
                };
            }
        }
    }
}

/// `SIGUSR1` asks how it goes.
fn say(offer: &Offer) -> Result<()> {
    let (clients, endpoint) = (offer.clients(), offer.endpoint());
    written(writeln!(std::io::stderr(), "{endpoint}: {clients} clients"))
}

fn keys() -> anyplace::keys::Keys {
    anyplace::keys::Keys::new(crate::keys::folder())
}

/// Workers are of Python where there is one that has the package: they run what Rust and the shell send, too.
fn registry(args: &args::Serve) -> Registry {
    let setup = Setup { keys: crate::keys::folder(), ..Setup::default() };
    let Some(language) = language(&args.python) else { return Registry::standard().with_setup(setup) };
    let words = |role: &[&str]| {
        let module = ["-m", WORKER].into_iter().chain(role.iter().copied()).chain([PRINTS]);
        std::iter::once(args.python.clone()).chain(module.map(OsString::from)).collect()
    };
    let (worker, zygote) = (Some(words(&[])), Some(words(&["zygote"])));
    Registry::standard().with_setup(Setup { worker, zygote, language: Some(language), ..setup })
}

/// What that Python speaks; nothing if it is not there, or does not have the package in this version.
#[allow(clippy::disallowed_methods, reason = "the command starts the Python that its user named")]
fn language(python: &OsString) -> Option<String> {
    let script = format!("import sys, {WORKER}; print('python %d.%d' % sys.version_info[:2])");
    let output = Command::new(python)
        .args(["-c", &script])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
