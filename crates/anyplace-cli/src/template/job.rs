//! What a template is filled with.

use std::borrow::Cow;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use super::placeholder::What;

/// The values of one job.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Values<'a> {
    /// One value of each source.
    pub(crate) values: &'a [OsString],
    /// `{#}`, from 1.
    pub(crate) number: u64,
    /// `{%}`, from 1.
    pub(crate) slot: usize,
}

/// A placeholder whose source is known: exactly one text for each job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) what: What,
    pub(crate) source: usize,
}

impl Field {
    /// The text it stands for.
    pub(crate) fn text<'a>(&self, job: &Values<'a>) -> Cow<'a, [u8]> {
        match self.what {
            What::Sequence => job.number.to_string().into_bytes().into(),
            What::Slot => job.slot.to_string().into_bytes().into(),
            what => what.of(job.values[self.source].as_bytes()).into(),
        }
    }
}
