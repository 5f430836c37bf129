//! A command line that can be run and shown, so that what failed can be repeated by one line.

use crate::counts::Counts;
use std::ffi::OsStr;
use std::fmt;
use std::io::{BufRead, BufReader, PipeReader, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// No step needs longer; what does, hangs.
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// How long the output of a program may stay open after its end, before something it left behind holds it.
const LINGER: Duration = Duration::from_secs(10);

/// A program with its arguments and the variables it is given.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    env: Vec<(String, String)>,
    words: Vec<String>,
}

/// How a line ended.
#[derive(Debug)]
pub(crate) struct Ran {
    /// What its output says about passed, failed and skipped tests.
    pub(crate) counts: Counts,
    /// Why it failed, if it did.
    pub(crate) failure: Option<String>,
}

impl Line {
    /// A line from its words, which are separated by single spaces.
    pub(crate) fn of(words: &str) -> Self {
        Self { env: vec![], words: words.split(' ').map(String::from).collect() }
    }

    /// A line that begins with a program given as a path.
    pub(crate) fn program(program: &Path, words: &str) -> Self {
        let mut line = Self { env: vec![], words: vec![program.display().to_string()] };
        line.words.extend(words.split(' ').map(String::from));
        line
    }

    /// Adds one word as it is.
    pub(crate) fn arg(mut self, word: impl AsRef<Path>) -> Self {
        self.words.push(word.as_ref().display().to_string());
        self
    }

    /// Sets a variable.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.into(), value.as_ref().to_string_lossy().into_owned()));
        self
    }

    /// Runs it, showing its output as it comes.
    pub(crate) fn run(&self) -> Ran {
        let mut counts = Counts::default();
        let failure = self.watch(&mut counts).err();
        Ran { counts, failure }
    }

    fn watch(&self, counts: &mut Counts) -> Result<(), String> {
        let (mut child, output) = self.start().map_err(|error| format!("{}: {error}", self.words[0]))?;
        let (sender, receiver) = channel();
        let shows = std::thread::spawn(move || show(output, &sender));
        let status = wait(&mut child, &receiver)?;
        *counts = shows.join().expect("showing lines does not panic");
        if status.success() { Ok(()) } else { Err(status.to_string()) }
    }

    fn start(&self) -> std::io::Result<(Child, PipeReader)> {
        let (reader, writer) = std::io::pipe()?;
        let child = self.command().stdout(writer.try_clone()?).stderr(writer).spawn()?;
        Ok((child, reader))
    }

    /// The line as a command to start, reading nothing.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).stdin(std::process::Stdio::null());
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// Shows each line of the output and counts what it reports; says through `ended` when there is no more.
fn show(output: PipeReader, ended: &std::sync::mpsc::Sender<()>) -> Counts {
    let mut counts = Counts::default();
    let mut lines = BufReader::new(output).split(b'\n');
    while let Some(Ok(bytes)) = lines.next() {
        let line = String::from_utf8_lossy(&bytes);
        println!("{line}");
        counts.read(&line);
    }
    // Nobody is there to hear if the terminal is gone, or if waiting has been given up.
    let (_, _) = (std::io::stdout().flush(), ended.send(()));
    counts
}

/// Waits for the end of the program and of its output. A program that leaves a process behind, which holds the
/// output open, fails.
fn wait(child: &mut Child, ended: &Receiver<()>) -> Result<ExitStatus, String> {
    let began = Instant::now();
    let mut exited = None;
    while ended.recv_timeout(Duration::from_millis(200)) == Err(RecvTimeoutError::Timeout) {
        if exited.is_none() && child.try_wait().map_err(|error| error.to_string())?.is_some() {
            exited = Some(Instant::now());
        }
        if exited.is_some_and(|at| at.elapsed() > LINGER) {
            return Err("it ended, but a process that it left behind still holds its output".into());
        }
        if began.elapsed() > LIMIT {
            drop(child.kill());
            return Err(format!("it was still running after {} minutes", LIMIT.as_secs() / 60));
        }
    }
    child.wait().map_err(|error| error.to_string())
}

/// As it can be typed into a shell.
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.env {
            write!(f, "{name}={} ", quoted(value))?;
        }
        let words: Vec<String> = self.words.iter().map(|word| quoted(word)).collect();
        f.write_str(&words.join(" "))
    }
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.into();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_shows_as_it_can_be_typed() {
        let line = Line::of("cargo test").env("RUSTFLAGS", "--cfg loom").arg("it's");
        assert_eq!(line.to_string(), r"RUSTFLAGS='--cfg loom' cargo test 'it'\''s'");
    }

    #[test]
    fn the_output_is_counted_and_the_status_told() {
        let ran =
            Line::of("sh -c").arg("echo 'test result: FAILED. 2 passed; 1 failed; 0 ignored'; exit 3").run();
        assert_eq!((ran.counts.passed, ran.counts.failed), (2, 1));
        assert_eq!(ran.failure.unwrap(), "exit status: 3");
    }

    #[test]
    fn a_missing_program_is_named() {
        let ran = Line::of("no-such-program-here").run();
        assert!(ran.failure.unwrap().starts_with("no-such-program-here: "));
    }
}
