//! The process at the other end of one authenticated conversation: see README.md for who reads, who writes, and how it ends.

mod asked;
mod greet;
mod lead;
mod outbox;
mod traffic;

#[cfg(test)]
mod tests;

pub(crate) use greet::greet;
pub(crate) use traffic::{Absence, Traffic, hear};

use crate::error::{Error, Kind as Wrong, Result, Retry};
use crate::net::reactor::{self, Registration, Source};
use crate::net::{Interest, Stream};
use crate::wire::peer::{self as messages, Greeting};
use crate::wire::{Frame, Inbox, Kind, Malformed, TOO_LONG};
use asked::Asked;
use lead::Lead;
use outbox::Outbox;
use std::cell::RefCell;
use std::fmt;
use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Who hears nothing for so long asks whether somebody is there.
const SILENT: Duration = Duration::from_secs(3);
/// Who hears nothing for so long takes the other side for dead.
const DEAD: Duration = Duration::from_secs(9);

/// Whoever is told why it is not heard any more is waited for so long.
const PARTING: Duration = Duration::from_secs(1);

/// So much is read before others get their turn.
const TURN: usize = 1 << 20;

/// So much is read at once.
const ROOM: usize = 1 << 16;

thread_local! {
    /// Where this thread reads to. It is taken while it is used: who hears may lead another conversation.
    static FREE: RefCell<Vec<u8>> = RefCell::default();
}

/// How much is heard and said at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// The longest message that is heard, in bytes: a longer one ends the conversation as soon as it is announced.
    pub(crate) message: usize,
    /// How many bytes may wait for the other side to take them. When more is said, the conversation ends.
    pub(crate) untaken: usize,
}

impl Default for Bounds {
    /// As much as there is memory for.
    fn default() -> Self {
        Self { message: usize::MAX, untaken: usize::MAX }
    }
}

/// What is done with what a peer says. On the reactor's thread: short, and never waiting.
pub(crate) trait Handler: Send + Sync {
    /// The conversation begins: nothing is heard before this returns, and it does not end. On the thread that starts it.
    fn began(&self, _: &Peer) {}

    /// A message of another kind than those that every conversation has. Bytes that are no such message end it.
    fn hear(&self, peer: &Peer, kind: Kind, body: &[u8]) -> Result<(), Malformed>;

    /// How much is heard and said at most, from the beginning to the end.
    fn bounds(&self) -> Bounds {
        Bounds::default()
    }

    /// Whether the other side is heard while it takes nothing of what it was told. What one says to those who ask and never
    /// read would grow without end; but two who both do not hear each other would wait for ever.
    fn hears_who_is_deaf(&self) -> bool {
        true
    }

    /// All that has come so far is heard: for what is better done once for many messages.
    fn pause(&self, _: &Peer) {}

    /// The conversation is over; nothing is heard after this.
    fn ended(&self, peer: &Peer, why: &Error);
}

/// The other side of a conversation. Clones are the same; it lasts until it is closed or ends by itself.
#[derive(Clone)]
pub(crate) struct Peer(Arc<Inner>);

struct Inner {
    stream: Stream,
    greeting: Greeting,
    handler: Arc<dyn Handler>,
    inbox: Mutex<Inbox>,
    outbox: Outbox,
    asked: Asked,
    registration: Mutex<Option<Registration>>,
    /// Somebody who waits for something reads by himself: see `lead`.
    lead: Lead,
    /// Milliseconds since `began` when the other side was last known to be there.
    heard: AtomicU64,
    began: Instant,
    end: OnceLock<Error>,
    stage: AtomicU8,
}

/// The handler is told that the conversation begins.
const BEGINNING: u8 = 0;
/// It was told.
const BEGUN: u8 = 1;
/// The conversation ended meanwhile: the handler hears of that when it has heard of the beginning.
const ENDED_EARLY: u8 = 2;

impl Peer {
    /// Begins a conversation on a stream on which both sides have [greeted](greet). What has come by then is heard before
    /// this returns, on the calling thread.
    ///
    /// # Errors
    /// `ResourceExhausted`.
    pub(crate) fn start(stream: Stream, greeting: Greeting, handler: Arc<dyn Handler>) -> Result<Self> {
        let bounds = handler.bounds();
        let peer = Self(Arc::new(Inner {
            stream,
            greeting,
            handler,
            inbox: Mutex::new(Inbox::limited(bounds.message as u64)),
            outbox: Outbox::limited(bounds.untaken),
            asked: Asked::default(),
            registration: Mutex::default(),
            lead: Lead::default(),
            heard: AtomicU64::new(0),
            began: Instant::now(),
            end: OnceLock::new(),
            stage: AtomicU8::new(BEGINNING),
        }));
        let source: Arc<dyn Source> = peer.0.clone();
        let registration = reactor::register(peer.0.stream.fd(Interest::Read), source)?;
        *peer.0.registration.lock().unwrap_or_else(PoisonError::into_inner) = Some(registration);
        peer.0.handler.began(&peer);
        if peer.0.stage.swap(BEGUN, Ordering::AcqRel) == ENDED_EARLY {
            peer.end().into_iter().for_each(|why| peer.0.handler.ended(&peer, why));
            return Ok(peer);
        }
        // What came with the greeting, a layer above the socket may have read already: no event tells of that.
        Source::ready(peer.0.clone(), true, false);
        Ok(peer)
    }

    /// What the other side said of itself.
    pub(crate) fn greeting(&self) -> &Greeting {
        &self.0.greeting
    }

    /// Says something. It never waits: what the kernel has no room for goes later.
    ///
    /// # Errors
    /// Why the conversation is over.
    pub(crate) fn send(&self, frame: Frame<'_>) -> Result<()> {
        self.0.check()?;
        match self.0.outbox.send(&self.0.stream, frame) {
            Ok(is_blocked) => {
                if is_blocked {
                    self.0.wait_on();
                }
                Ok(())
            }
            Err(error) => {
                let error = lost(&self.0.stream, &error);
                self.0.finish(&error);
                Err(error)
            }
        }
    }

    /// Asks something: `then` is called once, with the answer, or with why there is none. `question` makes the frame of the
    /// question's number, by which the other side answers. Gives that number.
    pub(crate) fn ask<'f>(
        &self,
        question: impl FnOnce(u64) -> Frame<'f>,
        then: impl FnOnce(Result<&[u8]>) + Send + 'static,
    ) -> u64 {
        let id = self.0.asked.open(Box::new(then));
        if let Err(error) = self.send(question(id)) {
            self.0.asked.close(id, Err(error));
        } else if let Some(error) = self.0.end.get() {
            // It may have ended before the question was noted.
            self.0.asked.close(id, Err(error.clone()));
        }
        id
    }

    /// Answers question `id` of the other side.
    ///
    /// # Errors
    /// Why the conversation is over.
    pub(crate) fn answer(&self, id: u64, answer: Result<&[u8], &Error>) -> Result<()> {
        self.send(messages::answer(id, answer))
    }

    /// Where the other side is, as text.
    pub(crate) fn endpoint(&self) -> String {
        self.0.stream.endpoint().to_string()
    }

    /// Whether these are the same.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Waits until the conversation is over.
    pub(crate) fn wait_for_end(&self) {
        self.0.end.wait();
    }

    /// Why the conversation is over, if it is.
    pub(crate) fn end(&self) -> Option<&Error> {
        self.0.end.get()
    }

    /// Waits until all that was said is with the kernel: false if `until` came first, or the end. Never on the reactor's
    /// thread, which writes.
    pub(crate) fn flush(&self, until: Instant) -> bool {
        while !self.0.outbox.is_empty() {
            if self.end().is_some() || !self.0.stream.ready(Interest::Write, Some(until)).unwrap_or(false) {
                return false;
            }
            // The reactor, or whoever writes, is told at the same time.
            std::thread::yield_now();
        }
        true
    }

    /// As [`close`](Self::close), but what was said arrives: waits for that, and for the other side to hear it, until
    /// `until`. Never on the reactor's thread, which writes.
    pub(crate) fn part(&self, why: &Error, until: Instant) {
        self.flush(until);
        // Over first: the other side hangs up when it hears of it, and that is not to be the reason here.
        if self.0.leave(why) {
            self.say_goodbye(why, until);
        }
    }

    /// Says why this is the end, and waits until the other side has heard it.
    fn say_goodbye(&self, why: &Error, until: Instant) {
        self.0.say_last(messages::bye(why), until);
        // A stream that is closed with something unread in it takes along what the other side has not read yet.
        drop(self.0.stream.finish(Some(until)));
        let mut room = [0; 4096];
        while self.0.stream.read(&mut room, Some(until)).is_ok_and(|read| read > 0) {}
        self.0.stream.abort();
        self.0.handler.ended(self, why);
    }

    /// Nothing more is heard. The other side, which may be saying a great deal now, is told why, by a thread that waits for it.
    fn refuse(&self, why: Error) {
        if !self.0.leave(&why) {
            return;
        }
        let (peer, reason) = (self.clone(), why.clone());
        let goodbye = move || peer.say_goodbye(&reason, Instant::now() + PARTING);
        if std::thread::Builder::new().name("anyplace-parting".to_owned()).spawn(goodbye).is_err() {
            self.0.stream.abort();
            self.0.handler.ended(self, &why);
        }
    }

    /// Ends the conversation, and tells the other side why. What was said before still goes, if there is room for it now.
    pub(crate) fn close(&self, why: &Error) {
        // Over first: the other side hangs up when it hears of it, and that is not to be the reason here.
        if self.0.leave(why) {
            // The other side may be gone, which is as good.
            drop(self.0.outbox.send(&self.0.stream, messages::bye(why)));
            drop(self.0.stream.close(Some(Instant::now())));
            self.0.handler.ended(self, why);
        }
    }
}

impl Inner {
    fn check(&self) -> Result<()> {
        self.end.get().map_or(Ok(()), |error| Err(error.clone()))
    }

    /// Has the reactor call when there is something to do.
    fn wait_on(&self) {
        let registration = self.registration.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(registration) = &*registration {
            registration.want(self.lead.is_reactors() && !self.is_mute(), self.outbox.is_blocked());
        }
    }

    /// Takes all that has come, unless another thread reads instead of the reactor's; true if there may be more.
    fn pump(self: &Arc<Self>, as_leader: bool) -> io::Result<bool> {
        let mut inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        if !as_leader && !self.lead.take_back() {
            return Ok(false);
        }
        let mut room = FREE.take();
        room.resize(ROOM, 0);
        // Code of others is called, in the end: what it does not catch must not leave a conversation that nobody hears.
        let taken = catch_unwind(AssertUnwindSafe(|| self.take_all(&mut inbox, &mut room)));
        FREE.set(room);
        taken.unwrap_or_else(|_| Err(io::Error::other("what it said made a thread here panic")))
    }

    /// Whether the other side has to take what it was told before it is heard again.
    fn is_mute(&self) -> bool {
        !self.handler.hears_who_is_deaf() && self.outbox.is_full()
    }

    fn take_all(self: &Arc<Self>, inbox: &mut Inbox, room: &mut [u8]) -> io::Result<bool> {
        let peer = Peer(self.clone());
        let mut taken = 0;
        loop {
            while !self.is_mute()
                && let Some((kind, body)) = self.next(&peer, inbox)?
            {
                self.hear(&peer, kind, body)?;
                if self.end.get().is_some() {
                    return Ok(false);
                }
            }
            // No event tells of what a layer above the socket has read already, so that is no more than its turn.
            if self.is_mute() || taken >= TURN && !self.stream.keeps_something() {
                break;
            }
            let read = match self.stream.try_read(room) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.handler.pause(&peer);
                    return Ok(false);
                }
                Err(error) => return Err(error),
            };
            taken += read;
            self.note_life();
            inbox.feed(&room[..read]);
            // A plain socket that gave less than there was room for had no more.
            if read < room.len() && self.stream.is_plain() {
                taken = TURN;
            }
        }
        self.handler.pause(&peer);
        Ok(true)
    }

    /// The next message. Of one that is too long the other side hears why it is the last.
    fn next<'a>(&self, peer: &Peer, inbox: &'a mut Inbox) -> io::Result<Option<(Kind, &'a [u8])>> {
        match inbox.next() {
            Err(TOO_LONG) => {
                peer.refuse(too_long(self.handler.bounds().message));
                Ok(None)
            }
            found => found.map_err(unreadable),
        }
    }

    fn hear(&self, peer: &Peer, kind: Kind, body: &[u8]) -> io::Result<()> {
        match kind {
            // Who sends and is refused ends it where it is sent.
            Kind::Ping => drop(peer.send(messages::pong())),
            Kind::Pong => {}
            Kind::Answer => {
                let (id, answer) = messages::read_answer(body).map_err(unreadable)?;
                self.asked.close(id, answer);
            }
            Kind::Bye => peer.0.finish(&messages::read_bye(body).map_err(unreadable)?),
            _ => self.handler.hear(peer, kind, body).map_err(unreadable)?,
        }
        Ok(())
    }

    /// The conversation is over, if it was not before.
    fn finish(self: &Arc<Self>, why: &Error) {
        if !self.leave(why) {
            return;
        }
        self.stream.abort();
        let stage = self.stage.compare_exchange(BEGINNING, ENDED_EARLY, Ordering::AcqRel, Ordering::Acquire);
        if stage.is_err() {
            self.handler.ended(&Peer(self.clone()), why);
        }
    }

    /// Says something after the end, when the reactor writes no more. The other side may be gone, which is as good.
    fn say_last(&self, frame: Frame<'_>, until: Instant) {
        let mut said = self.outbox.send(&self.stream, frame);
        while said.is_ok() && self.outbox.is_blocked() {
            if !self.stream.ready(Interest::Write, Some(until)).unwrap_or(false) {
                break;
            }
            said = self.outbox.go_on(&self.stream);
        }
    }

    /// Nothing is said or heard any more; true if that was not so before.
    fn leave(&self, why: &Error) -> bool {
        if self.end.set(why.clone()).is_err() {
            return false;
        }
        let registration = self.registration.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(registration);
        self.asked.close_all(why);
        true
    }
}

impl Inner {
    /// The other side is there.
    fn note_life(&self) {
        self.heard.store(self.began.elapsed().as_millis() as u64, Ordering::Relaxed);
    }
}

impl Source for Inner {
    fn ready(self: Arc<Self>, _: bool, write: bool) {
        let done = (|| {
            // Who takes what we write is there, though it may have nothing to say before it has all of it.
            if write && self.outbox.go_on(&self.stream)? {
                self.note_life();
            }
            self.pump(false)
        })();
        match done {
            Ok(_) if self.end.get().is_some() => {}
            // What is left there makes the reactor call again.
            Ok(_) => self.wait_on(),
            Err(error) => self.finish(&lost(&self.stream, &error)),
        }
    }

    fn tick(self: Arc<Self>, now: Instant) {
        let heard = self.began + Duration::from_millis(self.heard.load(Ordering::Relaxed));
        let silent = now.saturating_duration_since(heard);
        if silent >= DEAD {
            let error = io::Error::new(ErrorKind::TimedOut, "nothing was heard of it for 9 seconds");
            self.finish(&lost(&self.stream, &error));
        } else if silent >= SILENT {
            // Who sends and is refused ends it where it is sent.
            drop(Peer(self).send(messages::ping()));
        }
    }

    fn look(self: Arc<Self>) -> bool {
        self.mind()
    }
}

fn too_long(most: usize) -> Error {
    Error::new(Wrong::ResourceExhausted, format!("one message may have at most {most} bytes here"))
        .with_retry(Retry::Safe)
        .with_help("send large values in parts, or as files; or ask who offers the place for a larger limit")
}

fn unreadable(malformed: Malformed) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, malformed)
}

/// The other side is gone.
fn lost(stream: &Stream, error: &io::Error) -> Error {
    let reason = match error.kind() {
        ErrorKind::UnexpectedEof => "it closed the connection".to_owned(),
        _ => error.to_string(),
    };
    Error::new(Wrong::ConnectionLost, format!("the other side of `{}` is gone: {reason}", stream.endpoint()))
        .at(stream.endpoint())
        .with_retry(Retry::MayRepeat)
        .with_help("what had begun there may have run; see what the other side's log says")
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Peer({})", self.0.stream.endpoint())
    }
}
