//! The Share family of places whose tasks run in this process: objects by name, in its memory.

use super::body::Body;
use super::object::{Lies, Object, check_name};
use super::shape::{Kind, Wish};
use super::site::Site;
use super::why::{Look, Why};
use crate::driver::Share;
use crate::error::Result;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// What the tasks of a place in this process share.
///
/// Objects with a name stay until the place is closed; one without a name goes with its last handle.
pub(crate) struct Here {
    site: Arc<Site>,
    objects: Mutex<Objects>,
}

#[derive(Default)]
struct Objects {
    named: HashMap<Arc<str>, (Kind, Arc<dyn Body>)>,
    nameless: Vec<(Kind, Weak<dyn Body>)>,
}

/// Those that are gone are forgotten when the list has doubled: a constant cost for each object.
const FEW: usize = 32;

impl Here {
    pub(crate) fn new(place: impl fmt::Display) -> Arc<Self> {
        Arc::new(Self { site: Site::here(place.to_string()), objects: Mutex::default() })
    }

    /// Nobody may use the objects any more; whoever waits for one is told.
    pub(crate) fn close(&self) {
        self.site.close();
        self.all().iter().for_each(|(_, _, body)| body.rouse(&self.site));
    }

    fn objects(&self) -> MutexGuard<'_, Objects> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every object that is there now.
    fn all(&self) -> Vec<(Kind, Arc<str>, Arc<dyn Body>)> {
        let objects = self.objects();
        let named = objects.named.iter().map(|(name, (kind, body))| (*kind, name.clone(), body.clone()));
        let nameless =
            objects.nameless.iter().filter_map(|(kind, body)| Some((*kind, "".into(), body.upgrade()?)));
        named.chain(nameless).collect()
    }
}

impl Objects {
    fn find_or_make(&mut self, name: &Arc<str>, wish: &Wish<'_>) -> (Kind, Arc<dyn Body>) {
        let make = || (wish.shape.kind(), (wish.make)());
        if !name.is_empty() {
            return self.named.entry(name.clone()).or_insert_with(make).clone();
        }
        let (kind, body) = make();
        if self.nameless.len() >= FEW && self.nameless.len().is_power_of_two() {
            self.nameless.retain(|(_, body)| body.strong_count() > 0);
        }
        self.nameless.push((kind, Arc::downgrade(&body)));
        (kind, body)
    }
}

impl Share for Here {
    fn open(&self, name: &str, wish: &Wish<'_>) -> Result<Object> {
        check_name(name, &self.site.place)?;
        self.site.check_open()?;
        let name: Arc<str> = name.into();
        let (kind, body) = self.objects().find_or_make(&name, wish);
        Ok(Object { site: self.site.clone(), name, kind, lies: Lies::Here(body) })
    }

    fn why(&self) -> Why {
        let mut look = Look::new(&self.site);
        self.all().iter().for_each(|(kind, name, body)| look.at(*kind, name, &**body));
        look.finish()
    }
}

impl fmt::Debug for Here {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Here").field("objects", &self.all().len()).finish_non_exhaustive()
    }
}
