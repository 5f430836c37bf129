//! How many items the next chunk has: few at first, as many as take about 2 ms later, fewer towards the end.

use std::time::Duration;

/// Long enough that what a chunk costs (a hand-over, microseconds) does not count; short enough to share work evenly
/// and to show the first results at once.
const TARGET: Duration = Duration::from_millis(2);
const MOST: usize = 8192;

#[derive(Debug)]
pub(super) struct Sizer {
    size: usize,
    fixed: bool,
}

impl Sizer {
    pub(super) fn adaptive() -> Self {
        Self { size: 1, fixed: false }
    }

    pub(super) fn fixed(size: usize) -> Self {
        Self { size: size.max(1), fixed: true }
    }

    pub(super) fn is_fixed(&self) -> bool {
        self.fixed
    }

    /// The next chunk's items: towards a known end, no worker is left with more than its half of what is left.
    pub(super) fn size(&self, left: Option<usize>, workers: usize) -> usize {
        if self.fixed {
            return self.size;
        }
        left.map_or(self.size, |left| self.size.min(left.div_ceil(2 * workers.max(1))).max(1))
    }

    /// Learns from a chunk: at most four times as many next time, so that one quick item proves nothing.
    pub(super) fn learn(&mut self, items: usize, took: Duration) {
        if self.fixed || items == 0 {
            return;
        }
        let each = (took.as_nanos() / items as u128).max(20);
        let fits = usize::try_from(TARGET.as_nanos() / each).unwrap_or(MOST);
        self.size = fits.clamp(1, self.size.saturating_mul(4)).min(MOST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quick_items_travel_together_and_slow_ones_alone() {
        let mut sizer = Sizer::adaptive();
        assert_eq!(sizer.size(None, 2), 1);
        for _ in 0..10 {
            let items = sizer.size(None, 2);
            sizer.learn(items, Duration::from_nanos(100) * items as u32);
        }
        assert_eq!(sizer.size(None, 2), MOST);
        sizer.learn(100, Duration::from_secs(1));
        assert_eq!(sizer.size(None, 2), 1);
    }

    #[test]
    fn chunks_shrink_towards_the_end() {
        let mut sizer = Sizer::adaptive();
        for _ in 0..10 {
            sizer.learn(1, Duration::ZERO);
        }
        assert_eq!(sizer.size(Some(100), 2), 25);
        assert_eq!(sizer.size(Some(1), 2), 1);
        assert_eq!(sizer.size(Some(0), 2), 1);
    }
}
