//! A call on its way, for a thread that waits for it.

use super::here::Node;
use super::replies::Replied;
use crate::error::Result;
use crate::peer::Peer;
use crate::wire::peer::objects as messages;
use anyplace_sync::Latch;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

/// A call on its way, and whoever waits for it. One that is dropped before the object has answered is withdrawn: if it has not
/// begun, it never does.
pub struct Pending {
    waited: Arc<Waited>,
    node: Arc<Node>,
    away: Option<Away>,
}

/// A call that has gone to another process.
pub(super) struct Away {
    peer: Peer,
    question: u64,
}

impl Away {
    pub(super) fn new(peer: Peer, question: u64) -> Self {
        Self { peer, question }
    }

    /// Nobody wants the answer any more.
    pub(super) fn withdraw(&self) {
        // Where that process is gone, nothing of it begins.
        drop(self.peer.send(messages::withdraw(self.question)));
    }
}

/// Where the answer comes to.
#[derive(Default)]
pub(super) struct Waited {
    answer: Mutex<Answer>,
    is_there: Latch,
}

#[derive(Default)]
struct Answer {
    reply: Option<Result<Replied>>,
    /// Those who await it.
    wakers: Vec<Waker>,
}

impl Waited {
    pub(super) fn tell(&self, replied: Result<Replied>) {
        let mut answer = self.answer();
        answer.reply = Some(replied);
        let wakers = std::mem::take(&mut answer.wakers);
        self.is_there.set();
        // Without the lock: a waker may poll at once.
        drop(answer);
        wakers.into_iter().for_each(Waker::wake);
    }

    fn answer(&self) -> MutexGuard<'_, Answer> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    pub(super) fn new(waited: Arc<Waited>, node: Arc<Node>, away: Option<Away>) -> Self {
        Self { waited, node, away }
    }

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
    pub(super) fn answered(&self, until: Option<Instant>) -> Option<Result<Replied>> {
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
        self.waited.answer().reply.take()
    }

    /// What the object has answered; who awaits that is woken.
    pub fn poll(&self, context: &Context<'_>) -> Poll<Result<Replied>> {
        let mut answer = self.waited.answer();
        if let Some(reply) = answer.reply.take() {
            return Poll::Ready(reply);
        }
        if !answer.wakers.iter().any(|waker| waker.will_wake(context.waker())) {
            answer.wakers.push(context.waker().clone());
        }
        drop(answer);
        // Nobody waits here who would hear it.
        self.peer().into_iter().for_each(Peer::stop_leading);
        Poll::Pending
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

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pending(done: {})", self.is_done())
    }
}
