//! What the person at the terminal reads when something cannot be done.

use std::fmt;
use std::io::{ErrorKind, IsTerminal, stderr};

use crate::args::Color;
use crate::exit::Exit;

/// A sentence on what went wrong, the next step, and the exit code that goes with them.
///
/// The sentence is lower case and has no final period, so that it reads well after `error: `.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    sentence: String,
    help: Option<String>,
    exit: Exit,
}

/// Whether messages are coloured; what they mean never depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    Plain,
    Colours,
}

impl Paint {
    /// The command line decides, then `NO_COLOR` (<https://no-color.org>), then whether it is a terminal.
    pub(crate) fn new(color: Color) -> Self {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        match color {
            Color::Always => Self::Colours,
            Color::Auto if stderr().is_terminal() && !is_set("NO_COLOR") && !is_dumb => Self::Colours,
            Color::Auto | Color::Never => Self::Plain,
        }
    }
}

/// What every fallible function of this crate returns.
pub(crate) type Result<T> = std::result::Result<T, Report>;

impl Report {
    /// The command line asks for something that does not exist or makes no sense (exit code 2).
    pub(crate) fn usage(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), help: None, exit: Exit::USAGE }
    }

    /// The command line is right and this machine would not do it (exit code 255).
    pub(crate) fn own(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), help: None, exit: Exit::OWN_ERROR }
    }

    /// Adds the line that says what to do next.
    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The exit code of a command that ends with this report.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// As it is printed: in colours, if that is wanted.
    pub(crate) fn shown(&self, paint: Paint) -> String {
        match paint {
            Paint::Plain => self.to_string(),
            Paint::Colours => self.to_string().replacen("error:", "\x1b[1;31merror:\x1b[0m", 1),
        }
    }

    /// The same report, with the place where it happened in front.
    #[must_use]
    pub(crate) fn at(mut self, place: impl fmt::Display) -> Self {
        self.sentence = format!("{place}: {}", self.sentence);
        self
    }
}

/// Whether writing to standard output went well enough: a pipe that is closed early is no error, since whoever reads
/// has seen enough.
pub(crate) fn written(result: std::io::Result<()>) -> Result<()> {
    match result {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Report::own(format!("standard output cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}

/// The engine's errors say what to do next, too; a wrong address is a matter of usage.
impl From<anyplace::Error> for Report {
    fn from(error: anyplace::Error) -> Self {
        let exit = match error.kind() {
            anyplace::Kind::ConfigInvalid => Exit::USAGE,
            _ => Exit::OWN_ERROR,
        };
        let sentence = match error.remote() {
            Some(remote) => format!("{error}\n{}", remote.traceback.trim_end()),
            None => error.to_string(),
        };
        Self { sentence, help: error.help().map(ToOwned::to_owned), exit }
    }
}

/// Two lines, the second only when there is help:
///
/// ```text
/// error: ...
///  help: ...
/// ```
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.sentence)?;
        match &self.help {
            Some(help) => write!(f, "\n help: {help}"),
            None => Ok(()),
        }
    }
}
