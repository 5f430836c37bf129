//! A queue in the memory of one process: values move through it as they are.

use crate::share::body::Body;
use crate::share::shape::Order;
use crate::share::site::Site;
use crate::share::wait::Turn;
use anyplace_sync::ground::{Monitor, Onlookers};
use anyplace_sync::queue::{DoneTooOften, NotPut, NotTaken, Queue};
use std::time::Instant;

/// A value with its rank, which only priority queues look at.
struct Ranked<T> {
    rank: i64,
    item: T,
}

pub(in crate::share) struct Here<T> {
    items: Queue<Ranked<T>>,
    /// Those who wait for a value.
    takers: Onlookers,
    /// Those who wait for room.
    putters: Onlookers,
    /// Those who wait until all is done.
    joiners: Onlookers,
}

/// The queue is shut down.
#[derive(Debug)]
pub(super) struct Shut;

impl<T: Send + 'static> Here<T> {
    pub(in crate::share) fn new(order: Order, capacity: usize) -> Self {
        let capacity = Some(capacity).filter(|&capacity| capacity > 0);
        let items = match order {
            Order::Fifo => Queue::fifo(capacity),
            Order::Lifo => Queue::lifo(capacity),
            Order::Priority => Queue::sorted(capacity, |one: &Ranked<T>, other| one.rank.cmp(&other.rank)),
        };
        Self {
            items,
            takers: Onlookers::default(),
            putters: Onlookers::default(),
            joiners: Onlookers::default(),
        }
    }

    /// Puts the value that is in `item`, and leaves it there while it cannot.
    pub(super) fn put<'a>(
        &'a self,
        turn: &mut Turn<'a>,
        until: Option<Instant>,
        rank: i64,
        item: &mut Option<T>,
    ) -> Option<Result<(), Shut>> {
        let attempt = || match self.items.try_put(Ranked { rank, item: item.take()? }) {
            Ok(()) => Some(Ok(())),
            Err(NotPut::Full(back)) => {
                *item = Some(back.item);
                None
            }
            Err(NotPut::ShutDown(back)) => {
                *item = Some(back.item);
                Some(Err(Shut))
            }
        };
        let put = self.putters.wait(turn, until, attempt, || !self.items.is_full());
        if self.items.is_shut_down() {
            // While we tried, it was not certain that nothing comes any more: now it may be.
            self.takers.call(turn.ground(), usize::MAX);
            self.tell_joiners(turn.ground());
        } else if let Some(Ok(())) = put {
            self.takers.call(turn.ground(), 1);
        }
        put
    }

    pub(super) fn get<'a>(&'a self, turn: &mut Turn<'a>, until: Option<Instant>) -> Option<Result<T, Shut>> {
        let attempt = || match self.items.try_get() {
            Ok(ranked) => Some(Ok(ranked.item)),
            Err(NotTaken::Empty) => None,
            Err(NotTaken::ShutDown) => Some(Err(Shut)),
        };
        let got = self.takers.wait(turn, until, attempt, || !self.items.is_empty());
        if let Some(Ok(_)) = got {
            self.putters.call(turn.ground(), 1);
        }
        got
    }

    /// Up to `most` values, as soon as there is one.
    pub(super) fn get_many<'a>(
        &'a self,
        turn: &mut Turn<'a>,
        until: Option<Instant>,
        most: usize,
    ) -> Option<Result<Vec<T>, Shut>> {
        if most == 0 {
            return Some(Ok(Vec::new()));
        }
        let first = self.get(turn, until)?;
        let with_others = |first| [first].into_iter().chain(self.take(turn.ground(), most - 1)).collect();
        Some(first.map(with_others))
    }

    /// Waits until there is something to get, or nothing will come.
    pub(super) fn look<'a>(&'a self, turn: &mut Turn<'a>, until: Option<Instant>) -> Option<()> {
        let is_ready = || !self.items.is_empty() || self.items.is_shut_down();
        // What is there stays there, so the next in line may look, too.
        self.takers.wait(turn, until, || is_ready().then_some(()), || true)
    }

    /// As [`shut_down`](Self::shut_down), before anybody knows of it.
    pub(in crate::share) fn shut(&self, discards: bool) {
        self.items.shut_down(discards);
    }

    /// What is there now, at most `most`.
    fn take(&self, site: &Site, most: usize) -> Vec<T> {
        let next = || self.items.try_get().ok().map(|ranked| ranked.item);
        let taken: Vec<T> = std::iter::from_fn(next).take(most).collect();
        self.putters.call(site, taken.len());
        taken
    }

    pub(super) fn join<'a>(&'a self, turn: &mut Turn<'a>, until: Option<Instant>) -> Option<()> {
        let is_done = || self.items.unfinished() == 0;
        self.joiners.wait(turn, until, || is_done().then_some(()), || true)
    }

    pub(super) fn task_done(&self, site: &Site) -> Result<(), DoneTooOften> {
        self.items.task_done()?;
        self.tell_joiners(site);
        Ok(())
    }

    pub(in crate::share) fn shut_down(&self, site: &Site, discards: bool) {
        self.items.shut_down(discards);
        self.takers.call(site, usize::MAX);
        self.putters.call(site, usize::MAX);
        self.tell_joiners(site);
    }

    fn tell_joiners(&self, site: &Site) {
        if self.items.unfinished() == 0 {
            self.joiners.call(site, usize::MAX);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn capacity(&self) -> usize {
        self.items.capacity().unwrap_or(0)
    }

    pub(super) fn is_shut_down(&self) -> bool {
        self.items.is_shut_down()
    }
}

impl<T: Send + 'static> Body for Here<T> {
    fn lines(&self) -> Vec<&Monitor> {
        [&self.takers, &self.putters, &self.joiners].map(Onlookers::monitor).to_vec()
    }

    fn holds(&self) -> Option<&'static str> {
        Some(std::any::type_name::<T>())
    }
}
