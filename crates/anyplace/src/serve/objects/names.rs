//! Objects by name, as a place has them; and the Serve family of places whose objects are in this process.

use super::here::here;
use super::object::{Object, Reach};
use super::proxy::Proxy;
use super::table::Entry;
use crate::driver::{Making, Recipe, Serve};
use crate::error::{Error, Kind, Result, Retry};
use crate::spelling;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The names of a place, and its objects if they are of this process.
pub(crate) struct Names {
    place: String,
    known: Mutex<BTreeMap<String, Proxy>>,
    closed: AtomicBool,
}

impl Names {
    pub(crate) fn new(place: impl fmt::Display) -> Arc<Self> {
        let place = place.to_string();
        Arc::new(Self { place, known: Mutex::default(), closed: AtomicBool::new(false) })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Proxy>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The place is closed: it names nothing any more.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        let known = std::mem::take(&mut *self.lock());
        drop(known);
    }

    pub(crate) fn check_open(&self) -> Result<()> {
        if !self.closed.load(Ordering::Acquire) {
            return Ok(());
        }
        Err(closed(&self.place))
    }

    /// Takes away what was published by those who are gone.
    fn forget_the_gone(&self) {
        let mut gone = Vec::new();
        self.lock().retain(|_, proxy| {
            let stays = proxy.is_known();
            if !stays {
                gone.push(proxy.clone());
            }
            stays
        });
    }
}

/// Makes an object of this process one that is called.
pub(crate) fn keep(object: Arc<dyn Object>, exclusive: bool) -> Result<Proxy> {
    here()?.add(Entry::new(object, Reach::Public, exclusive))
}

impl Serve for Names {
    fn create(&self, recipe: Recipe) -> Result<Proxy> {
        self.check_open()?;
        match recipe.making {
            Making::Made(object) => keep(object, recipe.exclusive),
            Making::Encoded(_) => Err(Error::unsupported(
                &self.place,
                "make an object of another process",
                "offer `processes:`, which makes objects in processes of their own, or publish the object",
            )),
        }
    }

    fn publish(&self, name: &str, object: &Proxy) -> Result<()> {
        self.check_open()?;
        self.forget_the_gone();
        let mut known = self.lock();
        if name.is_empty() || known.contains_key(name) {
            return Err(taken(name).at(&self.place));
        }
        known.insert(name.to_owned(), object.clone());
        Ok(())
    }

    fn unpublish(&self, name: &str) -> Result<bool> {
        let gone = self.lock().remove(name);
        Ok(gone.is_some())
    }

    fn find(&self, name: &str) -> Result<Proxy> {
        self.check_open()?;
        self.forget_the_gone();
        let known = self.lock();
        known.get(name).cloned().ok_or_else(|| {
            let nearest = spelling::nearest(name, known.keys().map(String::as_str));
            unknown(name, nearest).at(&self.place)
        })
    }

    fn names(&self) -> Result<Vec<String>> {
        self.check_open()?;
        self.forget_the_gone();
        Ok(self.lock().keys().cloned().collect())
    }

    fn keeps_here(&self) -> bool {
        true
    }
}

pub(super) fn closed(place: &str) -> Error {
    Error::new(Kind::PlaceClosed, format!("`{place}` is closed"))
        .at(place)
        .with_retry(Retry::Safe)
        .with_help("open it again")
}

fn taken(name: &str) -> Error {
    let error = match name {
        "" => Error::config("an object cannot be published without a name"),
        _ => Error::config(format!("the name `{name}` is taken")),
    };
    error.during("publish").with_retry(Retry::Safe).with_help("choose another, or `unpublish` it first")
}

fn unknown(name: &str, nearest: Option<&str>) -> Error {
    let help = nearest.map_or_else(
        || "see the names that there are: `anyplace names ADDRESS`".to_owned(),
        |nearest| format!("did you mean `{nearest}`?"),
    );
    Error::new(Kind::NotFound, format!("nothing is published as `{name}`"))
        .during("find")
        .with_retry(Retry::Safe)
        .with_help(help)
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Names({} of {})", self.lock().len(), self.place)
    }
}
