//! A [`Queue`] between the threads of a process; `README.md` beside this file says why no wake-up and no item is lost.

mod error;
mod gate;
mod heap;
mod items;
mod store;

pub use error::{DoneTooOften, NotPut, NotTaken};
pub use items::Items;

use crate::Line;
use gate::Gate;
use std::cmp::Ordering;
use std::time::Instant;
use store::Store;

/// Items that threads of this process hand to each other: first in, first out; or last in, first out; or the smallest first.
///
/// Any number of threads put and take at once. What is put is taken by exactly one. Items of one producer come in the
/// order in which it put them (where first in is first out), also if many producers put at once.
///
/// *Waiting.* A thread that waits, for an item or for room, spins for about as long as a wake-up costs and sleeps then.
/// Sleepers are woken in the order in which they fell asleep, one for each item. A thread that comes just then may be
/// faster than the one that was woken, which goes to the end of the line: throughput is worth more than turns.
///
/// *Time.* `until` is when a wait ends; none waits as long as it takes, and one that has passed waits not at all.
///
/// ```
/// use anyplace_sync::queue::{NotTaken, Queue};
///
/// let orders = Queue::fifo(Some(2));
/// std::thread::scope(|scope| {
///     scope.spawn(|| {
///         for dish in ["soup", "pie", "tea"] {
///             orders.put(dish, None).unwrap();
///         }
///         orders.shut_down(false);
///     });
///     assert_eq!(orders.iter().collect::<Vec<_>>(), ["soup", "pie", "tea"]);
/// });
/// assert_eq!(orders.try_get(), Err(NotTaken::ShutDown));
/// ```
#[derive(Debug)]
pub struct Queue<T> {
    store: Store<T>,
    gate: Gate,
    /// Those who wait for an item.
    takers: Line,
    /// Those who wait for room.
    putters: Line,
    /// Those who wait until all is done.
    joiners: Line,
}

impl<T> Queue<T> {
    /// First in, first out; of `capacity`, or without bounds.
    ///
    /// Within 20 % of `crossbeam-channel`, whose stores it uses (`examples/queue_speed.rs`).
    ///
    /// # Panics
    /// If the capacity is zero.
    pub fn fifo(capacity: Option<usize>) -> Self {
        Self::of(Store::fifo(checked(capacity)))
    }

    /// Last in, first out.
    ///
    /// # Panics
    /// If the capacity is zero.
    pub fn lifo(capacity: Option<usize>) -> Self {
        Self::of(Store::lifo(checked(capacity)))
    }

    /// The smallest first; equal ones in the order in which they were put.
    ///
    /// Putting and taking cost a number of comparisons that grows with the logarithm of the length.
    ///
    /// # Panics
    /// If the capacity is zero.
    pub fn priority(capacity: Option<usize>) -> Self
    where
        T: Ord,
    {
        Self::sorted(capacity, T::cmp)
    }

    /// As [`priority`](Self::priority), in an order of your own.
    ///
    /// ```
    /// use anyplace_sync::queue::Queue;
    ///
    /// let longest_first = Queue::sorted(None, |one: &&str, other| other.len().cmp(&one.len()));
    /// longest_first.put_many(["a", "ccc", "bb"], None).unwrap();
    /// assert_eq!(longest_first.try_get(), Ok("ccc"));
    /// ```
    ///
    /// # Panics
    /// If the capacity is zero.
    pub fn sorted(capacity: Option<usize>, order: fn(&T, &T) -> Ordering) -> Self {
        Self::of(Store::sorted(checked(capacity), order))
    }

    fn of(store: Store<T>) -> Self {
        let [takers, putters, joiners] = [(); 3].map(|()| Line::new());
        Self { store, gate: Gate::new(), takers, putters, joiners }
    }

    /// Puts an item, waiting for room.
    ///
    /// # Errors
    /// [`NotPut`] holds the item and the reason: there was no room in time, or the queue is shut down.
    #[inline]
    pub fn put(&self, item: T, until: Option<Instant>) -> Result<(), NotPut<T>> {
        self.try_put(item).or_else(|refused| match refused {
            NotPut::Full(item) => self.put_later(item, until),
            NotPut::ShutDown(_) => Err(refused),
        })
    }

    /// Puts an item if there is room now.
    ///
    /// # Errors
    /// [`NotPut`] holds the item and the reason.
    #[inline]
    pub fn try_put(&self, item: T) -> Result<(), NotPut<T>> {
        if !self.gate.enter() {
            self.turn_back();
            return Err(NotPut::ShutDown(item));
        }
        let entering = Entering(self);
        let pushed = self.store.push(item);
        std::mem::forget(entering);
        match pushed {
            Ok(()) => self.is_in(),
            Err(_) => self.turn_back(),
        }
        pushed.map_err(NotPut::Full)
    }

    #[inline]
    fn is_in(&self) {
        let seen = self.gate.leave();
        self.takers.call(1);
        if seen.is_shut() {
            self.tell_the_end(seen);
        }
    }

    #[cold]
    fn turn_back(&self) {
        let seen = self.gate.turn_back();
        self.tell_joiners(seen);
        if seen.is_shut() {
            self.tell_the_end(seen);
        }
    }

    #[cold]
    fn put_later(&self, mut item: T, until: Option<Instant>) -> Result<(), NotPut<T>> {
        loop {
            let in_time = self
                .putters
                .wait_spinning_first(until, || !self.store.is_full() || self.gate.look().is_shut());
            match self.try_put(item) {
                Err(NotPut::Full(refused)) if in_time => item = refused,
                ended => return ended,
            }
        }
    }

    /// Puts all items, in their order, waiting for room.
    ///
    /// # Errors
    /// [`NotPut`] holds those that were not put, and the reason.
    pub fn put_many<I: IntoIterator<Item = T>>(
        &self,
        items: I,
        until: Option<Instant>,
    ) -> Result<(), NotPut<Vec<T>>> {
        let mut items = items.into_iter();
        while let Some(item) = items.next() {
            if let Err(refused) = self.put(item, until) {
                return Err(refused.map(|item| [item].into_iter().chain(items).collect()));
            }
        }
        Ok(())
    }

    /// Takes an item, waiting for one.
    ///
    /// # Errors
    /// [`NotTaken`] says whether none came in time, or none will come.
    #[inline]
    pub fn get(&self, until: Option<Instant>) -> Result<T, NotTaken> {
        self.try_get().or_else(|missed| match missed {
            NotTaken::Empty => self.get_later(until),
            NotTaken::ShutDown => Err(missed),
        })
    }

    /// Takes an item if there is one now.
    ///
    /// # Errors
    /// [`NotTaken`] says whether one may still come.
    #[inline]
    pub fn try_get(&self) -> Result<T, NotTaken> {
        match self.take() {
            Some(item) => Ok(item),
            None => self.why_nothing(),
        }
    }

    #[cold]
    fn why_nothing(&self) -> Result<T, NotTaken> {
        if !self.gate.look().is_final() {
            return Err(NotTaken::Empty);
        }
        // Whatever was put came in before the gate was final.
        self.take().ok_or(NotTaken::ShutDown)
    }

    #[cold]
    fn get_later(&self, until: Option<Instant>) -> Result<T, NotTaken> {
        loop {
            let in_time = self
                .takers
                .wait_spinning_first(until, || !self.store.is_empty() || self.gate.look().is_final());
            match self.try_get() {
                Err(NotTaken::Empty) if in_time => {}
                ended => return ended,
            }
        }
    }

    /// Takes up to `most` items: waits for the first, and takes with it what else is there.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn get_many(&self, most: usize, until: Option<Instant>) -> Result<Vec<T>, NotTaken> {
        if most == 0 {
            return Ok(vec![]);
        }
        let first = self.get(until)?;
        let others = std::iter::from_fn(|| self.take());
        Ok([first].into_iter().chain(others.take(most - 1)).collect())
    }

    /// Takes items, waiting for each, until the queue is shut down and empty.
    pub fn iter(&self) -> Items<'_, T> {
        Items::new(self)
    }

    /// How many items there are; others may put and take meanwhile.
    pub fn len(&self) -> usize {
        self.store.len()
    }

    /// True if there is no item.
    pub fn is_empty(&self) -> bool {
        self.store.is_empty()
    }

    /// True if there is no room.
    pub fn is_full(&self) -> bool {
        self.store.is_full()
    }

    /// How many items there may be; none if it has no bounds.
    pub fn capacity(&self) -> Option<usize> {
        self.store.capacity()
    }

    /// Says that the work which an item stood for is done.
    ///
    /// # Errors
    /// [`DoneTooOften`] if that was said for every item already.
    pub fn task_done(&self) -> Result<(), DoneTooOften> {
        let seen = self.gate.finish().ok_or(DoneTooOften)?;
        self.tell_joiners(seen);
        Ok(())
    }

    /// Waits until [`task_done`](Self::task_done) was called for every item that was put; false if `until` came first.
    pub fn join(&self, until: Option<Instant>) -> bool {
        self.joiners.wait_spinning_first(until, || self.unfinished() == 0)
    }

    /// Items that were put, and are not said to be done.
    pub fn unfinished(&self) -> u64 {
        self.gate.look().unfinished()
    }

    /// Refuses what is put from here on; what is in the queue can still be taken, unless it `discards` that.
    ///
    /// All who wait are woken. What is discarded counts as done.
    pub fn shut_down(&self, discards: bool) {
        self.gate.shut(discards);
        if discards {
            self.discard();
        }
        self.takers.call_all();
        self.putters.call_all();
    }

    /// True once [`shut_down`](Self::shut_down) was called.
    pub fn is_shut_down(&self) -> bool {
        self.gate.look().is_shut()
    }

    /// An item, and room for another.
    #[inline]
    fn take(&self) -> Option<T> {
        let item = self.store.pop();
        if item.is_some() {
            self.putters.call(1);
        }
        item
    }

    fn discard(&self) {
        while let Some(item) = self.store.pop() {
            drop(item);
            self.gate.finish().into_iter().for_each(|seen| self.tell_joiners(seen));
        }
    }

    fn tell_joiners(&self, seen: gate::Seen) {
        if seen.unfinished() == 0 {
            self.joiners.call_all();
        }
    }

    /// A shut gate may have become final.
    #[cold]
    fn tell_the_end(&self, seen: gate::Seen) {
        if seen.discards() {
            self.discard();
        }
        self.takers.call_all();
    }
}

impl<'a, T> IntoIterator for &'a Queue<T> {
    type Item = T;
    type IntoIter = Items<'a, T>;

    fn into_iter(self) -> Items<'a, T> {
        self.iter()
    }
}

/// A thread that puts an item, against panics of what compares items: an item is in before it is compared.
struct Entering<'a, T>(&'a Queue<T>);

impl<T> Drop for Entering<'_, T> {
    fn drop(&mut self) {
        self.0.is_in();
    }
}

fn checked(capacity: Option<usize>) -> Option<usize> {
    assert!(capacity != Some(0), "a queue has room for at least one item");
    capacity
}
