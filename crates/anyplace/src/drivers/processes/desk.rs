//! The desk of a place: puts tasks on the board, where workers take them, and brings their outcomes home.
//!
//! It has no thread of its own. Who submits posts the task itself; who waits brings outcomes home, its own and those of
//! others; the keeper does it for those whom nobody waits for. What finds no free slot waits in the backlog.

use super::announced::Announced;
use super::bell::Bell;
use super::callbacks::Callbacks;
use super::functions::Functions;
use super::memory::Shared;
use super::options::Choices;
use super::posted::Posted;
use super::program::Program;
use crate::driver::Setup;
use crate::error::{Error, Kind, Retry};
use crate::outcome::Outcome;
use crate::share::Halls;
use crate::work::Work;
use anyplace_sync::shm;
use anyplace_sync::shm::board::{Calls, Host, Reply, Ticket};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Duration;

pub(super) struct Desk {
    me: Weak<Self>,
    pub(super) host: Host<Box<Posted>>,
    pub(super) memory: Shared,
    functions: Functions,
    pub(super) bell: Bell,
    pub(super) callbacks: Callbacks,
    pub(super) announced: Announced,
    pub(super) program: Program,
    pub(super) setup: Setup,
    pub(super) workers: usize,
    pub(super) choices: Choices,
    pub(super) place: String,
    /// What tasks and their callers share.
    pub(super) halls: Arc<Halls>,
    pub(super) backlog: Mutex<VecDeque<Box<Posted>>>,
    /// Tasks that are over and have said something in the log.
    pub(super) spoken: Mutex<Vec<(Box<Posted>, Reply)>>,
    /// How many tasks are in the backlog: looked at without the lock.
    pub(super) behind: AtomicUsize,
    /// Something has made room on the board since whoever fills it looked.
    pub(super) has_room: AtomicBool,
    /// How many workers there are, ready or on their way.
    pub(super) hired: AtomicUsize,
    /// Set when the place is closed: how long what runs has to end.
    closing: OnceLock<Duration>,
    pub(super) broken: OnceLock<Error>,
    /// There is no keeper any more.
    is_left: AtomicBool,
}

thread_local! {
    /// Where messages are written, and replies collected: kept, since a task may take less than an allocation.
    static ROOM: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static FOUND: RefCell<Vec<(Box<Posted>, Reply)>> = const { RefCell::new(Vec::new()) };
}

impl Desk {
    pub(super) fn new(
        workers: usize,
        mut choices: Choices,
        setup: &Setup,
        place: String,
    ) -> io::Result<Arc<Self>> {
        let (host, segment) = Host::create(workers, "anyplace")?;
        let bell = Bell::new()?;
        let memory = Shared::new(shm::Memory::host(segment.clone(), host.size().workers)?, bell.clone());
        let program = Program::new(choices.start, choices.preload.take(), setup);
        choices.terms.argument.clone_from(&setup.argument);
        Ok(Arc::new_cyclic(|me| Self {
            me: me.clone(),
            host,
            memory,
            functions: Functions::default(),
            bell,
            callbacks: Callbacks::default(),
            announced: Announced::default(),
            program,
            setup: setup.clone(),
            workers,
            choices,
            halls: Halls::new(&place),
            place,
            backlog: Mutex::default(),
            spoken: Mutex::default(),
            behind: AtomicUsize::new(0),
            has_room: AtomicBool::new(false),
            hired: AtomicUsize::new(0),
            closing: OnceLock::new(),
            broken: OnceLock::new(),
            is_left: AtomicBool::new(false),
        }))
    }

    /// Takes a task in. It may be under way, or even over, when this returns.
    pub(super) fn submit(&self, posted: Box<Posted>) {
        if let Some(outcome) = self.refusal(&posted.task.work) {
            return posted.end(outcome);
        }
        if let Some(me) = self.me.upgrade() {
            posted.task.shared.wait_in(me);
        }
        if self.behind.load(Ordering::Acquire) > 0 {
            self.enqueue(posted);
            self.collect();
        } else {
            match self.post(posted) {
                Ok(ended) => ended.into_iter().for_each(Ended::tell),
                Err(posted) => {
                    // Those who wait for no task in particular have filled the board. What is over makes room.
                    self.enqueue(posted);
                    self.collect();
                }
            }
        }
        self.look_for_workers();
        self.look_for_the_end();
    }

    /// Whoever ended all that waited may have looked right before the task was put there.
    fn look_for_the_end(&self) {
        if let Some(error) = self.broken.get() {
            self.refuse_waiting(|| Outcome::Lost(error.clone()));
        } else if self.is_left.load(Ordering::SeqCst) {
            self.refuse_waiting(Outcome::too_late);
        }
    }

    /// There is no keeper any more: nothing that waits will run.
    pub(super) fn leave(&self) {
        self.is_left.store(true, Ordering::SeqCst);
        self.refuse_waiting(Outcome::too_late);
    }

    fn refusal(&self, work: &Work) -> Option<Outcome> {
        if self.is_elsewhere() {
            return Some(Outcome::Lost(elsewhere()));
        }
        if let Some(error) = self.broken.get() {
            return Some(Outcome::Lost(error.clone()));
        }
        if self.closing().is_some() {
            return Some(Outcome::too_late());
        }
        match work {
            Work::Named(_) | Work::Pickled(_) => None,
            work => Some(Outcome::Failed(no_worker_for(work))),
        }
    }

    /// Puts a task on the board; gives it back if there is no room. One that has ended instead is told by the caller, when
    /// it holds no lock.
    pub(super) fn post(&self, posted: Box<Posted>) -> Result<Option<Ended>, Box<Posted>> {
        let ended = match self.try_post(posted) {
            Ok(cancelled) => cancelled.map(|posted| Ended(posted, Outcome::cancelled())),
            // Nothing is under way that could make room.
            Err((posted, Some(full))) if self.host.running().is_empty() && self.host.ready() == 0 => {
                Some(Ended(posted, Outcome::Failed(no_memory(full))))
            }
            Err((posted, _)) => return Err(posted),
        };
        ended.iter().for_each(|Ended(posted, _)| self.announced.remove(posted));
        Ok(ended)
    }

    /// As [`post`](Self::post): gives a task that was cancelled, or one for which there is no room and perhaps why.
    fn try_post(&self, mut posted: Box<Posted>) -> Result<Option<Box<Posted>>, NoRoom> {
        let shared = posted.task.shared.clone();
        let announced = posted.task.options.timeout.is_some() || shared.tells_start();
        let others_wait = !posted.done.settles();
        ROOM.with_borrow_mut(|room| {
            let message = match posted.write(room, &self.memory, &self.functions) {
                Ok(message) => message,
                Err(full) => return Err((posted, Some(full))),
            };
            if announced {
                self.announced.add(&posted);
            }
            let mut entry = Some(posted);
            let left = shared.leave(|calls_back| {
                let calls = Calls { at_start: announced, at_end: calls_back || others_wait };
                let posted = entry.take().expect("nobody else takes it");
                self.host.post(message, calls, posted).map(u64::from)
            });
            left.map(|_| entry).map_err(|posted| (posted, None))
        })
    }

    /// Brings home what is over, and posts what waits for room.
    pub(super) fn collect(&self) {
        if self.is_elsewhere() {
            return self.give_up();
        }
        let mut found = FOUND.take();
        self.host.collect(&mut found);
        for (posted, reply) in found.drain(..) {
            self.bring_home(posted, reply);
        }
        FOUND.set(found);
        if self.behind.load(Ordering::Acquire) > 0 {
            self.refill();
            // What ended before workers were told to ring has to be collected, too.
            if self.behind.load(Ordering::Acquire) > 0 && self.host.has_run_low() {
                self.bell.ring();
            }
        }
    }

    /// Sees to it that there is a worker for what waits.
    pub(super) fn look_for_workers(&self) {
        if self.hired.load(Ordering::Relaxed) < self.workers {
            let (waiting, free) = self.host.demand();
            if waiting > free {
                self.bell.ring();
            }
        }
    }

    /// Takes no more tasks; what runs has `grace` to end.
    pub(super) fn close(&self, grace: Duration) {
        self.closing.get_or_init(|| grace);
    }

    /// How long what runs has to end, once the place is closed.
    pub(super) fn closing(&self) -> Option<Duration> {
        self.closing.get().copied()
    }

    pub(super) fn broken(&self) -> Option<&Error> {
        self.broken.get()
    }

    /// No worker of this place can do anything: every task that waits, and every other that comes, is told why.
    pub(super) fn break_down(&self, error: Error) {
        let error = self.broken.get_or_init(|| error.at(&self.place).with_retry(Retry::Safe)).clone();
        self.refuse_waiting(|| Outcome::Lost(error.clone()));
    }

    /// The error that has broken a strict place: all its tasks end by it.
    pub(super) fn broken_for_ever(&self) -> Option<&Error> {
        self.broken().filter(|_| self.choices.strict)
    }

    /// Tells all that wait that they never run.
    pub(super) fn refuse_waiting(&self, outcome: impl Fn() -> Outcome) {
        let waiting = std::mem::take(&mut *self.backlog());
        self.behind.store(0, Ordering::Release);
        for posted in self.host.take_back_all().into_iter().chain(waiting) {
            self.announced.remove(&posted);
            // Layers may have another attempt in mind, which begins as any other.
            posted.task.shared.come_home(None);
            posted.end(outcome());
        }
    }

    /// Whether this process is a child by `fork` of the one that opened the place, where everything stayed.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.host.is_elsewhere()
    }

    /// In such a child, all tasks that it had a copy of are lost: their outcomes come to the parent.
    fn give_up(&self) {
        let waiting = std::mem::take(&mut *self.backlog());
        self.behind.store(0, Ordering::Release);
        self.host
            .give_up()
            .into_iter()
            .chain(waiting)
            .for_each(|posted| posted.end(Outcome::Lost(elsewhere())));
    }

    /// What workers share with us: the segment and the bell. Nothing once the place is closed.
    pub(super) fn shared(&self) -> Vec<Arc<OwnedFd>> {
        let segment = self.memory.blocks.segment().fd().ok();
        segment.into_iter().chain(self.bell.descriptor()).collect()
    }

    /// Lets go of what the machine has given us; what somebody still holds of the memory stays.
    pub(super) fn let_go(&self) {
        self.functions.clear();
        // Blocks that are not used are given back at the second look.
        for _ in 0..2 {
            self.memory.blocks.trim();
        }
        self.memory.blocks.segment().retire();
        self.bell.take_down();
    }

    /// Whether nothing waits and nothing runs.
    pub(super) fn is_idle(&self) -> bool {
        self.behind.load(Ordering::Acquire) == 0 && self.host.ready() == 0 && self.host.running().is_empty()
    }

    /// Takes the task back if nobody has begun it: it ends as cancelled.
    pub(super) fn take_back(&self, key: u64) -> bool {
        if self.is_elsewhere() {
            return false;
        }
        let Some(posted) = self.host.take_back(Ticket::from(key)) else { return false };
        self.announced.remove(&posted);
        posted.end(Outcome::cancelled());
        true
    }
}

/// A task for which there is no room on the board, or in the memory.
type NoRoom = (Box<Posted>, Option<shm::Full>);

/// A task that has ended without having been posted.
pub(super) struct Ended(Box<Posted>, Outcome);

impl Ended {
    pub(super) fn tell(self) {
        self.0.end(self.1);
    }
}

fn no_worker_for(work: &Work) -> Error {
    Error::new(Kind::Unsupported, format!("a worker process does not run {}", work.kind().name()))
        .with_help("open `threads:` for closures, `async:` for futures")
}

fn elsewhere() -> Error {
    Error::new(Kind::PlaceClosed, "the place was opened before a fork; its tasks stayed in the parent")
        .with_retry(Retry::Never)
        .with_help("open a place in the child, or start children by `processes:` instead of fork")
}

fn no_memory(full: shm::Full) -> Error {
    let help = full.help();
    Error::new(Kind::ResourceExhausted, format!("the place cannot hold the task: {full}"))
        .with_retry(Retry::Safe)
        .with_help(help)
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Desk({})", self.place)
    }
}
