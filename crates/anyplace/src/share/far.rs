//! The Share family of places of peers: an object lies in a place that another process offers, and each operation is a
//! question to it. How questions, answers and second thoughts pass each other on the way is told in `far/README.md`.

mod answer;
mod object;
mod question;
mod reached;
mod sent;
mod waiting;

pub(super) use answer::Answer;
pub(crate) use object::Object;
pub(super) use reached::or_unreached;
pub use reached::reached;
pub(super) use waiting::{Undo, Waiting, Waits};

use super::object::{self as any, Lies, check_name};
use super::shape::{Shape, Wish};
use super::site::Site;
use super::why::Why;
use crate::driver::Share;
use crate::error::{Error, Kind, Result, Retry};
use crate::peer::{Absence, Peer, Traffic};
use crate::wire::peer::share::{self as words, Note, Op};
use crate::wire::{self, Malformed};
use anyplace_sync::fork_generation;
use question::Question;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

/// Runs what waits for an answer. Who holds something that the answer may need, such as an interpreter's lock, lets go of
/// it meanwhile.
#[derive(Clone)]
pub struct OnWait(pub Arc<RunWait>);

/// Runs a wait, once.
type RunWait = dyn Fn(&mut (dyn FnMut() + Send)) + Send + Sync;

/// What the tasks of a place share that another process offers.
pub(crate) struct Far {
    pub(super) site: Arc<Site>,
    way: Mutex<Way>,
    on_wait: Option<OnWait>,
    /// How many objects were given numbers.
    given: AtomicU64,
    /// The questions that may wait for long, by a number of ours.
    open: Mutex<HashMap<u64, Arc<Question>>>,
    asked: AtomicU64,
    /// Which hall its objects lie in, once that is known.
    hall: OnceLock<u64>,
    /// The generation of forks that it belongs to: a child has no part in its parent's conversations.
    generation: u32,
    own: Weak<Self>,
}

/// The conversation with the process that offers the place, if there is one now, and how many there were: what was opened in
/// an earlier one is lost.
#[derive(Default)]
struct Way {
    peer: Option<Peer>,
    which: u64,
}

impl Far {
    pub(crate) fn new(place: impl fmt::Display, on_wait: Option<OnWait>) -> Arc<Self> {
        let far = Arc::new_cyclic(|own| Self {
            site: Site::far(place.to_string()),
            way: Mutex::default(),
            on_wait,
            given: AtomicU64::new(2),
            open: Mutex::default(),
            asked: AtomicU64::new(0),
            hall: OnceLock::new(),
            generation: fork_generation(),
            own: own.clone(),
        });
        super::known::far(&far);
        far
    }

    /// Nobody here may use the objects any more; whoever waits for one is told.
    pub(crate) fn close(&self) {
        self.site.close();
        let open = std::mem::take(&mut *self.open());
        open.into_values().for_each(|question| question.answer(Err(super::site::closed(&self.site.place))));
    }

    fn way(&self) -> MutexGuard<'_, Way> {
        self.way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The conversation with the process that offers the place, and which one that is.
    ///
    /// # Errors
    /// Why there is none now.
    fn reach(&self) -> Result<(u64, Peer)> {
        let way = self.way();
        match &way.peer {
            _ if !self.is_ours() => Err(self.told(self.parents())),
            Some(peer) => Ok((way.which, peer.clone())),
            None => Err(self.told(self.away())),
        }
    }

    /// Whether this process has made it, and not its parent by `fork`.
    fn is_ours(&self) -> bool {
        self.generation == fork_generation()
    }

    fn parents(&self) -> Error {
        let message = format!("the connection to `{}` is the parent's of this process", self.site.place);
        Error::new(Kind::ConnectionLost, message)
            .with_retry(Retry::Safe)
            .with_help("open the place in the child")
    }

    fn away(&self) -> Error {
        Error::new(Kind::ConnectionLost, format!("who offers `{}` is away", self.site.place))
            .with_retry(Retry::Safe)
            .with_help("try again: the connection is made again as soon as that can be done")
    }

    fn open(&self) -> MutexGuard<'_, HashMap<u64, Arc<Question>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number that no object has; a pipe's second end has the next one.
    fn number(&self) -> u64 {
        self.given.fetch_add(2, Ordering::Relaxed)
    }

    /// Notes a question that may stay open for long. Gives the number to forget it by.
    fn note(&self, question: &Arc<Question>) -> u64 {
        let ours = self.asked.fetch_add(1, Ordering::Relaxed);
        self.open().insert(ours, question.clone());
        ours
    }

    fn forget(&self, ours: u64) {
        self.open().remove(&ours);
    }

    fn silence(&self) -> Error {
        self.told(Error::new(Kind::ConnectionLost, "the answer was taken by another"))
    }

    /// The hall that its objects lie in, if one of them was opened.
    pub(super) fn hall(&self) -> Option<u64> {
        self.hall.get().copied()
    }

    /// Opens the object of a ticket that this place has given out.
    pub(super) fn arrive(self: &Arc<Self>, ticket: Vec<u8>, shape: Shape) -> Result<Arc<Object>> {
        Object::open(self, Op::Arrive { ticket, shape })
    }

    /// An error that came from the other side, as one of this place.
    fn told(&self, error: Error) -> Error {
        self.site.check_open().err().unwrap_or_else(|| error.at(&self.site.place).during("share"))
    }

    /// Waits for something that is about to come.
    fn wait(&self, wait: &mut (dyn FnMut() + Send)) {
        match &self.on_wait {
            Some(OnWait(waits)) => waits(wait),
            None => wait(),
        }
    }
}

impl Traffic for Far {
    fn family(&self) -> crate::driver::Family {
        crate::driver::Family::Share
    }

    /// The other side asks nothing here.
    fn hears(&self, _: wire::Kind) -> bool {
        false
    }

    fn begin(&self, peer: &Peer) {
        let mut way = self.way();
        way.which += 1;
        way.peer = Some(peer.clone());
        drop(way);
        // If it is refused, the conversation is over again.
        drop(peer.send(words::note(&Note::Process(std::process::id()))));
    }

    fn hear(self: Arc<Self>, _: &Peer, _: wire::Kind, _: &[u8]) -> Result<(), Malformed> {
        Err(Malformed("an answer"))
    }

    /// Those who wait hear it as the answer to their questions.
    fn lost(&self, _: Absence) {
        let before = self.way().peer.take();
        drop(before);
    }
}

impl Share for Far {
    fn open(&self, name: &str, wish: &Wish<'_>) -> Result<any::Object> {
        check_name(name, &self.site.place)?;
        self.site.check_open()?;
        let far = self.own.upgrade().expect("whoever has a reference keeps it");
        let object = Object::open(&far, Op::Open { name: name.to_owned(), shape: wish.shape })?;
        let lies = Lies::Far(object);
        Ok(any::Object { site: self.site.clone(), name: name.into(), kind: wish.shape.kind(), lies })
    }

    fn why(&self) -> Why {
        let nothing = || Why::nothing(&self.site.place);
        if self.site.check_open().is_err() {
            return nothing();
        }
        let far = self.own.upgrade().expect("whoever has a reference keeps it");
        let why = Object::unopened(&far).ask(Op::Why).and_then(Answer::read::<Why>);
        or_unreached(why.map(Some)).map_or_else(nothing, |why| Why { place: self.site.place.clone(), ..why })
    }
}

impl fmt::Debug for OnWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnWait")
    }
}

impl fmt::Debug for Far {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Far").field("place", &self.site.place).finish_non_exhaustive()
    }
}
