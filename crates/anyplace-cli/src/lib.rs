//! The `anyplace` command, as a library: the Python wheel carries the same command.

mod exit;
mod input;
mod report;
mod template;
