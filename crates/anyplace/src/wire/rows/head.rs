//! What comes before values among rows.

pub(super) const HEAD: usize = 5;
pub(super) const COUNT: usize = 4;
pub(super) const BUFFERS: u8 = 0x80;
pub(super) const BESIDE: u8 = 0x40;
pub(super) const RUN: u8 = 0x10;
pub(super) const KIND: u8 = !(BUFFERS | BESIDE | RUN);

/// No head is longer.
pub(crate) const LONGEST_HEAD: usize = HEAD + COUNT;

/// What comes before a value among rows, or before the values of a run.
#[derive(Clone, Copy)]
pub(crate) struct Head {
    bytes: [u8; LONGEST_HEAD],
    length: usize,
}

impl Head {
    /// Of a value with `length` bytes that stand here; `None` if they are too many.
    #[inline]
    pub(crate) fn here(kind: u8, length: usize, buffers: usize) -> Option<Self> {
        let length = u32::try_from(length).ok()?;
        Some(if buffers == 0 {
            Self::new(kind, length, None)
        } else {
            Self::new(kind | BUFFERS, length, Some(buffers as u32))
        })
    }

    /// Of a value that is the first of `buffers`.
    pub(crate) fn beside(kind: u8, buffers: usize) -> Self {
        Self::new(kind | BESIDE | BUFFERS, 0, Some(buffers as u32))
    }

    /// Of `count` values with `each` bytes.
    pub(super) fn run(kind: u8, each: u16, count: u32) -> Self {
        Self::new(kind | RUN, u32::from(each), Some(count))
    }

    #[inline]
    fn new(kind: u8, length: u32, count: Option<u32>) -> Self {
        let mut bytes = [0; LONGEST_HEAD];
        bytes[..4].copy_from_slice(&length.to_le_bytes());
        bytes[4] = kind;
        bytes[HEAD..].copy_from_slice(&count.unwrap_or_default().to_le_bytes());
        Self { bytes, length: if count.is_some() { LONGEST_HEAD } else { HEAD } }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// The run at the end of rows that are being made: a value that is like its values joins it.
#[derive(Clone, Copy, Default)]
pub(crate) struct OpenRun {
    /// Where its head is.
    at: usize,
    kind: u8,
    each: u16,
    /// 0 if there is none.
    count: u32,
}

impl OpenRun {
    /// The head of a value that begins at `at`, and the run that others may join; `None` if the value has too many bytes.
    pub(crate) fn begin(at: usize, kind: u8, length: usize, buffers: usize) -> Option<(Head, Self)> {
        match u16::try_from(length) {
            Ok(each @ 1..) if buffers == 0 => {
                Some((Head::run(kind, each, 1), Self { at, kind, each, count: 1 }))
            }
            _ => Some((Head::here(kind, length, buffers)?, Self::default())),
        }
    }

    /// Whether such a value joins it.
    #[inline]
    pub(crate) fn takes(&self, kind: u8, length: usize, buffers: usize) -> bool {
        let is_like = self.kind == kind && usize::from(self.each) == length && buffers == 0;
        is_like && self.count > 0 && self.count < u32::MAX
    }

    /// Counts one more value in `rows`, behind which it has been written.
    #[inline]
    pub(crate) fn count(&mut self, rows: &mut [u8]) {
        self.count += 1;
        rows[self.at + HEAD..][..COUNT].copy_from_slice(&self.count.to_le_bytes());
    }
}
