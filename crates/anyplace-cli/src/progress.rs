//! How far a run is, on standard error only: a bar on a terminal, else now and then a line.

use std::io::{self, IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

use crate::args;

/// What a run has done so far.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) begun: u64,
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
    pub(crate) retried: u64,
    /// How many jobs there will be, once that is known.
    pub(crate) total: Option<u64>,
}

/// What can be drawn.
pub(crate) trait Shown {
    /// How much of how much is done, once that is known.
    fn share(&self) -> Option<(u64, u64)>;

    /// What is said beside the bar.
    fn line(&self, elapsed: Duration) -> String;
}

impl Shown for Counts {
    fn share(&self) -> Option<(u64, u64)> {
        self.total.map(|total| (self.done(), total))
    }

    fn line(&self, elapsed: Duration) -> String {
        line(self, elapsed)
    }
}

impl Counts {
    fn done(&self) -> u64 {
        self.succeeded + self.failed
    }
}

/// Draws a run's progress.
#[derive(Debug)]
pub(crate) struct Progress {
    how: How,
    begun: Instant,
    next: Instant,
    /// A bar is on the screen and has to be wiped before anything else is printed.
    drawn: bool,
    /// Something was shown before.
    shown: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Bar,
    /// Lines; `always` one at the end, else only if there was one before.
    Counter {
        always: bool,
    },
    Nothing,
}

/// A bar that moves smoothly, and never so often that drawing costs anything.
const BAR_EVERY: Duration = Duration::from_millis(100);
const LINE_EVERY: Duration = Duration::from_secs(10);
const BAR_WIDTH: u64 = 30;

impl Progress {
    pub(crate) fn new(asked: args::Progress) -> Self {
        let how = match asked {
            args::Progress::Bar => How::Bar,
            args::Progress::Auto if is_live_terminal() => How::Bar,
            args::Progress::Auto => How::Counter { always: false },
            args::Progress::Counter => How::Counter { always: true },
            args::Progress::None => How::Nothing,
        };
        let begun = Instant::now();
        Self { how, begun, next: begun + how.every(), drawn: false, shown: false }
    }

    /// How long until it wants to be drawn.
    pub(crate) fn next_draw(&self) -> Option<Duration> {
        (self.how != How::Nothing).then(|| self.next.saturating_duration_since(Instant::now()))
    }

    /// Draws the present state; nobody who reads it is no reason to stop.
    pub(crate) fn draw(&mut self, state: &impl Shown) {
        let now = Instant::now();
        if now < self.next {
            return;
        }
        self.next = now + self.how.every();
        drop(self.show(state));
    }

    fn show(&mut self, state: &impl Shown) -> io::Result<()> {
        let line = state.line(self.begun.elapsed());
        self.shown = true;
        match self.how {
            How::Bar => {
                self.drawn = true;
                write!(stderr(), "\r\x1b[K{}", fitted(&bar(state.share()), &line, columns()))
            }
            How::Counter { .. } => writeln!(stderr(), "{line}"),
            How::Nothing => Ok(()),
        }
    }

    /// Wipes the bar, so that something else can be printed. It comes back right after that: else it would be out of
    /// sight most of the time while hundreds of results a second pass.
    pub(crate) fn make_way(&mut self) {
        if std::mem::take(&mut self.drawn) {
            self.next = Instant::now();
            drop(write!(stderr(), "\r\x1b[K"));
        }
    }

    /// Says that Ctrl-C was heard, to whoever pressed it.
    pub(crate) fn say_ending(&mut self, running: usize) {
        self.make_way();
        if stderr().is_terminal() && running > 0 {
            let jobs = if running == 1 { "the job that runs" } else { "the jobs that run" };
            drop(writeln!(stderr(), "ending {jobs}; press Ctrl-C again to kill"));
        }
    }

    /// Leaves the last state on the screen where that is wanted.
    pub(crate) fn finish(&mut self, counts: &Counts) {
        self.make_way();
        let wanted = match self.how {
            How::Bar => self.shown || counts.failed > 0,
            How::Counter { always } => self.shown || always,
            How::Nothing => false,
        };
        if wanted {
            drop(writeln!(stderr(), "{}", line(counts, self.begun.elapsed())));
        }
    }
}

impl How {
    fn every(self) -> Duration {
        match self {
            Self::Bar => BAR_EVERY,
            Self::Counter { .. } | Self::Nothing => LINE_EVERY,
        }
    }
}

/// A terminal that can move its cursor, with somebody in front of it.
fn is_live_terminal() -> bool {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    stderr().is_terminal() && variable("TERM").is_none_or(|term| term != "dumb") && variable("CI").is_none()
}

/// `[######........................] `, or nothing while the end is not known.
fn bar(share: Option<(u64, u64)>) -> String {
    let Some((done, total)) = share.filter(|(_, total)| *total > 0) else { return String::new() };
    let full =
        (u128::from(done) * u128::from(BAR_WIDTH) / u128::from(total)).min(u128::from(BAR_WIDTH)) as u64;
    let cells = |letter: &str, count: u64| letter.repeat(usize::try_from(count).unwrap_or(0));
    format!("[{}{}] ", cells("#", full), cells(".", BAR_WIDTH - full))
}

/// What fits: a line that wraps could not be wiped. A narrow terminal loses the bar before the numbers.
fn fitted(bar: &str, line: &str, columns: usize) -> String {
    let bar = if bar.len() + line.len() < columns { bar } else { "" };
    bar.chars().chain(line.chars()).take(columns.saturating_sub(1)).collect()
}

/// How wide the terminal is; one that does not say may be as wide as it likes.
fn columns() -> usize {
    let size = rustix::termios::tcgetwinsize(stderr()).ok();
    size.map(|size| usize::from(size.ws_col)).filter(|&columns| columns > 0).unwrap_or(usize::MAX)
}

/// `30 of 120 done, 2 failed, 1 retried, 15.0/s, 6s left`.
#[allow(clippy::cast_precision_loss, reason = "a rate for people")]
fn line(counts: &Counts, elapsed: Duration) -> String {
    let done = counts.done();
    let mut line = match counts.total {
        Some(total) => format!("{done} of {total} done"),
        None => format!("{done} done, more to come"),
    };
    let extra = [(counts.failed, "failed"), (counts.retried, "retried")];
    for (count, what) in extra.into_iter().filter(|(count, _)| *count > 0) {
        line.push_str(&format!(", {count} {what}"));
    }
    let rate = done as f64 / elapsed.as_secs_f64().max(0.001);
    line.push_str(&format!(", {rate:.1}/s"));
    match counts.total.map(|total| total.saturating_sub(done)) {
        Some(left) if left > 0 && done > 0 => {
            line.push_str(&format!(", {} left", time(left as f64 / rate)));
        }
        Some(0) => line.push_str(&format!(", took {}", time(elapsed.as_secs_f64()))),
        _ => {}
    }
    line
}

/// Seconds as people read them: `8.2s`, `45s`, `3m07s`, `2h05m`.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and saturates")]
pub(crate) fn time(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..10 => format!("{seconds:.1}s"),
        10..60 => format!("{whole}s"),
        60..3600 => format!("{}m{:02}s", whole / 60, whole % 60),
        _ => format!("{}h{:02}m", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_that_made_way_comes_back_at_once() {
        let mut progress = Progress::new(args::Progress::Bar);
        assert!(progress.next_draw().is_some_and(|wait| !wait.is_zero()));
        progress.drawn = true;
        progress.make_way();
        assert_eq!(progress.next_draw(), Some(Duration::ZERO));
    }

    #[test]
    fn a_line_says_what_is_known() {
        let elapsed = Duration::from_secs(2);
        let counts = Counts { begun: 40, succeeded: 28, failed: 2, retried: 1, total: Some(120) };
        insta::assert_snapshot!(line(&counts, elapsed), @"30 of 120 done, 2 failed, 1 retried, 15.0/s, 6.0s left");
        let endless = Counts { total: None, failed: 0, retried: 0, ..counts };
        insta::assert_snapshot!(line(&endless, elapsed), @"28 done, more to come, 14.0/s");
        let over = Counts { succeeded: 120, failed: 0, retried: 0, ..counts };
        insta::assert_snapshot!(line(&over, Duration::from_secs(187)), @"120 of 120 done, 0.6/s, took 3m07s");
    }

    #[test]
    fn a_line_never_wraps_since_it_could_not_be_wiped() {
        assert_eq!(fitted("[#.] ", "1 of 2 done", 17), "[#.] 1 of 2 done");
        assert_eq!(fitted("[#.] ", "1 of 2 done", 16), "1 of 2 done");
        assert_eq!(fitted("[#.] ", "1 of 2 done", 8), "1 of 2 ");
    }

    #[test]
    fn a_bar_fills_with_what_is_done() {
        let bar_of = |succeeded, total| bar(Counts { succeeded, total, ..Counts::default() }.share());
        assert_eq!(bar(Some((u64::MAX, u64::MAX))), format!("[{}] ", "#".repeat(30)));
        assert_eq!(bar_of(1, None), "");
        assert_eq!(bar_of(0, Some(2)), format!("[{}] ", ".".repeat(30)));
        assert_eq!(bar_of(1, Some(2)), format!("[{}{}] ", "#".repeat(15), ".".repeat(15)));
        assert_eq!(bar_of(2, Some(2)), format!("[{}] ", "#".repeat(30)));
    }
}
