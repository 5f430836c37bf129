//! An [`Event`]: it has happened, or not.

use super::body::{Body, in_hall};
use super::far::{Undo, Waits, or_unreached};
use super::handle::handle;
use super::object::{Home, Shared};
use super::shape::{Kind, Shape, Wish};
use super::travel::travels;
use super::wait::{Wait, Waiting};
use crate::driver::Share;
use crate::error::Result;
use crate::wire::peer::share::Op;
use anyplace_sync::Event as Words;
use anyplace_sync::ground::Monitor;
use std::sync::Arc;
use std::time::Duration;

/// Something that has happened or not, and any number who wait for it: [`Place::event`](crate::Place::event) makes it.
/// Clones are the same event.
///
/// Everybody who waits when it is set goes on, also if it is cleared right after.
///
/// ```
/// let place = anyplace::open("threads:2")?;
/// let ready = place.event("ready")?;
/// let told = ready.clone();
/// let task = place.call(move || told.wait())?;
/// ready.set();
/// task.wait()??;
/// # Ok::<(), anyplace::Error>(())
/// ```
#[derive(Clone)]
pub struct Event(pub(super) Arc<Shared<Words>>);

impl Event {
    pub(super) fn find(share: &dyn Share, name: &str) -> Result<Self> {
        Self::of(share.open(name, &Wish { shape: Shape::Event, make: &|| Arc::new(Words::new()) })?)
    }

    /// Waits until it is set.
    ///
    /// # Errors
    /// `PlaceClosed`.
    #[track_caller]
    pub fn wait(&self) -> Result<()> {
        self.waiting().wait()
    }

    /// Waits until it is set, for at most `limit`; whether it was.
    ///
    /// # Errors
    /// `PlaceClosed`.
    #[track_caller]
    pub fn wait_within(&self, limit: Duration) -> Result<bool> {
        self.waiting().within(limit).map(|set| set.is_some())
    }

    /// The wait until it is set, to step, wait for, or await.
    #[track_caller]
    pub fn waiting(&self) -> impl Wait<Given = ()> {
        match self.0.home() {
            Home::Near(words) => Waits::Near(Waiting::new(&self.0.site, move |turn, until| {
                Ok(words.wait(turn, until).then_some(()))
            })),
            Home::Far(object) => Waits::Far(object.waiting(Op::Wait, Undo::Nothing, |_| Ok(()))),
        }
    }

    /// It has happened: who waits goes on.
    pub fn set(&self) {
        match self.0.home() {
            Home::Near(words) => words.set(&*self.0.site),
            Home::Far(object) => or_unreached(object.ask(Op::Set).map(drop)),
        }
    }

    /// It has not happened, from now on.
    pub fn clear(&self) {
        match self.0.home() {
            Home::Near(words) => words.clear(&*self.0.site),
            Home::Far(object) => or_unreached(object.ask(Op::Clear).map(drop)),
        }
    }

    /// Whether it has happened: one load.
    pub fn is_set(&self) -> bool {
        match self.0.home() {
            Home::Near(words) => words.is_set(),
            Home::Far(object) => or_unreached(object.number(Op::IsSet)) != 0,
        }
    }
}

impl Body for Words {
    in_hall!();

    fn lines(&self) -> Vec<&Monitor> {
        vec![self.monitor()]
    }
}

handle!(Event, Kind::Event);
travels!(Event, Kind::Event);
