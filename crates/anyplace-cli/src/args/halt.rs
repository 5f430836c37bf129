//! `--halt`: when a run stops before its inputs end.

use std::str::FromStr;

/// When to stop, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Halt {
    Never,
    When { how: How, when: When, limit: Limit },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// Start no more; what runs may finish.
    Soon,
    /// End what runs, too.
    Now,
}

/// Which jobs count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    Fail,
    Success,
    Done,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    Count(u64),
    /// Of the jobs done so far, from the third on: before that a percentage says nothing.
    Percent(u64),
}

impl Halt {
    /// Whether the run stops now that so many jobs failed and succeeded, and how.
    pub(crate) fn verdict(self, failed: u64, succeeded: u64) -> Option<How> {
        let Self::When { how, when, limit } = self else { return None };
        let done = failed + succeeded;
        let count = match when {
            When::Fail => failed,
            When::Success => succeeded,
            When::Done => done,
        };
        let reached = match limit {
            Limit::Count(limit) => count >= limit,
            Limit::Percent(percent) => done >= 3 && count * 100 >= percent * done,
        };
        reached.then_some(how)
    }

    /// Whether the exit code is to be that of the job which stopped the run.
    pub(crate) fn is_first_failure(self) -> bool {
        matches!(self, Self::When { when: When::Fail, limit: Limit::Count(1), .. })
    }

    /// Whether it is success that stops the run.
    pub(crate) fn is_success(self) -> bool {
        matches!(self, Self::When { when: When::Success, .. })
    }
}

impl FromStr for Halt {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "never" {
            return Ok(Self::Never);
        }
        parse(text).ok_or_else(|| {
            format!("`{text}` does not say when to stop; it is such as now,fail=1, soon,success=3 or soon,fail=10%")
        })
    }
}

fn parse(text: &str) -> Option<Halt> {
    let (how, rest) = text.split_once(',')?;
    let (when, limit) = rest.split_once('=')?;
    let how = match how {
        "soon" => How::Soon,
        "now" => How::Now,
        _ => return None,
    };
    let when = match when {
        "fail" => When::Fail,
        "success" => When::Success,
        "done" => When::Done,
        _ => return None,
    };
    let limit = match limit.strip_suffix('%') {
        Some(percent) => Limit::Percent(percent.parse().ok().filter(|percent| (1..=100).contains(percent))?),
        None => Limit::Count(limit.parse().ok().filter(|&count| count > 0)?),
    };
    Some(Halt::When { how, when, limit })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(text: &str, failed: u64, succeeded: u64) -> Option<How> {
        text.parse::<Halt>().unwrap().verdict(failed, succeeded)
    }

    #[test]
    fn a_run_stops_at_its_limit() {
        assert_eq!(verdict("never", 9, 9), None);
        assert_eq!(verdict("now,fail=1", 0, 9), None);
        assert_eq!(verdict("now,fail=1", 1, 0), Some(How::Now));
        assert_eq!(verdict("soon,success=2", 9, 2), Some(How::Soon));
        assert_eq!(verdict("soon,done=3", 1, 2), Some(How::Soon));
    }

    #[test]
    fn a_percentage_counts_from_the_third_job_on() {
        assert_eq!(verdict("soon,fail=10%", 1, 1), None);
        assert_eq!(verdict("soon,fail=10%", 1, 2), Some(How::Soon));
        assert_eq!(verdict("soon,fail=50%", 1, 2), None);
    }

    #[test]
    fn what_says_no_time_to_stop_is_refused() {
        for text in [
            "",
            "now",
            "now,fail",
            "later,fail=1",
            "now,fail=0",
            "now,fail=101%",
            "soon,win=1",
            "now,fail=-1",
        ] {
            assert!(text.parse::<Halt>().is_err(), "{text}");
        }
    }
}
