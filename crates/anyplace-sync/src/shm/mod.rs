//! What processes of one machine share: a [`Segment`] of memory without a name; the [`Memory`] in it, from which
//! blocks are taken, passed from one process to another without a copy, and given back; and the [`board`] at its front,
//! where a host puts tasks and its workers take them.
//!
//! Nothing here has a name on the machine: when the last process that has the segment ends, however it ends, the kernel
//! takes everything back. A process may be killed between any two instructions: what it held is made available again by
//! [`Memory::sweep`], and no other process ever waits for it. The protocol and its proof are in `README.md` beside this file.
//!
//! ```
//! use anyplace_sync::shm::{Memory, Segment};
//!
//! let segment = Segment::create(0, "example")?;
//! let host = Memory::host(segment.clone(), 1)?;
//! let worker = Memory::worker(Segment::open(segment.fd()?.try_clone()?)?, 0)?;
//!
//! let mut reply = worker.allocate(5)?;
//! reply.copy_from_slice(b"hello");
//! let (number, len) = reply.publish();
//! assert_eq!(*host.adopt(number, len, 0)?, *b"hello");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod board;
pub mod hall;
mod memory;
mod segment;

pub use memory::{Block, BlockMut, Deposit, Full, Memory, Trimmed, Usage, View};
pub use segment::Segment;
