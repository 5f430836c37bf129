//! The Share family of places whose tasks run in other processes: objects in a hall, which is made when the first is wanted.

use super::body::Body;
use super::guest::Guest;
use super::known;
use super::object::{Lies, Object, check_name};
use super::shape::{self, Order, Shape, Wish};
use super::site::{self, Site, Visitor};
use super::why::{Look, Why};
use crate::driver::Share;
use crate::error::{Error, Kind as ErrorKind, Result, Retry};
use anyplace_sync::ground::Ground;
use anyplace_sync::shm::hall::{self, Hall, HallError, Kind};
use anyplace_sync::{Barrier, Condition, Event, Lock, RLock, Semaphore};
use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What the processes of a place share.
pub(crate) struct Halls {
    place: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    site: Option<Arc<Site>>,
    is_closed: bool,
}

impl Halls {
    pub(crate) fn new(place: impl fmt::Display) -> Arc<Self> {
        Arc::new(Self { place: place.to_string(), state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The hall, if anybody has wanted an object.
    fn made(&self) -> Option<Arc<Site>> {
        self.state().site.clone()
    }

    fn site(&self) -> Result<Arc<Site>> {
        let mut state = self.state();
        if state.is_closed {
            return Err(site::closed(&self.place));
        }
        if let Some(site) = &state.site {
            return Ok(site.clone());
        }
        let hall = Hall::create().map_err(|error| told(error, &self.place))?;
        Ok(state.site.insert(known::made(&hall, &self.place)).clone())
    }

    /// A process of the place has died: what it had passes on now.
    pub(crate) fn bury_the_dead(&self) {
        self.made().into_iter().for_each(|site| site.bury_the_dead());
    }

    /// Gives memory back to the machine that messages have left and nobody has used since the last time; how many blocks are
    /// to be looked at again.
    pub(crate) fn trim(&self) -> usize {
        self.made().map_or(0, |site| site.in_hall().trim().waiting)
    }

    /// Nobody here may use the objects any more; whoever waits for one is told.
    pub(crate) fn close(&self) {
        let site = {
            let mut state = self.state();
            state.is_closed = true;
            state.site.take()
        };
        site.into_iter().for_each(|site| {
            site.close();
            each(&site, &mut |_, _, body| body.rouse(&site));
        });
    }
}

impl Share for Halls {
    fn open(&self, name: &str, wish: &Wish<'_>) -> Result<Object> {
        check_name(name, &self.place)?;
        find_or_make(&self.site()?, name, wish)
    }

    fn why(&self) -> Why {
        match self.made() {
            None => Why::nothing(&self.place),
            Some(site) => why(&site),
        }
    }

    fn guest(&self, from: &str, process: u32) -> Result<Guest> {
        let site = self.site()?;
        let hall = site.in_hall().guest().map_err(|error| told(error, &self.place))?;
        let who = Visitor { from: from.to_owned(), process };
        Ok(Guest::at(site.guest(hall, who)))
    }
}

pub(super) fn find_or_make(site: &Arc<Site>, name: &str, wish: &Wish<'_>) -> Result<Object> {
    let object = make(site.in_hall(), name, wish.shape).map_err(|error| told(error, &site.place))?;
    Ok(Object { site: site.clone(), name: name.into(), kind: wish.shape.kind(), lies: Lies::Hall(object) })
}

pub(super) fn why(site: &Site) -> Why {
    let mut look = Look::new(site);
    each(site, &mut |kind, name, body| look.at(kind, name, body));
    look.finish()
}

/// The object of this name and shape, as the hall gives it out.
fn make(hall: &Arc<Hall>, name: &str, shape: Shape) -> Result<Arc<dyn Any + Send + Sync>, HallError> {
    let name = Some(name).filter(|name| !name.is_empty());
    Ok(match shape {
        Shape::Lock => Arc::new(hall.lock(name)?),
        Shape::RLock => Arc::new(hall.rlock(name)?),
        Shape::Semaphore { permits, bounded } => Arc::new(hall.semaphore(name, permits, bounded)?),
        Shape::Condition => Arc::new(hall.condition(name)?),
        Shape::Event => Arc::new(hall.event(name)?),
        Shape::Barrier { parties } => Arc::new(hall.barrier(name, parties)?),
        Shape::Queue { order, capacity } => {
            let order = match order {
                Order::Fifo => hall::Order::Fifo,
                Order::Lifo => hall::Order::Lifo,
                Order::Priority => hall::Order::Priority,
            };
            Arc::new(hall.queue(name, order, capacity)?)
        }
        Shape::Pipe { is_duplex } => Arc::new(hall.pipe(name, is_duplex)?),
        Shape::Array { len } => Arc::new(hall.array(name, len)?),
        Shape::Dict => Arc::new(hall.dict(name)?),
        Shape::Value { first, is_float: false } => Arc::new(hall.value(name, Kind::Value, first)?),
        Shape::Value { first, is_float: true } => {
            Arc::new(hall.float(name, f64::from_bits(first.cast_unsigned()))?)
        }
    })
}

/// Shows every object of the hall.
fn each(site: &Site, show: &mut dyn FnMut(shape::Kind, &str, &dyn Body)) {
    let hall = site.in_hall();
    for (handle, kind, name) in hall.catalogue() {
        // One that ends meanwhile has nothing to tell.
        drop(see(hall, handle, kind, &mut |kind, body| show(kind, name.as_deref().unwrap_or(""), body)));
    }
}

fn see(
    hall: &Arc<Hall>,
    handle: hall::Handle,
    kind: Kind,
    show: &mut dyn FnMut(shape::Kind, &dyn Body),
) -> Result<(), HallError> {
    match kind {
        Kind::Lock => show(shape::Kind::Lock, &*hall.open::<Lock>(handle)?),
        Kind::RLock => show(shape::Kind::RLock, &*hall.open::<RLock>(handle)?),
        Kind::Semaphore => show(shape::Kind::Semaphore, &*hall.open::<Semaphore>(handle)?),
        Kind::Condition => show(shape::Kind::Condition, &*hall.open::<Condition>(handle)?),
        Kind::Event => show(shape::Kind::Event, &*hall.open::<Event>(handle)?),
        Kind::Barrier => show(shape::Kind::Barrier, &*hall.open::<Barrier>(handle)?),
        Kind::Queue => show(shape::Kind::Queue, &hall.open_queue(handle)?),
        Kind::Lifo => show(shape::Kind::Lifo, &hall.open_queue(handle)?),
        Kind::Priority => show(shape::Kind::Priority, &hall.open_queue(handle)?),
        // Nobody waits for the others; those at a pipe wait for one of its queues.
        _ => {}
    }
    Ok(())
}

/// What the hall says, as an error of the place.
pub(super) fn told(error: HallError, place: &str) -> Error {
    let kind = match &error {
        HallError::OtherKind { .. } | HallError::Name(_) => ErrorKind::ConfigInvalid,
        HallError::Gone(_) | HallError::Closed { .. } => ErrorKind::NotFound,
        _ => ErrorKind::ResourceExhausted,
    };
    let help = error.help();
    let message = match &error {
        HallError::OtherKind { name, is, wanted } => {
            format!("`{name}` in `{place}` is {is}, so it cannot be {wanted}")
        }
        _ => error.to_string(),
    };
    let said = Error::new(kind, message).at(place).during("share").with_retry(Retry::Safe);
    said.with_help(help).with_source(error)
}

impl fmt::Debug for Halls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Halls").field("place", &self.place).finish_non_exhaustive()
    }
}
