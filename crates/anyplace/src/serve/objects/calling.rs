//! Calling an object, wherever it is: by waiting for it, with a handle, one-way, or in the place of another object.

use super::chain::{self, Chain};
use super::object::{Answer, Reply, Request, Verb};
use super::pending::{Away, Pending, Waited};
use super::proxy::Proxy;
use super::replies::{self, Replied};
use super::table::{Asked, Entry};
use crate::error::{Error, Kind, Result, Retry};
use crate::handle::Handle;
use crate::outcome::{Outcome, Value};
use crate::task::{Shared, Started};
use crate::wire::peer::objects::Call;
use crate::work::{Payload, PayloadRef};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// What the handle of a call tells of its beginning.
const STARTED: Started = Started { task: 0, index: 0, attempt: 1, worker: 0 };

impl Proxy {
    /// Does `work` as a call of an object of this process: when its turn comes, and as a part of the calls that the
    /// thread is in.
    pub fn enter<R>(&self, work: impl FnOnce() -> R) -> R {
        let chain = chain::current();
        let _turn = self.held().entry.as_ref().and_then(|entry| entry.turn(Chain { until: None, ..chain }));
        chain::within(chain, work)
    }

    /// Has a thread of objects do `work` as a call of an object of this process: when its turn comes, unless it was cancelled
    /// by then, and as a part of the calls that this thread is in.
    pub fn spawn(&self, work: impl FnOnce() -> Outcome + Send + 'static) -> Handle<Value> {
        let (shared, handle) = self.unbegun();
        let (proxy, chain) = (self.clone(), chain::current());
        self.node().threads.run(Box::new(move || {
            let begins = || shared.start(STARTED);
            let call = || chain::within(chain, || proxy.enter(|| begins().then(work)));
            match catch_unwind(AssertUnwindSafe(call)) {
                Ok(outcome) => outcome.into_iter().for_each(|outcome| shared.settle(outcome)),
                Err(panic) => shared.settle(Outcome::Failed(Error::panicked(&*panic))),
            }
        }));
        handle
    }

    fn unbegun(&self) -> (Arc<Shared>, Handle<Value>) {
        let shared = Arc::new(Shared::new(self.node().scope.clone()));
        (shared.clone(), Handle::new(shared, Ok))
    }

    fn begun(&self) -> (Arc<Shared>, Handle<Value>) {
        let (shared, handle) = self.unbegun();
        // It is on its way: nobody can say that it has not begun.
        let _ = shared.start(STARTED);
        (shared, handle)
    }

    /// Begins a call on this thread, which then [waits](Pending::wait) for it. An object of this process is called at once.
    ///
    /// # Errors
    /// `WorkerLost` if its process is gone.
    pub fn begin(
        &self,
        verb: Verb,
        method: &str,
        arguments: PayloadRef<'_>,
        until: Option<Instant>,
    ) -> Result<Pending> {
        let waited = Arc::new(Waited::default());
        let away = self.start(verb, method, arguments, until, {
            let waited = waited.clone();
            move |replied| waited.tell(replied)
        })?;
        Ok(Pending::new(waited, self.node().clone(), away))
    }

    /// Calls without waiting: the handle is that of a task. An object of this process is called on a thread of objects, and the
    /// call can be cancelled until then. Of a call that is on its way to another process, [`cancel`](Handle::cancel) says `false`,
    /// since only that process knows; its outcome tells: it is cancelled if it had not begun there, and answered if it had.
    pub fn submit(
        &self,
        verb: Verb,
        method: &str,
        arguments: Payload,
        until: Option<Instant>,
    ) -> Handle<Value> {
        if let Some(entry) = &self.held().entry {
            return self.submit_here(entry.clone(), verb, method.to_owned(), arguments, until);
        }
        let (shared, handle) = self.begun();
        let then = {
            let (shared, threads) = (shared.clone(), self.node().threads.clone());
            // On the thread that hears the answer, and nothing else while a callback of others takes its time.
            move |replied| {
                shared.settle_by(replies::outcome(replied), Some(&|callback| threads.run(callback)));
            }
        };
        match self.start(verb, method, arguments.as_ref(), until, then) {
            Ok(Some(away)) => shared.on_withdraw(Arc::new(move || away.withdraw())),
            Ok(None) => {}
            Err(error) => shared.settle(replies::outcome(Err(error))),
        }
        handle
    }

    fn submit_here(
        &self,
        entry: Arc<Entry>,
        verb: Verb,
        method: String,
        arguments: Payload,
        until: Option<Instant>,
    ) -> Handle<Value> {
        let (shared, handle) = self.unbegun();
        let (node, chain) = (self.node().clone(), chain::current().no_later_than(until));
        self.node().threads.run(Box::new(move || {
            let begins = || shared.start(STARTED);
            let then = {
                let shared = shared.clone();
                move |replied| shared.settle(replies::outcome(replied))
            };
            let arguments = arguments.as_ref();
            let asked = Asked { verb, method: &method, arguments, trusted: true, chain };
            entry.ask(&asked, begins, Box::new(move |answer| replies::of_here(node, answer, Box::new(then))));
        }));
        handle
    }

    /// The error for a call that was not answered in time.
    pub fn not_in_time(method: &str) -> Error {
        Error::new(Kind::Timeout, format!("`{method}` has not answered in time"))
            .during("call")
            .with_retry(Retry::MayRepeat)
            .with_help("it may have run, or run still; repeat it if that does no harm")
    }

    /// Calls one-way: nobody hears of what became of it.
    ///
    /// # Errors
    /// `WorkerLost` if its process is gone.
    pub fn send(&self, method: &str, arguments: Payload) -> Result<()> {
        if self.held().entry.is_some() {
            drop(self.submit(Verb::Call, method, arguments, None));
            return Ok(());
        }
        self.held().way()?.send(self.message(0, Verb::Call, method, arguments.as_ref(), None).frame())
    }

    /// As [`start`](Self::start), for an object that stands before this one.
    pub(crate) fn pass_on(&self, request: &Request<'_>, reply: Reply) {
        let Request { verb, method, arguments, .. } = *request;
        let told = Arc::new(Mutex::new(Some(reply)));
        let then = {
            let told = told.clone();
            move |replied: Result<Replied>| tell(&told, replied.map(Replied::into_answer))
        };
        if let Err(error) = self.start(verb, method, arguments, None, then) {
            tell(&told, Err(error));
        }
    }

    /// Calls the object, wherever it is; `then` is told what it answers. Gives by which way it is called, if it is not here.
    fn start(
        &self,
        verb: Verb,
        method: &str,
        arguments: PayloadRef<'_>,
        until: Option<Instant>,
        then: impl FnOnce(Result<Replied>) + Send + 'static,
    ) -> Result<Option<Away>> {
        let node = self.node().clone();
        if let Some(entry) = &self.held().entry {
            let chain = chain::current().no_later_than(until);
            let asked = Asked { verb, method, arguments, trusted: true, chain };
            let reply = move |answer| replies::of_here(node, answer, Box::new(then));
            entry.ask(&asked, || true, Box::new(reply));
            return Ok(None);
        }
        let (peer, id) = (self.held().way()?, self.id());
        let is_direct = peer.greeting().node == id.node;
        let question = |question| self.message(question, verb, method, arguments, until).frame();
        let question =
            peer.ask(question, move |answer| then(replies::of_elsewhere(&node, id, is_direct, answer)));
        Ok(Some(Away::new(peer, question)))
    }

    fn message<'a>(
        &self,
        question: u64,
        verb: Verb,
        method: &'a str,
        arguments: PayloadRef<'a>,
        until: Option<Instant>,
    ) -> Call<'a> {
        let chain = chain::current().no_later_than(until);
        let within = chain.until.map(|until| until.saturating_duration_since(Instant::now()));
        Call { question, object: self.id(), verb, chain: chain.number, within, method, arguments }
    }
}

fn tell(whom: &Mutex<Option<Reply>>, answer: Result<Answer>) {
    let reply = whom.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(reply) = reply {
        reply(answer);
    }
}
