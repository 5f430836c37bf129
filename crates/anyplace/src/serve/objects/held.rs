//! What this process has of an object: one for all its proxies here. The last one that goes lets the object go.

use super::door::Hint;
use super::here::Node;
use super::table::Entry;
use crate::error::Result;
use crate::peer::Peer;
use crate::wire::peer::objects::{self as messages, ObjectId};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

pub(super) struct Held {
    pub(super) node: Arc<Node>,
    pub(super) id: ObjectId,
    pub(super) class: String,
    /// The object itself, if it is here.
    pub(super) entry: Option<Arc<Entry>>,
    hint: Option<Hint>,
    way: RwLock<Option<Peer>>,
    /// How often whoever has the object was told that it is held here.
    told: AtomicU64,
    /// Proxies of it may be on their way from here to others.
    pub(super) lent: AtomicBool,
}

impl Held {
    /// An object elsewhere.
    pub(super) fn away(node: Arc<Node>, id: ObjectId, class: String, hint: Option<Hint>) -> Self {
        Self::new(node, id, class, None, hint)
    }

    /// An object of this process.
    pub(super) fn of(entry: Arc<Entry>, node: Arc<Node>, id: ObjectId) -> Self {
        let class = entry.object.class().to_owned();
        Self::new(node, id, class, Some(entry), None)
    }

    fn new(
        node: Arc<Node>,
        id: ObjectId,
        class: String,
        entry: Option<Arc<Entry>>,
        hint: Option<Hint>,
    ) -> Self {
        Self {
            node,
            id,
            class,
            entry,
            hint,
            way: RwLock::default(),
            told: AtomicU64::new(0),
            lent: AtomicBool::new(false),
        }
    }

    /// By whom the object is reached.
    pub(super) fn way(&self) -> Result<Peer> {
        let known = self.way.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(peer) = known.filter(|peer| peer.end().is_none()) {
            return Ok(peer);
        }
        let peer = self.node.way(self.id.node, self.hint)?;
        *self.way.write().unwrap_or_else(PoisonError::into_inner) = Some(peer.clone());
        Ok(peer)
    }

    /// Whether somebody is known by whom it is reached.
    pub(super) fn is_known(&self) -> bool {
        match &self.entry {
            Some(_) => self.node.table.get(self.id.number).is_some(),
            None => self.node.known(self.id.node).is_some(),
        }
    }

    /// Where others find it: what was said of it, or where this process is.
    pub(super) fn hint(&self) -> Option<Hint> {
        if self.entry.is_some() { self.node.hint().ok() } else { self.hint }
    }

    /// Whoever has the object counts us once more already.
    pub(super) fn was_told(&self) {
        self.told.fetch_add(1, Ordering::AcqRel);
    }

    /// Tells whoever has the object that it is held here.
    pub(super) fn tell(&self) {
        if self.entry.is_none()
            && let Ok(peer) = self.way()
            && peer.send(messages::hold(self.id)).is_ok()
        {
            self.was_told();
        }
    }

    pub(super) fn lend(&self) {
        self.lent.store(true, Ordering::Release);
        self.entry.iter().for_each(|entry| entry.lent.store(true, Ordering::Release));
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if !self.node.is_here() {
            return;
        }
        let mut held = self.node.held.lock().unwrap_or_else(PoisonError::into_inner);
        let is_again = held.get(&self.id).is_some_and(|held| held.strong_count() > 0);
        if !is_again {
            held.remove(&self.id);
        }
        drop(held);
        if let Some(entry) = &self.entry {
            if !is_again {
                self.node.let_go(self.id.number, entry);
            }
            return;
        }
        let way = self.way.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        let told = *self.told.get_mut();
        if let Some(peer) = way.filter(|_| told > 0) {
            // Whoever had the object is gone, which is as good.
            drop(peer.send(messages::release(self.id, told, *self.lent.get_mut())));
        }
    }
}
