//! A question that was [`Sent`].

use super::object::Object;
use crate::peer::Peer;
use crate::wire::peer::share::{self as words, Asked, Note, Op};
use anyplace_sync::ground;
use std::sync::Arc;

/// A question that was sent: by what it is withdrawn, and what was given undone.
#[derive(Clone)]
pub(super) struct Sent {
    pub(super) peer: Peer,
    pub(super) which: u64,
    pub(super) id: u64,
    /// It keeps the object open.
    pub(super) object: Arc<Object>,
}

impl Sent {
    /// Sends a note about the question. If that is refused the conversation is over, and the question answered with that.
    pub(super) fn note(&self, note: impl FnOnce(u64) -> Note) {
        if !self.object.is_ours() {
            return;
        }
        drop(self.peer.send(words::note(&note(self.id))));
    }

    /// Does what undoes what was given: in the same conversation, since with that it is undone anyway.
    pub(super) fn undo(&self, op: Op) {
        if !self.object.is_ours() {
            return;
        }
        let asked = Asked { op, waits: false, thread: ground::thread(), line: String::new() };
        self.peer.ask(|id| words::question(id, self.object.number, &asked, &[]), |_| ());
    }
}
