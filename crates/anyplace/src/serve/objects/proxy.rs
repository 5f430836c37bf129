//! What stands for an object: calls of it go to where it is.

use super::chain::{self, Chain};
use super::conversation::streaming;
use super::desk::Card;
use super::held::Held;
use super::here::{self, Node};
use super::object::{Answer, Reach, Reply, Request, Verb};
use super::stream::Values;
use super::table::{Asked, Entry, as_any};
use super::typed;
use crate::driver::Serve;
use crate::error::{Error, Kind, Result, Retry};
use crate::handle::Handle;
use crate::outcome::{Outcome, Value};
use crate::peer::Peer;
use crate::task::{Shared, Started};
use crate::wire::peer::objects::{self as messages, Call, ObjectId};
use crate::work::{Payload, PayloadRef};
use anyplace_sync::Latch;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Stands for an object, wherever that is. Clones are the same, and any thread may use them.
///
/// The object goes when nobody has a proxy of it any more, in whichever process, unless it is published.
///
/// ```
/// use anyplace::serve::objects::{Answer, Object, Request};
///
/// struct Greeter;
/// impl Object for Greeter {
///     fn ask(&self, request: &Request<'_>) -> anyplace::Result<Answer> {
///         Answer::of(&format!("hello {}", request.arguments::<String>()?))
///     }
/// }
///
/// let place = anyplace::open("threads:2")?;
/// place.publish("greeter", Greeter)?;
/// let greeter = place.find("greeter")?;
/// assert_eq!(greeter.call::<_, String>("greet", "Bob")?, "hello Bob");
/// # Ok::<(), anyplace::Error>(())
/// ```
#[derive(Clone)]
pub struct Proxy(Arc<Held>);

/// What a call gave: a value, and what gives more of them if the object makes them one by one.
#[derive(Debug)]
pub struct Replied {
    /// The value.
    pub value: Payload,
    /// More values.
    pub stream: Option<Values>,
}

impl Proxy {
    /// A proxy of an object of this process.
    ///
    /// # Errors
    /// What the system says if it has no random numbers.
    pub fn keep(object: Arc<dyn super::Object>) -> Result<Self> {
        super::keep(object, false)
    }

    pub(super) fn here(node: &Arc<Node>, id: ObjectId, entry: Arc<Entry>) -> Self {
        let held = Arc::new(Held::of(entry, node.clone(), id));
        let mut known = node.held.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(id, Arc::downgrade(&held));
        Self(held)
    }

    /// An object that is not here; `told` says that whoever has it counts us already.
    pub(super) fn away(node: &Arc<Node>, card: &Card, told: bool) -> Self {
        let id = card.id();
        let mut known = node.held.lock().unwrap_or_else(PoisonError::into_inner);
        let again = known.get(&id).and_then(std::sync::Weak::upgrade);
        let is_new = again.is_none();
        let held = again.unwrap_or_else(|| {
            let held = Arc::new(Held::away(node.clone(), id, card.class.clone(), card.hint));
            known.insert(id, Arc::downgrade(&held));
            held
        });
        drop(known);
        if told {
            held.was_told();
        } else if is_new {
            held.tell();
        }
        Self(held)
    }

    /// A proxy of an object of ours that is still there.
    pub(super) fn again(node: &Arc<Node>, id: ObjectId) -> Option<Self> {
        if id.node != node.id {
            let known = node.held.lock().unwrap_or_else(PoisonError::into_inner);
            return known.get(&id)?.upgrade().map(Self);
        }
        let entry = node.table.get(id.number)?;
        let mut known = node.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = known.get(&id).and_then(std::sync::Weak::upgrade) {
            return Some(Self(held));
        }
        let held = Arc::new(Held::of(entry, node.clone(), id));
        known.insert(id, Arc::downgrade(&held));
        Some(Self(held))
    }

    /// What was said of an object, by whoever has sent it along; `told` says that they count us as a holder already.
    pub(super) fn of_card(node: &Arc<Node>, card: &Card, told: bool) -> Result<Self> {
        if card.id().node != node.id {
            return Ok(Self::away(node, card, told));
        }
        Self::again(node, card.id()).ok_or_else(super::conversation::no_more)
    }

    /// What is said of it to somebody who holds it already.
    pub(super) fn card(&self) -> Card {
        Card::new(self.id(), self.0.hint(), self.0.class.clone())
    }

    /// The proxy as bytes that travel: [`from_bytes`](Self::from_bytes) makes one of the same object, in whichever process.
    ///
    /// # Errors
    /// What the system says if this process cannot be found by others.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        self.0.lend();
        postcard::to_stdvec(&self.card()).map_err(|error| Error::new(Kind::Unexpected, error.to_string()))
    }

    /// The proxy that these bytes were made of.
    ///
    /// # Errors
    /// `NotSerializable` for other bytes; `NotFound` if the object was of this process and is no more.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let card = postcard::from_bytes(bytes)
            .map_err(|_| Error::new(Kind::NotSerializable, "these bytes are no proxy of an object"))?;
        Self::of_card(&here::here()?, &card, false)
    }

    pub(super) fn id(&self) -> ObjectId {
        self.0.id
    }

    pub(super) fn held(&self) -> &Held {
        &self.0
    }

    pub(super) fn node(&self) -> &Arc<Node> {
        &self.0.node
    }

    /// What its class is called where it is.
    pub fn class(&self) -> &str {
        &self.0.class
    }

    /// A number of the object that no other object has, in whichever process.
    pub fn number(&self) -> u128 {
        self.0.id.node.0 ^ u128::from(self.0.id.number)
    }

    /// The object itself, if it is a `T` of this process.
    pub fn local<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        as_any(&self.0.entry.as_ref()?.object).downcast().ok()
    }

    /// Whether it is an object of this process that takes one call at a time.
    pub fn is_exclusive(&self) -> bool {
        self.0.entry.as_ref().is_some_and(|entry| entry.is_exclusive())
    }

    /// How much of the object may be used by this proxy, if it is one of this process.
    pub fn reach(&self) -> Reach {
        self.0.entry.as_ref().map_or(Reach::Public, |entry| entry.reach)
    }

    /// Does `work` as a call of an object of this process: when its turn comes, and as a part of the calls that the
    /// thread is in.
    pub fn enter<R>(&self, work: impl FnOnce() -> R) -> R {
        let chain = chain::current();
        let _turn = self.0.entry.as_ref().and_then(|entry| entry.turn(Chain { until: None, ..chain }));
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

    /// Whether the object, or somebody by whom it is reached, is known.
    pub(super) fn is_known(&self) -> bool {
        self.0.is_known()
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
        Ok(Pending { waited, node: self.node().clone(), away })
    }

    /// Calls a method from Rust and waits: the argument is one value, or a tuple.
    ///
    /// # Errors
    /// What the object answers; `WorkerLost` if its process is gone; `NotSerializable`.
    pub fn call<A, R>(&self, method: &str, arguments: A) -> Result<R>
    where
        A: Serialize,
        R: DeserializeOwned,
    {
        self.ask(Verb::Call, method, &arguments, None)
    }

    /// As [`call`](Self::call), for at most `limit`. The time goes with the call, and with those that the object makes in it:
    /// whichever of them has not begun when it is over never begins. One that has begun goes on, and nobody hears of it.
    ///
    /// An object of this process is called on this thread, which is not cut off: there the time counts until it is the
    /// call's turn.
    ///
    /// ```
    /// use anyplace::serve::objects::{Answer, Object, Request};
    /// use std::time::Duration;
    ///
    /// struct Sum;
    /// impl Object for Sum {
    ///     fn ask(&self, request: &Request<'_>) -> anyplace::Result<Answer> {
    ///         let (left, right): (u64, u64) = request.arguments()?;
    ///         Answer::of(&(left + right))
    ///     }
    /// }
    ///
    /// let place = anyplace::open("threads:2")?;
    /// let sum = place.create(Sum)?;
    /// assert_eq!(sum.call_within::<_, u64>(Duration::from_secs(1), "add", (20_u64, 22_u64))?, 42);
    /// # Ok::<(), anyplace::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Timeout`, which says whether the call may have run; and as [`call`](Self::call).
    pub fn call_within<A, R>(&self, limit: Duration, method: &str, arguments: A) -> Result<R>
    where
        A: Serialize,
        R: DeserializeOwned,
    {
        // A time that no clock reaches has no end.
        self.ask(Verb::Call, method, &arguments, Instant::now().checked_add(limit))
    }

    /// An attribute of the object, as it is now.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn attribute<R: DeserializeOwned>(&self, name: &str) -> Result<R> {
        self.ask(Verb::Get, name, &(), None)
    }

    /// Changes an attribute of the object.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn set_attribute(&self, name: &str, value: impl Serialize) -> Result<()> {
        self.ask(Verb::Set, name, &value, None)
    }

    /// Calls a method that gives values one by one: the object makes them as they are taken, but for those that are on their way.
    ///
    /// # Errors
    /// As [`call`](Self::call); `NotSerializable` if the method gives a single value.
    pub fn values<A, R>(
        &self,
        method: &str,
        arguments: A,
    ) -> Result<impl Iterator<Item = Result<R>> + use<A, R>>
    where
        A: Serialize,
        R: DeserializeOwned,
    {
        let arguments = typed::encode(&arguments)?;
        let replied = self.begin(Verb::Call, method, arguments.as_ref(), None)?.wait()?;
        let values = replied.stream.ok_or_else(|| single(method))?;
        Ok(values.map(|value| typed::decode(value?.as_ref(), "a value")))
    }

    fn ask<R: DeserializeOwned>(
        &self,
        verb: Verb,
        method: &str,
        arguments: &impl Serialize,
        until: Option<Instant>,
    ) -> Result<R> {
        let arguments = typed::encode(arguments)?;
        let pending = self.begin(verb, method, arguments.as_ref(), until)?;
        let replied = pending.answered(until).ok_or_else(|| Self::not_in_time(method))??;
        typed::decode(replied.value.as_ref(), method)
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
        if let Some(entry) = &self.0.entry {
            return self.submit_here(entry.clone(), verb, method.to_owned(), arguments, until);
        }
        let (shared, handle) = self.begun();
        let then = {
            let (shared, threads) = (shared.clone(), self.node().threads.clone());
            // On the thread that hears the answer, and nothing else while a callback of others takes its time.
            move |replied| shared.settle_by(outcome(replied), Some(&|callback| threads.run(callback)))
        };
        match self.start(verb, method, arguments.as_ref(), until, then) {
            Ok(Some(away)) => shared.on_withdraw(Arc::new(move || away.withdraw())),
            Ok(None) => {}
            Err(error) => shared.settle(outcome(Err(error))),
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
        let (node, mut chain) = (self.node().clone(), chain::current());
        chain.until = sooner(chain.until, until);
        self.node().threads.run(Box::new(move || {
            let begins = || shared.start(STARTED);
            let then = {
                let shared = shared.clone();
                move |replied| shared.settle(outcome(replied))
            };
            let arguments = arguments.as_ref();
            let asked = Asked { verb, method: &method, arguments, trusted: true, chain };
            entry.ask(&asked, begins, Box::new(move |answer| reply_here(node, answer, Box::new(then))));
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
        if self.0.entry.is_some() {
            drop(self.submit(Verb::Call, method, arguments, None));
            return Ok(());
        }
        self.0.way()?.send(self.message(0, Verb::Call, method, arguments.as_ref(), None).frame())
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

    /// Whether its process is gone.
    pub(crate) fn is_gone(&self) -> bool {
        !self.is_known()
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
        if let Some(entry) = &self.0.entry {
            let mut chain = chain::current();
            chain.until = sooner(chain.until, until);
            let asked = Asked { verb, method, arguments, trusted: true, chain };
            let reply = move |answer| reply_here(node, answer, Box::new(then));
            entry.ask(&asked, || true, Box::new(reply));
            return Ok(None);
        }
        let (peer, id) = (self.0.way()?, self.id());
        let is_direct = peer.greeting().node == id.node;
        let question = |question| self.message(question, verb, method, arguments, until).frame();
        let question = peer.ask(question, move |answer| then(replied(&node, id, is_direct, answer)));
        Ok(Some(Away { peer, question }))
    }

    fn message<'a>(
        &self,
        question: u64,
        verb: Verb,
        method: &'a str,
        arguments: PayloadRef<'a>,
        until: Option<Instant>,
    ) -> Call<'a> {
        let chain = chain::current();
        let within = sooner(chain.until, until).map(|until| until.saturating_duration_since(Instant::now()));
        Call { question, object: self.id(), verb, chain: chain.number, within, method, arguments }
    }

    /// A proxy of the same object for those who may use only what its class exposes.
    pub(crate) fn exposed(&self) -> Result<Self> {
        match &self.0.entry {
            Some(entry) => self.node().add(entry.exposed()),
            None => super::Far::new(self.0.way()?).expose(self),
        }
    }

    /// Publishes what it stands for.
    pub(crate) fn publish(&self, serve: &dyn Serve, name: &str) -> Result<()> {
        serve.publish(name, &self.exposed()?)
    }
}

impl Replied {
    fn into_answer(self) -> Answer {
        match self.stream {
            Some(stream) => Answer::Stream(Box::new(stream)),
            None => Answer::Value(self.value),
        }
    }
}

fn tell(whom: &Mutex<Option<Reply>>, answer: Result<Answer>) {
    let reply = whom.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(reply) = reply {
        reply(answer);
    }
}

fn sooner(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// What an object of this process answered.
fn reply_here(node: Arc<Node>, answer: Result<Answer>, then: Box<dyn FnOnce(Result<Replied>) + Send>) {
    match answer {
        Ok(Answer::Value(value)) => then(Ok(Replied { value, stream: None })),
        Ok(Answer::Stream(stream)) => then(
            node.add(streaming(stream))
                .map(|proxy| Replied { value: nothing(), stream: Some(Values::new(proxy)) }),
        ),
        Ok(Answer::Later(begin)) => {
            let later: Reply = Box::new(move |answer| reply_here(node, answer, then));
            begin(later);
        }
        Err(error) => then(Err(error)),
    }
}

fn nothing() -> Payload {
    Payload::new(crate::work::Encoding::Plain, &[0])
}

/// What an object elsewhere answered.
fn replied(node: &Arc<Node>, id: ObjectId, is_direct: bool, answer: Result<&[u8]>) -> Result<Replied> {
    let answer = answer.map_err(|error| if is_direct { lost(error) } else { error })?;
    let (value, stream) = messages::read_answer_bytes(answer)
        .map_err(|malformed| Error::new(Kind::Unexpected, malformed.to_string()))?;
    let stream = stream.map(|number| {
        let id = ObjectId { number, ..id };
        Values::new(Proxy::away(node, &Card::new(id, None, "stream".to_owned()), true))
    });
    Ok(Replied { value, stream })
}

/// The end of a conversation with the process of the object is the end of the object.
fn lost(error: Error) -> Error {
    if error.kind() != Kind::ConnectionLost && error.kind() != Kind::PlaceClosed {
        return error;
    }
    let message = format!("the process that had the object is gone: {}", error.message());
    error
        .told_as(Kind::WorkerLost, message)
        .with_help("create the object again, or with `restart=` so that it comes back by itself")
}

fn outcome(replied: Result<Replied>) -> Outcome {
    match replied {
        Ok(Replied { value, stream: None }) => Outcome::Returned(Value::Encoded(value)),
        Ok(Replied { stream: Some(stream), .. }) => Outcome::local(stream),
        Err(error) => match error.kind() {
            Kind::WorkerLost | Kind::ConnectionLost | Kind::PlaceClosed => Outcome::Lost(error),
            Kind::Cancelled => Outcome::Cancelled(error),
            _ => Outcome::Failed(error),
        },
    }
}

fn single(method: &str) -> Error {
    Error::new(Kind::NotSerializable, format!("`{method}` gave one value, and not values one by one"))
        .during("call")
        .with_retry(Retry::MayRepeat)
        .with_help("`call` it")
}

/// What the handle of a call tells of its beginning.
const STARTED: Started = Started { task: 0, index: 0, attempt: 1, worker: 0 };

/// A call on its way, and whoever waits for it. One that is dropped before the object has answered is withdrawn: if it has not
/// begun, it never does.
pub struct Pending {
    waited: Arc<Waited>,
    node: Arc<Node>,
    away: Option<Away>,
}

/// A call that has gone to another process.
struct Away {
    peer: Peer,
    question: u64,
}

impl Away {
    /// Nobody wants the answer any more.
    fn withdraw(&self) {
        // Where that process is gone, nothing of it begins.
        drop(self.peer.send(messages::withdraw(self.question)));
    }
}

#[derive(Default)]
struct Waited {
    reply: Mutex<Option<Result<Replied>>>,
    is_there: Latch,
}

impl Waited {
    fn tell(&self, replied: Result<Replied>) {
        *self.reply.lock().unwrap_or_else(PoisonError::into_inner) = Some(replied);
        self.is_there.set();
    }
}

impl Pending {
    /// Waits until the object has answered.
    ///
    /// # Errors
    /// What it answers; `WorkerLost` if its process is gone.
    pub fn wait(self) -> Result<Replied> {
        loop {
            if let Some(replied) = self.wait_until(None) {
                return replied;
            }
        }
    }

    /// What the object has answered by `until`, whichever signals come.
    fn answered(&self, until: Option<Instant>) -> Option<Result<Replied>> {
        loop {
            let replied = self.wait_until(until);
            if replied.is_some() || until.is_some_and(|until| until <= Instant::now()) {
                return replied;
            }
        }
    }

    /// As [`wait`](Self::wait), until `until`, or a signal that this thread waits for: then nothing, and it may be waited
    /// for again.
    pub fn wait_until(&self, until: Option<Instant>) -> Option<Result<Replied>> {
        if !self.waited.is_there.is_set() {
            self.node.threads.waiting(self.peer(), || self.rest(until));
        }
        self.waited.reply.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether the object has answered.
    pub fn is_done(&self) -> bool {
        self.waited.is_there.is_set()
    }

    fn peer(&self) -> Option<&Peer> {
        self.away.as_ref().map(|away| &away.peer)
    }

    /// Hears the answer on this thread, if no other thread hears what comes from there.
    fn rest(&self, until: Option<Instant>) {
        let is_led = self.peer().is_some_and(|peer| peer.lead(until, || self.is_done()));
        if !is_led {
            self.waited.is_there.wait(until);
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some(away) = self.away.as_ref().filter(|_| !self.is_done()) {
            away.withdraw();
        }
    }
}

impl PartialEq for Proxy {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for Proxy {}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({})", self.class())
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pending(done: {})", self.is_done())
    }
}
