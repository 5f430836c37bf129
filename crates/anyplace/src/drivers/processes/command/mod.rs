//! Commands: programs that run as children of this process, without a worker between.

use crate::error::Exit;
use std::time::Duration;

/// What a command left when it ended.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub exit: Exit,
    /// What it wrote on standard output.
    pub stdout: Captured,
    /// What it wrote on standard error.
    pub stderr: Captured,
    /// How long it ran.
    pub took: Duration,
}

/// What a command wrote: in memory while small, in an unlinked temporary file when not.
#[derive(Debug)]
pub struct Captured {
    bytes: Vec<u8>,
}
