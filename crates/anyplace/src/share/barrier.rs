//! A [`Barrier`]: so many wait for each other.

use super::body::{Body, in_hall};
use super::far::{Answer, Undo, Waits, or_unreached};
use super::handle::handle;
use super::object::{Home, Shared};
use super::shape::{Kind, Shape, Wish};
use super::travel::travels;
use super::wait::{Wait, Waiting};
use crate::driver::Share;
use crate::error::{Error, Kind as ErrorKind, Result};
use crate::wire::peer::share::Op;
use anyplace_sync::ground::Monitor;
use anyplace_sync::{Arrived, Barrier as Words, Broken};
use std::sync::Arc;

/// A number of threads or processes wait until all of them have come, round after round:
/// [`Place::barrier`](crate::Place::barrier) makes it. Clones are the same barrier.
///
/// Who leaves before the others have come, because its time is over or its process was killed, leaves its place to another.
///
/// ```
/// let place = anyplace::open("threads:3")?;
/// let start = place.barrier("start", 3)?;
/// let came = place.map(move |_| start.wait(), 0..3)?.map(|arrived| Ok(arrived??.index));
/// let mut came = came.collect::<anyplace::Result<Vec<u32>>>()?;
/// came.sort();
/// assert_eq!(came, [0, 1, 2]);
/// # Ok::<(), anyplace::Error>(())
/// ```
#[derive(Clone)]
pub struct Barrier(pub(super) Arc<Shared<Words>>);

impl Barrier {
    pub(super) fn find(share: &dyn Share, name: &str, parties: u32) -> Result<Self> {
        Self::of(share.open(
            name,
            &Wish { shape: Shape::Barrier { parties }, make: &|| Arc::new(Words::new(parties)) },
        )?)
    }

    /// Waits until all have come.
    ///
    /// # Errors
    /// `Broken` if the barrier is, or was reset meanwhile; `PlaceClosed`.
    #[track_caller]
    pub fn wait(&self) -> Result<Arrived> {
        self.arriving().wait()
    }

    /// The wait until all have come, to step, wait for, or await.
    #[track_caller]
    pub fn arriving(&self) -> impl Wait<Given = Arrived> {
        match self.0.home() {
            Home::Near(words) => Waits::Near(Waiting::new(&self.0.site, move |turn, until| {
                let arrived = words.arrive(turn, until).transpose().map_err(|Broken| self.broken())?;
                if arrived.is_some_and(|arrived| arrived.is_last) {
                    self.open()?;
                }
                Ok(arrived)
            })),
            Home::Far(object) => {
                Waits::Far(object.waiting(Op::Wait, Undo::Nothing, |answer: Answer| Ok(answer.arrived())))
            }
        }
    }

    /// As [`arriving`](Self::arriving), but the last one does not let the others go: it does first what has to be done between
    /// two rounds, and then calls [`open`](Self::open), or [`abort`](Self::abort) if that failed.
    #[track_caller]
    pub fn gathering(&self) -> impl Wait<Given = Arrived> {
        match self.0.home() {
            Home::Near(words) => Waits::Near(Waiting::new(&self.0.site, move |turn, until| {
                words.arrive(turn, until).transpose().map_err(|Broken| self.broken())
            })),
            Home::Far(object) => {
                let undo = Undo::IfLast(Op::Abort);
                Waits::Far(object.waiting(Op::Gather, undo, |answer: Answer| Ok(answer.arrived())))
            }
        }
    }

    /// Lets the round go: by the last that came to [`gathering`](Self::gathering).
    ///
    /// # Errors
    /// `Broken` if the barrier was broken or reset meanwhile.
    pub fn open(&self) -> Result<()> {
        match self.0.home() {
            Home::Near(words) => words.open(&*self.0.site).map_err(|Broken| self.broken()),
            Home::Far(object) => object.ask(Op::LetGo).map(drop),
        }
    }

    /// Breaks it: all who wait, and all who come, get the error `Broken`, until it is [reset](Self::reset).
    pub fn abort(&self) {
        match self.0.home() {
            Home::Near(words) => words.abort(&*self.0.site),
            Home::Far(object) => or_unreached(object.ask(Op::Abort).map(drop)),
        }
    }

    /// Makes it whole and empty; those who wait get the error `Broken`.
    pub fn reset(&self) {
        match self.0.home() {
            Home::Near(words) => words.reset(&*self.0.site),
            Home::Far(object) => or_unreached(object.ask(Op::Reset).map(drop)),
        }
    }

    /// Whether it is broken.
    pub fn is_broken(&self) -> bool {
        match self.0.home() {
            Home::Near(words) => words.is_broken(),
            Home::Far(object) => or_unreached(object.number(Op::IsBroken)) != 0,
        }
    }

    /// How many make a round.
    pub fn parties(&self) -> u32 {
        match self.0.home() {
            Home::Near(words) => words.parties(),
            Home::Far(object) => or_unreached(object.number(Op::Parties)) as u32,
        }
    }

    /// How many wait for the others now.
    pub fn n_waiting(&self) -> usize {
        match self.0.home() {
            Home::Near(words) => words.waiting(&*self.0.site),
            Home::Far(object) => or_unreached(object.number(Op::Waiting)) as usize,
        }
    }

    fn broken(&self) -> Error {
        self.0.misused(
            ErrorKind::Broken,
            format!("{self:?} is broken, or was reset"),
            "see why the others did not come, then `reset` it",
        )
    }
}

impl Body for Words {
    in_hall!();

    fn lines(&self) -> Vec<&Monitor> {
        vec![self.monitor(), self.gate()]
    }
}

handle!(Barrier, Kind::Barrier);
travels!(Barrier, Kind::Barrier);
