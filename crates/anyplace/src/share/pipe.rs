//! A [`Pipe`]: one end of two, each of which receives what the other sends.

mod here;

use super::far;
use super::halls;
use super::item::Item;
use super::object::{self, Object};
use super::queue::Queue;
use super::shape::{Kind, Shape, Wish};
use super::site::Site;
use super::travel::{Arrived, Travelling, refuse_to_come, refuse_to_go, stays};
use super::wait::Wait;
use crate::driver::Share;
use crate::error::{Error, Kind as ErrorKind, Result};
use anyplace_sync::shm::hall;
use here::{End, Here};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// One end of two: [`Place::pipe`](crate::Place::pipe) makes both. Clones are the same end.
///
/// When the last handle of an end is dropped, or the last process that has one is killed, the end is closed: what it sent can
/// still be received, then the other side finds the end of the pipe. What is closed stays closed.
///
/// ```
/// let place = anyplace::open("threads:2")?;
/// let (here, there) = place.pipe::<String>("")?;
/// let task = place.call(move || {
///     let question = there.recv()?;
///     there.send(format!("{question} Nobody knows."))
/// })?;
/// here.send("Why?".to_owned())?;
/// assert_eq!(here.recv()?, "Why? Nobody knows.");
/// task.wait()??;
/// assert_eq!(here.recv().unwrap_err().kind(), anyplace::Kind::Ended);
/// # Ok::<(), anyplace::Error>(())
/// ```
pub struct Pipe<T: Item> {
    outgoing: Queue<T>,
    incoming: Queue<T>,
    end: Holds<T>,
}

/// An end on its way.
#[derive(Serialize, Deserialize)]
struct TravellingEnd(Travelling, usize);

/// What keeps the end open.
enum Holds<T: Item> {
    Here(Arc<End<T>>),
    Hall(Arc<hall::Pipe>),
    /// With a peer, which closes the end when nobody here has it any more.
    Far(Arc<far::Object>),
}

impl<T: Item> Pipe<T> {
    pub(super) fn find(share: &dyn Share, name: &str, is_duplex: bool) -> Result<(Self, Self)> {
        let shape = Shape::Pipe { is_duplex };
        let object = share.open(name, &Wish { shape, make: &|| Arc::new(Here::<T>::new(is_duplex)) })?;
        if let Some(ends) = object.in_hall::<[hall::Pipe; 2]>() {
            let [first, second] = ends.map(|end| Self::in_hall(&object.site, &object.name, end));
            return Ok((first, second));
        }
        if let Some(first) = object.far() {
            let end = |end| Self::far(&object.name, end);
            return Ok((end(first.clone()), end(first.second())));
        }
        let Object { site, name, .. } = object.clone();
        let pipe = object.into_kind::<Here<T>>(Kind::Pipe)?.here();
        let end = |number| Self::here(&site, &name, End::open(&site, &pipe, number));
        Ok((end(0), end(1)))
    }

    fn here(site: &Arc<Site>, name: &Arc<str>, end: Arc<End<T>>) -> Self {
        let queue = |which| Queue::over(site.clone(), name.clone(), end.queue(which));
        let (outgoing, incoming) = (queue(end.number()), queue(1 - end.number()));
        Self { outgoing, incoming, end: Holds::Here(end) }
    }

    fn in_hall(site: &Arc<Site>, name: &Arc<str>, end: hall::Pipe) -> Self {
        let queue = |queue: &hall::Queue| Queue::in_hall(site.clone(), name.clone(), queue.clone());
        let (outgoing, incoming) = (queue(end.outgoing()), queue(end.incoming()));
        Self { outgoing, incoming, end: Holds::Hall(Arc::new(end)) }
    }

    fn far(name: &Arc<str>, end: Arc<far::Object>) -> Self {
        let queue = || Queue::far(name.clone(), end.clone());
        Self { outgoing: queue(), incoming: queue(), end: Holds::Far(end) }
    }

    /// Sends a value. A pipe has room for as much as there is memory for, so this does not wait.
    ///
    /// # Errors
    /// `Ended` if the other end is closed, or this one only receives; `PlaceClosed`; `NotSerializable` where the value has to
    /// travel.
    #[track_caller]
    pub fn send(&self, item: T) -> Result<()> {
        self.outgoing.putting_or(0, &mut Some(item), || self.takes_no_more()).wait()
    }

    /// Receives a value, waiting for one.
    ///
    /// # Errors
    /// `Ended` if the other end is closed, and all that it sent has been received; `PlaceClosed`; `NotSerializable` if it is
    /// no `T`.
    #[track_caller]
    pub fn recv(&self) -> Result<T> {
        self.receiving().wait()
    }

    /// Receives a value, waiting for one for at most `limit`; `None` if that was not enough.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    #[track_caller]
    pub fn recv_within(&self, limit: Duration) -> Result<Option<T>> {
        self.receiving().within(limit)
    }

    /// The wait for a value, to step, wait for, or await.
    #[track_caller]
    pub fn receiving(&self) -> impl Wait<Given = T> {
        self.incoming.getting_or(|| self.gives_no_more())
    }

    /// Waits until [`recv`](Self::recv) would not have to, for at most `limit`; whether it came to that. The end of the pipe
    /// counts.
    ///
    /// # Errors
    /// `PlaceClosed`.
    #[track_caller]
    pub fn poll(&self, limit: Duration) -> Result<bool> {
        self.polling().within(limit).map(|ready| ready.is_some())
    }

    /// The wait until [`recv`](Self::recv) would not have to wait, to step, wait for, or await.
    #[track_caller]
    pub fn polling(&self) -> impl Wait<Given = ()> {
        self.incoming.looking()
    }

    fn takes_no_more(&self) -> Error {
        self.ended("takes nothing from this end: the other one is closed, or only sends")
            .with_help("send from the end that the other one receives from, for as long as that is open")
    }

    fn gives_no_more(&self) -> Error {
        self.ended("gives nothing more to this end: the other one is closed, or only receives")
            .with_help("whoever sends closes its end when it has sent all: receive until this error comes")
    }

    fn ended(&self, why: &str) -> Error {
        let site = self.incoming.site();
        Error::new(ErrorKind::Ended, format!("{self:?} {why}")).at(&site.place).during("share")
    }

    fn called(&self) -> object::Called<'_> {
        object::Called { kind: Kind::Pipe, name: self.incoming.name(), site: self.incoming.site() }
    }
}

impl<T: Item> Clone for Pipe<T> {
    fn clone(&self) -> Self {
        let end = match &self.end {
            Holds::Here(end) => Holds::Here(end.clone()),
            Holds::Hall(end) => Holds::Hall(end.clone()),
            Holds::Far(end) => Holds::Far(end.clone()),
        };
        Self { outgoing: self.outgoing.clone(), incoming: self.incoming.clone(), end }
    }
}

impl<T: Item> fmt::Debug for Pipe<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.called(), f)
    }
}

impl<T: Item> Serialize for Pipe<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let site = self.incoming.site();
        let end = match &self.end {
            Holds::Here(_) => return Err(refuse_to_go(stays(&self.called()))),
            Holds::Hall(end) => end,
            Holds::Far(end) => {
                let ticket = end.ticket().and_then(|ticket| TravellingEnd::read(&ticket));
                return ticket.map_err(refuse_to_go)?.serialize(serializer);
            }
        };
        let travelling = Travelling::of(site, self.incoming.name(), end.object().handle());
        TravellingEnd(travelling, end.end()).serialize(serializer)
    }
}

impl<'de, T: Item> Deserialize<'de> for Pipe<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Self::arrive(TravellingEnd::deserialize(deserializer)?).map_err(refuse_to_come)
    }
}

impl TravellingEnd {
    fn read(ticket: &[u8]) -> Result<Self> {
        super::from_ticket(ticket)
    }
}

impl<T: Item> Pipe<T> {
    fn arrive(TravellingEnd(travelling, end): TravellingEnd) -> Result<Self> {
        if end > 1 {
            return Err(Error::new(ErrorKind::NotSerializable, "this is no ticket of an end of a pipe"));
        }
        let (site, name, handle) = match travelling.arrive_as(Kind::Pipe, |travelling| (travelling, end))? {
            Arrived::Hall(site, name, handle) => (site, name, handle),
            Arrived::Far(name, object) => return Ok(Self::far(&name, object)),
        };
        let end = site.in_hall().open_pipe(handle, end).map_err(|error| halls::told(error, &site.place))?;
        Ok(Self::in_hall(&site, &name, end))
    }
}
