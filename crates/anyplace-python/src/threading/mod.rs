//! What the classes of `anyplace.threading` do that has to be quick: each is one of the engine's on the ground of this
//! process, called straight from the interpreter. What is called rarely, and what tells rather than does, is Python's
//! (`anyplace/threading/`).
//!
//! A call first tries, with the interpreter's lock: mostly that is all. If it has to wait, it goes through the door.

mod barrier;
mod condition;
mod event;
mod lock;
mod patience;
mod rlock;
mod semaphore;

pub(crate) use barrier::ThreadBarrier;
pub(crate) use condition::ThreadCondition;
pub(crate) use event::ThreadEvent;
pub(crate) use lock::ThreadLock;
pub(crate) use rlock::ThreadRLock;
pub(crate) use semaphore::ThreadSemaphore;
