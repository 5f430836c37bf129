//! How many items the next chunk has: few at first, as many as take about 2 ms later, fewer towards the end.

use std::time::Duration;

/// Long enough that what a chunk costs (a hand-over, microseconds) does not count; short enough to share work evenly
/// and to show the first results at once.
const TARGET: Duration = Duration::from_millis(2);
const MOST: usize = 8192;

/// For each worker, so many chunks are ahead of the results: one runs, and the next is there when it ends.
const AHEAD: usize = 2;
/// So many short ones: a worker and the caller hand a core over, or wake each other, once for many of them.
const SHORT_AHEAD: usize = 64;

#[derive(Debug)]
pub(super) struct Sizer {
    size: usize,
    fixed: bool,
    ahead: usize,
}

impl Sizer {
    pub(super) fn adaptive() -> Self {
        Self { size: 1, fixed: false, ahead: AHEAD }
    }

    pub(super) fn fixed(size: usize) -> Self {
        Self { size: size.max(1), fixed: true, ahead: AHEAD }
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

    /// How many chunks of each worker may be ahead of the results. Where a fixed size makes them short, as many as take about
    /// 2 ms, if the inputs end: of those that may not, no more is taken than is needed.
    pub(super) fn ahead(&self, ends: bool) -> usize {
        if ends { self.ahead } else { AHEAD }
    }

    /// Learns from a chunk: at most four times as many next time, so that one quick item proves nothing.
    pub(super) fn learn(&mut self, items: usize, took: Duration) {
        if items == 0 {
            return;
        }
        if self.fixed {
            let fits = usize::try_from(TARGET.as_nanos() / took.as_nanos().max(1)).unwrap_or(SHORT_AHEAD);
            self.ahead = fits.min(self.ahead * 4).clamp(AHEAD, SHORT_AHEAD);
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
    fn many_short_chunks_of_a_fixed_size_are_ahead_of_inputs_that_end() {
        let mut sizer = Sizer::fixed(1);
        assert_eq!(sizer.ahead(true), AHEAD);
        sizer.learn(1, Duration::from_nanos(100));
        assert_eq!(sizer.ahead(true), 4 * AHEAD);
        for _ in 0..10 {
            sizer.learn(1, Duration::from_micros(100));
        }
        assert_eq!((sizer.ahead(true), sizer.ahead(false)), (20, AHEAD));
        sizer.learn(1, Duration::from_secs(1));
        assert_eq!(sizer.ahead(true), AHEAD);
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
