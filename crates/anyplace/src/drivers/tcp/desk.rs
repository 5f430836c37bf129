//! The Tasks family of a place of other processes: takes tasks, has servers do them, and brings their outcomes home.

use super::books::{Books, Next};
use super::given::Given;
use super::server::Server;
use crate::context::within_engine;
use crate::driver::Tasks;
use crate::drivers::processes::Callbacks;
use crate::error::{Error, Kind, Retry};
use crate::outcome::{Done, Outcome};
use crate::task::away::Away;
use crate::task::{Ending, Shared, Task};
use crate::wire::peer::tasks::{Fate, Wanted};
use crate::work::{Work, WorkKind};
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering, fence};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

/// So many tasks are taken from the books at a time.
const BATCH: usize = 64;

pub(super) struct Desk {
    me: Weak<Self>,
    place: String,
    servers: OnceLock<Vec<Arc<Server>>>,
    state: Mutex<State>,
    /// Told when the last task has ended.
    idle: Condvar,
    callbacks: Callbacks,
    waiters: Waiters,
    generation: u32,
}

struct State {
    books: Books<Arc<Given>>,
    /// Somebody sends, and looks again before they stop.
    is_sending: bool,
    is_closed: bool,
}

/// Those who wait for one of several outcomes.
#[derive(Default)]
struct Waiters {
    count: AtomicUsize,
    lock: Mutex<()>,
    changed: Condvar,
}

impl Desk {
    /// For servers with so many workers.
    pub(super) fn new(place: String, workers: &[usize]) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            me: me.clone(),
            place,
            servers: OnceLock::new(),
            state: Mutex::new(State {
                books: Books::new(workers.iter().copied()),
                is_sending: false,
                is_closed: false,
            }),
            idle: Condvar::new(),
            callbacks: Callbacks::default(),
            waiters: Waiters::default(),
            generation: anyplace_sync::fork_generation(),
        })
    }

    /// Who does the tasks, in the order of the numbers of workers.
    pub(super) fn employ(&self, servers: Vec<Arc<Server>>) {
        self.servers.get_or_init(|| servers);
    }

    pub(super) fn servers(&self) -> &[Arc<Server>] {
        self.servers.get().map_or(&[], Vec::as_slice)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code of others runs under this lock, so a poisoned one is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends what may be sent, unless somebody does so already, who then sees what there is.
    pub(super) fn send(&self) {
        let mut state = self.state();
        if state.is_sending {
            return;
        }
        state.is_sending = true;
        loop {
            let (batch, refused) = Self::take(&mut state);
            if batch.is_empty() && refused.is_empty() {
                state.is_sending = false;
                return;
            }
            drop(state);
            refused.into_iter().for_each(|given| self.tell(&given, Outcome::cancelled()));
            for (server, tasks) in batch {
                tasks.iter().for_each(|(_, given)| given.shared.observe(given.started));
                self.servers()[server].give(&tasks);
            }
            state = self.state();
        }
    }

    /// Takes some of what may be sent, in runs of tasks for the same server; and what was cancelled.
    #[allow(clippy::type_complexity, reason = "a list of lists, named where it is used")]
    fn take(state: &mut State) -> (Vec<(usize, Vec<(u64, Arc<Given>)>)>, Vec<Arc<Given>>) {
        let (mut batch, mut refused) = (Vec::<(usize, Vec<_>)>::new(), Vec::new());
        let now = Instant::now();
        let leave = |given: &Arc<Given>, number| {
            let put = |_| Ok::<u64, std::convert::Infallible>(number);
            given.shared.leave(put).unwrap_or_default()
        };
        for _ in 0..BATCH {
            match state.books.next(now, leave) {
                None => break,
                Some(Next::Refused(given)) => refused.push(given),
                Some(Next::Send(server, number, given)) => match batch.last_mut() {
                    Some((last, tasks)) if *last == server => tasks.push((number, given)),
                    _ => batch.push((server, vec![(number, given)])),
                },
            }
        }
        (batch, refused)
    }

    /// A server says how a task ended.
    pub(super) fn ended(&self, server: usize, number: u64, took: Option<Duration>, outcome: Outcome) {
        let mut state = self.state();
        if is_refusal(&outcome) && !state.is_closed {
            // The server takes no more. The task waits for another, or for the next that is there.
            state.books.lose(server);
            let unwanted = state.take_back(server, number);
            drop(state);
            return self.lose_all(unwanted.into_iter().collect(), &never_begun());
        }
        let given = state.books.ended(server, number, Instant::now());
        let is_idle = state.books.is_empty();
        drop(state);
        if is_idle {
            self.idle.notify_all();
        }
        if let Some(given) = given {
            if let Some(took) = took.filter(|_| given.shared.is_measured()) {
                given.shared.took_exactly(took);
            }
            given.shared.come_home(Some(given.started));
            self.tell(&given, outcome);
        }
    }

    /// Says how a task ended. What layers do then is their business, and not this thread's.
    fn tell(&self, given: &Given, outcome: Outcome) {
        let Some(done) = given.take() else { return };
        if done.settles() {
            within_engine(|| done.call(outcome));
        } else {
            self.callbacks.run(Box::new(move || done.call(outcome)));
        }
    }

    /// A server is here, and has nothing that is in doubt. If its conversation has ended meanwhile, it is not: whoever hears of
    /// that end takes it out of the books, and must not do so before it is in them.
    pub(super) fn arrive(&self, server: usize) {
        self.servers()[server].if_here(|| self.state().books.arrive(server));
        self.send();
    }

    /// A server is away.
    pub(super) fn lose(&self, server: usize) {
        self.state().books.lose(server);
    }

    /// What is in doubt of a server that is back.
    pub(super) fn in_doubt(&self, server: usize) -> Vec<u64> {
        self.state().books.numbers(server)
    }

    /// A server that is back says what became of these.
    pub(super) fn resume(&self, server: usize, numbers: &[u64], fates: &[Fate]) {
        let (mut over, mut unwanted) = (Vec::new(), Vec::new());
        let mut state = self.state();
        // From the last to the first, so that those which wait again do so in their order.
        for (number, fate) in numbers.iter().zip(fates).rev() {
            match fate {
                Fate::Pending => {}
                Fate::Over => over.extend(state.books.give_up(server, *number)),
                Fate::Unbegun => unwanted.extend(state.take_back(server, *number)),
            }
        }
        drop(state);
        self.lose_all(over, &told_in_vain());
        self.lose_all(unwanted, &never_begun());
        self.arrive(server);
    }

    /// A server has begun nothing of what it has.
    pub(super) fn take_back_all(&self, server: usize) {
        let mut state = self.state();
        let numbers = state.books.numbers(server);
        // From the last to the first, so that they wait in their order.
        let unwanted: Vec<_> =
            numbers.into_iter().rev().filter_map(|number| state.take_back(server, number)).collect();
        drop(state);
        self.lose_all(unwanted, &never_begun());
        self.send();
    }

    /// Nobody knows what became of what a server has.
    pub(super) fn give_up(&self, server: usize, why: &Error) {
        let lost = self.state().books.give_up_all(server);
        self.lose_all(lost, &why.clone().with_retry(Retry::MayRepeat));
    }

    /// There is nobody to send tasks to: what waits has not begun.
    pub(super) fn give_up_waiting(&self, why: &Error) {
        let mut state = self.state();
        let waiting = if state.books.has_server() { Vec::new() } else { state.books.take_waiting() };
        drop(state);
        let why = why.clone().with_retry(Retry::Safe);
        waiting.iter().for_each(|given| self.tell(given, Outcome::Lost(why.clone())));
        self.idle.notify_all();
    }

    fn lose_all(&self, lost: Vec<Arc<Given>>, why: &Error) {
        for given in lost {
            given.shared.come_home(Some(given.started));
            self.tell(&given, Outcome::Lost(why.clone()));
        }
        self.idle.notify_all();
    }

    /// Ends what waits, and asks servers to end what has not begun.
    pub(super) fn cancel(&self) {
        let waiting = self.state().books.take_waiting();
        waiting.iter().for_each(|given| self.tell(given, Outcome::cancelled()));
        self.end_sent(Wanted::Cancelled);
    }

    fn end_sent(&self, wanted: Wanted) {
        for (server, of) in self.servers().iter().enumerate() {
            let numbers = self.state().books.numbers(server);
            numbers.into_iter().for_each(|number| of.end(number, wanted));
        }
    }

    /// Takes no more tasks, ends those there are, and waits for their outcomes, but not for ever.
    pub(super) fn close(&self, until: Instant) {
        self.state().is_closed = true;
        self.cancel();
        self.end_sent(Wanted::Ended(Ending::Cancelled));
        let mut state = self.state();
        while !state.books.is_empty() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.idle.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// All that is left is lost, and no callback is under way when this returns.
    pub(super) fn leave(&self) {
        let why = self.closed();
        (0..self.servers().len()).for_each(|server| self.give_up(server, &why));
        self.callbacks.close();
    }

    fn closed(&self) -> Error {
        Error::new(Kind::PlaceClosed, "the place was closed while the task ran")
    }

    fn refusal(&self, work: &Work) -> Option<Outcome> {
        if self.generation != anyplace_sync::fork_generation() {
            return Some(Outcome::Lost(elsewhere()));
        }
        let refused = match work.kind() {
            WorkKind::Pickled => self.servers().iter().find_map(|server| server.speaks_another().err()),
            _ => None,
        };
        refused.map(Outcome::Failed)
    }
}

impl Tasks for Desk {
    fn submit(&self, task: Task, done: Done) {
        if let Some(me) = self.me.upgrade() {
            task.shared.wait_in(me);
        }
        let given = Arc::new(Given::new(task, done));
        // Asked of the servers before the books are locked: a server that arrives does it the other way round.
        if let Some(refusal) = self.refusal(&given.task().work) {
            return given.end(refusal);
        }
        let mut state = self.state();
        if state.is_closed {
            drop(state);
            return given.end(Outcome::too_late());
        }
        state.books.add(given);
        let is_hopeless = !state.books.has_server();
        drop(state);
        self.send();
        if is_hopeless && let Some(why) = self.servers().iter().find_map(|server| server.given_up()) {
            self.give_up_waiting(&why);
        }
    }
}

impl Away for Desk {
    /// What is sent may have begun.
    fn take_back(&self, _: u64) -> bool {
        false
    }

    fn has_begun(&self, key: u64) -> bool {
        self.state().books.holder(key).is_some()
    }

    fn end(&self, key: u64, ending: Ending) -> bool {
        let holder = self.state().books.holder(key);
        holder.inspect(|server| self.servers()[*server].end(key, Wanted::Ended(ending))).is_some()
    }

    fn watch(&self, _: u64) {}

    fn collect(&self) {}

    fn wait(&self, task: &Shared, deadline: Option<Instant>) -> bool {
        task.wait_home(deadline)
    }

    fn wait_any(&self, arrived: &dyn Fn() -> bool, deadline: Option<Instant>) -> bool {
        self.waiters.wait(arrived, deadline)
    }

    fn rouse(&self) {
        self.waiters.rouse();
    }

    fn call_back(&self, callback: Box<dyn FnOnce() + Send>) {
        self.callbacks.run(callback);
    }
}

impl Waiters {
    fn wait(&self, arrived: &dyn Fn() -> bool, deadline: Option<Instant>) -> bool {
        self.count.fetch_add(1, Ordering::SeqCst);
        // Either we see what arrived, or whoever brought it sees us.
        fence(Ordering::SeqCst);
        let mut lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let has_arrived = loop {
            if arrived() {
                break true;
            }
            let left = deadline.map_or(LONG, |deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                break false;
            }
            lock = self.changed.wait_timeout(lock, left).unwrap_or_else(PoisonError::into_inner).0;
        };
        drop(lock);
        self.count.fetch_sub(1, Ordering::SeqCst);
        has_arrived
    }

    fn rouse(&self) {
        fence(Ordering::SeqCst);
        if self.count.load(Ordering::SeqCst) > 0 {
            drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner));
            self.changed.notify_all();
        }
    }
}

/// Looked at again after this.
const LONG: Duration = Duration::from_secs(3600);

impl State {
    /// A task comes back unbegun, and waits again; given if that was once too often.
    fn take_back(&mut self, server: usize, number: u64) -> Option<Arc<Given>> {
        let given = self.books.take_back(server, number)?;
        given.shared.come_home(None);
        if given.returns_once_more() { self.books.take_first() } else { None }
    }
}

fn never_begun() -> Error {
    Error::new(Kind::ConnectionLost, "the conversation ended each time the task was sent")
        .with_retry(Retry::Safe)
        .with_help("see what the server's log says of it")
}

/// Whether the task was refused since its server takes no more.
fn is_refusal(outcome: &Outcome) -> bool {
    let Outcome::Lost(error) = outcome else { return false };
    error.kind() == Kind::PlaceClosed && error.retry() == Retry::Safe
}

fn told_in_vain() -> Error {
    Error::new(Kind::ConnectionLost, "the task ended, but how was lost on its way here")
        .with_retry(Retry::MayRepeat)
        .with_help("it ran; repeat it if that does no harm")
}

fn elsewhere() -> Error {
    Error::new(
        Kind::PlaceClosed,
        "the place was opened before a fork; its conversations stayed in the parent",
    )
    .with_retry(Retry::Never)
    .with_help("open a place in the child")
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Desk({})", self.place)
    }
}
