//! The exit codes, in one place: GNU parallel's, because scripts rely on them.

/// How the command ends.
///
/// | code | means |
/// |---|---|
/// | 0 | everything succeeded |
/// | 1-100 | so many jobs failed |
/// | 101 | more than 100 jobs failed |
/// | 2 | the command line could not be understood |
/// | 255 | the command itself could not go on |
///
/// After `--halt ...,fail=1` it is the exit code of the job that failed. A run that a signal ended ends by that
/// signal (the shell shows 130 after Ctrl-C).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exit(pub(crate) u8);

impl Exit {
    /// Everything succeeded.
    pub(crate) const SUCCESS: Self = Self(0);
    /// The command line could not be understood.
    pub(crate) const USAGE: Self = Self(2);
    /// The command itself could not go on.
    pub(crate) const OWN_ERROR: Self = Self(255);

    /// So many jobs failed.
    pub(crate) fn failed_jobs(count: u64) -> Self {
        Self(u8::try_from(count.min(101)).expect("at most 101"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_a_hundred_failures_are_told_as_101() {
        assert_eq!(Exit::failed_jobs(0), Exit(0));
        assert_eq!(Exit::failed_jobs(100), Exit(100));
        assert_eq!(Exit::failed_jobs(101), Exit(101));
        assert_eq!(Exit::failed_jobs(300_000), Exit(101));
    }
}
