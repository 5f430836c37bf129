//! An [`Object`] of a place of a peer, as this process knows it: by a number of its own.

use super::question::Question;
use super::sent::Sent;
use super::waiting::{Undo, Waiting};
use super::{Answer, Far};
use crate::error::{Error, Kind, Result, Retry};
use crate::peer::Peer;
use crate::share::shape::Shape;
use crate::share::site::Site;
use crate::wire::peer::share::{self as words, Asked, Note, Op, Said};
use crate::work::Payload;
use anyplace_sync::ground;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So long a thread that asks reads what its peer says.
const SOON: Duration = Duration::from_millis(2);

/// A shared object that lies with a peer.
pub(crate) struct Object {
    far: Arc<Far>,
    pub(super) number: u64,
    /// What makes the other side know the number.
    opening: Op,
    /// In which conversation it does.
    known: Mutex<u64>,
    /// In which one we took it last, if it can be taken.
    taken: AtomicU64,
}

impl Object {
    /// Has the other side find or make it.
    pub(super) fn open(far: &Arc<Far>, opening: Op) -> Result<Arc<Self>> {
        let (which, _) = far.reach()?;
        let known = Mutex::new(which);
        let object = Arc::new(Self {
            far: far.clone(),
            number: far.number(),
            opening,
            known,
            taken: AtomicU64::new(0),
        });
        let answer = object.ask(object.opening.clone())?;
        if let Said::Done(hall) = answer.said
            && hall != 0
        {
            far.hall.get_or_init(|| hall.cast_unsigned());
        }
        Ok(object)
    }

    /// None in particular: for what is asked about all of them.
    pub(super) fn unopened(far: &Arc<Far>) -> Arc<Self> {
        let (far, known) = (far.clone(), Mutex::new(0));
        Arc::new(Self { number: 0, opening: Op::Why, known, taken: AtomicU64::new(0), far })
    }

    /// The other end of a pipe that was just opened: it has the next number.
    pub(in crate::share) fn second(&self) -> Arc<Self> {
        let known = Mutex::new(*self.known());
        let (far, opening) = (self.far.clone(), self.opening.clone());
        Arc::new(Self { far, number: self.number + 1, opening, known, taken: AtomicU64::new(0) })
    }

    fn known(&self) -> MutexGuard<'_, u64> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(in crate::share) fn site(&self) -> &Arc<Site> {
        &self.far.site
    }

    /// Does what needs no wait but that for the answer.
    ///
    /// # Errors
    /// Those of the operation; why the other side cannot be reached.
    pub(in crate::share) fn ask(self: &Arc<Self>, op: Op) -> Result<Answer> {
        self.ask_with(op, &[])
    }

    /// The same, with values.
    pub(in crate::share) fn ask_with(self: &Arc<Self>, op: Op, values: &[Payload]) -> Result<Answer> {
        let question = Arc::new(Question::new());
        let asked = Asked { op, waits: false, thread: ground::thread(), line: String::new() };
        let sent = self.send(&asked, values, &question)?;
        self.wait(&sent, &question, None).unwrap_or_else(|| Err(self.far.silence()))
    }

    /// The ticket by which workers of its place open it.
    pub(in crate::share) fn ticket(self: &Arc<Self>) -> Result<Vec<u8>> {
        let answer = self.ask(Op::Ticket)?;
        Ok(answer.value().map(|value| value.bytes.to_vec()).unwrap_or_default())
    }

    /// What an operation gives as a number.
    pub(in crate::share) fn number(self: &Arc<Self>, op: Op) -> Result<i64> {
        self.ask(op).map(|answer| answer.number())
    }

    /// An operation that may wait for more than its answer. `read` makes what it gives of the answer; `undo` says how that
    /// goes back if nobody takes it.
    #[track_caller]
    pub(in crate::share) fn waiting<'a, R>(
        self: &'a Arc<Self>,
        op: Op,
        undo: Undo,
        read: impl FnMut(Answer) -> Result<R> + Send + 'a,
    ) -> Waiting<'a, R> {
        Waiting::new(self, op, Ok(Vec::new()), undo, Box::new(read))
    }

    /// The same, with values.
    #[track_caller]
    pub(in crate::share) fn waiting_with<'a, R>(
        self: &'a Arc<Self>,
        op: Op,
        values: Result<Vec<Payload>>,
        read: impl FnMut(Answer) -> Result<R> + Send + 'a,
    ) -> Waiting<'a, R> {
        Waiting::new(self, op, values, Undo::Nothing, Box::new(read))
    }

    /// Sends a question; its answer comes to `question`.
    pub(super) fn send(
        self: &Arc<Self>,
        asked: &Asked,
        values: &[Payload],
        question: &Arc<Question>,
    ) -> Result<Sent> {
        self.site().check_open()?;
        let (which, peer) = self.reach()?;
        let ours = asked.waits.then(|| self.far.note(question));
        let (far, hears) = (self.far.clone(), question.clone());
        let then = move |answer: Result<&[u8]>| {
            ours.into_iter().for_each(|ours| far.forget(ours));
            hears.hear(answer);
        };
        let id = peer.ask(|id| words::question(id, self.number, asked, values), then);
        Ok(Sent { peer, which, id, object: self.clone() })
    }

    /// The conversation in which the other side knows the object.
    fn reach(&self) -> Result<(u64, Peer)> {
        let (which, peer) = self.far.reach()?;
        let mut known = self.known();
        if *known != which && self.opening != Op::Why {
            if !self.can_be_found_again() {
                return Err(self.lost());
            }
            // Messages arrive in their order, so what is said after this finds the object; or the error of not having opened it.
            let opening = Asked { op: self.opening.clone(), waits: false, thread: 0, line: String::new() };
            peer.ask(|id| words::question(id, self.number, &opening, &[]), |_| ());
            *known = which;
        }
        Ok((which, peer))
    }

    /// What has no name is gone with the conversation in which it was made, and so is what each end of a pipe had.
    fn can_be_found_again(&self) -> bool {
        let Op::Open { name, shape } = &self.opening else { return false };
        !name.is_empty() && !matches!(shape, Shape::Pipe { .. })
    }

    /// Waits for the answer to a question.
    ///
    /// Most come at once: so this thread reads them for a moment by itself, which saves that the reactor wakes it.
    pub(super) fn wait(
        &self,
        sent: &Sent,
        question: &Question,
        until: Option<Instant>,
    ) -> Option<Result<Answer>> {
        let mut answer = None;
        let soon = Instant::now() + SOON;
        self.far.wait(&mut || {
            sent.peer.lead(Some(until.map_or(soon, |until| until.min(soon))), || question.is_answered());
            answer = question.wait(until);
        });
        answer.map(|answer| answer.map_err(|error| self.far.told(error)))
    }

    /// Whether its conversations are those of this process.
    pub(super) fn is_ours(&self) -> bool {
        self.far.is_ours()
    }

    /// Remembers that we took it in answer to that.
    pub(super) fn take(&self, sent: &Sent) {
        self.taken.store(sent.which, Ordering::Relaxed);
    }

    /// Releases what was taken.
    ///
    /// # Errors
    /// Those of the operation; `NotHeld` if it was lost with a connection: then it passed on, and may be another's now.
    pub(in crate::share) fn release(self: &Arc<Self>, op: Op) -> Result<()> {
        let (which, _) = self.far.reach()?;
        let taken = self.taken.load(Ordering::Relaxed);
        if taken != 0 && taken != which {
            self.taken.store(0, Ordering::Relaxed);
            return Err(self.passed_on());
        }
        self.ask(op).map(drop)
    }

    pub(super) fn told(&self, error: Error) -> Error {
        self.far.told(error)
    }

    fn passed_on(&self) -> Error {
        let place = &self.site().place;
        Error::new(
            Kind::NotHeld,
            format!("what was held in `{place}` was lost with the connection, and passed on"),
        )
        .at(place)
        .during("share")
        .with_help("see why the connection was lost; what the lock guards may have been changed since")
    }

    fn lost(&self) -> Error {
        let place = &self.site().place;
        Error::new(
            Kind::ConnectionLost,
            format!("what had no name in `{place}` was lost with the connection"),
        )
        .at(place)
        .during("share")
        .with_retry(Retry::Safe)
        .with_help("give what is to outlast a connection a name")
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        if let Ok((which, peer)) = self.far.reach()
            && *self.known() == which
        {
            // If that is refused, the conversation is over, and the object closed.
            drop(peer.send(words::note(&Note::Close(self.number))));
        }
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Object").field("number", &self.number).finish_non_exhaustive()
    }
}
