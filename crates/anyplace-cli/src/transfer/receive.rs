//! `anyplace receive`.

use std::io::{Write, stdout};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyplace::net::files::{Receiving, Transfer};
use anyplace::serve::{Arrival, Inbox, Terms};
use crossbeam_channel::{Receiver, Sender, select, unbounded};

use super::show::Show;
use crate::args;
use crate::map::End;
use crate::report::{Report, Result, written};
use crate::signals::{self, Heard};

/// So long is waited for a sender to hear that all has arrived.
const GOODBYE: Duration = Duration::from_secs(5);

/// Receives until somebody has sent all that they wanted, or for ever.
pub(crate) fn run(args: args::Receive) -> Result<End> {
    // From here on signals end it in order: a socket's file is taken away.
    let signals =
        signals::listen().map_err(|error| Report::own(format!("signals cannot be heard: {error}")))?;
    let terms = Terms { lasts: Some(args.r#for), once: !args.keep, ticket: !args.no_ticket, ..Inbox::TERMS };
    let inbox = Arc::new(Inbox::open(&args.address, &super::keys(), terms)?);
    let address = format!("{}\n", inbox.address().reveal());
    written(stdout().write_all(address.as_bytes()).and_then(|()| stdout().flush()))?;
    let (news, heard) = unbounded();
    let accepting = (inbox.clone(), news.clone());
    spawn("accept", move || accept(&accepting.0, &accepting.1))?;
    let mut reception = Reception { args: Arc::new(args), inbox, news, running: 0, ended: None };
    reception.run(&signals, &heard)
}

fn accept(inbox: &Inbox, news: &Sender<News>) {
    while let Ok(Some(arrival)) = inbox.accept(None) {
        if news.send(News::Came(arrival)).is_err() {
            return;
        }
    }
}

enum News {
    Came(Arrival),
    Ended(std::result::Result<Transfer, Report>),
}

/// Senders that come and go.
struct Reception {
    args: Arc<args::Receive>,
    inbox: Arc<Inbox>,
    news: Sender<News>,
    running: usize,
    /// The transfer that was waited for.
    ended: Option<Transfer>,
}

impl Reception {
    fn run(&mut self, signals: &Receiver<Heard>, heard: &Receiver<News>) -> Result<End> {
        loop {
            select! {
                recv(signals) -> signal => if let Ok(Heard::End(signal)) = signal {
                    self.inbox.close();
                    return Ok(End::Signal(signal));
                },
                recv(heard) -> news => match news {
                    Ok(News::Came(arrival)) => self.begin(arrival)?,
                    Ok(News::Ended(result)) => self.note(result),
                    Err(_) => {}
                },
            }
            if let Some(transfer) = self.ended.filter(|_| self.running == 0) {
                return Ok(End::Exit(super::exit(&transfer)));
            }
        }
    }

    fn begin(&mut self, arrival: Arrival) -> Result<()> {
        self.running += 1;
        let (args, news) = (self.args.clone(), self.news.clone());
        spawn("receive", move || {
            // Whoever listened has gone with the process.
            drop(news.send(News::Ended(receive(&args, &arrival))));
        })
    }

    /// A transfer that was cut off is waited for again: its sender can go on.
    fn note(&mut self, result: std::result::Result<Transfer, Report>) {
        self.running -= 1;
        match result {
            Ok(transfer) if !self.args.keep => {
                self.inbox.close();
                self.ended = Some(transfer);
            }
            Ok(_) => {}
            Err(report) => super::show::say(&report.to_string()),
        }
    }
}

fn receive(args: &args::Receive, arrival: &Arrival) -> Result<Transfer> {
    let show = Show::new("received", args.common.progress);
    let receiving = Receiving::into(&args.folder).force(args.force).patience(args.common.patience);
    let receiving = match args.limit {
        Some(limit) => receiving.limit(limit),
        None => receiving,
    };
    let transfer = show.end(receiving.on_event(show.watcher()).over(&arrival.stream))?;
    // What was said last must be heard before this process may end.
    drop(arrival.stream.close(Some(Instant::now() + GOODBYE)));
    Ok(transfer)
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
    match thread::Builder::new().name(name.to_owned()).spawn(work) {
        Ok(_) => Ok(()),
        Err(error) => Err(Report::own(format!("there is no thread left: {error}"))),
    }
}
