//! Several measurements of the same thing, as one number and a range.

use std::fmt;

/// The median of measurements with the least and the most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) least: f64,
    pub(crate) median: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// Of nothing, every number is NaN.
    pub(crate) fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        let last = values.len().saturating_sub(1);
        // The two in the middle of an even number of values share it.
        let median = f64::midpoint(at(last / 2), at(last.div_ceil(2)));
        Self { least: at(0), median, most: at(last) }
    }

    /// The median alone.
    pub(crate) fn middle(&self) -> String {
        shown(self.median)
    }
}

/// `12.3 [11.8..14.0]`, or nothing where there is no number.
impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.median.is_finite() {
            return Ok(());
        }
        write!(f, "{} [{}..{}]", shown(self.median), shown(self.least), shown(self.most))
    }
}

/// Three digits: more would be less than the machine's drift.
pub(crate) fn shown(value: f64) -> String {
    match value {
        value if !value.is_finite() => String::new(),
        value if value >= 1e6 => format!("{} M", shown(value / 1e6)),
        value if value >= 1e3 => format!("{} k", shown(value / 1e3)),
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value if value >= 0.1 || value == 0.0 => format!("{value:.2}"),
        value => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_shows_its_median_and_range() {
        assert_eq!(Spread::of(vec![3.0, 8_345_678.0, 0.004]).to_string(), "3.00 [0.004..8.35 M]");
        assert_eq!(Spread::of(vec![2.0, 4.0]).median, 3.0);
        assert_eq!(Spread::of(vec![]).to_string(), "");
    }
}
