//! One server of a place: the conversation with it, begun again when it is lost.
//!
//! Each kind of traffic hears what is its own, as in `serve/offer/client.rs`: [`Server::carry`] adds one.

use super::desk::Desk;
use super::given::Given;
use super::options::Choices;
use super::records::Records;
use super::target::Target;
use crate::driver::Setup;
use crate::error::{Error, Kind as Wrong, Result, Retry};
use crate::keys::{Keys, Ticket, join};
use crate::net::{Endpoint, connect};
use crate::outcome::Outcome;
use crate::peer::{self, Absence, Handler, Peer, Traffic, greet};
use crate::serve::{MOST_FUNCTIONS, another_language};
use crate::wire::peer::tasks::{self as messages, Wanted};
use crate::wire::peer::topic::{Offered, Wish};
use crate::wire::peer::{Greeting, NodeId};
use crate::wire::{Frame, Kind, Malformed, define, read_record};
use crate::work::{Function, Work};
use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long one attempt to connect may take.
const CONNECT: Duration = Duration::from_secs(5);

/// The pause before the second attempt to connect again, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// A server that does not read is not waited for.
const PARTING: Duration = Duration::from_secs(1);

/// Frames from this size on are sent from where their values are.
const LARGE: usize = 64 << 10;

pub(super) struct Server {
    /// Which of the place's servers it is.
    number: usize,
    endpoint: Endpoint,
    /// Lets us in where our key is not known yet.
    ticket: Option<Ticket>,
    keys: Keys,
    wish: Wish,
    language: String,
    records: Records,
    desk: OnceLock<Weak<Desk>>,
    traffics: OnceLock<Vec<Arc<dyn Traffic>>>,
    link: Mutex<Link>,
    changed: Condvar,
}

#[derive(Default)]
struct Link {
    peer: Option<Peer>,
    /// What the server says of itself, since it was last here.
    greeting: Option<Greeting>,
    defined: Defined,
    /// The longest task that it takes, in bytes.
    longest: Option<u64>,
    /// Whose ends have come since that was said last.
    heard: Vec<u64>,
    /// Why it is away, once that has been for too long.
    given_up: Option<Error>,
    seeker: Option<JoinHandle<()>>,
    is_closed: bool,
}

/// The callables that the server knows, by the same rule as there.
#[derive(Default)]
struct Defined {
    known: HashSet<u64>,
    order: VecDeque<u64>,
}

/// A conversation with a server.
struct Conversation(Arc<Server>);

impl Server {
    /// A server that nobody has spoken to yet.
    pub(super) fn new(number: usize, target: Target, choices: &Choices, setup: &Setup) -> Result<Arc<Self>> {
        Ok(Arc::new(Self {
            number,
            endpoint: target.endpoint,
            ticket: target.ticket,
            keys: Keys::new(setup.keys.clone()),
            wish: Wish {
                session: u128::from_ne_bytes(crate::random::bytes()?),
                keep: choices.keep,
                patience: choices.reconnect,
            },
            language: setup.language.clone().unwrap_or_else(|| "rust".to_owned()),
            records: Records::new(setup.on_log.clone()),
            desk: OnceLock::new(),
            traffics: OnceLock::new(),
            link: Mutex::default(),
            changed: Condvar::new(),
        }))
    }

    fn link(&self) -> MutexGuard<'_, Link> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who hears what becomes of tasks.
    pub(super) fn work_for(&self, desk: &Arc<Desk>) {
        self.desk.get_or_init(|| Arc::downgrade(desk));
    }

    /// What else goes on in the conversations with it: told once, before the first of them.
    pub(super) fn carry(&self, traffics: Vec<Arc<dyn Traffic>>) {
        self.traffics.get_or_init(|| traffics);
    }

    fn traffics(&self) -> &[Arc<dyn Traffic>] {
        self.traffics.get().map_or(&[], Vec::as_slice)
    }

    /// The server, while it is here.
    pub(super) fn peer(&self) -> Option<Peer> {
        self.link().peer.clone()
    }

    fn desk(&self) -> Option<Arc<Desk>> {
        self.desk.get()?.upgrade()
    }

    /// Connects, and hears what the server has.
    ///
    /// # Errors
    /// What [`connect`] says; `PermissionDenied`; `VersionMismatch`.
    pub(super) fn open(self: &Arc<Self>) -> Result<Offered> {
        self.open_within(CONNECT)
    }

    fn open_within(self: &Arc<Self>, limit: Duration) -> Result<Offered> {
        let until = Instant::now() + limit;
        let stream = connect(self.endpoint.clone(), Some(until))?;
        let joined = join(stream, &self.keys, self.ticket.as_ref(), until);
        let stream = joined.map_err(|error| error.at(&self.endpoint))?.stream;
        let mine = Greeting::new(self.language.clone(), NodeId(self.wish.session), self.wish.to_bytes());
        let theirs = greet(&stream, &mine, Some(until)).inspect_err(|_| stream.abort())?;
        let offered = Offered::read(&theirs.topic).map_err(|malformed| self.strange(malformed))?;
        let peer = Peer::start(stream, theirs.clone(), Arc::new(Conversation(self.clone())))?;
        let mut link = self.link();
        if link.is_closed {
            drop(link);
            peer.part(&self.closed(), Instant::now() + PARTING);
            return Err(self.closed());
        }
        // One that has ended meanwhile is sought already, and perhaps given up.
        if peer.end().is_none() {
            link.peer = Some(peer);
            link.given_up = None;
        }
        link.greeting = Some(theirs);
        link.longest = offered.max_payload;
        link.defined = Defined::default();
        Ok(offered)
    }

    fn strange(&self, malformed: Malformed) -> Error {
        Error::new(
            Wrong::VersionMismatch,
            format!("`{}` offers what we do not know: {malformed}", self.endpoint),
        )
        .at(&self.endpoint)
        .with_retry(Retry::Safe)
        .with_help("install the same version at both ends")
    }

    fn closed(&self) -> Error {
        Error::new(Wrong::PlaceClosed, format!("the place at `{}` is closed here", self.endpoint))
            .at(&self.endpoint)
    }

    /// Calls `arrive` if it is here, and before anybody can hear that it is not any more.
    pub(super) fn if_here(&self, arrive: impl FnOnce()) {
        let link = self.link();
        if link.peer.is_some() {
            arrive();
        }
    }

    /// Refuses Python callables where the other end has another Python.
    pub(super) fn speaks_another(&self) -> Result<()> {
        let theirs = self.link().greeting.as_ref().map(|greeting| greeting.language.clone());
        match theirs {
            Some(theirs) if theirs != self.language => {
                Err(another_language(&self.language, &theirs).at(&self.endpoint))
            }
            _ => Ok(()),
        }
    }

    /// Sends tasks. If the conversation is over, what became of them is asked in the next.
    pub(super) fn give(&self, tasks: &[(u64, Arc<Given>)]) {
        let mut link = self.link();
        let Some(peer) = link.peer.clone() else { return };
        let (mut bytes, longest) = (Vec::new(), link.longest.unwrap_or(u64::MAX));
        for (_, given) in tasks {
            if let Work::Pickled(pickled) = &given.task().work {
                link.defined.define(&pickled.function, &mut bytes);
            }
        }
        drop(link);
        for (number, given) in tasks {
            let task = given.task();
            let frame = messages::run(*number, &task);
            if frame.length() as u64 > longest {
                self.refuse(*number, longest);
                continue;
            }
            if frame.length() < LARGE {
                frame.append_to(&mut bytes);
                continue;
            }
            let before = Frame::joined(std::mem::take(&mut bytes));
            if peer.send(before).and_then(|()| peer.send(frame)).is_err() {
                return;
            }
        }
        if !bytes.is_empty() {
            // As above: then the next conversation tells.
            drop(peer.send(Frame::joined(bytes)));
        }
    }

    /// Ends a task that the server would not hear.
    fn refuse(&self, number: u64, longest: u64) {
        let message =
            format!("the task has more than the {longest} bytes that `{}` takes at once", self.endpoint);
        let error = Error::new(Wrong::ResourceExhausted, message)
            .at(&self.endpoint)
            .with_retry(Retry::Safe)
            .with_help(
                "send large values in parts, or as files; or ask who offers the place for a larger limit",
            );
        if let Some(desk) = self.desk() {
            desk.ended(self.number, number, None, Outcome::Failed(error));
        }
    }

    /// Asks the server to end a task.
    pub(super) fn end(&self, number: u64, wanted: Wanted) {
        if let Some(peer) = self.peer() {
            // A server that is away ends it or not, as was wished.
            drop(peer.send(messages::end(number, wanted)));
        }
    }

    /// Why nobody seeks it with much hope any more.
    pub(super) fn given_up(&self) -> Option<Error> {
        self.link().given_up.clone()
    }

    /// Seeks the server until it is here again, or the place is closed.
    pub(super) fn seek(self: &Arc<Self>, why: &Error) {
        let mut link = self.link();
        if link.is_closed {
            return;
        }
        let (server, why) = (self.clone(), why.clone());
        let seeker = thread::Builder::new().name("anyplace-seek".to_owned()).spawn(move || server.look(&why));
        match seeker {
            // The one before has found it, and has nothing more to do.
            Ok(seeker) => drop(link.seeker.replace(seeker)),
            Err(error) => {
                drop(link);
                self.despair(&Error::from(error).at(&self.endpoint));
            }
        }
    }

    fn look(self: &Arc<Self>, why: &Error) {
        let (mut pause, longest) = PAUSES;
        let patient_until = Instant::now() + self.wish.patience;
        let before = self.link().greeting.as_ref().map(|greeting| greeting.node);
        // Who has too much there has not less of it by waiting.
        let mut has_despaired = why.kind() == Wrong::ResourceExhausted;
        if has_despaired {
            self.despair(why);
        }
        loop {
            let left = patient_until.saturating_duration_since(Instant::now());
            if left.is_zero() && !has_despaired {
                has_despaired = true;
                self.despair(why);
            }
            let limit = if has_despaired { CONNECT } else { CONNECT.min(left) };
            match self.open_within(limit) {
                Ok(_) => return self.resume(before),
                Err(_) if self.link().is_closed => return,
                // It is here, and lets us in no more: patience would not help.
                Err(refusal) if refusal.kind() == Wrong::PermissionDenied && !has_despaired => {
                    has_despaired = true;
                    self.despair(&refusal);
                }
                Err(_) => {}
            }
            let rest = if has_despaired {
                pause
            } else {
                pause.min(patient_until.saturating_duration_since(Instant::now()))
            };
            if self.rest(rest) {
                return;
            }
            pause = (pause * 2).min(longest);
        }
    }

    /// True if the place is closed meanwhile.
    fn rest(&self, pause: Duration) -> bool {
        let link = self.link();
        let is_open = |link: &mut Link| !link.is_closed;
        self.changed
            .wait_timeout_while(link, pause, is_open)
            .unwrap_or_else(PoisonError::into_inner)
            .0
            .is_closed
    }

    /// It was away for too long.
    fn despair(&self, why: &Error) {
        self.link().given_up = Some(why.clone());
        if let Some(desk) = self.desk() {
            desk.give_up(self.number, why);
            desk.give_up_waiting(why);
        }
    }

    /// It is back: the same as before knows what became of its tasks, and nobody else does.
    fn resume(self: &Arc<Self>, before: Option<NodeId>) {
        let (Some(desk), link) = (self.desk(), self.link()) else { return };
        let (Some(peer), now) = (link.peer.clone(), link.greeting.as_ref().map(|greeting| greeting.node))
        else {
            return;
        };
        drop(link);
        if before != now {
            desk.give_up(self.number, &self.restarted());
        }
        let numbers = desk.in_doubt(self.number);
        if numbers.is_empty() {
            return desk.arrive(self.number);
        }
        let (server, asked) = (self.number, numbers.clone());
        peer.ask(
            |question| messages::resume(question, &numbers),
            move |answer| {
                // Without an answer the conversation is over, and the next one asks again.
                if let Some(fates) = answer.ok().and_then(|bytes| messages::read_fates(bytes).ok()) {
                    desk.resume(server, &asked, &fates);
                }
            },
        );
    }

    fn restarted(&self) -> Error {
        Error::new(
            Wrong::ConnectionLost,
            format!("the server at `{}` was lost, and another is there now", self.endpoint),
        )
        .at(&self.endpoint)
        .with_retry(Retry::MayRepeat)
        .with_help("what had begun there may have run; a `retry` layer repeats what is idempotent")
    }

    /// Says goodbye.
    pub(super) fn close(&self) {
        let (peer, seeker) = {
            let mut link = self.link();
            link.is_closed = true;
            (link.peer.take(), link.seeker.take())
        };
        self.changed.notify_all();
        if let Some(peer) = peer {
            peer.part(&self.closed(), Instant::now() + PARTING);
        }
        // Whoever drops the place may be called by the seeker itself.
        if let Some(seeker) = seeker.filter(|seeker| seeker.thread().id() != thread::current().id()) {
            drop(seeker.join());
        }
        self.records.close();
    }
}

impl Handler for Conversation {
    fn began(&self, peer: &Peer) {
        // It was read before the conversation began.
        let Ok(offered) = Offered::read(&peer.greeting().topic) else { return };
        let is_offered = |traffic: &&Arc<dyn Traffic>| offered.families.contains(&traffic.family());
        self.0.traffics().iter().filter(is_offered).for_each(|traffic| traffic.begin(peer));
    }

    fn hear(&self, peer: &Peer, kind: Kind, body: &[u8]) -> Result<(), Malformed> {
        let server = &self.0;
        match kind {
            Kind::Ended => {
                let (number, took, outcome) = messages::read_ended(body)?;
                if let Some(desk) = server.desk() {
                    desk.ended(server.number, number, took, outcome);
                }
                if server.wish.keep {
                    server.link().heard.push(number);
                }
            }
            Kind::Log => {
                server.records.tell(read_record(body)?);
            }
            _ => peer::hear(server.traffics().iter(), peer, kind, body)?,
        }
        Ok(())
    }

    /// What has ended makes room for what waits: for all that has come at once.
    fn pause(&self, peer: &Peer) {
        if self.0.wish.keep {
            let heard = std::mem::take(&mut self.0.link().heard);
            if !heard.is_empty() {
                // Who is away is told again, and says so again.
                drop(peer.send(messages::heard(&heard)));
            }
        }
        if let Some(desk) = self.0.desk() {
            desk.send();
        }
    }

    fn ended(&self, peer: &Peer, why: &Error) {
        let server = &self.0;
        {
            let mut link = server.link();
            if link.peer.as_ref().is_some_and(|current| !current.is(peer)) {
                return;
            }
            link.peer = None;
        }
        if let Some(desk) = server.desk() {
            desk.lose(server.number);
            if why.kind() == Wrong::PermissionDenied {
                // Where we may be no more, or for less than before, nobody tells what became of what we sent.
                desk.give_up(server.number, why);
            }
            if why.kind() == Wrong::PlaceClosed && !server.link().is_closed {
                // A server says goodbye when it has told how all ended that had begun.
                desk.take_back_all(server.number);
            }
        }
        let absence = Absence::Away { goes_on: server.wish.keep };
        server.traffics().iter().for_each(|traffic| traffic.lost(absence));
        server.seek(why);
    }
}

impl Defined {
    /// Appends what the server has to know before the callable is called there.
    fn define(&mut self, function: &Function, bytes: &mut Vec<u8>) {
        if !self.known.insert(function.id) {
            return;
        }
        if self.order.len() >= MOST_FUNCTIONS
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.order.push_back(function.id);
        define(function).append_to(bytes);
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({})", self.endpoint)
    }
}
