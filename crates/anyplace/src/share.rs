//! What tasks and their callers have in common: locks, semaphores, conditions, events, barriers, queues, pipes, values,
//! arrays and dicts. [`Place`](crate::Place) makes them, by name.
//!
//! ```
//! let place = anyplace::open("threads:4")?;
//! let (door, log) = (place.lock("door")?, place.queue::<String>("log", 0)?);
//! let task = place.call({
//!     let (door, log) = (door.clone(), log.clone());
//!     move || {
//!         let _held = door.acquire()?;
//!         log.put("I have the door".to_owned())
//!     }
//! })?;
//! assert_eq!(log.get()?, "I have the door");
//! task.wait()??;
//! # Ok::<(), anyplace::Error>(())
//! ```
//!
//! # Names
//! A name is a place's own: `place.lock("door")` is the same lock for all who say it there, and for nobody else. The first
//! who says it makes the object, as they want it; what the others want of it (a capacity, a first value) is not looked at.
//! An empty name makes a new object without a name, which only handles lead to. A name that is another kind of object's, or
//! a queue's of other values, is an error.
//!
//! # Where they lie
//! In a place whose tasks run in this process, objects lie in its memory, and values go in and out of queues and dicts as
//! they are. In `processes:` they lie in memory that the processes share, and values travel as arguments of tasks do. There
//! handles travel, too, as arguments, as results, or through a queue; they open themselves where they arrive.
//!
//! In a place that another process offers (`unix:`, `tcp:`) they lie there, and each operation is a question to it, which takes as
//! long as the way there and back. Handles travel to tasks of that place. An operation that has no error otherwise panics if
//! the place cannot be reached, unless it is called in [`reached`]. The bytes of an array can be had on the same machine only.
//!
//! # When somebody dies
//! A process may be killed with anything in its hands, at any instruction. A lock that it had passes on, and the next one is
//! told; its permits come back; its place in a barrier is another's; what it was putting into a queue was never there. A place
//! that is closed says so to whoever waits in it.
//!
//! # Waiting
//! What can wait comes in four forms: `acquire` waits, `acquire_within` waits so long, `try_acquire` does not; and `acquiring`
//! gives the wait itself, a [`Wait`], which is stepped, or awaited as any Rust future.

mod array;
mod barrier;
mod body;
mod condition;
mod dict;
mod event;
mod far;
mod guest;
mod halls;
mod handle;
mod here;
mod item;
mod known;
mod lock;
mod make;
mod message;
mod object;
mod per_process;
mod pipe;
mod queue;
mod rlock;
mod semaphore;
mod shape;
mod site;
mod task;
mod travel;
mod value;
mod wait;
mod watch;
pub mod why;

pub use anyplace_sync::{Acquired, Arrived};
pub use array::Array;
pub use barrier::Barrier;
pub(crate) use condition::Line;
pub use condition::{Condition, ConditionGuard};
pub use dict::{Dict, Key};
pub use event::Event;
pub(crate) use far::Far;
pub use far::{OnWait, reached};
pub use guest::Guest;
pub(crate) use halls::Halls;
pub(crate) use here::Here;
pub use item::Item;
pub use lock::{Lock, LockGuard};
pub use object::{LONGEST_NAME, Object};
pub use pipe::Pipe;
pub use queue::Queue;
pub use rlock::{RLock, RLockGuard, thread_owner};
pub use semaphore::{Permit, Semaphore};
pub use shape::{Kind, Order, Shape, Wish};
pub use travel::{from_ticket, to_ticket, to_ticket_of_kept};
pub use value::{Number, Value};
pub use wait::Wait;
pub use why::Why;

pub(crate) use travel::{refuse_to_come, refuse_to_go, take_refusal};

use crate::driver::Share;
use std::sync::{Arc, OnceLock};

/// What this process shares without a place: objects in a hall of its own, which is there as long as the process. Handles
/// travel to any process of the same user.
///
/// ```
/// let commons = anyplace::share::commons();
/// let door = commons.lock("")?;
/// let held = door.acquire()?;
/// assert!(commons.why().objects.iter().any(|object| object.holders.len() == 1));
/// # drop(held);
/// # Ok::<(), anyplace::Error>(())
/// ```
pub fn commons() -> Arc<dyn Share> {
    static COMMONS: OnceLock<Arc<Halls>> = OnceLock::new();
    COMMONS.get_or_init(|| Halls::new("commons")).clone()
}
