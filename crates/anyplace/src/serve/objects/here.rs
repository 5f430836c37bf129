//! This process among those that call each other's objects: what it has, whom it talks to, and where it is found.

use super::conversation::{Conversation, Rights};
use super::desk::Far;
use super::door::{Door, Hint};
use super::held::Held;
use super::proxy::Proxy;
use super::table::{Entry, Table};
use super::threads::Threads;
use crate::error::{Error, Kind, Result, Retry};
use crate::net::reactor::{self, Registration, Source};
use crate::net::{Interest, Stream};
use crate::peer::{Peer, greet};
use crate::place::Scope;
use crate::wire::peer::objects::ObjectId;
use crate::wire::peer::{Greeting, NodeId};
use rustix::net::sockopt::socket_peercred;
use std::collections::HashMap;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};
use std::time::{Duration, Instant};

/// So long a greeting may take.
const GREETING: Duration = Duration::from_secs(5);

/// So long an object stays that nobody holds, if a proxy of it may be on its way.
const ON_ITS_WAY: Duration = Duration::from_secs(10);

/// A process that has or calls objects.
pub(crate) struct Node {
    pub(crate) id: NodeId,
    generation: u32,
    pub(super) table: Table,
    pub(super) threads: Threads,
    /// The proxies that this process has.
    pub(super) held: Mutex<HashMap<ObjectId, Weak<Held>>>,
    /// What the handles of calls count in.
    pub(super) scope: Arc<Scope>,
    ways: Mutex<Ways>,
    door: Mutex<Option<Arc<Open>>>,
    /// One connects at a time, so that two do not connect to the same.
    connecting: Mutex<()>,
    lingering: Mutex<Vec<(Instant, u64)>>,
}

#[derive(Default)]
struct Ways {
    /// By whom a process is reached: it, or somebody who knows it.
    peers: HashMap<NodeId, Peer>,
    /// Those who know others.
    gateways: Vec<Peer>,
    /// Hosts that were started and have not come in yet, by what they will say.
    expected: HashMap<u64, Sender<Result<Peer>>>,
}

static HERE: RwLock<Option<Arc<Node>>> = RwLock::new(None);

/// The node of this process.
///
/// # Errors
/// What the system says if it has no random numbers.
pub(crate) fn here() -> Result<Arc<Node>> {
    let generation = anyplace_sync::fork_generation();
    let known = HERE.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(node) = known.as_ref().filter(|node| node.generation == generation) {
        return Ok(node.clone());
    }
    drop(known);
    let mut known = HERE.write().unwrap_or_else(PoisonError::into_inner);
    if known.as_ref().is_none_or(|node| node.generation != generation) {
        // What the parent of a fork has is the parent's: its conversations must not be ended here.
        std::mem::forget(known.take());
        *known = Some(Arc::new(Node::new(generation)?));
    }
    Ok(known.as_ref().expect("it was just made").clone())
}

/// Does something on a thread of objects, which may take its time; on this one where there is none.
pub(crate) fn aside(work: impl FnOnce() + Send + 'static) {
    match here() {
        Ok(node) => node.threads.run(Box::new(work)),
        Err(_) => work(),
    }
}

impl Node {
    fn new(generation: u32) -> Result<Self> {
        Ok(Self {
            id: NodeId(u128::from_ne_bytes(crate::random::bytes()?)),
            generation,
            table: Table::default(),
            threads: Threads::default(),
            held: Mutex::default(),
            scope: Arc::new(Scope::new("a remote object".to_owned(), 0)),
            ways: Mutex::default(),
            door: Mutex::default(),
            connecting: Mutex::default(),
            lingering: Mutex::default(),
        })
    }

    /// Whether it is that of this process, and not of one that has forked it.
    pub(super) fn is_here(&self) -> bool {
        self.generation == anyplace_sync::fork_generation()
    }

    fn ways(&self) -> MutexGuard<'_, Ways> {
        self.ways.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What this process says of itself.
    fn greeting(&self, topic: Vec<u8>) -> Greeting {
        Greeting::new("objects".to_owned(), self.id, topic)
    }

    /// Adds an object. It stays for as long as somebody holds a proxy of it.
    pub(super) fn add(self: &Arc<Self>, entry: Entry) -> Result<Proxy> {
        let entry = Arc::new(entry);
        let number = self.table.add(entry.clone())?;
        Ok(Proxy::here(self, ObjectId { node: self.id, number }, entry))
    }

    /// Nobody here holds the object any more.
    pub(super) fn let_go(&self, number: u64, entry: &Entry) {
        if !entry.lent.load(std::sync::atomic::Ordering::Acquire) {
            drop(self.table.remove(number));
            return;
        }
        let until = Instant::now() + ON_ITS_WAY;
        self.lingering.lock().unwrap_or_else(PoisonError::into_inner).push((until, number));
    }

    fn sweep(&self, now: Instant) {
        let mut gone = Vec::new();
        self.lingering.lock().unwrap_or_else(PoisonError::into_inner).retain(|(until, number)| {
            let is_over = *until <= now;
            if is_over {
                gone.push(*number);
            }
            !is_over
        });
        for number in gone {
            let id = ObjectId { node: self.id, number };
            let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            let is_held = held.get(&id).is_some_and(|held| held.strong_count() > 0);
            drop(held);
            if !is_held {
                drop(self.table.remove(number));
            }
        }
    }

    /// A conversation has begun, by which that process is reached.
    pub(super) fn met(&self, node: NodeId, peer: &Peer) {
        let mut ways = self.ways();
        let known = ways.peers.get(&node);
        // Who claims to be somebody else whom we talk to already is not believed.
        if known.is_none_or(|known| known.end().is_some()) {
            ways.peers.insert(node, peer.clone());
        }
    }

    /// The other side of a conversation may know others whom we do not.
    pub(super) fn may_ask(&self, peer: &Peer) {
        self.ways().gateways.push(peer.clone());
    }

    /// A conversation is over.
    pub(super) fn lost(&self, peer: &Peer) {
        let mut gone = Vec::new();
        let mut ways = self.ways();
        ways.gateways.retain(|known| !known.is(peer));
        ways.peers.retain(|_, known| {
            let stays = !known.is(peer);
            if !stays {
                gone.push(known.clone());
            }
            stays
        });
        drop(ways);
    }

    /// Somebody by whom that process is reached, if we talk to one.
    pub(super) fn known(&self, node: NodeId) -> Option<Peer> {
        self.ways().peers.get(&node).filter(|peer| peer.end().is_none()).cloned()
    }

    /// The way to that process, which may have to be found. It may wait for others.
    ///
    /// # Errors
    /// `WorkerLost` if there is none any more.
    pub(super) fn way(self: &Arc<Self>, node: NodeId, hint: Option<Hint>) -> Result<Peer> {
        if let Some(peer) = self.known(node) {
            return Ok(peer);
        }
        let connecting = self.connecting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(peer) = self.known(node) {
            return Ok(peer);
        }
        if let Some(endpoint) = hint.and_then(Hint::endpoint)
            && let Ok(stream) = crate::net::connect(endpoint, Some(Instant::now() + GREETING))
            && let Ok(peer) = self.talk(stream, Some(node), Vec::new(), Rights::of_same_user())
        {
            return Ok(peer);
        }
        drop(connecting);
        let gateways = self.ways().gateways.clone();
        let knows = |peer: &&Peer| Far::new((*peer).clone()).knows(node).unwrap_or(false);
        let gateway = gateways.iter().find(knows).cloned().ok_or_else(gone)?;
        self.ways().peers.insert(node, gateway.clone());
        Ok(gateway)
    }

    /// Begins a conversation on a stream to or from another process of the same user.
    fn talk(
        self: &Arc<Self>,
        stream: Stream,
        wanted: Option<NodeId>,
        topic: Vec<u8>,
        rights: Rights,
    ) -> Result<Peer> {
        check_user(&stream)?;
        let theirs = greet(&stream, &self.greeting(topic), Some(Instant::now() + GREETING))?;
        if wanted.is_some_and(|wanted| wanted != theirs.node) {
            return Err(gone());
        }
        let (host, node) = (theirs.topic.clone(), theirs.node);
        let conversation = Conversation::new(self, rights);
        let peer = Peer::start(stream, theirs, Arc::new(conversation.clone()))?;
        conversation.begin(&peer);
        self.met(node, &peer);
        self.welcome(&host, &peer);
        Ok(peer)
    }

    /// Tells whoever waits for it that a host has come in.
    fn welcome(&self, topic: &[u8], peer: &Peer) {
        let Ok(number) = topic.try_into().map(u64::from_le_bytes) else { return };
        if let Some(waiting) = self.ways().expected.remove(&number) {
            // Nobody waits any more: then its starter has given up, and ends it.
            drop(waiting.send(Ok(peer.clone())));
        }
    }

    /// Expects a host to come in that says this number, and tells of it.
    pub(crate) fn expect(&self, tell: Sender<Result<Peer>>) -> Result<u64> {
        let number = u64::from_ne_bytes(crate::random::bytes()?);
        self.ways().expected.insert(number, tell);
        Ok(number)
    }

    pub(crate) fn expect_no_more(&self, number: u64) {
        let expected = self.ways().expected.remove(&number);
        drop(expected);
    }

    /// Comes in as a host, at a process that expects it. `desk` makes its objects.
    ///
    /// # Errors
    /// That process is gone.
    pub(crate) fn come_in(self: &Arc<Self>, hint: Hint, number: u64, rights: Rights) -> Result<Peer> {
        let endpoint = hint.endpoint().ok_or_else(gone)?;
        let stream = crate::net::connect(endpoint, Some(Instant::now() + GREETING))?;
        self.talk(stream, None, number.to_le_bytes().to_vec(), rights)
    }

    /// Where this process is found; it is not found before it is asked for this.
    ///
    /// # Errors
    /// `ResourceExhausted`.
    pub(crate) fn hint(self: &Arc<Self>) -> Result<Hint> {
        let mut door = self.door.lock().unwrap_or_else(PoisonError::into_inner);
        let open = match &*door {
            Some(open) => open,
            None => door.insert(Open::start(self)?),
        };
        Ok(open.door.hint())
    }

    /// Closes the door if nobody has a reason to come.
    fn close_if_unused(&self) {
        let mut door = self.door.lock().unwrap_or_else(PoisonError::into_inner);
        let ways = self.ways();
        let is_used = self.table.len() > 0 || !ways.expected.is_empty() || !ways.peers.is_empty();
        drop(ways);
        if !is_used && let Some(open) = door.take() {
            drop(open.registration.lock().unwrap_or_else(PoisonError::into_inner).take());
        }
    }
}

/// The door while it is open.
struct Open {
    node: Arc<Node>,
    door: Door,
    registration: Mutex<Option<Registration>>,
}

impl Open {
    fn start(node: &Arc<Node>) -> Result<Arc<Self>> {
        let open = Arc::new(Self { node: node.clone(), door: Door::open()?, registration: Mutex::default() });
        let registration = reactor::register(open.door.listener.fd(), open.clone())?;
        let mut kept = open.registration.lock().unwrap_or_else(PoisonError::into_inner);
        // Kept first: whoever is called for somebody who has come already renews it.
        kept.insert(registration).want(true, false);
        drop(kept);
        Ok(open)
    }
}

impl Source for Open {
    fn ready(self: Arc<Self>, _: bool, _: bool) {
        while let Ok(stream) = self.door.listener.try_accept() {
            let node = self.node.clone();
            // A greeting waits for the other side.
            self.node.threads.run(Box::new(move || {
                // Who is not let in hears nothing more.
                drop(node.talk(stream, None, Vec::new(), Rights::of_same_user()));
            }));
        }
        let registration = self.registration.lock().unwrap_or_else(PoisonError::into_inner);
        registration.iter().for_each(|registration| registration.want(true, false));
    }

    fn tick(self: Arc<Self>, now: Instant) {
        self.node.sweep(now);
        self.node.close_if_unused();
    }
}

/// Whoever is at the other end must be the same user.
fn check_user(stream: &Stream) -> Result<()> {
    let who = socket_peercred(stream.fd(Interest::Read)).map_err(std::io::Error::from)?;
    if who.uid == rustix::process::geteuid() {
        return Ok(());
    }
    Err(Error::new(Kind::PermissionDenied, "the process at the other end is another user's")
        .with_help("objects of other users are reached by a place that they offer: `anyplace serve`"))
}

fn gone() -> Error {
    Error::new(Kind::WorkerLost, "the process that had the object is gone")
        .during("call")
        .with_retry(Retry::MayRepeat)
        .with_help("create the object again, or with `restart=` so that it comes back by itself")
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} with {} objects", self.id, self.table.len())
    }
}
