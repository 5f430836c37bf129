//! `-j`: how many jobs run at once.

use std::str::FromStr;

/// A number, or one that depends on the machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Jobs {
    Exactly(usize),
    /// `0`.
    AsManyAsPossible,
    /// `150%`, of the cores.
    Percent(f64),
    /// `+2`, `-1`: so many more or less than cores.
    Beside(i64),
}

impl Jobs {
    /// The number on a machine with `cores` cores, where `possible` jobs fit; at least 1.
    pub(crate) fn on(self, cores: usize, possible: usize) -> usize {
        let number = match self {
            Self::Exactly(number) => number,
            Self::AsManyAsPossible => possible,
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "saturates, and is positive"
            )]
            Self::Percent(percent) => (cores as f64 * percent / 100.0).round() as usize,
            Self::Beside(more) => cores.saturating_add_signed(isize::try_from(more).unwrap_or(isize::MAX)),
        };
        number.max(1)
    }
}

impl FromStr for Jobs {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |_| format!("`{text}` is no number of jobs; it is such as 8, 150%, +2, -1, or 0");
        if let Some(percent) = text.strip_suffix('%') {
            let percent: u32 = percent.parse().map_err(wrong)?;
            return Ok(Self::Percent(f64::from(percent)));
        }
        match text.as_bytes().first() {
            Some(b'+' | b'-') => Ok(Self::Beside(text.parse().map_err(wrong)?)),
            _ => match text.parse().map_err(wrong)? {
                0 => Ok(Self::AsManyAsPossible),
                number => Ok(Self::Exactly(number)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_may_depend_on_the_machine() {
        let on_four = |text: &str| text.parse::<Jobs>().unwrap().on(4, 250);
        assert_eq!(on_four("8"), 8);
        assert_eq!(on_four("0"), 250);
        assert_eq!(on_four("150%"), 6);
        assert_eq!(on_four("1%"), 1);
        assert_eq!(on_four("+2"), 6);
        assert_eq!(on_four("-1"), 3);
        assert_eq!(on_four("-9"), 1);
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "x", "%", "-", "1.5", "--"] {
            assert!(text.parse::<Jobs>().is_err(), "{text}");
        }
    }
}
