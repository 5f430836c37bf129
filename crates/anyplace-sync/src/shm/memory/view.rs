//! A [`View`]: a block of the host's as a worker reads it.

use super::tenure::{self, Holder};
use super::{Full, Memory};
use std::collections::HashMap;
use std::fmt;
use std::io::{self, ErrorKind};
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of a block that this worker reads where they are. Cloning it is cheap; while one is left, the block stays.
#[derive(Clone)]
pub struct View(Arc<Reading>);

struct Reading {
    memory: Memory,
    number: u32,
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: the bytes belong to the process, whose threads all see the same; `Memory` is `Send`.
unsafe impl Send for Reading {}
// SAFETY: through `&Reading` the bytes are only read, unless by `View::as_mut_ptr`, whose user answers for it.
unsafe impl Sync for Reading {}

/// How many readings this process has of each block. One bit in the block stands for all of them.
#[derive(Default)]
pub(super) struct Readings(Mutex<HashMap<u32, usize>>);

impl Memory {
    /// The first `len` bytes of the host's block `number`, where they are. (Worker.)
    ///
    /// Only while the host holds the block for this worker: as long as a task that it was given names the block. The view
    /// may be kept for longer.
    ///
    /// # Errors
    /// `InvalidData` if there is no such block, it is shorter, or the host does not hold it.
    ///
    /// # Panics
    /// On the host's side, which has its blocks already.
    pub fn borrow(&self, number: u32, len: usize) -> io::Result<View> {
        let worker = self.0.worker.expect("only workers borrow: the host has its blocks already");
        if self.is_inherited() {
            return Err(Full::Forked.into());
        }
        let refused = |why| io::Error::new(ErrorKind::InvalidData, format!("block {number} {why}"));
        let entry = self.table().entry(number).ok_or_else(|| refused("does not exist"))?;
        let extent = entry.extent(self.table()).filter(|extent| len <= extent.len());
        let extent = extent.ok_or_else(|| refused("is shorter"))?;
        let mut readings = self.0.readings.lock();
        if tenure::holder(&entry.words.tenure) != Holder::HOST {
            return Err(refused("is not the host's"));
        }
        let count = readings.entry(number).or_default();
        if *count == 0 {
            tenure::enter(entry.readers, worker);
        }
        *count += 1;
        drop(readings);
        let start = self.segment().pointer(extent.start, len);
        Ok(View(Arc::new(Reading { memory: self.clone(), number, start, len })))
    }
}

impl View {
    /// The number of the block.
    pub fn number(&self) -> u32 {
        self.0.number
    }

    /// Where the bytes are, for those who have to promise to write only what they may: Python's buffers can be written.
    ///
    /// Whoever writes there must not do so while any other thread or process, the host among them, reads the same bytes.
    pub fn as_mut_ptr(&self) -> *mut u8 {
        self.0.start.as_ptr()
    }
}

impl Deref for View {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the block has at least `len` bytes, backed by memory, mapped as long as `memory` lives; while our bit
        // is set, nobody gets the block to write there.
        unsafe { std::slice::from_raw_parts(self.0.start.as_ptr(), self.0.len) }
    }
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View").field("number", &self.0.number).field("len", &self.0.len).finish()
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        // In a child by fork, the bit is its parent's, and the lock may be held by a thread that is not here.
        if !self.memory.is_inherited() {
            self.memory.end_reading(self.number);
        }
    }
}

impl Memory {
    /// One reading less. The lock is kept until the bit says so too: a reading that begins meanwhile sets it again.
    fn end_reading(&self, number: u32) {
        let mut readings = self.0.readings.lock();
        let Some(count) = readings.get_mut(&number) else { return };
        *count -= 1;
        if *count > 0 {
            return;
        }
        readings.remove(&number);
        if let (Some(entry), Some(worker)) = (self.table().entry(number), self.0.worker)
            && tenure::leave(&entry.words.tenure, entry.readers, worker)
        {
            self.tell(entry);
        }
    }
}

impl Readings {
    fn lock(&self) -> MutexGuard<'_, HashMap<u32, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
