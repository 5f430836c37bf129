//! Calls and objects on a conversation with another process, from both sides.

use super::chain::{self, Chain};
use super::desk;
use super::gate::{Gate, Most, WAITING};
use super::here::Node;
use super::object::{Answer, Reach};
use super::proxy::Proxy;
use super::table::{Asked, Entry, Streaming};
use crate::driver::Serve;
use crate::error::{Error, Kind as Wrong, Result, Retry};
use crate::peer::{Handler, Peer};
use crate::serve::too_much;
use crate::wire::peer::NodeId;
use crate::wire::peer::objects::{self as messages, Call, ObjectId, Verb};
use crate::wire::{Kind, Malformed};
use crate::work::{Encoding, Payload, PayloadRef};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

/// What the other side of a conversation may do.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rights {
    /// What it may make, find and publish here.
    pub(crate) desk: Option<Arc<dyn Serve>>,
    /// Whether its pickles may be read.
    pub(crate) trusted: bool,
    /// Whether its calls of objects of others are passed on.
    pub(crate) forwards: bool,
    /// Whether it may know others whom we do not.
    pub(crate) gateway: bool,
    /// Whether it is believed where processes of this machine are found.
    pub(crate) hints: bool,
    pub(crate) most: Most,
}

impl Rights {
    /// Of another process of the same user on this machine.
    pub(crate) fn of_same_user() -> Self {
        Self { trusted: true, forwards: true, hints: true, ..Self::default() }
    }
}

/// Calls and objects on one conversation. Clones are the same.
#[derive(Clone)]
pub(crate) struct Conversation(Arc<Inner>);

struct Inner {
    node: Arc<Node>,
    rights: Rights,
    gate: Arc<Gate>,
    /// What the other side has of ours, or of others by us, and how often we were told.
    kept: Mutex<HashMap<ObjectId, (Proxy, u64)>>,
    /// What it has published here, which goes with it.
    published: Mutex<Vec<(String, Proxy)>>,
    /// Its calls that can still be withdrawn, by their questions.
    open: Mutex<HashMap<u64, Open>>,
    /// Which process the other side says that it is.
    claimed: OnceLock<NodeId>,
}

/// Where a call is that can still be withdrawn.
enum Open {
    /// It has not begun. Whoever takes it out decides whether it does.
    Here,
    /// It was passed on, as this question there.
    Beyond(Peer, u64),
}

impl Conversation {
    pub(crate) fn new(node: &Arc<Node>, rights: Rights) -> Self {
        Self(Arc::new(Inner {
            node: node.clone(),
            gate: Gate::new(&node.threads, rights.most),
            rights,
            kept: Mutex::default(),
            published: Mutex::default(),
            open: Mutex::default(),
            claimed: OnceLock::new(),
        }))
    }

    /// It has begun: from now on the other side may be asked for others.
    pub(crate) fn begin(&self, peer: &Peer) {
        if self.0.rights.gateway {
            self.0.node.may_ask(peer);
        }
        if peer.end().is_some() {
            self.0.node.lost(peer);
        }
    }

    /// It is over: what the other side had of ours it has no more.
    pub(crate) fn end(&self, peer: &Peer) {
        self.0.node.lost(peer);
        // What has not begun never does: nobody wants its answer.
        self.open().clear();
        self.0.gate.clear();
        let kept = std::mem::take(&mut *self.kept());
        let published = std::mem::take(&mut *self.0.published.lock().unwrap_or_else(PoisonError::into_inner));
        let desk = self.0.rights.desk.clone();
        // What goes may have a destructor of others.
        self.0.node.threads.run(Box::new(move || {
            desk.iter()
                .for_each(|desk| published.iter().for_each(|(name, proxy)| withdraw(&**desk, name, proxy)));
            drop(kept);
        }));
    }

    /// The other side is one process, and no others.
    fn met(&self, node: NodeId, peer: &Peer) -> Result<(), Malformed> {
        if *self.0.claimed.get_or_init(|| node) != node {
            return Err(Malformed("of one process"));
        }
        self.0.node.met(node, peer);
        Ok(())
    }

    /// Whether the other side may take the name away: it has published it, or may run code here anyway.
    pub(super) fn may_unpublish(&self, name: &str) -> bool {
        let published = self.0.published.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_trusted() || published.iter().any(|(known, _)| known == name)
    }

    /// It takes the name away.
    pub(super) fn unpublished(&self, name: &str) {
        let mut published = self.0.published.lock().unwrap_or_else(PoisonError::into_inner);
        published.retain(|(known, _)| known != name);
    }

    /// The other side has published it here.
    pub(super) fn published(&self, name: String, proxy: Proxy) {
        self.0.published.lock().unwrap_or_else(PoisonError::into_inner).push((name, proxy));
    }

    /// A message of those that are about objects; false if it is not one.
    pub(crate) fn take(&self, peer: &Peer, kind: Kind, body: &[u8]) -> Result<bool, Malformed> {
        match kind {
            Kind::Call => {
                let mut buffers = Vec::new();
                self.call(peer, &Call::read(body, &mut buffers)?);
            }
            // From now on that process is reached by it.
            Kind::Withdraw => self.withdraw(peer, messages::read_withdraw(body)?),
            Kind::Node => self.met(messages::read_node(body)?, peer)?,
            Kind::Hold => self.hold(messages::read_hold(body)?),
            Kind::Release => {
                let (id, times, lent) = messages::read_release(body)?;
                self.release(id, times, lent);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Whether the other side may have code run here.
    pub(super) fn is_trusted(&self) -> bool {
        self.0.rights.trusted
    }

    /// Whether this process may look where it says that others are.
    pub(super) fn gives_hints(&self) -> bool {
        self.0.rights.hints
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<ObjectId, (Proxy, u64)>> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> MutexGuard<'_, HashMap<u64, Open>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call is to begin now: false if it was withdrawn. Of one-way calls nobody hears, so nobody withdraws them.
    fn begins(&self, question: u64) -> bool {
        question == 0 || self.open().remove(&question).is_some()
    }

    /// Nobody wants the answer any more. A call that has begun goes on, and is answered.
    fn withdraw(&self, peer: &Peer, question: u64) {
        let mut open = self.open();
        if let Some(Open::Beyond(onward, question)) = open.get(&question) {
            let (onward, question) = (onward.clone(), *question);
            drop(open);
            // Where that process is gone, the answer says so.
            return drop(onward.send(messages::withdraw(question)));
        }
        let waited = open.remove(&question).is_some();
        drop(open);
        if waited {
            refuse(peer, question, &withdrawn_in_time());
        }
    }

    /// The other side has it from now on.
    pub(super) fn keep(&self, proxy: &Proxy) {
        self.kept().entry(proxy.id()).or_insert_with(|| (proxy.clone(), 0)).1 += 1;
    }

    /// Whether the other side may have one more object of ours.
    ///
    /// # Errors
    /// `ResourceExhausted`.
    pub(super) fn check_objects(&self) -> Result<()> {
        let most = self.0.rights.most.objects;
        if self.kept().len() < most {
            return Ok(());
        }
        Err(too_much(most, "objects", "let go of proxies that are not used any more"))
    }

    /// Whether it may publish one more.
    ///
    /// # Errors
    /// `ResourceExhausted`.
    pub(super) fn check_names(&self) -> Result<()> {
        let most = self.0.rights.most.names;
        if self.0.published.lock().unwrap_or_else(PoisonError::into_inner).len() < most {
            return Ok(());
        }
        Err(too_much(
            most,
            "names",
            "take away some that are not needed any more, or publish one object that finds others",
        ))
    }

    fn hold(&self, id: ObjectId) {
        let known = self.kept().get(&id).map(|(proxy, _)| proxy.clone());
        // Who has too many already finds that this one is no more.
        let known = known.or_else(|| Proxy::again(&self.0.node, id).filter(|_| self.check_objects().is_ok()));
        known.iter().for_each(|proxy| self.keep(proxy));
    }

    pub(super) fn release(&self, id: ObjectId, times: u64, lent: bool) {
        let mut kept = self.kept();
        let Some((proxy, told)) = kept.get_mut(&id) else { return };
        if lent {
            proxy.held().lend();
        }
        *told = told.saturating_sub(times);
        if *told > 0 {
            return;
        }
        let gone = kept.remove(&id);
        drop(kept);
        self.0.node.threads.run(Box::new(move || drop(gone)));
    }

    fn call(&self, peer: &Peer, call: &Call<'_>) {
        let node = &self.0.node;
        if call.object.number == super::DESK {
            return self.ask_desk(peer, call);
        }
        if call.object.node != node.id {
            return self.pass_on(peer, call);
        }
        let Some(entry) = node.table.get(call.object.number) else {
            return refuse(peer, call.question, &no_more());
        };
        let (conversation, asked, back) = (self.clone(), Owned::of(call), peer.clone());
        if call.question != 0 {
            self.open().insert(call.question, Open::Here);
        }
        let bytes = asked.bytes();
        let entered = self.0.gate.enter(
            peer,
            Box::new(move || {
                let trusted = conversation.0.rights.trusted;
                let question = asked.question;
                let begins = || conversation.begins(question);
                let answer = {
                    let conversation = conversation.clone();
                    move |answer| conversation.answer(&back, question, answer)
                };
                entry.ask(&asked.asked(trusted), begins, Box::new(answer));
            }),
            bytes,
        );
        if !entered {
            self.open().remove(&call.question);
            refuse(peer, call.question, &too_many_calls());
        }
    }

    /// Passes a call on to whom it is for, and the answer back.
    fn pass_on(&self, peer: &Peer, call: &Call<'_>) {
        let onward = self.0.node.known(call.object.node).filter(|_| self.0.rights.forwards);
        let Some(onward) = onward.filter(|onward| !onward.is(peer) && call.object.number != super::DESK)
        else {
            return refuse(peer, call.question, &no_more());
        };
        if call.question == 0 {
            // Who calls one-way hears nothing.
            return drop(onward.send(call.frame()));
        }
        if self.open().len() >= WAITING {
            return refuse(peer, call.question, &too_many_calls());
        }
        let (conversation, peer, question) = (self.clone(), peer.clone(), call.question);
        let back = move |answer: Result<&[u8]>| {
            conversation.open().remove(&question);
            // Who has asked may be gone.
            drop(peer.answer(question, answer.as_ref().map(|bytes| *bytes)));
        };
        let ask = |question| {
            self.open().insert(call.question, Open::Beyond(onward.clone(), question));
            Call { question, ..*call }.frame()
        };
        onward.ask(ask, back);
    }

    fn ask_desk(&self, peer: &Peer, call: &Call<'_>) {
        let (conversation, back, asked) = (self.clone(), peer.clone(), Owned::of(call));
        let bytes = asked.bytes();
        let answer = Box::new(move || {
            let answer = chain::within(asked.chain, || {
                let desk = conversation.0.rights.desk.as_deref();
                desk::answer(&conversation.0.node, desk, &conversation, asked.arguments.as_ref())
            });
            conversation.answer(&back, asked.question, answer.map(Answer::Value));
        });
        if !self.0.gate.enter(peer, answer, bytes) {
            refuse(peer, call.question, &too_many_calls());
        }
    }

    fn add_stream(&self, stream: Box<dyn super::Stream>) -> Result<Proxy> {
        self.check_objects()?;
        self.0.node.add(streaming(stream))
    }

    fn answer(&self, peer: &Peer, question: u64, answer: Result<Answer>) {
        if question == 0 {
            return;
        }
        let sent = match answer {
            Ok(Answer::Value(value)) => {
                peer.answer(question, Ok(&messages::answer_bytes(value.as_ref(), None)))
            }
            Ok(Answer::Stream(stream)) => match self.add_stream(stream) {
                Ok(proxy) => {
                    self.keep(&proxy);
                    let nothing = PayloadRef { encoding: Encoding::Plain, bytes: &[0], buffers: &[] };
                    let number = Some(proxy.id().number);
                    peer.answer(question, Ok(&messages::answer_bytes(nothing, number)))
                }
                Err(error) => peer.answer(question, Err(&error)),
            },
            Ok(Answer::Later(begin)) => {
                let (conversation, peer) = (self.clone(), peer.clone());
                begin(Box::new(move |answer| conversation.answer(&peer, question, answer)));
                return;
            }
            Err(error) => peer.answer(question, Err(&error)),
        };
        // Who has asked may be gone.
        drop(sent);
    }
}

impl Handler for Conversation {
    fn hear(&self, peer: &Peer, kind: Kind, body: &[u8]) -> Result<(), Malformed> {
        if self.take(peer, kind, body)? { Ok(()) } else { Err(Malformed("about objects")) }
    }

    fn ended(&self, peer: &Peer, _: &Error) {
        self.end(peer);
    }
}

/// Takes a name away, unless it is another object's by now.
fn withdraw(desk: &dyn Serve, name: &str, proxy: &Proxy) {
    if desk.find(name).is_ok_and(|found| found == *proxy) {
        // Somebody else may be faster.
        drop(desk.unpublish(name));
    }
}

pub(super) fn streaming(stream: Box<dyn super::Stream>) -> Entry {
    Entry::new(Arc::new(Streaming::new(stream)), Reach::Public, false)
}

/// A call that has come, for another thread.
struct Owned {
    question: u64,
    verb: Verb,
    chain: Chain,
    method: String,
    arguments: Payload,
}

impl Owned {
    fn of(call: &Call<'_>) -> Self {
        let until = call.within.and_then(|within| Instant::now().checked_add(within));
        Self {
            question: call.question,
            verb: call.verb,
            chain: Chain { number: call.chain, until },
            method: call.method.to_owned(),
            arguments: call.arguments.to_owned(),
        }
    }

    fn bytes(&self) -> usize {
        let beside = self.arguments.buffers.iter().map(|buffer| buffer.len());
        self.arguments.bytes.len() + beside.sum::<usize>()
    }

    fn asked(&self, trusted: bool) -> Asked<'_> {
        let Self { verb, ref method, ref arguments, chain, .. } = *self;
        Asked { verb, method, arguments: arguments.as_ref(), trusted, chain }
    }
}

fn refuse(peer: &Peer, question: u64, error: &Error) {
    if question != 0 {
        // Who has asked may be gone.
        drop(peer.answer(question, Err(error)));
    }
}

fn too_many_calls() -> Error {
    Error::new(Wrong::ResourceExhausted, "too many calls of this caller wait to be begun")
        .during("call")
        .with_retry(Retry::Safe)
        .with_help("wait for some of them before more are made")
}

fn withdrawn_in_time() -> Error {
    Error::new(Wrong::Cancelled, "the call was cancelled before it began")
        .during("call")
        .with_retry(Retry::Safe)
}

pub(super) fn no_more() -> Error {
    Error::new(Wrong::NotFound, "the object is no more, or there was none")
        .during("call")
        .with_retry(Retry::Safe)
        .with_help("an object goes with the last proxy of it, unless it is published")
}
