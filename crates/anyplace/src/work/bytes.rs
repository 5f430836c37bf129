//! Bytes that nobody changes any more, wherever they are.

use std::any::Any;
use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

/// Immutable bytes. A clone is another view of the same bytes and costs no copy of them.
///
/// Few bytes are kept in the value itself, more on the heap, or where an owner of their own has them: a block of
/// memory that other processes see, too.
///
/// ```
/// use anyplace::work::Bytes;
///
/// let bytes = Bytes::from(b"in a nutshell".to_vec());
/// assert_eq!(&*bytes.slice(5..8), b"nut");
/// ```
#[derive(Clone)]
pub struct Bytes(Kept);

#[derive(Clone)]
enum Kept {
    Here { length: u8, bytes: [u8; HERE] },
    Heap { bytes: Arc<[u8]>, range: Range<usize> },
    Long { bytes: Arc<Vec<u8>>, range: Range<usize> },
    Shared { owner: Arc<dyn Owner>, range: Range<usize> },
}

/// As many as fit where the other kinds have their pointers and ranges: a call with a few numbers needs no more.
const HERE: usize = 38;

/// To copy more than this into one allocation with its counter would cost more than the allocation saves.
const WORTH_COPYING: usize = 4096;

/// Whatever can keep bytes alive at one address.
pub trait Owner: AsRef<[u8]> + Any + Send + Sync {}

impl<T: AsRef<[u8]> + Any + Send + Sync> Owner for T {}

impl Bytes {
    /// The bytes that `owner` has in `range`. They must stay what they are for as long as `owner` lives.
    ///
    /// # Panics
    /// If `owner` has fewer bytes.
    pub fn shared(owner: Arc<dyn Owner>, range: Range<usize>) -> Self {
        assert!((*owner).as_ref().get(range.clone()).is_some(), "a range of the owner's bytes");
        Self(Kept::Shared { owner, range })
    }

    /// The owner that these bytes were made with, if it is a `T`.
    pub fn owner<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let Kept::Shared { owner, .. } = &self.0 else { return None };
        let owner: Arc<dyn Any + Send + Sync> = owner.clone();
        owner.downcast().ok()
    }

    /// Whether they are where an owner of their own has them.
    pub fn is_shared(&self) -> bool {
        matches!(self.0, Kept::Shared { .. })
    }

    /// Where the bytes begin and end among those of their owner.
    pub fn range(&self) -> Range<usize> {
        match &self.0 {
            Kept::Here { length, .. } => 0..usize::from(*length),
            Kept::Heap { range, .. } | Kept::Long { range, .. } | Kept::Shared { range, .. } => range.clone(),
        }
    }

    /// A part of them.
    ///
    /// # Panics
    /// If there are fewer.
    #[must_use]
    pub fn slice(&self, part: Range<usize>) -> Self {
        assert!(part.start <= part.end && part.end <= self.len(), "a part of the bytes");
        let within = |range: &Range<usize>| range.start + part.start..range.start + part.end;
        match &self.0 {
            Kept::Here { bytes, .. } => Self::from(&bytes[part]),
            Kept::Heap { bytes, range } => Self(Kept::Heap { bytes: bytes.clone(), range: within(range) }),
            Kept::Long { bytes, range } => Self(Kept::Long { bytes: bytes.clone(), range: within(range) }),
            Kept::Shared { owner, range } => {
                Self(Kept::Shared { owner: owner.clone(), range: within(range) })
            }
        }
    }
}

impl Deref for Bytes {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Kept::Here { length, bytes } => &bytes[..usize::from(*length)],
            Kept::Heap { bytes, range } => &bytes[range.clone()],
            Kept::Long { bytes, range } => &bytes[range.clone()],
            Kept::Shared { owner, range } => &(**owner).as_ref()[range.clone()],
        }
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Default for Bytes {
    fn default() -> Self {
        Self(Kept::Here { length: 0, bytes: [0; HERE] })
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        let mut here = [0; HERE];
        match here.get_mut(..bytes.len()) {
            Some(room) => {
                room.copy_from_slice(bytes);
                Self(Kept::Here { length: bytes.len() as u8, bytes: here })
            }
            None => Self(Kept::Heap { bytes: bytes.into(), range: 0..bytes.len() }),
        }
    }
}

impl<const N: usize> From<&[u8; N]> for Bytes {
    fn from(bytes: &[u8; N]) -> Self {
        Self::from(bytes.as_slice())
    }
}

impl From<Vec<u8>> for Bytes {
    /// Many bytes stay where they are.
    fn from(bytes: Vec<u8>) -> Self {
        if bytes.len() <= WORTH_COPYING {
            return Self::from(bytes.as_slice());
        }
        let range = 0..bytes.len();
        Self(Kept::Long { bytes: Arc::new(bytes), range })
    }
}

impl From<Arc<[u8]>> for Bytes {
    fn from(bytes: Arc<[u8]>) -> Self {
        let range = 0..bytes.len();
        Self(Kept::Heap { bytes, range })
    }
}

impl PartialEq for Bytes {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Bytes {}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_part_is_the_same_bytes_wherever_they_are() {
        for length in [3, 30, 300, 30_000] {
            let plain: Vec<u8> = (0..length).map(|number| number as u8).collect();
            let bytes = Bytes::from(plain.clone());
            let end = plain.len();
            assert_eq!(*bytes, *plain);
            assert_eq!(*bytes.slice(1..end).slice(0..end - 2), plain[1..end - 1]);
        }
    }

    #[test]
    fn an_owner_is_known_again() {
        struct Block(Vec<u8>);
        impl AsRef<[u8]> for Block {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }
        let block = Arc::new(Block(vec![7; 100]));
        let part = Bytes::shared(block.clone(), 10..60).slice(5..10);
        assert!(part.owner::<Block>().is_some_and(|owner| Arc::ptr_eq(&owner, &block)));
        assert_eq!(part.range(), 15..20);
        assert!(Bytes::from(b"heap").owner::<Block>().is_none());
    }
}
