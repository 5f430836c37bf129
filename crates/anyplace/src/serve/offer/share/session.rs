//! A [`Session`]: the objects that a client has open in one conversation, and what it waits for.

use super::line::{Line, Turn};
use super::opened::{Opened, Outcome, Wanted};
use super::pending::{Given, Pending};
use super::returned;
use crate::context::caught;
use crate::error::{Error, Kind, Result};
use crate::peer::Peer;
use crate::place::Place;
use crate::serve::objects::aside;
use crate::serve::offer::account::{Account, Room};
use crate::serve::offer::limits::ClientLimits;
use crate::share::{Guest, Shape};
use crate::wire::peer::share::{Asked, Heard, Note, Op, Said, answer};
use crate::work::{Encoding, Payload};
use anyplace_sync::ground;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(super) struct Session {
    place: Place,
    peer: Peer,
    limits: ClientLimits,
    account: Arc<Account>,
    /// What the client has said, in its order.
    line: Line,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The number of the client's process, if it told.
    process: u32,
    guest: Option<Arc<Guest>>,
    opened: HashMap<u64, Arc<Opened>>,
    /// The room of what has no name, and goes with it.
    rooms: HashMap<u64, Room>,
    /// What waits, by the number of its question; nothing yet while it looks for the first time.
    pending: HashMap<u64, Option<Arc<Pending>>>,
    /// What of that the client has left: values that are given to it nevertheless go back.
    left: HashSet<u64>,
    /// Values on their way to the client, which goes on having them if they do not arrive.
    given: HashMap<u64, (Arc<Opened>, Vec<Payload>)>,
    is_over: bool,
}

impl Session {
    pub(super) fn new(place: &Place, peer: &Peer, limits: ClientLimits, account: &Arc<Account>) -> Arc<Self> {
        let (place, peer, account) = (place.clone(), peer.clone(), account.clone());
        Arc::new(Self { place, peer, limits, account, line: Line::default(), state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing of others runs under this lock, so a poisoned one is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn hear(self: &Arc<Self>, heard: Heard) {
        match self.line.enter(heard) {
            Turn::Now(heard) => self.take(heard),
            Turn::Aside(heard) => {
                let session = self.clone();
                aside(move || session.go_on(heard));
            }
            Turn::Later => {}
            Turn::Full => self.peer.close(&impatient()),
        }
    }

    /// Does this, and then what has come meanwhile.
    fn go_on(self: &Arc<Self>, heard: Heard) {
        let mut next = Some(heard);
        while let Some(heard) = next {
            caught(|| self.take(heard));
            next = self.line.next();
        }
    }

    fn take(self: &Arc<Self>, heard: Heard) {
        match heard {
            Heard::Question { id, object, asked, values } => self.asked(id, object, asked, values),
            Heard::Note(note) => self.noted(note),
        }
    }

    fn noted(&self, note: Note) {
        match note {
            Note::Process(process) => self.state().process = process,
            Note::Withdraw(id) => self.withdraw(id),
            Note::Keep(id) => drop(self.state().given.remove(&id)),
            Note::Return(id) => self.take_back(id),
            Note::Close(object) => self.close(object),
            Note::Line(id, line) => {
                let pending = self.state().pending.get(&id).cloned();
                pending.flatten().into_iter().for_each(|pending| pending.tell_line(line.clone()));
            }
        }
    }

    fn withdraw(&self, id: u64) {
        let pending = self.state().pending.get(&id).cloned();
        pending.flatten().into_iter().for_each(|pending| pending.withdraw());
    }

    /// The client has left. What was given to it, or is about to be by another thread, goes back.
    fn take_back(&self, id: u64) {
        let mut state = self.state();
        let given = state.given.remove(&id);
        if state.pending.contains_key(&id) {
            state.left.insert(id);
        }
        drop(state);
        given.into_iter().for_each(|(opened, values)| returned::take_back(&opened, values));
        self.withdraw(id);
    }

    fn asked(self: &Arc<Self>, id: u64, object: u64, asked: Asked, values: Vec<Payload>) {
        let thread = asked.thread;
        let outcome = match &asked.op {
            Op::Open { .. } | Op::Arrive { .. } => Outcome::Now(self.open(object, &asked.op)),
            Op::Why => Outcome::Now(self.why()),
            _ => match self.find(object) {
                Ok(opened) => return self.act(id, &opened, thread, Wanted::new(asked, values)),
                Err(error) => Outcome::Now(Err(error)),
            },
        };
        if let Outcome::Now(given) = outcome {
            self.answer(id, given);
        }
    }

    fn act(self: &Arc<Self>, id: u64, opened: &Arc<Opened>, thread: u32, wanted: Wanted) {
        let line = wanted.line.clone();
        let takes = matches!(wanted.op, Op::Get | Op::GetMany { .. });
        match ground::as_thread(thread, || opened.act(wanted)) {
            Outcome::Now(given) => self.give(id, opened, takes, given),
            Outcome::Later(doing) => {
                self.state().pending.insert(id, None);
                let (session, opened) = (self.clone(), opened.clone());
                let then = move |given: Option<Result<Given>>| {
                    session.give(id, &opened, takes, given.unwrap_or(Ok((Said::NotNow, Vec::new()))));
                };
                self.wait(id, Pending::start(doing, thread, line, Box::new(then)));
            }
        }
    }

    /// Keeps what waits, so that it can be withdrawn; what has ended, or whose client is lost, is not expected any more.
    fn wait(&self, id: u64, pending: Arc<Pending>) {
        let mut state = self.state();
        if let Some(expected) = state.pending.get_mut(&id) {
            *expected = Some(pending);
            return;
        }
        drop(state);
        pending.withdraw();
    }

    /// Gives what came of a question. Values that were taken are kept until they have arrived.
    fn give(&self, id: u64, opened: &Arc<Opened>, takes: bool, given: Result<Given>) {
        let mut state = self.state();
        state.pending.remove(&id);
        let is_left = state.left.remove(&id) || state.is_over;
        let taken = given.as_ref().ok().filter(|(said, _)| takes && *said != Said::NotNow);
        if let Some((_, values)) = taken {
            let values = values.clone();
            if is_left {
                drop(state);
                returned::take_back(opened, values);
                return self.answer(id, Ok((Said::NotNow, Vec::new())));
            }
            state.given.insert(id, (opened.clone(), values));
        }
        drop(state);
        self.answer(id, given);
    }

    fn answer(&self, id: u64, given: Result<Given>) {
        let bytes = given.map(|(said, values)| answer(said, &values));
        // If that is refused, the conversation is over, and `end` is about to be called.
        drop(self.peer.answer(id, bytes.as_deref()));
    }

    fn find(&self, object: u64) -> Result<Arc<Opened>> {
        self.state().opened.get(&object).cloned().ok_or_else(|| {
            Error::new(Kind::NotFound, "the object is not open in this conversation")
                .with_help("open it again, by its name")
        })
    }

    fn close(&self, object: u64) {
        let mut state = self.state();
        let gone = (state.opened.remove(&object), state.rooms.remove(&object));
        drop(state);
        drop(gone);
    }

    fn open(&self, object: u64, op: &Op) -> Result<Given> {
        let (name, bytes) = wanted(op);
        let room = self.account.take(&self.limits, name, bytes)?;
        let guest = self.guest()?;
        let opened = match op {
            Op::Open { name, shape } => Opened::open(&guest, name, *shape)?,
            Op::Arrive { ticket, shape } => vec![Opened::arrive(&guest, ticket, *shape)?],
            _ => Vec::new(),
        };
        let room = match room {
            Some(room) if !name.is_empty() => {
                room.stay(name);
                None
            }
            room => room,
        };
        let mut state = self.state();
        if !state.is_over {
            state.opened.extend((object..).zip(opened.into_iter().map(Arc::new)));
            state.rooms.extend(room.map(|room| (object, room)));
        }
        drop(state);
        Ok((Said::Done(guest.hall().cast_signed()), Vec::new()))
    }

    fn why(&self) -> Result<Given> {
        let why = self.place.share()?.why();
        let bytes = postcard::to_stdvec(&why).map_err(|error| {
            Error::new(Kind::NotSerializable, format!("the report cannot be sent: {error}"))
        })?;
        Ok((Said::Done(0), vec![Payload::new(Encoding::Postcard, bytes)]))
    }

    /// Who the client is among those that use the place.
    fn guest(&self) -> Result<Arc<Guest>> {
        let (known, process) = {
            let state = self.state();
            (state.guest.clone(), state.process)
        };
        if let Some(guest) = known {
            return Ok(guest);
        }
        let share = self.place.share()?;
        let guest = Arc::new(share.guest(&self.peer.endpoint(), process)?);
        self.state().guest = Some(guest.clone());
        Ok(guest)
    }

    /// The client is lost: it leaves its lines, and what it held passes on. Values that did not arrive go back.
    pub(super) fn end(&self) {
        let State { guest, opened, rooms, pending, given, .. } = {
            let mut state = self.state();
            std::mem::replace(&mut *state, State { is_over: true, ..State::default() })
        };
        pending.into_values().flatten().for_each(|pending| pending.withdraw());
        for (opened, values) in given.into_values() {
            returned::take_back(&opened, values);
        }
        self.line.end();
        // To end what nobody has any more takes a while where it is large.
        aside(move || drop((opened, guest, rooms)));
    }
}

/// The name of what is to be opened, and how much memory that may take at once.
fn wanted(op: &Op) -> (&str, usize) {
    match op {
        Op::Open { name, shape: Shape::Array { len } } => (name, *len),
        Op::Open { name, .. } => (name, 0),
        _ => ("", 0),
    }
}

fn impatient() -> Error {
    Error::new(Kind::ResourceExhausted, "the client said more while it was waited for than there is room for")
        .with_help("wait for what is opened before more is said")
}
