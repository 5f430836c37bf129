//! What one machine offers to threads: a [`Pool`] that runs jobs, a [`Latch`] that tells when one is done, [queues](queue)
//! and the [`Line`] that those wait in who find one empty, the number of [`usable_cores`]; and to processes: on Linux `spawn`, whose children do not outlive us.
//!
//! Nothing here knows what a place or a task is; it needs no runtime, and does no I/O beyond reading the machine's own
//! limits and starting programs. Every wait spins for about as long as a wake-up costs and then sleeps in the kernel, so
//! that a hand-over between busy threads costs less than a microsecond and idle threads cost nothing.
//!
//! ```
//! use anyplace_sync::{Latch, Pool, PoolConfig, Thunk};
//! use std::sync::Arc;
//!
//! let pool: Pool<Thunk> = Pool::new(PoolConfig::new("cooks", 2));
//! let served = Arc::new(Latch::new());
//! let bell = Arc::clone(&served);
//! pool.spawn(Box::new(move |_worker| bell.set()))?;
//! assert!(served.wait_spinning_first(None));
//! # Ok::<(), anyplace_sync::Refused<Thunk>>(())
//! ```

mod barrier;
mod condition;
mod cores;
mod event;
#[cfg(target_os = "linux")]
mod fork;
mod futex;
pub mod ground;
mod latch;
mod line;
mod lock;
mod pool;
mod primitives;
pub mod queue;
mod rlock;
mod semaphore;
#[cfg(all(target_os = "linux", not(loom)))]
pub mod shm;
#[cfg(loom)]
#[path = "shm/models.rs"]
pub mod shm;
mod signals;
#[cfg(target_os = "linux")]
pub mod spawn;
mod spin;
mod tokens;
mod value;

pub use barrier::{Arrived, Barrier, Broken};
pub use condition::Condition;
pub use cores::usable_cores;
pub use event::Event;
#[cfg(target_os = "linux")]
pub use fork::fork_generation;
pub use latch::Latch;
pub use line::Line;
pub use lock::{Acquired, Holding, Lock, NotHeld};
pub use pool::{Job, Pool, PoolConfig, Reason, Refused, Thunk, before_rest, before_work, current_worker};
pub use rlock::{NotOwned, RLock};
pub use semaphore::{Semaphore, TooOften};
pub use signals::{ending_at_signals, signal_came};
pub use spin::spin_first;
pub use value::Value;
