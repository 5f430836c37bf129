//! Servers in programs of their own.

use crate::Result;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

type Cases = &'static [&'static str];

/// Who serves, and in which program.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) who: &'static str,
    program: Program,
    /// The cases that its numbers belong to.
    pub(super) tells_of: Cases,
}

#[derive(Debug)]
enum Program {
    Python(&'static str),
    Rust(&'static str),
}

impl Kind {
    pub(super) const fn python(who: &'static str, name: &'static str, tells_of: Cases) -> Self {
        Self { who, program: Program::Python(name), tells_of }
    }

    pub(super) const fn rust(who: &'static str, name: &'static str, tells_of: Cases) -> Self {
        Self { who, program: Program::Rust(name), tells_of }
    }

    fn command(&self) -> Result<Command> {
        match self.program {
            Program::Python(name) => {
                let python = std::env::var("ANYPLACE_BENCH_PYTHON").unwrap_or_else(|_| "python3".into());
                let mut command = Command::new(python);
                command.args(["bench/suites/net/echo.py", name]);
                Ok(command)
            }
            Program::Rust(name) => {
                let this = std::env::current_exe().map_err(|error| error.to_string())?;
                let mut command = Command::new(this.with_file_name("echo"));
                command.arg(name);
                Ok(command)
            }
        }
    }
}

/// A server that runs until this is dropped.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    pub(super) address: String,
}

impl Running {
    pub(super) fn start(kind: &Kind) -> Result<Self> {
        let told = |error: std::io::Error| format!("the server of {}: {error}", kind.who);
        let mut command = kind.command()?;
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(told)?;
        let mut address = String::new();
        let output = child.stdout.take().expect("its output is piped");
        BufReader::new(output).read_line(&mut address).map_err(told)?;
        Ok(Self { child, address: address.trim().to_owned() })
    }

    /// How long its threads have run so far.
    pub(super) fn processor_time(&self) -> Result<Duration> {
        let path = format!("/proc/{}/task", self.child.id());
        let threads = std::fs::read_dir(&path).map_err(|error| format!("{path}: {error}"))?;
        // A thread that has just ended has nothing to say any more.
        let told =
            threads.filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok());
        let nanoseconds = told.filter_map(|told| told.split(' ').next()?.parse::<u64>().ok());
        Ok(Duration::from_nanos(nanoseconds.sum()))
    }

    /// The memory that it has for itself.
    pub(super) fn megabytes(&self) -> Result<f64> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.trim().split(' ').next()?.parse::<f64>().ok());
        kilobytes.map(|kilobytes| kilobytes / 1024.0).ok_or_else(|| format!("{path} says nothing of memory"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        drop(self.child.wait());
    }
}
