//! What tasks, threads and processes share: each file is the part of a class of `anyplace.share` that the engine does.

mod abandoned;
mod array;
mod barrier;
mod condition;
mod dict;
mod event;
mod home;
mod item;
mod key;
mod limit;
mod lock;
mod pipe;
mod queue;
mod raised;
mod rank;
mod rlock;
mod semaphore;
mod ticket;
mod value;
mod waiting;
pub(crate) mod why;

pub(crate) use array::SharedArray;
pub(crate) use barrier::SharedBarrier;
pub(crate) use condition::SharedCondition;
pub(crate) use dict::SharedDict;
pub(crate) use event::SharedEvent;
pub(crate) use lock::SharedLock;
pub(crate) use pipe::{SharedPipe, shared_pipe};
pub(crate) use queue::SharedQueue;
pub(crate) use rlock::SharedRLock;
pub(crate) use semaphore::SharedSemaphore;
pub(crate) use ticket::{_opened, keep_sent};
pub(crate) use value::SharedValue;
pub(crate) use waiting::Waiting;
