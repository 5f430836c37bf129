//! An object as its place finds it by name, before anybody says of which kind they take it to be.

use super::body::Body;
use super::shape::Kind;
use super::site::Site;
use crate::error::{Error, Kind as ErrorKind, Result};
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
}

/// A shared object whose kind is known: it derefs to its words.
pub(crate) struct Shared<K> {
    pub(super) site: Arc<Site>,
    pub(super) name: Arc<str>,
    body: Words<K>,
}

enum Words<K> {
    Here(Arc<K>),
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
    pub(super) fn as_kind<K: Body>(self, kind: Kind) -> Result<Shared<K>> {
        if self.kind != kind {
            return Err(self.is_no(kind));
        }
        let Self { site, name, lies, .. } = &self;
        let body = match lies {
            Lies::Here(body) => {
                let any: Arc<dyn Any + Send + Sync> = body.clone();
                Words::Here(any.downcast().map_err(|_| self.holds_others::<K>(body.holds()))?)
            }
        };
        Ok(Shared { site: site.clone(), name: name.clone(), body })
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

impl<K> Shared<K> {
    /// An error of an operation on it, still without help.
    pub(super) fn misused(&self, kind: ErrorKind, message: String) -> Error {
        Error::new(kind, message).at(&self.site.place).during("share")
    }
}

impl<K> Deref for Shared<K> {
    type Target = K;

    #[inline]
    fn deref(&self) -> &K {
        match &self.body {
            Words::Here(body) => body,
        }
    }
}

impl<K> fmt::Debug for Shared<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.name {
            "" => write!(f, "a nameless one in {}", self.site.place),
            name => write!(f, "`{name}` in {}", self.site.place),
        }
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Object").field("kind", &self.kind).field("name", &self.name).finish_non_exhaustive()
    }
}
