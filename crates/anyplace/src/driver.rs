//! The contract between a place and what makes it work. A new kind of place implements [`Driver`] and one or more
//! families; nothing else in the engine knows it.

use crate::address::Address;
use crate::error::{Error, Kind, Result};
use crate::outcome::Done;
use crate::serve::objects::{self, Proxy};
use crate::share::{Guest, Object, Why, Wish};
use crate::task::Task;
use crate::work::{Bytes, Payload, WorkKind};
use std::ffi::OsString;
use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Makes one kind of place work. Which families it supports is which methods it overrides.
pub trait Driver: Send + Sync + Debug + 'static {
    /// The place's address, as opened: defaults filled in, layers left out.
    fn address(&self) -> &Address;

    /// What is true of this place: few, factual numbers.
    fn limits(&self) -> Limits;

    /// Runs tasks.
    ///
    /// # Errors
    /// `Unsupported` where the place runs none.
    fn tasks(&self) -> Result<Arc<dyn Tasks>> {
        Err(Error::unsupported(
            self.address(),
            "run tasks",
            "open a place that can, such as `threads:` or `processes:`",
        ))
    }

    /// What tasks and their callers share.
    ///
    /// # Errors
    /// `Unsupported` where the place shares nothing.
    fn share(&self) -> Result<Arc<dyn Share>> {
        Err(Error::unsupported(
            self.address(),
            "share objects",
            "open a place that can, such as `threads:` or `processes:`",
        ))
    }

    /// Keeps objects that are called from elsewhere, and their names.
    ///
    /// # Errors
    /// `Unsupported` where the place keeps none.
    fn serve(&self) -> Result<Arc<dyn Serve>> {
        Err(Error::unsupported(
            self.address(),
            "keep objects",
            "open a place that can, such as `threads:` or `processes:`",
        ))
    }

    /// Where large values are put so that the place's workers read them without a copy; `None` where there is no such
    /// memory, and values are copied on their way.
    fn memory(&self) -> Option<Arc<dyn Memory>> {
        None
    }

    /// Nobody may wait for the tasks any more: from now on the driver brings their outcomes without being asked, and those
    /// that are there at once.
    ///
    /// A driver whose workers tell outcomes by themselves leaves it out.
    fn attend(&self) {}

    /// What has broken the place for ever; then `submit` gives this error at once.
    ///
    /// A driver in which a failure costs no more than its task leaves it out.
    fn broken(&self) -> Option<Error> {
        None
    }

    /// A caller could not read what a task returned: gives the error to tell it if that breaks the place for ever.
    ///
    /// A driver in which a failure costs no more than its task leaves it out.
    fn reject(&self, unreadable: Error) -> Option<Error> {
        drop(unreadable);
        None
    }

    /// The place was cancelled: tasks that wait in the driver get their outcome now, not when a worker is free.
    ///
    /// A driver in which none wait for long leaves it out: [`Task::start`] refuses them when their turn comes.
    fn cancel(&self) {}

    /// Ends the place: all that it started is gone when this returns. Whoever waits for a shared object is told first. Tasks that still run get `grace` to end, then
    /// are ended by force where the place can.
    ///
    /// # Errors
    /// What could not be ended.
    fn close(&self, grace: Duration) -> Result<()>;
}

/// The Tasks family: takes a task and says later how it ended.
pub trait Tasks: Send + Sync + Debug {
    /// Accepts the task and returns without waiting for it (but `inline:` runs it first). `done` is called exactly
    /// once; a task that cannot be accepted is told through `done` too.
    ///
    /// A driver asks [`Task::start`] right before it runs the task, and runs it only if that says so.
    fn submit(&self, task: Task, done: Done);
}

/// The Share family: finds and makes the objects that tasks and their callers have in common. Typed handles come from
/// its methods, which [`Place`](crate::Place) has, too.
pub trait Share: Send + Sync + Debug {
    /// The object of this name, made as wished if there is none; a new one without a name if `name` is empty.
    ///
    /// # Errors
    /// `ConfigInvalid` for a name that is too long, `PlaceClosed`, and what the system says if there is no room.
    fn open(&self, name: &str, wish: &Wish<'_>) -> Result<Object>;

    /// Who has and who waits for what.
    fn why(&self) -> Why;

    /// The same objects for somebody for whom this process acts, such as a client of a place that is offered: what they hold
    /// passes on when this is dropped, as if their process had been killed.
    ///
    /// # Errors
    /// `Unsupported` where only this process can hold something; `ResourceExhausted` if nobody else can come in.
    fn guest(&self, from: &str, process: u32) -> Result<Guest> {
        let (_, _) = (from, process);
        Err(Error::new(Kind::Unsupported, "what is shared in that place stays within one process")
            .during("share")
            .with_help("offer a place of processes, such as `processes:`, to share objects with its clients"))
    }
}

/// The Serve family: makes objects that are called from elsewhere, and finds them by their names.
pub trait Serve: Send + Sync + Debug {
    /// Makes an object where the place keeps objects. It stays for as long as somebody has a proxy of it.
    ///
    /// # Errors
    /// What making it failed with; `Unsupported` if the place cannot make such an object.
    fn create(&self, recipe: Recipe) -> Result<Proxy>;

    /// Lets others find the object by this name. What they may use of it is decided by now: see [`Place::publish`](crate::Place::publish).
    ///
    /// # Errors
    /// `ConfigInvalid` if the name is taken.
    fn publish(&self, name: &str, object: &Proxy) -> Result<()>;

    /// Takes the name away; false if there was no such name.
    ///
    /// # Errors
    /// As the place's other verbs.
    fn unpublish(&self, name: &str) -> Result<bool>;

    /// The object of this name.
    ///
    /// # Errors
    /// `NotFound`, with the nearest spelling.
    fn find(&self, name: &str) -> Result<Proxy>;

    /// All names, in order.
    ///
    /// # Errors
    /// As the place's other verbs.
    fn names(&self) -> Result<Vec<String>>;

    /// Whether the objects it makes are of this process: then they are given to it as they are, else as bytes.
    fn keeps_here(&self) -> bool {
        false
    }
}

/// How an object is made.
#[derive(Clone)]
pub struct Recipe {
    /// Of what.
    pub making: Making,
    /// What its class is called, for people.
    pub class: String,
    /// One call at a time, but for calls that it makes itself and that come back to it.
    pub exclusive: bool,
    /// How often it is made again when its process has died.
    pub restart: u32,
}

/// What an object is made of.
#[derive(Clone)]
pub enum Making {
    /// It is there.
    Made(Arc<dyn objects::Object>),
    /// Its class and arguments, as their language writes them.
    Encoded(Payload),
}

impl Debug for Making {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Made(object) => f.write_str(object.class()),
            Self::Encoded(payload) => payload.fmt(f),
        }
    }
}

impl Debug for Recipe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recipe({})", self.class)
    }
}

/// Memory that a place shares with its workers.
pub trait Memory: Send + Sync + Debug {
    /// Sets `length` bytes aside and has them filled, once. They stay until the last clone of them is gone, here and
    /// in the workers.
    ///
    /// `None` if there is no room: then `fill` was not called, and the value travels as on a place without memory.
    fn write(&self, length: usize, fill: &mut dyn FnMut(&mut [u8])) -> Option<Bytes>;
}

/// A Tasks around a Tasks.
pub trait Layer: Send + Sync + Debug {
    /// Its name in addresses.
    fn name(&self) -> &'static str;

    /// Whether it acts on each item: then a map sends items one by one through it, never in chunks.
    fn is_per_item(&self) -> bool;

    /// Puts itself around `inner`, a place with these `limits`. A place that gets one more layer wraps all of them
    /// again, so what they count together lives in the layer, not in what this returns.
    fn wrap(&self, inner: Arc<dyn Tasks>, limits: &Limits) -> Arc<dyn Tasks>;

    /// Nobody may wait for the tasks any more: from now on the driver brings their outcomes without being asked, and those
    /// that are there at once.
    ///
    /// A driver whose workers tell outcomes by themselves leaves it out.
    fn attend(&self) {}

    /// The place was cancelled: tasks that wait inside the layer get their outcome now, not at their time.
    fn on_cancel(&self) {}

    /// The place was closed and its tasks have ended: the layer's threads end, too.
    fn on_close(&self) {}
}

/// What is true of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many tasks run at once; 0 if the caller itself runs them.
    pub workers: usize,
    /// The largest function with arguments, in bytes; `None` where nothing is copied or memory is the limit.
    pub max_payload: Option<usize>,
    /// Accepted tasks survive the end of this process.
    pub durable: bool,
    /// Tasks begin in the order they were submitted.
    pub ordered: bool,
    /// A running task can be ended.
    pub can_kill: bool,
    /// A failure that is not a task's own breaks the place for ever.
    pub strict: bool,
    /// Which kinds of work it takes, the best first.
    pub takes: &'static [WorkKind],
}

impl Limits {
    /// Of a place on this machine whose tasks cannot be ended: nothing survives this process, tasks begin in order,
    /// and memory is the only bound of what is sent.
    pub fn local(workers: usize, takes: &'static [WorkKind]) -> Self {
        Self {
            workers,
            max_payload: None,
            durable: false,
            ordered: true,
            can_kill: false,
            strict: false,
            takes,
        }
    }

    /// Whether the place takes this kind of work.
    pub fn takes(&self, kind: WorkKind) -> bool {
        self.takes.contains(&kind)
    }
}

/// A group of things a place can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// Run work.
    Tasks,
    /// Share state.
    Share,
    /// Exchange messages.
    Ranks,
    /// Compute on arrays.
    Arrays,
    /// Serve others.
    Serve,
}

impl Family {
    /// Every family, in the order of the documentation.
    pub const ALL: [Self; 5] = [Self::Tasks, Self::Share, Self::Ranks, Self::Arrays, Self::Serve];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tasks => "tasks",
            Self::Share => "share",
            Self::Ranks => "ranks",
            Self::Arrays => "arrays",
            Self::Serve => "serve",
        }
    }
}

/// One kind of place, as the list of drivers names it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The word before the colon.
    pub scheme: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// Examples of its addresses.
    pub forms: &'static [&'static str],
    /// The options it takes, with a line each. `seed` is taken by every place and not repeated here.
    pub options: &'static [(&'static str, &'static str)],
    /// What it can do.
    pub families: &'static [Family],
    /// Says whether it works on this machine and, in the error's help, what to do if not. Has no side effects.
    pub check: fn(&Setup) -> Result<()>,
    /// Opens a place.
    pub open: fn(&Address, &Setup) -> Result<Arc<dyn Driver>>,
}

/// What the face that opens places brings along.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// The program that worker processes run, if it is not this program itself.
    pub worker: Option<Vec<OsString>>,
    /// The program that makes worker processes by fork ([`worker::zygote`](crate::worker::zygote)), where the workers'
    /// language has one. It is started once for all places that want it.
    pub zygote: Option<Vec<OsString>>,
    /// Makes a worker process by a fork of this one: for `processes:?start=fork`.
    pub on_fork: Option<OnFork>,
    /// What each worker process is given for its language: it finds it in
    /// [`Link::argument`](crate::worker::Link::argument).
    pub argument: Vec<u8>,
    /// What each new worker process does before its first task. If it fails, the place is broken and says why.
    pub first: Option<Arc<crate::work::Pickled>>,
    /// What a worker process runs to keep objects, called with the bytes that
    /// [`objects::host`] takes: for languages whose objects can be made in another process.
    pub host: Option<Arc<crate::work::Function>>,
    /// Takes log records that workers relay, encoded by their language.
    pub on_log: Option<OnLog>,
    /// Runs what waits for an answer of another process, for those who hold something that this may need.
    pub on_wait: Option<crate::share::OnWait>,
    /// The language version that workers must speak, such as `python 3.12`; any will do if unset.
    pub language: Option<String>,
    /// The folder of the user's [keys](crate::keys), by which places of other machines know them. Without one, this
    /// process has a key of its own, which ends with it.
    pub keys: Option<PathBuf>,
}

/// Forks this process and gives the child's number. The child [takes the lines](crate::worker::Lines::take), serves, and
/// ends: it never returns. Called on a thread of the place.
#[derive(Clone)]
pub struct OnFork(pub Arc<dyn Fn(crate::worker::Lines) -> std::io::Result<u32> + Send + Sync>);

impl Debug for OnFork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OnFork")
    }
}

/// Takes a worker's log record; called on a thread of the place.
#[derive(Clone)]
pub struct OnLog(pub Arc<dyn Fn(crate::work::Payload) + Send + Sync>);

impl Debug for OnLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OnLog")
    }
}
