//! What a transfer shows on standard error: a bar while it runs, whatever is not as it should be, and a line at its end.

use std::io::{Write, stderr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyplace::net::files::{Ended, Event, Transfer};

use crate::args;
use crate::progress::{Progress, Shown, time};
use crate::report::Report;
use crate::size;

/// What a transfer shows.
pub(super) struct Show {
    verb: &'static str,
    begun: Instant,
    state: Arc<Mutex<State>>,
}

struct State {
    progress: Progress,
    so_far: SoFar,
}

/// How far it is.
#[derive(Debug, Default)]
struct SoFar {
    /// The file that is on its way, how long it is, and how much of it is there.
    file: Option<(String, u64, u64)>,
    done: u64,
    bytes: u64,
}

impl Show {
    pub(super) fn new(verb: &'static str, progress: args::Progress) -> Self {
        let state = State { progress: Progress::new(progress), so_far: SoFar::default() };
        Self { verb, begun: Instant::now(), state: Arc::new(Mutex::new(state)) }
    }

    /// What a transfer is to be watched by.
    pub(super) fn watcher(&self) -> impl FnMut(Event<'_>) + Send + 'static {
        let state = self.state.clone();
        move |event| state.lock().unwrap_or_else(PoisonError::into_inner).note(event)
    }

    /// Wipes the bar, and says what came of it.
    pub(super) fn end(&self, ended: anyplace::Result<Transfer>) -> Result<Transfer, Report> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).progress.make_way();
        let transfer = ended?;
        say(&summary(self.verb, &transfer, self.begun.elapsed()));
        Ok(transfer)
    }
}

impl State {
    fn note(&mut self, event: Event<'_>) {
        match event {
            Event::Begins { path, length, from } => self.so_far.file = Some((shown(path), length, from)),
            Event::Moves(bytes) => {
                self.so_far.bytes += bytes;
                if let Some((_, _, at)) = &mut self.so_far.file {
                    *at += bytes;
                }
            }
            Event::Ends { path, ended } => {
                self.so_far.done += 1;
                if !matches!(ended, Ended::Written | Ended::There) {
                    self.progress.make_way();
                    say(&format!("{}: {ended}", shown(path)));
                }
            }
            _ => {}
        }
        self.progress.draw(&self.so_far);
    }
}

impl Shown for SoFar {
    fn share(&self) -> Option<(u64, u64)> {
        self.file.as_ref().map(|(_, length, at)| (*at, *length))
    }

    fn line(&self, elapsed: Duration) -> String {
        let rate = rate(self.bytes, elapsed);
        let mut line = format!("{}, {}/s", size::shown(self.bytes), size::shown(rate));
        let Some((name, length, at)) = &self.file else { return line };
        if rate > 0 && length > at {
            line.push_str(&format!(", {} left", time((length - at) as f64 / rate as f64)));
        }
        let count = if self.done > 1 { format!("{} done, ", self.done) } else { String::new() };
        format!("{count}{name}: {line}")
    }
}

/// `sent 3 files in 2 folders, 1.2 GiB in 0.8s (1.5 GiB/s); 1 was there already, 2 failed`.
fn summary(verb: &str, transfer: &Transfer, elapsed: Duration) -> String {
    let mut line = format!("{verb} {}", counted(transfer.files, "file"));
    if transfer.folders > 0 {
        line.push_str(&format!(" in {}", counted(transfer.folders, "new folder")));
    }
    let (bytes, rate) = (size::shown(transfer.bytes), size::shown(rate(transfer.bytes, elapsed)));
    line.push_str(&format!(", {bytes} in {} ({rate}/s)", time(elapsed.as_secs_f64())));
    let was = if transfer.there == 1 { "was there already" } else { "were there already" };
    let rest = [(transfer.there, was), (transfer.skipped, "skipped"), (transfer.failed, "failed")];
    let rest: Vec<_> =
        rest.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    if !rest.is_empty() {
        line.push_str(&format!("; {}", rest.join(", ")));
    }
    line
}

fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a rate for people"
)]
fn rate(bytes: u64, elapsed: Duration) -> u64 {
    (bytes as f64 / elapsed.as_secs_f64().max(0.001)) as u64
}

/// A name is a stranger's: what could move the cursor is not in it.
fn shown(path: &Path) -> String {
    let name = path.to_string_lossy();
    name.chars().map(|letter| if letter.is_control() { '?' } else { letter }).collect()
}

/// Nobody may read our standard error; that is no reason to stop.
pub(super) fn say(line: &str) {
    drop(writeln!(stderr(), "{line}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_is_on_its_way() {
        let elapsed = Duration::from_secs(2);
        let file = Some(("film.mkv".to_owned(), 100 << 20, 40 << 20));
        let so_far = SoFar { file, done: 1, bytes: 40 << 20 };
        insta::assert_snapshot!(so_far.line(elapsed), @"film.mkv: 40 MiB, 20 MiB/s, 3.0s left");
        let so_far = SoFar { done: 7, ..so_far };
        insta::assert_snapshot!(so_far.line(elapsed), @"7 done, film.mkv: 40 MiB, 20 MiB/s, 3.0s left");
        insta::assert_snapshot!(SoFar::default().line(elapsed), @"0 B, 0 B/s");
    }

    #[test]
    fn a_name_moves_no_cursor() {
        assert_eq!(shown(Path::new("a\x1b[2J\r\nb\u{9b}c")), "a?[2J??b?c");
    }
}
