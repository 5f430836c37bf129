//! Runs commands: each a child process of this process, with no worker process in between.
//!
//! A slot is a thread that starts a program, watches it and everything it prints until it has ended, and takes the
//! next. Threads begin when they are first needed, so that a place of a thousand slots costs nothing until then.
//!
//! | file | what it does |
//! |---|---|
//! | `slots` | hands tasks to slots |
//! | `slot` | one command from its task to its outcome |
//! | `program` | words to what the kernel takes |
//! | `watch` | waits for output, the end, the deadline, and the wish to end it |
//! | `ending` | TERM to the group, a grace, KILL |
//! | `capture` | output while it comes: a little in memory, the rest in an unlinked file |

mod capture;
mod crew;
mod ending;
mod program;
mod slot;
mod slots;
mod watch;

pub(crate) use slots::Slots;
