//! A [`Queue`]: values on their way from those who put to those who get.

mod far;
mod hall;
mod here;
mod near;

use super::far::{Waits, or_unreached};
use super::item::Item;
use super::object::{self, Shared};
use super::shape::{Kind, Order, Shape, Wish};
use super::site::Site;
use super::travel::{Arrived, Travelling, refuse_to_come, refuse_to_go};
use super::wait::{Wait, Waiting};
use crate::driver::Share;
use crate::error::{Error, Kind as ErrorKind, Result};
use crate::wire::peer::share::Op;
use far::Far;
pub(super) use here::Here;
use here::Shut;
use near::Near;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Values on their way from those who put to those who get: [`Place::queue`](crate::Place::queue),
/// [`lifo`](crate::Place::lifo) and [`priority`](crate::Place::priority) make it. Clones are the same queue.
///
/// Each value is got once. Those of one producer come in the order in which it put them. A queue with a capacity makes
/// producers wait for room.
///
/// ```
/// let place = anyplace::open("threads:2")?;
/// let orders = place.queue::<String>("orders", 10)?;
/// let seen = orders.clone();
/// let cook = place.call(move || seen.iter().map(|dish| dish.len()).sum::<usize>())?;
/// for dish in ["soup", "pie", "tea"] {
///     orders.put(dish.to_owned())?;
/// }
/// orders.shut_down(false);
/// assert_eq!(cook.wait()?, 10);
/// # Ok::<(), anyplace::Error>(())
/// ```
pub struct Queue<T: Item>(Arc<Lies<T>>);

enum Lies<T: Item> {
    Near(Near<T>),
    Far(Far),
}

impl<T: Item> Queue<T> {
    pub(super) fn find(share: &dyn Share, name: &str, order: Order, capacity: usize) -> Result<Self> {
        let shape = Shape::Queue { order, capacity };
        let make = || Arc::new(Here::<T>::new(order, capacity)) as _;
        let object = share.open(name, &Wish { shape, make: &make })?;
        if let Some(far) = object.far() {
            return Ok(Self::far(object.name.clone(), far.clone()));
        }
        let near = match object.in_hall::<anyplace_sync::shm::hall::Queue>() {
            Some(queue) => Near::Hall(hall::Shared { queue, site: object.site, name: object.name }),
            None => Near::Here(object.into_kind(shape.kind())?),
        };
        Ok(Self::near(near))
    }

    fn near(near: Near<T>) -> Self {
        Self(Arc::new(Lies::Near(near)))
    }

    /// A queue, or an end of a pipe, that lies with a peer.
    pub(super) fn far(name: Arc<str>, object: Arc<super::far::Object>) -> Self {
        Self(Arc::new(Lies::Far(Far { name, object })))
    }

    /// A queue that is part of something else in the memory of this process.
    pub(super) fn over(site: Arc<Site>, name: Arc<str>, queue: Arc<Here<T>>) -> Self {
        Self::near(Near::Here(Shared::over(site, name, queue)))
    }

    /// A queue that is part of something else in a hall.
    pub(super) fn in_hall(site: Arc<Site>, name: Arc<str>, queue: anyplace_sync::shm::hall::Queue) -> Self {
        Self::near(Near::Hall(hall::Shared { site, name, queue }))
    }

    /// The wait until there is something to get, or nothing will come. It takes nothing.
    #[track_caller]
    pub(super) fn looking(&self) -> impl Wait<Given = ()> {
        match &*self.0 {
            Lies::Near(near) => {
                Waits::Near(Waiting::new(near.site(), move |turn, until| Ok(near.look(turn, until))))
            }
            Lies::Far(far) => Waits::Far(far.look()),
        }
    }

    /// Puts a value, waiting for room.
    ///
    /// # Errors
    /// `Ended` if the queue is shut down, `PlaceClosed`, `NotSerializable` where the value has to travel; then the value is
    /// gone.
    #[track_caller]
    pub fn put(&self, item: T) -> Result<()> {
        self.putting(&mut Some(item)).wait()
    }

    /// Puts a value, waiting for room for at most `limit`; gives it back if that was not enough.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    #[track_caller]
    pub fn put_within(&self, item: T, limit: Duration) -> Result<Option<T>> {
        let mut item = Some(item);
        let put = self.putting(&mut item).within(limit)?;
        Ok(item.filter(|_| put.is_none()))
    }

    /// Puts a value if there is room now, else gives it back.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    #[track_caller]
    pub fn try_put(&self, item: T) -> Result<Option<T>> {
        let mut item = Some(item);
        let put = self.putting(&mut item).now()?;
        Ok(item.filter(|_| put.is_none()))
    }

    /// Puts a value before all that have a higher rank, if this is a priority queue. [`put`](Self::put) gives the rank 0.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    #[track_caller]
    pub fn put_ranked(&self, rank: i64, item: T) -> Result<()> {
        self.putting_ranked(rank, &mut Some(item)).wait()
    }

    /// Puts all values, in their order, waiting for room.
    ///
    /// # Errors
    /// As [`put`](Self::put); then those before are in the queue.
    #[track_caller]
    pub fn put_many(&self, items: impl IntoIterator<Item = T>) -> Result<()> {
        for item in items {
            self.put(item)?;
        }
        Ok(())
    }

    /// The wait for room for the value that is in `item`, to step, wait for, or await. The value stays there until it is put.
    #[track_caller]
    pub fn putting<'a>(&'a self, item: &'a mut Option<T>) -> impl Wait<Given = ()> {
        self.putting_ranked(0, item)
    }

    /// As [`putting`](Self::putting), with a [rank](Self::put_ranked).
    #[track_caller]
    pub fn putting_ranked<'a>(&'a self, rank: i64, item: &'a mut Option<T>) -> impl Wait<Given = ()> {
        self.putting_or(rank, item, || self.ended())
    }

    /// As [`putting_ranked`](Self::putting_ranked), with the error of one that is shut down.
    #[track_caller]
    pub(super) fn putting_or<'a>(
        &'a self,
        rank: i64,
        item: &'a mut Option<T>,
        ended: impl Fn() -> Error + Send + 'a,
    ) -> impl Wait<Given = ()> + 'a {
        match &*self.0 {
            Lies::Near(near) => {
                let mut packed = None;
                Waits::Near(Waiting::new(near.site(), move |turn, until| {
                    let put = near.put(turn, until, (rank, item), &mut packed)?;
                    put.transpose().map_err(|Shut| ended())
                }))
            }
            Lies::Far(far) => Waits::Far(far.put(rank, item, ended)),
        }
    }

    /// Takes a value, waiting for one.
    ///
    /// # Errors
    /// `Ended` if the queue is shut down and empty; `PlaceClosed`; `NotSerializable` if it is no `T`.
    #[track_caller]
    pub fn get(&self) -> Result<T> {
        self.getting().wait()
    }

    /// Takes a value, waiting for one for at most `limit`; `None` if that was not enough.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    #[track_caller]
    pub fn get_within(&self, limit: Duration) -> Result<Option<T>> {
        self.getting().within(limit)
    }

    /// Takes a value if there is one now.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    #[track_caller]
    pub fn try_get(&self) -> Result<Option<T>> {
        self.getting().now()
    }

    /// Takes up to `most` values: waits for the first, and takes with it what else is there.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    #[track_caller]
    pub fn get_many(&self, most: usize) -> Result<Vec<T>> {
        self.getting_many(most).wait()
    }

    /// The wait for a value, to step, wait for, or await.
    #[track_caller]
    pub fn getting(&self) -> impl Wait<Given = T> {
        self.getting_or(|| self.ended())
    }

    /// As [`getting`](Self::getting), with the error of one that is shut down and empty.
    #[track_caller]
    pub(super) fn getting_or<'a>(
        &'a self,
        ended: impl Fn() -> Error + Send + 'a,
    ) -> impl Wait<Given = T> + 'a {
        match &*self.0 {
            Lies::Near(near) => Waits::Near(Waiting::new(near.site(), move |turn, until| {
                near.get(turn, until)?.transpose().map_err(|Shut| ended())
            })),
            Lies::Far(far) => Waits::Far(far.get(ended)),
        }
    }

    /// The wait for [up to `most`](Self::get_many) values.
    #[track_caller]
    pub fn getting_many(&self, most: usize) -> impl Wait<Given = Vec<T>> {
        match &*self.0 {
            Lies::Near(near) => Waits::Near(Waiting::new(near.site(), move |turn, until| {
                near.get_many(turn, until, most)?.transpose().map_err(|Shut| self.ended())
            })),
            Lies::Far(far) => Waits::Far(far.get_many(most, || self.ended())),
        }
    }

    /// Takes values, waiting for each, until the queue is shut down and empty, or its place closed.
    pub fn iter(&self) -> impl Iterator<Item = T> + '_ {
        std::iter::from_fn(|| self.get().ok())
    }

    /// How many values there are; others may put and get meanwhile.
    pub fn len(&self) -> usize {
        match &*self.0 {
            Lies::Near(near) => near.len(),
            Lies::Far(far) => or_unreached(far.ask(Op::Len)) as usize,
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many values there is room for; 0 for as many as there is memory for.
    pub fn capacity(&self) -> usize {
        match &*self.0 {
            Lies::Near(near) => near.capacity(),
            Lies::Far(far) => or_unreached(far.ask(Op::Capacity)) as usize,
        }
    }

    /// Whether there is no room now.
    pub fn is_full(&self) -> bool {
        (1..=self.len()).contains(&self.capacity())
    }

    /// Says that what a value stood for is done.
    ///
    /// # Errors
    /// `ConfigInvalid` if that was said for every value already.
    pub fn task_done(&self) -> Result<()> {
        let is_done = match &*self.0 {
            Lies::Near(near) => near.task_done(),
            Lies::Far(far) => return far.ask(Op::TaskDone).map(drop),
        };
        if is_done {
            return Ok(());
        }
        let message = format!("more is said to be done than was put into {self:?}");
        Err(self
            .misused(ErrorKind::ConfigInvalid, message)
            .with_help("call `task_done` once for each value that was got"))
    }

    /// Waits until [`task_done`](Self::task_done) was called for every value that was put.
    ///
    /// # Errors
    /// `PlaceClosed`.
    #[track_caller]
    pub fn join(&self) -> Result<()> {
        self.joining().wait()
    }

    /// The wait until all is done, to step, wait for, or await.
    #[track_caller]
    pub fn joining(&self) -> impl Wait<Given = ()> {
        match &*self.0 {
            Lies::Near(near) => {
                Waits::Near(Waiting::new(near.site(), move |turn, until| Ok(near.join(turn, until))))
            }
            Lies::Far(far) => Waits::Far(far.join()),
        }
    }

    /// Refuses what is put from here on. What is in the queue can still be got, unless it `discards` that, which then counts
    /// as done. Whoever waits for room is told, and whoever waits for a value as soon as there is none left.
    pub fn shut_down(&self, discards: bool) {
        match &*self.0 {
            Lies::Near(near) => near.shut_down(discards),
            Lies::Far(far) => or_unreached(far.ask(Op::ShutDown { discards }).map(drop)),
        }
    }

    /// Whether it was shut down.
    pub fn is_shut_down(&self) -> bool {
        match &*self.0 {
            Lies::Near(near) => near.is_shut_down(),
            Lies::Far(far) => or_unreached(far.ask(Op::IsShutDown)) != 0,
        }
    }

    /// Its name; empty if it has none.
    pub fn name(&self) -> &str {
        match &*self.0 {
            Lies::Near(near) => near.name(),
            Lies::Far(far) => &far.name,
        }
    }

    fn arrive(travelling: Travelling) -> Result<Self> {
        Ok(match travelling.arrive(Kind::Queue)? {
            Arrived::Hall(site, name, handle) => {
                Self::near(Near::Hall(hall::Shared::arrive(site, name, handle)?))
            }
            Arrived::Far(name, object) => Self::far(name, object),
        })
    }

    fn ended(&self) -> Error {
        self.misused(ErrorKind::Ended, format!("{self:?} is shut down"))
            .with_help("put nothing once it is shut down, and get until this error comes")
    }

    fn misused(&self, kind: ErrorKind, message: String) -> Error {
        Error::new(kind, message).at(&self.site().place).during("share")
    }

    pub(super) fn site(&self) -> &Arc<Site> {
        match &*self.0 {
            Lies::Near(near) => near.site(),
            Lies::Far(far) => far.object.site(),
        }
    }
}

impl<T: Item> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Item> Serialize for Queue<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let travelling = match &*self.0 {
            Lies::Near(near) => near.travel(),
            Lies::Far(far) => Travelling::of_far(&far.object),
        };
        travelling.map_err(refuse_to_go)?.serialize(serializer)
    }
}

impl<'de, T: Item> Deserialize<'de> for Queue<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let travelling: Travelling = Deserialize::deserialize(deserializer)?;
        Self::arrive(travelling).map_err(refuse_to_come)
    }
}

impl<T: Item> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let called = object::Called { kind: Kind::Queue, name: self.name(), site: self.site() };
        fmt::Display::fmt(&called, f)
    }
}
