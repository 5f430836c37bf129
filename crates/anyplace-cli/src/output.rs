//! Prints what jobs left: each job's output whole, its standard output apart from its standard error.

mod base64;
mod json;
mod tag;

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;

use anyplace::Captured;
use anyplace::work::{Encoding, Payload};
use anyplace::{Error, Kind, Value};

use crate::args;
use crate::map::Item;
use crate::report::{Paint, Report, Result};
use tag::Tagged;

/// Where results go, and how.
#[derive(Debug)]
pub(crate) struct Output {
    out: File,
    err: File,
    style: Style,
    paint: Paint,
    said: Said,
}

/// The last complaint, and how many jobs made it again: a program that is not there is told once, not a thousand
/// times.
#[derive(Debug, Default)]
struct Said {
    sentence: String,
    again: u64,
}

#[derive(Debug, Clone, Copy)]
enum Style {
    Plain,
    /// Each line begins with the job's values.
    Tag,
    /// A line of JSON for each job.
    Json,
}

/// Why no more can be printed.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// Whoever read our standard output has seen enough, as `head` does.
    NobodyReads,
    Failed(Report),
}

impl Output {
    /// Standard output and standard error without buffers: a result is printed when it is there, in one piece.
    pub(crate) fn new(args: &args::Map, paint: Paint) -> Result<Self> {
        let unbuffered = |stream: std::os::fd::BorrowedFd<'_>| stream.try_clone_to_owned().map(File::from);
        let closed = |error| Report::own(format!("the standard streams cannot be used: {error}"));
        let style = match args {
            args::Map { json: true, .. } => Style::Json,
            args::Map { tag: true, .. } => Style::Tag,
            _ => Style::Plain,
        };
        let out = unbuffered(io::stdout().as_fd()).map_err(closed)?;
        let err = unbuffered(io::stderr().as_fd()).map_err(closed)?;
        Ok(Self { out, err, style, paint, said: Said::default() })
    }

    /// Prints what a job left.
    pub(crate) fn print(&mut self, item: &Item) -> std::result::Result<(), Stopped> {
        match self.style {
            Style::Json => json::write(&mut io::BufWriter::new(&self.out), item).map_err(stopped),
            Style::Plain | Style::Tag => self.print_text(item),
        }
    }

    fn print_text(&mut self, item: &Item) -> std::result::Result<(), Stopped> {
        if let Some(finished) = item.finished() {
            self.copy(item, &finished.stdout, Stream::Out).map_err(stopped)?;
            // Nobody reads our standard error: that is no reason to stop.
            drop(self.copy(item, &finished.stderr, Stream::Err));
        }
        if let Ok(Value::Encoded(payload)) = &item.result {
            let line = line_of(payload);
            match self.style {
                Style::Tag => Tagged::new(&self.out, item.values()).finish(&line),
                Style::Plain | Style::Json => self.out.write_all(&line),
            }
            .map_err(stopped)?;
        }
        self.complain(item);
        Ok(())
    }

    /// Says what has to be said about a job that did not end by itself; a bad exit code speaks for itself.
    fn complain(&mut self, item: &Item) {
        let Some(error) = item.error() else { return };
        let spoke_itself = error.kind() == Kind::TaskFailed && item.finished().is_some();
        if spoke_itself {
            return;
        }
        let sentence = error.to_string();
        if sentence == self.said.sentence {
            self.said.again += 1;
            return;
        }
        self.finish();
        self.said.sentence = sentence;
        let report = told(error).at(format!("{}, `{}`", item.origin(), shown(item)));
        self.say(&report.shown(self.paint));
    }

    /// Says how often the last complaint was made again.
    pub(crate) fn finish(&mut self) {
        match std::mem::take(&mut self.said.again) {
            0 => {}
            1 => self.say("error: the same for one more input"),
            again => self.say(&format!("error: the same for {again} more inputs")),
        }
    }

    fn copy(&mut self, item: &Item, captured: &Captured, stream: Stream) -> io::Result<()> {
        let file = match stream {
            Stream::Out => &mut self.out,
            Stream::Err => &mut self.err,
        };
        match self.style {
            _ if captured.is_empty() => Ok(()),
            Style::Tag => Tagged::new(file, item.values()).copy(captured),
            Style::Plain | Style::Json => captured.send_to(file),
        }
    }

    /// A line of our own, on standard error.
    pub(crate) fn say(&mut self, text: &str) {
        drop(writeln!(self.err, "{text}"));
    }
}

#[derive(Clone, Copy)]
enum Stream {
    Out,
    Err,
}

fn stopped(error: io::Error) -> Stopped {
    match error.kind() {
        ErrorKind::BrokenPipe => Stopped::NobodyReads,
        _ => Stopped::Failed(Report::own(format!("standard output cannot be written: {error}"))),
    }
}

/// What a function returned, on a line: a text as it is, everything else as JSON.
fn line_of(payload: &Payload) -> Vec<u8> {
    let text = match payload.encoding {
        Encoding::Json => serde_json::from_slice::<String>(&payload.bytes).ok(),
        _ => None,
    };
    let mut line = text.map_or_else(|| payload.bytes.to_vec(), String::into_bytes);
    line.push(b'\n');
    line
}

/// The error with the next step that only this command knows.
fn told(error: &Error) -> Report {
    let report = Report::from(error.clone());
    match error.log_tail().is_some_and(|tail| tail.contains("No module named 'anyplace'")) {
        true => report.help("`pip install anyplace` for that Python, or name one that has it with --python"),
        false => report,
    }
}

/// A job's values, short enough for a line.
fn shown(item: &Item) -> String {
    let values: Vec<_> = item.values().iter().map(|value| value.display().to_string()).collect();
    values.join(" ").chars().take(60).collect()
}
