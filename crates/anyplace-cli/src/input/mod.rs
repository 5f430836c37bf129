//! Where the values come from: `:::` arguments, files, standard input.
//!
//! Values are bytes and are never trimmed, re-quoted or decoded. Reading is lazy: the first job can start when the
//! first line is there, and a source without an end works.

mod combine;
mod lines;
mod source;

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

pub(crate) use combine::Rows;
pub(crate) use source::{Inputs, Kind, Source, split_off_sources};

use crate::report::Result;

/// The values of one job, one of each source, and where they were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) values: Vec<OsString>,
    pub(crate) origin: Origin,
}

/// Where a value was read, for messages about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The command line.
    Arguments,
    /// A line of a file, from 1.
    Line { file: Arc<PathBuf>, line: u64 },
    /// A line of standard input, from 1.
    Stdin { line: u64 },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arguments => f.write_str("an argument after :::"),
            Self::Line { file, line } => write!(f, "{}, line {line}", file.display()),
            Self::Stdin { line } => write!(f, "standard input, line {line}"),
        }
    }
}

/// A value and where it was read.
type Found = (OsString, Origin);

/// What a source gives, one after the other; the first error ends it.
type Values = Box<dyn Iterator<Item = Result<Found>> + Send>;
