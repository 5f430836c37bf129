//! What can go wrong, said once for every place: a kind for the program, a sentence for the person, help for the
//! next step, and whether the work may have run.

use crate::keys::without_secrets;
use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

/// The result of anything a place does.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, for programs that decide by it.
///
/// Python has one exception class for each, all below `anyplace.Error`, each also the builtin one would catch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The work itself failed: it panicked, raised, or ended with a bad exit code.
    TaskFailed,
    /// The worker that ran the task died: a signal, `exit`, out of memory.
    WorkerLost,
    /// The time given was over.
    Timeout,
    /// Somebody cancelled it before it ran, or ended it while it ran.
    Cancelled,
    /// An argument, function or result cannot travel.
    NotSerializable,
    /// Two ends that do not speak the same version.
    VersionMismatch,
    /// Memory, descriptors, processes or disk are used up.
    ResourceExhausted,
    /// This place cannot do that.
    Unsupported,
    /// An address, option or number is wrong.
    ConfigInvalid,
    /// A file, program, function or name does not exist.
    NotFound,
    /// The system refused.
    PermissionDenied,
    /// Too much in too little time.
    RateLimited,
    /// The place is closed.
    PlaceClosed,
    /// Who releases something does not have it.
    NotHeld,
    /// A barrier is broken: not all have come.
    Broken,
    /// There is nothing more to come: the queue was shut down, or the pipe's other end is closed or gone.
    Ended,
    /// Nobody answers at an address, or who answers cannot be talked to.
    Unreachable,
    /// The other end of a conversation is gone.
    ConnectionLost,
    /// A fault of anyplace itself.
    Unexpected,
}

impl Kind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [Self; 19] = [
        Self::TaskFailed,
        Self::WorkerLost,
        Self::Timeout,
        Self::Cancelled,
        Self::NotSerializable,
        Self::VersionMismatch,
        Self::ResourceExhausted,
        Self::Unsupported,
        Self::ConfigInvalid,
        Self::NotFound,
        Self::PermissionDenied,
        Self::RateLimited,
        Self::PlaceClosed,
        Self::NotHeld,
        Self::Broken,
        Self::Ended,
        Self::Unreachable,
        Self::ConnectionLost,
        Self::Unexpected,
    ];

    /// The kind as one word, the same in Rust, Python and JSON lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::TaskFailed => "TaskFailed",
            Self::WorkerLost => "WorkerLost",
            Self::Timeout => "Timeout",
            Self::Cancelled => "Cancelled",
            Self::NotSerializable => "NotSerializable",
            Self::VersionMismatch => "VersionMismatch",
            Self::ResourceExhausted => "ResourceExhausted",
            Self::Unsupported => "Unsupported",
            Self::ConfigInvalid => "ConfigInvalid",
            Self::NotFound => "NotFound",
            Self::PermissionDenied => "PermissionDenied",
            Self::RateLimited => "RateLimited",
            Self::PlaceClosed => "PlaceClosed",
            Self::NotHeld => "NotHeld",
            Self::Broken => "Broken",
            Self::Ended => "Ended",
            Self::Unreachable => "Unreachable",
            Self::ConnectionLost => "ConnectionLost",
            Self::Unexpected => "Unexpected",
        }
    }

    /// The kind with this [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// May the work be done again without harm?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Retry {
    /// It would fail the same way, or it was refused for good.
    Never,
    /// It did not begin, so doing it again is harmless.
    Safe,
    /// It may have run, in part or whole: again only if the task is idempotent.
    MayRepeat,
}

/// An exception of another process, as data: it survives when the exception itself cannot travel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remote {
    /// The exception's type, as its language prints it, such as `ValueError`.
    pub type_name: String,
    /// Its message.
    pub message: String,
    /// The traceback as text, as the worker would have printed it.
    pub traceback: String,
    /// The exception itself, encoded by its language (pickle), where that was possible.
    pub payload: Option<Vec<u8>>,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Exit {
    /// It called `exit` with this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
}

impl Exit {
    /// What the kernel says of a process that has ended.
    pub(crate) fn of(status: &rustix::process::WaitIdStatus) -> Self {
        match status.exit_status() {
            Some(code) => Self::Code(code),
            None => Self::Signal(status.terminating_signal().unwrap_or(0)),
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => match signal_name(*signal) {
                Some(name) => write!(f, "signal {signal} ({name})"),
                None => write!(f, "signal {signal}"),
            },
        }
    }
}

fn signal_name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        _ => return None,
    })
}

/// What went wrong, where, whether the work may have run, and what to do next.
///
/// One pointer wide. `Display` is the sentence; [`help`](Self::help) is the next step and is printed below it.
///
/// ```
/// let error = anyplace::open("treads:8").unwrap_err();
/// assert_eq!(error.kind(), anyplace::Kind::ConfigInvalid);
/// assert!(error.help().unwrap().contains("threads"));
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: Kind,
    message: Cow<'static, str>,
    help: Option<Cow<'static, str>>,
    place: Option<String>,
    operation: Option<Cow<'static, str>>,
    attempt: u32,
    retry: Retry,
    remote: Option<Remote>,
    exit: Option<Exit>,
    log_tail: Option<String>,
    source: Option<std::sync::Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of this kind with its sentence: lower case, no final period.
    pub fn new(kind: Kind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: without_secrets(message.into()),
            help: None,
            place: None,
            operation: None,
            attempt: 0,
            retry: Retry::Never,
            remote: None,
            exit: None,
            log_tail: None,
            source: None,
        }))
    }

    /// A place that cannot do what was asked, with the places that can.
    pub fn unsupported(
        place: impl fmt::Display,
        operation: &'static str,
        help: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(Kind::Unsupported, format!("`{place}` cannot {operation}"))
            .at(place)
            .during(operation)
            .with_help(help)
    }

    /// An address, option or number that is wrong.
    pub fn config(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::ConfigInvalid, message)
    }

    /// A panic of the work, told by what it carried.
    pub fn panicked(payload: &(dyn std::any::Any + Send)) -> Self {
        let said = payload
            .downcast_ref::<&'static str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "something that is not text".to_owned());
        Self::new(Kind::TaskFailed, format!("the task panicked: {said}")).with_retry(Retry::MayRepeat)
    }

    /// Adds the next step for the person who reads it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<Cow<'static, str>>) -> Self {
        self.0.help = Some(without_secrets(help.into()));
        self
    }

    /// Adds the place, as its redacted address.
    #[must_use]
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.0.place = Some(without_secrets(place.to_string().into()).into_owned());
        self
    }

    /// Adds what was being done, such as `open` or `submit`.
    #[must_use]
    pub fn during(mut self, operation: impl Into<Cow<'static, str>>) -> Self {
        self.0.operation = Some(operation.into());
        self
    }

    /// Adds the number of the attempt that failed; the first is 1.
    #[must_use]
    pub fn on_attempt(mut self, attempt: u32) -> Self {
        self.0.attempt = attempt;
        self
    }

    /// Fills in where it happened, as far as that was not said nearer to it.
    #[must_use]
    pub(crate) fn within(mut self, place: &str, operation: &'static str) -> Self {
        self.0.place.get_or_insert_with(|| place.to_owned());
        self.0.operation.get_or_insert(operation.into());
        self
    }

    /// Says it as another kind, in other words; all else that is known stays.
    #[must_use]
    pub(crate) fn told_as(mut self, kind: Kind, message: String) -> Self {
        self.0.kind = kind;
        self.0.message = without_secrets(message.into());
        self
    }

    /// Says it in other words; all else that is known stays.
    #[must_use]
    pub(crate) fn reworded(mut self, message: String) -> Self {
        self.0.message = without_secrets(message.into());
        self
    }

    /// Says whether the work may have run.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.0.retry = retry;
        self
    }

    /// Adds the exception of the other process.
    #[must_use]
    pub fn with_remote(mut self, remote: Remote) -> Self {
        self.0.remote = Some(remote);
        self
    }

    /// Adds how the process ended.
    #[must_use]
    pub fn with_exit(mut self, exit: Exit) -> Self {
        self.0.exit = Some(exit);
        self
    }

    /// Adds the last lines that the worker wrote on its standard error.
    #[must_use]
    pub fn with_log_tail(mut self, tail: impl Into<String>) -> Self {
        let tail = tail.into();
        self.0.log_tail = (!tail.is_empty()).then_some(tail);
        self
    }

    /// Adds the error below this one.
    #[must_use]
    pub fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.source = Some(std::sync::Arc::new(source));
        self
    }

    /// What went wrong, for programs.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The sentence alone.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The next step, if there is one.
    pub fn help(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    /// The place's address, without its secrets.
    pub fn place(&self) -> Option<&str> {
        self.0.place.as_deref()
    }

    /// What was being done.
    pub fn operation(&self) -> Option<&str> {
        self.0.operation.as_deref()
    }

    /// Which attempt failed, from 1; 0 if no attempt was made.
    pub fn attempt(&self) -> u32 {
        self.0.attempt
    }

    /// Whether the work may be done again.
    pub fn retry(&self) -> Retry {
        self.0.retry
    }

    /// The exception of the other process.
    pub fn remote(&self) -> Option<&Remote> {
        self.0.remote.as_ref()
    }

    /// How the process ended.
    pub fn exit(&self) -> Option<Exit> {
        self.0.exit
    }

    /// The last lines of the worker's standard error.
    pub fn log_tail(&self) -> Option<&str> {
        self.0.log_tail.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.kind.name(), self.0.message)?;
        if let Some(place) = &self.0.place {
            write!(f, "\n  place: {place}")?;
        }
        if let Some(operation) = &self.0.operation {
            write!(f, "\n  while: {operation}")?;
        }
        if self.0.attempt > 0 {
            write!(f, "\n  attempt: {}, again: {:?}", self.0.attempt, self.0.retry)?;
        }
        if let Some(exit) = self.0.exit {
            write!(f, "\n  worker: {exit}")?;
        }
        if let Some(tail) = &self.0.log_tail {
            write!(f, "\n  its last lines:\n{tail}")?;
        }
        if let Some(remote) = &self.0.remote {
            write!(f, "\n{}", remote.traceback)?;
        }
        if let Some(source) = &self.0.source {
            write!(f, "\n  because: {source}")?;
        }
        if let Some(help) = &self.0.help {
            write!(f, "\n  help: {help}")?;
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_ref().map(|source| &**source as &(dyn StdError + 'static))
    }
}

/// The standard library has no kind for "too many open files", of the process or of the system.
fn is_out_of_descriptors(error: &std::io::Error) -> bool {
    use rustix::io::Errno;
    let code = error.raw_os_error();
    [Errno::MFILE, Errno::NFILE].iter().any(|errno| code == Some(errno.raw_os_error()))
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind as Io;
        let kind = match error.kind() {
            Io::NotFound => Kind::NotFound,
            Io::PermissionDenied => Kind::PermissionDenied,
            Io::TimedOut => Kind::Timeout,
            Io::OutOfMemory | Io::WouldBlock | Io::StorageFull => Kind::ResourceExhausted,
            _ if is_out_of_descriptors(&error) => Kind::ResourceExhausted,
            _ => Kind::Unexpected,
        };
        Self::new(kind, error.to_string()).with_source(error)
    }
}
