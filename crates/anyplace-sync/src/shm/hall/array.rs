//! An [`Array`] between processes: bytes that all of them see, and any of them writes.

use super::Hall;
use super::error::HallError;
use super::kind::Kind;
use super::object::{Body, Handle, Object};
use crate::shm::Deposit;
use crate::shm::segment::Shared;
use std::fmt;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed};

/// Bytes that processes share. Cloning it is cheap; while one has it open, the bytes stay where they are.
///
/// Nothing orders who reads and who writes them: whoever shares an array agrees on that, with a lock for example.
///
/// ```
/// use anyplace_sync::shm::hall::Hall;
///
/// let hall = Hall::create()?;
/// let array = hall.array(Some("picture"), 1000)?;
/// let same = hall.open_array(array.object().handle())?;
/// assert_eq!((same.len(), same.start()), (1000, array.start()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Array(Object<ArrayBody>);

/// What stands in an entry for an array. (Public only as the body of an object.)
#[derive(Debug, Default)]
#[repr(C)]
pub struct ArrayBody {
    len: AtomicU64,
}

// SAFETY: atomics only.
unsafe impl Shared for ArrayBody {}

impl Body for ArrayBody {
    fn suits(kind: Kind) -> bool {
        kind == Kind::Array
    }
}

impl Hall {
    /// An array of `len` bytes, zeros at first.
    ///
    /// # Errors
    /// As for all objects: see [`lock`](Self::lock).
    pub fn array(self: &Arc<Self>, name: Option<&str>, len: usize) -> Result<Array, HallError> {
        let array = self.find_or_make(name, Kind::Array, |making| {
            making.body::<ArrayBody>().len.store(len as u64, Relaxed);
            making.storage(len)
        });
        array.map(Array)
    }

    /// Opens the array of a handle that came from another process.
    ///
    /// # Errors
    /// [`HallError::Gone`] if it has ended.
    pub fn open_array(self: &Arc<Self>, handle: Handle) -> Result<Array, HallError> {
        self.open(handle).map(Array)
    }
}

impl Array {
    /// Where it lies, and under which name.
    pub fn object(&self) -> &Object<ArrayBody> {
        &self.0
    }

    /// How many bytes.
    pub fn len(&self) -> usize {
        let len = self.0.len.load(Acquire) as usize;
        len.min(self.place().map_or(0, |(_, capacity)| capacity))
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where they are, at a cache line, and at a page from 16 KiB on. Any process may change them at any time.
    pub fn start(&self) -> NonNull<u8> {
        self.place().map_or(NonNull::dangling(), |(start, _)| start)
    }

    /// The bytes, eight by eight; what is left over at the end is not among them.
    pub fn words(&self) -> &[AtomicU64] {
        let Some((start, capacity)) = self.place() else { return &[] };
        let words = self.len().min(capacity) / 8;
        // SAFETY: the block is mapped as long as the hall, which `self` has, and stays the array's as long as that is open; it
        // begins at a cache line; the words are atomics, of which any bytes are values.
        unsafe { std::slice::from_raw_parts(start.cast().as_ptr(), words) }
    }

    fn place(&self) -> Option<(NonNull<u8>, usize)> {
        let deposit = Deposit::from_word(self.0.entry().storage.load(Acquire))?;
        self.0.hall().memory().place_of(deposit)
    }
}

impl fmt::Debug for Array {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Array")
            .field("name", &self.0.name())
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
