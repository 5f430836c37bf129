//! The Share family, as a place has it.

use super::Place;
use crate::driver::Share;
use crate::error::Result;
use crate::share::{
    Array, Barrier, Condition, Dict, Event, Item, Key, Lock, Number, Pipe, Queue, RLock, Semaphore, Value,
    Why,
};
use std::sync::Arc;

/// What tasks and their callers share: see [`share`](crate::share) for names, for where objects lie, and for what happens
/// when somebody dies.
impl Place {
    /// The family itself: all methods below, and what other faces stand on.
    ///
    /// # Errors
    /// `Unsupported` where the place shares nothing.
    pub fn share(&self) -> Result<Arc<dyn Share>> {
        self.0.driver.share()
    }

    /// The lock of this name: one has it at a time.
    ///
    /// # Errors
    /// `Unsupported` where the place shares nothing; `ConfigInvalid` if the name is another kind of object's, or too long;
    /// `PlaceClosed`.
    ///
    /// ```
    /// let place = anyplace::open("threads:4")?;
    /// let door = place.lock("door")?;
    /// let held = door.acquire()?;
    /// assert!(place.lock("door")?.is_locked(), "it is the same lock");
    /// assert!(place.event("door").is_err(), "and nothing else");
    /// # drop(held);
    /// # Ok::<(), anyplace::Error>(())
    /// ```
    pub fn lock(&self, name: &str) -> Result<Lock> {
        self.share()?.lock(name)
    }

    /// The re-entrant lock of this name: one has it at a time, as often as it likes.
    ///
    /// # Errors
    /// As [`lock`](Self::lock).
    pub fn rlock(&self, name: &str) -> Result<RLock> {
        self.share()?.rlock(name)
    }

    /// The semaphore of this name, with so many permits at first.
    ///
    /// # Errors
    /// As [`lock`](Self::lock).
    pub fn semaphore(&self, name: &str, permits: u32) -> Result<Semaphore> {
        self.share()?.semaphore(name, permits, false)
    }

    /// The condition of this name: a lock, and those who wait for what it guards to change.
    ///
    /// # Errors
    /// As [`lock`](Self::lock).
    pub fn condition(&self, name: &str) -> Result<Condition> {
        self.share()?.condition(name)
    }

    /// The event of this name, which has happened or not.
    ///
    /// # Errors
    /// As [`lock`](Self::lock).
    pub fn event(&self, name: &str) -> Result<Event> {
        self.share()?.event(name)
    }

    /// The barrier of this name, at which so many wait for each other.
    ///
    /// # Errors
    /// As [`lock`](Self::lock).
    pub fn barrier(&self, name: &str, parties: u32) -> Result<Barrier> {
        self.share()?.barrier(name, parties)
    }

    /// The queue of this name: what is put first is got first. It has room for `capacity` values, or, if that is 0, for as many
    /// as there is memory for.
    ///
    /// # Errors
    /// As [`lock`](Self::lock); `ConfigInvalid`, too, where the queue has values of another type.
    pub fn queue<T: Item>(&self, name: &str, capacity: usize) -> Result<Queue<T>> {
        self.share()?.queue(name, capacity)
    }

    /// The queue of this name from which the last that was put is got first.
    ///
    /// # Errors
    /// As [`queue`](Self::queue).
    pub fn lifo<T: Item>(&self, name: &str, capacity: usize) -> Result<Queue<T>> {
        self.share()?.lifo(name, capacity)
    }

    /// The queue of this name from which the lowest rank is got first: see [`Queue::put_ranked`].
    ///
    /// # Errors
    /// As [`queue`](Self::queue).
    ///
    /// ```
    /// let place = anyplace::open("threads:2")?;
    /// let orders = place.priority::<String>("orders", 0)?;
    /// orders.put_ranked(2, "tea".to_owned())?;
    /// orders.put_ranked(1, "soup".to_owned())?;
    /// assert_eq!(orders.get()?, "soup");
    /// # Ok::<(), anyplace::Error>(())
    /// ```
    pub fn priority<T: Item>(&self, name: &str, capacity: usize) -> Result<Queue<T>> {
        self.share()?.priority(name, capacity)
    }

    /// The pipe of this name: its two ends, each of which receives what the other sends.
    ///
    /// # Errors
    /// As [`queue`](Self::queue).
    pub fn pipe<T: Item>(&self, name: &str) -> Result<(Pipe<T>, Pipe<T>)> {
        self.share()?.pipe(name)
    }

    /// The pipe of this name whose first end only receives what the second sends.
    ///
    /// # Errors
    /// As [`queue`](Self::queue).
    pub fn simplex<T: Item>(&self, name: &str) -> Result<(Pipe<T>, Pipe<T>)> {
        self.share()?.simplex(name)
    }

    /// The dict of this name: values by their keys.
    ///
    /// # Errors
    /// As [`lock`](Self::lock); `ConfigInvalid`, too, where the dict has keys or values of another type.
    pub fn dict<K: Key, V: Item + Clone>(&self, name: &str) -> Result<Dict<K, V>> {
        self.share()?.dict(name)
    }

    /// The array of this name, of `len` bytes, which are zero at first.
    ///
    /// # Errors
    /// As [`lock`](Self::lock); `ResourceExhausted` if there is no memory for it.
    pub fn array(&self, name: &str, len: usize) -> Result<Array> {
        self.share()?.array(name, len)
    }

    /// The value of this name: a number, which begins with `first`.
    ///
    /// # Errors
    /// As [`lock`](Self::lock).
    pub fn value<T: Number>(&self, name: &str, first: T) -> Result<Value<T>> {
        self.share()?.value(name, first)
    }

    /// The value of this name that counts from 0.
    ///
    /// # Errors
    /// As [`lock`](Self::lock).
    pub fn counter(&self, name: &str) -> Result<Value<i64>> {
        self.share()?.counter(name)
    }

    /// Why nothing goes on: who has and who waits for what, since when and where, and which of them wait for each other for
    /// ever. Where the place shares nothing, nobody does.
    ///
    /// ```
    /// let place = anyplace::open("threads:2")?;
    /// let held = place.lock("door")?.acquire()?.keep();
    /// let told = place.why().to_string();
    /// assert!(told.starts_with("lock `door` is held by"), "{told}");
    /// # Ok::<(), anyplace::Error>(())
    /// ```
    pub fn why(&self) -> Why {
        match self.share() {
            Ok(share) => share.why(),
            Err(_) => Why::nothing(self.address()),
        }
    }
}
