//! THE list of drivers: one folder each, one line each.

pub mod r#async;
pub mod inline;
pub mod processes;
pub mod tcp;
pub mod threads;
pub mod unix;

use crate::driver::Entry;

/// Every driver of this crate, in the order of the documentation.
pub static DRIVERS: &[Entry] =
    &[inline::ENTRY, threads::ENTRY, processes::ENTRY, r#async::ENTRY, tcp::ENTRY, unix::ENTRY];
