//! Every kind of object by its name, from whatever has the Share family: a place, or the [`commons`](super::commons).

use super::{
    Array, Barrier, Condition, Dict, Event, Item, Key, Line, Lock, Number, Order, Pipe, Queue, RLock,
    Semaphore, Value,
};
use crate::driver::Share;
use crate::error::Result;

/// What [`Place`](crate::Place) says of its methods of the same names holds here, too.
impl dyn Share {
    /// The lock of this name.
    ///
    /// # Errors
    /// `ConfigInvalid` if the name is another kind of object's, or too long; `PlaceClosed`.
    pub fn lock(&self, name: &str) -> Result<Lock> {
        Lock::find(self, name)
    }

    /// The re-entrant lock of this name.
    ///
    /// # Errors
    /// As [`lock`](crate::Place::lock).
    pub fn rlock(&self, name: &str) -> Result<RLock> {
        RLock::find(self, name)
    }

    /// The semaphore of this name, with so many permits at first; if it is `bounded`, there never are more.
    ///
    /// # Errors
    /// As [`lock`](crate::Place::lock).
    pub fn semaphore(&self, name: &str, permits: u32, bounded: bool) -> Result<Semaphore> {
        Semaphore::find(self, name, permits, bounded)
    }

    /// The condition of this name. Its lock is the rlock `NAME.lock`.
    ///
    /// # Errors
    /// As [`lock`](crate::Place::lock).
    pub fn condition(&self, name: &str) -> Result<Condition> {
        let lock = if name.is_empty() { String::new() } else { format!("{name}.lock") };
        self.condition_over(name, self.rlock(&lock)?)
    }

    /// The condition of this name, with this lock. Conditions that share a lock are different lines behind one door.
    ///
    /// # Errors
    /// As [`lock`](crate::Place::lock).
    pub fn condition_over(&self, name: &str, lock: RLock) -> Result<Condition> {
        Condition::find(self, name, lock)
    }

    /// The line of the condition of this name.
    pub(crate) fn condition_line(&self, name: &str) -> Result<Line> {
        Line::find(self, name)
    }

    /// The event of this name.
    ///
    /// # Errors
    /// As [`lock`](crate::Place::lock).
    pub fn event(&self, name: &str) -> Result<Event> {
        Event::find(self, name)
    }

    /// The barrier of this name, for so many.
    ///
    /// # Errors
    /// As [`lock`](crate::Place::lock).
    pub fn barrier(&self, name: &str, parties: u32) -> Result<Barrier> {
        Barrier::find(self, name, parties)
    }

    /// The queue of this name, the first first, with room for `capacity` values; 0 for as many as there is memory for.
    ///
    /// # Errors
    /// As [`lock`](crate::Place::lock); `ConfigInvalid`, too, where the queue has values of another type.
    pub fn queue<T: Item>(&self, name: &str, capacity: usize) -> Result<Queue<T>> {
        Queue::find(self, name, Order::Fifo, capacity)
    }

    /// The queue of this name, the last first.
    ///
    /// # Errors
    /// As [`queue`](crate::Place::queue).
    pub fn lifo<T: Item>(&self, name: &str, capacity: usize) -> Result<Queue<T>> {
        Queue::find(self, name, Order::Lifo, capacity)
    }

    /// The queue of this name, the lowest rank first.
    ///
    /// # Errors
    /// As [`queue`](crate::Place::queue).
    pub fn priority<T: Item>(&self, name: &str, capacity: usize) -> Result<Queue<T>> {
        Queue::find(self, name, Order::Priority, capacity)
    }

    /// The pipe of this name: its two ends, each of which receives what the other sends.
    ///
    /// # Errors
    /// As [`queue`](crate::Place::queue).
    pub fn pipe<T: Item>(&self, name: &str) -> Result<(Pipe<T>, Pipe<T>)> {
        Pipe::find(self, name, true)
    }

    /// The pipe of this name whose first end only receives what the second sends.
    ///
    /// # Errors
    /// As [`queue`](crate::Place::queue).
    pub fn simplex<T: Item>(&self, name: &str) -> Result<(Pipe<T>, Pipe<T>)> {
        Pipe::find(self, name, false)
    }

    /// The dict of this name.
    ///
    /// # Errors
    /// As [`lock`](crate::Place::lock); `ConfigInvalid`, too, where the dict has keys or values of another type.
    pub fn dict<K: Key, V: Item + Clone>(&self, name: &str) -> Result<Dict<K, V>> {
        Dict::find(self, name)
    }

    /// The array of this name, of `len` bytes, which are zero at first.
    ///
    /// # Errors
    /// As [`lock`](crate::Place::lock); `ResourceExhausted` if there is no memory for it.
    pub fn array(&self, name: &str, len: usize) -> Result<Array> {
        Array::find(self, name, len)
    }

    /// The value of this name, which begins with `first`.
    ///
    /// # Errors
    /// As [`lock`](crate::Place::lock).
    pub fn value<T: Number>(&self, name: &str, first: T) -> Result<Value<T>> {
        Value::find(self, name, first)
    }

    /// The value of this name that counts from 0.
    ///
    /// # Errors
    /// As [`lock`](crate::Place::lock).
    pub fn counter(&self, name: &str) -> Result<Value<i64>> {
        self.value(name, 0)
    }
}
