//! An object as its place finds it by name, before anybody says of which kind they take it to be.

use super::body::Body;
use super::far;
use super::shape::Kind;
use super::site::Site;
use crate::error::{Error, Kind as ErrorKind, Result};
use anyplace_sync::shm::hall::{self, Handle};
use std::any::Any;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// How long a name may be, in bytes: it lies beside its object, where all processes can read it.
pub const LONGEST_NAME: usize = 48;

/// A shared object of some kind. What is done with it is done by the handle of its kind.
#[derive(Clone)]
pub struct Object {
    pub(super) site: Arc<Site>,
    pub(super) name: Arc<str>,
    pub(super) kind: Kind,
    pub(super) lies: Lies,
}

/// Where the object lies.
#[derive(Clone)]
pub(super) enum Lies {
    Here(Arc<dyn Body>),
    /// The object that the hall gave out: of which type, its kind tells.
    Hall(Arc<dyn Any + Send + Sync>),
    /// With a peer.
    Far(Arc<far::Object>),
}

/// A shared object whose kind is known: it derefs to its words.
pub(crate) struct Shared<K> {
    pub(super) site: Arc<Site>,
    pub(super) name: Arc<str>,
    body: Words<K>,
}

enum Words<K> {
    Here(Arc<K>),
    Hall(Arc<dyn InHall<K>>),
    Far(Arc<far::Object>),
}

/// Where what is done with an object is done.
pub(super) enum Home<'a, K> {
    /// With its words, which are in reach.
    Near(&'a K),
    /// By a question to its place.
    Far(&'a Arc<far::Object>),
}

/// An object in a hall.
pub(crate) trait InHall<K>: Deref<Target = K> + Send + Sync {
    /// What another process opens it by.
    fn handle(&self) -> Handle;
}

impl<K: hall::Body> InHall<K> for hall::Object<K> {
    fn handle(&self) -> Handle {
        Self::handle(self)
    }
}

impl Object {
    /// Its name; empty if it has none.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What kind of object it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// # Errors
    /// `ConfigInvalid` if it is of another kind, or holds values of another type.
    pub(super) fn into_kind<K: Body>(self, kind: Kind) -> Result<Shared<K>> {
        if self.kind != kind {
            return Err(self.is_no(kind));
        }
        let Self { site, name, lies, .. } = &self;
        let body = match lies {
            Lies::Here(body) => {
                let any: Arc<dyn Any + Send + Sync> = body.clone();
                Words::Here(any.downcast().map_err(|_| self.holds_others::<K>(body.holds()))?)
            }
            Lies::Hall(object) => {
                Words::Hall(K::in_hall(object.clone()).ok_or_else(|| self.holds_others::<K>(None))?)
            }
            Lies::Far(object) => Words::Far(object.clone()),
        };
        Ok(Shared { site: site.clone(), name: name.clone(), body })
    }

    /// The object as its hall gave it out, if it lies in one and is a `K`.
    pub(super) fn in_hall<K: Any + Clone + Send + Sync>(&self) -> Option<K> {
        match &self.lies {
            Lies::Here(_) | Lies::Far(_) => None,
            Lies::Hall(object) => object.downcast_ref::<K>().cloned(),
        }
    }

    /// The object as its peer knows it, if it lies with one.
    pub(super) fn far(&self) -> Option<&Arc<far::Object>> {
        match &self.lies {
            Lies::Here(_) | Lies::Hall(_) => None,
            Lies::Far(object) => Some(object),
        }
    }

    fn is_no(&self, kind: Kind) -> Error {
        let Self { name, kind: own, site, .. } = self;
        Error::config(format!("`{name}` in `{}` is a {own}, so it cannot be a {kind}", site.place))
            .at(&site.place)
            .during("share")
            .with_help(format!("give the {kind} a name of its own, or open the {own}"))
    }

    fn holds_others<K: Any>(&self, own: Option<&str>) -> Error {
        let Self { name, kind, site, .. } = self;
        let (own, wanted) = (own.unwrap_or("others"), std::any::type_name::<K>());
        let message = format!(
            "the {kind} `{name}` in `{}` has values of type `{own}`, not those of `{wanted}`",
            site.place
        );
        Error::config(message)
            .at(&site.place)
            .during("share")
            .with_help(format!("open it with the same type everywhere, or give the {kind} a name of its own"))
    }
}

/// # Errors
/// `ConfigInvalid` for a name that is too long.
pub(super) fn check_name(name: &str, place: &str) -> Result<()> {
    if name.len() <= LONGEST_NAME {
        return Ok(());
    }
    let message = format!(
        "the name `{name}` has {} bytes, and a shared object's has at most {LONGEST_NAME}",
        name.len()
    );
    Err(Error::config(message)
        .at(place)
        .during("share")
        .with_help("choose a shorter name, or none: a handle without a name travels in a task's arguments"))
}

impl<K: Body> Shared<K> {
    /// One that is part of something else in the memory of this process.
    pub(super) fn over(site: Arc<Site>, name: Arc<str>, words: Arc<K>) -> Self {
        Self { site, name, body: Words::Here(words) }
    }

    /// The words of one that lies in the memory of this process.
    ///
    /// # Panics
    /// If it does not.
    pub(super) fn here(self) -> Arc<K> {
        match self.body {
            Words::Here(words) => words,
            Words::Hall(_) | Words::Far(_) => unreachable!("who asks has seen that it lies here"),
        }
    }

    /// One that came from another process, with its hall.
    pub(super) fn arrived(site: Arc<Site>, name: Arc<str>, object: Arc<dyn InHall<K>>) -> Self {
        Self { site, name, body: Words::Hall(object) }
    }

    /// One that lies with a peer.
    pub(super) fn far(name: Arc<str>, object: Arc<far::Object>) -> Self {
        Self { site: object.site().clone(), name, body: Words::Far(object) }
    }

    /// What another process opens it by, if it lies where one can.
    pub(super) fn handle(&self) -> Option<Handle> {
        match &self.body {
            Words::Here(_) | Words::Far(_) => None,
            Words::Hall(object) => Some(object.handle()),
        }
    }
}

impl<K> Shared<K> {
    /// An error of an operation on it, with what to do. In a place that is closed, that is the reason of all: who was told so
    /// in a wait may not have what it would release now.
    pub(super) fn misused(&self, kind: ErrorKind, message: String, help: &'static str) -> Error {
        let misused = || Error::new(kind, message).at(&self.site.place).during("share").with_help(help);
        self.site.check_open().err().unwrap_or_else(misused)
    }
}

impl<K> Shared<K> {
    #[inline]
    pub(super) fn home(&self) -> Home<'_, K> {
        match &self.body {
            Words::Here(body) => Home::Near(body),
            Words::Hall(object) => Home::Near(object),
            Words::Far(object) => Home::Far(object),
        }
    }
}

impl<K> Deref for Shared<K> {
    type Target = K;

    #[inline]
    fn deref(&self) -> &K {
        match &self.body {
            Words::Here(body) => body,
            Words::Hall(object) => object,
            Words::Far(_) => unreachable!("who may be far asks where its home is"),
        }
    }
}

impl<K> Shared<K> {
    /// What it is called in a sentence.
    pub(super) fn called(&self, kind: Kind) -> Called<'_> {
        Called { kind, name: &self.name, site: &self.site }
    }
}

/// What an object is called in a sentence, such as "lock `door` in `threads:2`".
pub(super) struct Called<'a> {
    pub(super) kind: Kind,
    pub(super) name: &'a str,
    pub(super) site: &'a Site,
}

impl fmt::Display for Called<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, name, site } = self;
        let article = if matches!(kind, Kind::Event | Kind::Array | Kind::RLock) { "an" } else { "a" };
        match *name {
            "" => write!(f, "{article} {kind} without a name in `{}`", site.place),
            name => write!(f, "{kind} `{name}` in `{}`", site.place),
        }
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Object").field("kind", &self.kind).field("name", &self.name).finish_non_exhaustive()
    }
}
