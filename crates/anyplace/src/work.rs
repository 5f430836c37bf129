//! What to do, in the four kinds a place may take.

mod bytes;
mod packed;
mod payload;

pub use crate::wire::plain;
pub use bytes::{Bytes, Owner};
pub use packed::{Packed, Packer, Payloads};
pub use payload::{Encoding, Payload, PayloadRef};

use crate::context::Context;
use crate::outcome::{Done, Outcome};
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// What to do. A place says in its [`Limits`](crate::Limits) which kinds it takes.
#[derive(Debug)]
pub enum Work {
    /// A closure or a future of this process; it never leaves it.
    Call(Call),
    /// A function known by name at the other end, with encoded arguments.
    Named(Named),
    /// A Python callable, encoded by pickle, with encoded arguments.
    Pickled(Pickled),
    /// A program with its arguments.
    Command(Command),
}

/// The kinds of [`Work`], for saying what a place takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WorkKind {
    /// A closure that returns when it is done.
    Closure,
    /// A future, or a coroutine of another language.
    Future,
    /// A function by name.
    Named,
    /// A pickled Python callable.
    Pickled,
    /// A program.
    Command,
}

impl Work {
    /// Which kind it is.
    pub fn kind(&self) -> WorkKind {
        match self {
            Self::Call(Call::Closure(_)) => WorkKind::Closure,
            Self::Call(Call::Future(_)) => WorkKind::Future,
            Self::Named(_) => WorkKind::Named,
            Self::Pickled(_) => WorkKind::Pickled,
            Self::Command(_) => WorkKind::Command,
        }
    }

    /// The same work once more, for another attempt; `None` if the first attempt uses it up.
    pub fn again(&self) -> Option<Self> {
        Some(match self {
            Self::Call(Call::Closure(closure)) => Self::Call(Call::Closure(closure.again()?)),
            Self::Call(Call::Future(future)) => Self::Call(Call::Future(future.again()?)),
            Self::Named(named) => Self::Named(named.clone()),
            Self::Pickled(pickled) => Self::Pickled(pickled.clone()),
            Self::Command(command) => Self::Command(command.clone()),
        })
    }
}

impl WorkKind {
    /// How errors call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Closure => "a closure",
            Self::Future => "a future or coroutine",
            Self::Named => "a named function",
            Self::Pickled => "a Python callable",
            Self::Command => "a command",
        }
    }
}

/// Work of this process.
pub enum Call {
    /// Runs to its end on the worker's thread.
    Closure(Box<dyn Closure>),
    /// Is started, and says later that it is done.
    Future(Box<dyn Future>),
}

/// A closure as work. The Python face implements it for a callable with its arguments.
pub trait Closure: Send {
    /// Does the work. Panics are caught by the caller.
    fn run(self: Box<Self>, context: &Context) -> Outcome;

    /// The same work once more; `None` if `run` uses it up.
    fn again(&self) -> Option<Box<dyn Closure>> {
        None
    }
}

/// Asynchronous work. Rust futures and Python coroutines implement it.
pub trait Future: Send {
    /// Starts the work and returns at once; `done` is called when it ends. The result ends it early when called.
    ///
    /// `runtime` is where Rust futures are spawned; coroutines of another language bring their own loop.
    fn start(self: Box<Self>, context: Context, runtime: &dyn Spawn, done: Done) -> Abort;

    /// The same work once more; `None` if `start` uses it up.
    fn again(&self) -> Option<Box<dyn Future>> {
        None
    }
}

/// Where Rust futures run.
pub trait Spawn {
    /// Drives the future to its end, or until the returned [`Abort`] is called.
    fn spawn(&self, future: std::pin::Pin<Box<dyn std::future::Future<Output = ()> + Send>>) -> Abort;
}

/// Ends started work early: the work sees it at its next await, and its `done` is still called.
pub type Abort = Box<dyn Fn() + Send + Sync>;

impl<F: FnOnce(&Context) -> Outcome + Send> Closure for F {
    fn run(self: Box<Self>, context: &Context) -> Outcome {
        self(context)
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closure(_) => "Closure",
            Self::Future(_) => "Future",
        })
    }
}

/// A function by name with the arguments of one or more calls.
///
/// A chunk of a map is one work with many calls: its outcome is [`Value::Items`](crate::Value::Items), one per call.
#[derive(Clone, Debug)]
pub struct Named {
    /// `crate::module::function` of a `#[anyplace::task]`, or `module:function` of Python.
    pub name: Arc<str>,
    /// What to call it with.
    pub arguments: Arguments,
}

/// A pickled callable with the arguments of one or more calls.
#[derive(Clone, Debug)]
pub struct Pickled {
    /// The callable: sent once to each worker, under the hash of its bytes.
    pub function: Arc<Function>,
    /// What to call it with.
    pub arguments: Arguments,
}

/// A callable as bytes, with the name errors and traces show.
#[derive(Debug)]
pub struct Function {
    /// Tells it from every other callable: a hash of `bytes`.
    pub id: u64,
    /// The callable's qualified name.
    pub name: String,
    /// Its pickle.
    pub bytes: Bytes,
}

/// The arguments of one call, or of each item of a chunk.
#[derive(Clone, Debug)]
pub enum Arguments {
    /// One call; its outcome stands alone.
    One(Payload),
    /// One call per item, in order; all outcomes come back together as `Value::Items`.
    Each(Packed),
}

impl Arguments {
    /// How many calls.
    pub fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Each(items) => items.len(),
        }
    }

    /// Whether there is nothing to call.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The arguments of each call.
    pub fn iter(&self) -> impl Iterator<Item = PayloadRef<'_>> {
        let (one, each) = match self {
            Self::One(payload) => (Some(payload.as_ref()), None),
            Self::Each(items) => (None, Some(items.iter())),
        };
        one.into_iter().chain(each.into_iter().flatten())
    }
}

/// A program to run: nothing in it is read by a shell unless the program is one.
///
/// Standard input is empty unless `stdin` is set. The child gets a process group of its own.
#[derive(Clone, Debug, Default)]
pub struct Command {
    /// The program and its arguments.
    pub argv: Vec<OsString>,
    /// Variables added to the environment.
    pub env: Vec<(OsString, OsString)>,
    /// Where it runs; the caller's folder if unset.
    pub cwd: Option<PathBuf>,
    /// What it reads on standard input.
    pub stdin: Option<Vec<u8>>,
}

impl Command {
    /// A command from its words, the program first.
    pub fn new<W: Into<OsString>>(argv: impl IntoIterator<Item = W>) -> Self {
        Self { argv: argv.into_iter().map(Into::into).collect(), ..Self::default() }
    }
}
