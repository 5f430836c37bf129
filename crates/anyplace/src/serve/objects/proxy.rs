//! What stands for an object: which it is, how it travels, and what is known of it.

use super::desk::Card;
use super::held::Held;
use super::here::{self, Node};
use super::object::Reach;
use super::table::{Entry, as_any};
use crate::driver::Serve;
use crate::error::{Error, Kind, Result};
use crate::wire::peer::objects::ObjectId;
use std::any::Any;
use std::fmt;
use std::sync::{Arc, PoisonError};

/// Stands for an object, wherever that is. Clones are the same, and any thread may use them.
///
/// The object goes when nobody has a proxy of it any more, in whichever process, unless it is published.
///
/// ```
/// use anyplace::serve::objects::{Answer, Object, Request};
///
/// struct Greeter;
/// impl Object for Greeter {
///     fn ask(&self, request: &Request<'_>) -> anyplace::Result<Answer> {
///         Answer::of(&format!("hello {}", request.arguments::<String>()?))
///     }
/// }
///
/// let place = anyplace::open("threads:2")?;
/// place.publish("greeter", Greeter)?;
/// let greeter = place.find("greeter")?;
/// assert_eq!(greeter.call::<_, String>("greet", "Bob")?, "hello Bob");
/// # Ok::<(), anyplace::Error>(())
/// ```
#[derive(Clone)]
pub struct Proxy(Arc<Held>);

impl Proxy {
    /// A proxy of an object of this process.
    ///
    /// # Errors
    /// What the system says if it has no random numbers.
    pub fn keep(object: Arc<dyn super::Object>) -> Result<Self> {
        super::keep(object, false)
    }

    pub(super) fn here(node: &Arc<Node>, id: ObjectId, entry: Arc<Entry>) -> Self {
        let held = Arc::new(Held::of(entry, node.clone(), id));
        let mut known = node.held.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(id, Arc::downgrade(&held));
        Self(held)
    }

    /// An object that is not here; `told` says that whoever has it counts us already.
    pub(super) fn away(node: &Arc<Node>, card: &Card, told: bool) -> Self {
        let id = card.id();
        let mut known = node.held.lock().unwrap_or_else(PoisonError::into_inner);
        let again = known.get(&id).and_then(std::sync::Weak::upgrade);
        let is_new = again.is_none();
        let held = again.unwrap_or_else(|| {
            let held = Arc::new(Held::away(node.clone(), id, card.class.clone(), card.hint));
            known.insert(id, Arc::downgrade(&held));
            held
        });
        drop(known);
        if told {
            held.was_told();
        } else if is_new {
            held.tell();
        }
        Self(held)
    }

    /// A proxy of an object of ours that is still there.
    pub(super) fn again(node: &Arc<Node>, id: ObjectId) -> Option<Self> {
        if id.node != node.id {
            let known = node.held.lock().unwrap_or_else(PoisonError::into_inner);
            return known.get(&id)?.upgrade().map(Self);
        }
        let entry = node.table.get(id.number)?;
        let mut known = node.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = known.get(&id).and_then(std::sync::Weak::upgrade) {
            return Some(Self(held));
        }
        let held = Arc::new(Held::of(entry, node.clone(), id));
        known.insert(id, Arc::downgrade(&held));
        Some(Self(held))
    }

    /// What was said of an object, by whoever has sent it along; `told` says that they count us as a holder already.
    pub(super) fn of_card(node: &Arc<Node>, card: &Card, told: bool) -> Result<Self> {
        if card.id().node != node.id {
            return Ok(Self::away(node, card, told));
        }
        Self::again(node, card.id()).ok_or_else(super::conversation::no_more)
    }

    /// What is said of it to somebody who holds it already.
    pub(super) fn card(&self) -> Card {
        Card::new(self.id(), self.0.hint(), self.0.class.clone())
    }

    /// The proxy as bytes that travel: [`from_bytes`](Self::from_bytes) makes one of the same object, in whichever process.
    ///
    /// # Errors
    /// What the system says if this process cannot be found by others.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        self.0.lend();
        postcard::to_stdvec(&self.card()).map_err(|error| Error::new(Kind::Unexpected, error.to_string()))
    }

    /// The proxy that these bytes were made of.
    ///
    /// # Errors
    /// `NotSerializable` for other bytes; `NotFound` if the object was of this process and is no more.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let card = postcard::from_bytes(bytes)
            .map_err(|_| Error::new(Kind::NotSerializable, "these bytes are no proxy of an object"))?;
        Self::of_card(&here::here()?, &card, false)
    }

    pub(super) fn id(&self) -> ObjectId {
        self.0.id
    }

    pub(super) fn held(&self) -> &Held {
        &self.0
    }

    pub(super) fn node(&self) -> &Arc<Node> {
        &self.0.node
    }

    /// What its class is called where it is.
    pub fn class(&self) -> &str {
        &self.0.class
    }

    /// A number of the object that no other object has, in whichever process.
    pub fn number(&self) -> u128 {
        self.0.id.node.0 ^ u128::from(self.0.id.number)
    }

    /// The object itself, if it is a `T` of this process.
    pub fn local<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        as_any(&self.0.entry.as_ref()?.object).downcast().ok()
    }

    /// Whether it is an object of this process that takes one call at a time.
    pub fn is_exclusive(&self) -> bool {
        self.0.entry.as_ref().is_some_and(|entry| entry.is_exclusive())
    }

    /// How much of the object may be used by this proxy, if it is one of this process.
    pub fn reach(&self) -> Reach {
        self.0.entry.as_ref().map_or(Reach::Public, |entry| entry.reach)
    }

    /// Whether the object, or somebody by whom it is reached, is known.
    pub(super) fn is_known(&self) -> bool {
        self.0.is_known()
    }

    /// Whether its process is gone.
    pub(crate) fn is_gone(&self) -> bool {
        !self.is_known()
    }

    /// A proxy of the same object for those who may use only what its class exposes.
    pub(crate) fn exposed(&self) -> Result<Self> {
        match &self.0.entry {
            Some(entry) => self.node().add(entry.exposed()),
            None => super::Far::new(self.0.way()?).expose(self),
        }
    }

    /// Publishes what it stands for.
    pub(crate) fn publish(&self, serve: &dyn Serve, name: &str) -> Result<()> {
        serve.publish(name, &self.exposed()?)
    }
}

impl PartialEq for Proxy {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for Proxy {}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({})", self.class())
    }
}
