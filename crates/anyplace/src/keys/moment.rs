//! A time of day that people can read and write.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

/// A second of the calendar, in UTC: `2026-11-23T06:10:00Z`, from 1970 to 9999.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Moment(u64);

const DAY: u64 = 86_400;

/// The year 10000, which has a digit too many.
const END: u64 = 253_402_300_800;

impl Moment {
    /// By the clock of this machine.
    pub fn now() -> Self {
        Self::of(SystemTime::now())
    }

    /// The second of this time; times outside the calendar are its nearest end.
    pub fn of(time: SystemTime) -> Self {
        Self(time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs()).min(END - 1))
    }

    /// So much later.
    #[must_use]
    pub fn after(self, time: Duration) -> Self {
        Self(self.0.saturating_add(time.as_secs()).min(END - 1))
    }

    pub(super) fn from_seconds(seconds: u64) -> Option<Self> {
        (seconds < END).then_some(Self(seconds))
    }

    pub(super) fn seconds(self) -> u64 {
        self.0
    }
}

/// Days since 1970 as year, month and day. As in Howard Hinnant's "chrono-compatible low-level date algorithms": years
/// begin in March there, so that the day that comes and goes is the last one.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, month) = (day - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    (era * 400 + year + u64::from(month <= 2), month, day)
}

/// The other way round.
fn days((year, month, day): (u64, u64, u64)) -> Option<u64> {
    let year = year.checked_sub(u64::from(month <= 2))?;
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * (month + if month > 2 { 0 } else { 12 } - 3) + 2) / 5 + day.checked_sub(1)?;
    (era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year).checked_sub(719_468)
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((year, month, day), second) = (civil(self.0 / DAY), self.0 % DAY);
        write!(f, "{year:04}-{month:02}-{day:02}")?;
        write!(f, "T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Moment({self})")
    }
}

impl FromStr for Moment {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // What prints the same is the same: so days that do not exist are found without a table of months.
        read(text)
            .filter(|moment| moment.to_string() == text)
            .ok_or("a time is written as 2026-11-23T06:10:00Z")
    }
}

fn read(text: &str) -> Option<Moment> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u64>().ok();
    let month = number(5, 7).filter(|month| (1..=12).contains(month))?;
    let days = days((number(0, 4)?, month, number(8, 10)?))?;
    let second = number(11, 13)? * 3600 + number(14, 16)? * 60 + number(17, 19)?;
    Moment::from_seconds(days * DAY + second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_days_are_told_right() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_795_414_200, "2026-11-23T06:10:00Z"),
            (END - 1, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(Moment(seconds).to_string(), text);
            assert_eq!(text.parse(), Ok(Moment(seconds)));
        }
    }

    #[test]
    fn days_that_do_not_exist_are_refused() {
        for text in [
            "",
            "2026-11-23",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-10T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:00",
            "1969-12-31T23:59:59Z",
            "0000-01-01T00:00:00Z",
            "+026-01-01T00:00:00Z",
        ] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_second_reads_as_it_prints(seconds in 0..END) {
            prop_assert_eq!(Moment(seconds).to_string().parse(), Ok(Moment(seconds)));
        }

        #[test]
        fn no_text_is_too_strange_to_be_refused(text: String) {
            let _ = text.parse::<Moment>();
        }
    }
}
