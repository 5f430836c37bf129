//! What can be said of transfers: `send` and `receive`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args as ClapArgs;
use clap::builder::FalseyValueParser;

use super::{Progress, TEMPLATE, read};

/// Send files and folders to whoever receives them
///
/// ADDRESS is what `anyplace receive` printed there. Folders are sent with all that is in them; symbolic links inside are
/// not followed. Permissions and times are kept, owners are not. What has arrived is not sent again: after a transfer that
/// was cut off, say the same once more.
#[derive(Debug, ClapArgs)]
#[command(help_template = TEMPLATE, before_help = SEND_EXAMPLES, after_long_help = SEND_CODES)]
pub(crate) struct Send {
    /// What to send
    #[arg(value_name = "FILE", required = true, num_args = 1..)]
    pub(crate) files: Vec<PathBuf>,

    /// Where to: tcp://host:port#ap1..., unix:/path, or @FILE to read that from a file
    #[arg(value_name = "ADDRESS", long_help = ADDRESS)]
    pub(crate) address: String,

    #[command(flatten)]
    pub(crate) common: Common,
}

/// Receive files in a folder, and nowhere else
///
/// Prints the address that a sender needs, and ends when somebody has sent all that they wanted. At tcp: the address has a
/// ticket, for the first who shows it and within a day, that is good for sending files and nothing else; what is sent is
/// encrypted. At unix: only processes of the same user may send.
///
/// Files get their name when they are whole and have the sender's checksum (BLAKE3); until then they are called
/// `.NAME.anyplace-part`. A file that is there and different is not touched without --force.
#[derive(Debug, ClapArgs)]
#[command(help_template = TEMPLATE, before_help = RECEIVE_EXAMPLES, after_long_help = RECEIVE_CODES)]
pub(crate) struct Receive {
    /// Where to listen: tcp://host:port (port 0 is any free one) or unix:/path
    #[arg(value_name = "ADDRESS")]
    pub(crate) address: String,

    /// The folder to receive in, made if it is not there
    #[arg(value_name = "DIR", default_value = ".")]
    pub(crate) folder: PathBuf,

    /// Replace files that are there and different
    #[arg(long, value_parser = FalseyValueParser::new(), env = "ANYPLACE_FORCE", hide_env = true)]
    pub(crate) force: bool,

    /// Take at most so much from one sender, such as 500MB or 2GiB
    #[arg(long, value_name = "SIZE", env = "ANYPLACE_LIMIT", hide_env = true, value_parser = read::size)]
    pub(crate) limit: Option<u64>,

    /// Go on after the first transfer, for all who have the ticket
    #[arg(long, value_parser = FalseyValueParser::new(), env = "ANYPLACE_KEEP", hide_env = true)]
    pub(crate) keep: bool,

    /// How long the ticket is good
    #[arg(long, value_name = "TIME", env = "ANYPLACE_FOR", hide_env = true, default_value = "24h")]
    #[arg(value_parser = read::duration)]
    pub(crate) r#for: Duration,

    /// Print no ticket: only who has been here before may send
    #[arg(long, value_parser = FalseyValueParser::new(), env = "ANYPLACE_NO_TICKET", hide_env = true)]
    pub(crate) no_ticket: bool,

    #[command(flatten)]
    pub(crate) common: Common,
}

/// What both ends have in common.
#[derive(Debug, Clone, Copy, ClapArgs)]
pub(crate) struct Common {
    /// Give up when the other end has been silent for so long
    #[arg(long, value_name = "TIME", env = "ANYPLACE_PATIENCE", hide_env = true, default_value = "1m")]
    #[arg(value_parser = read::duration)]
    pub(crate) patience: Duration,

    /// Show progress on standard error
    #[arg(long, value_name = "HOW", env = "ANYPLACE_PROGRESS", hide_env = true, default_value = "auto")]
    pub(crate) progress: Progress,
}

const SEND_EXAMPLES: &str = "Examples:
  anyplace send report.pdf photos/ tcp://host:7777#ap1...   as `anyplace receive` printed it
  anyplace send report.pdf tcp://host:7777                  once this user is known there
  anyplace send report.pdf @address.txt                     the address, read from a file";

const SEND_CODES: &str = "Exit codes:
  0      all of it is there            2      the command line makes no sense
  1-100  so many files were not sent   255    anyplace itself could not go on
  101    more than 100 were not sent";

const ADDRESS: &str = "Where to: tcp://host:port#ap1..., unix:/path, or @FILE to read that from a file

Other users of this machine can see what stands on a command line, and so the ticket. Where that matters, write the \
address to a file and say @FILE.";

const RECEIVE_EXAMPLES: &str = "Examples:
  anyplace receive tcp://0.0.0.0:7777 inbox    prints the address that the sender needs
  anyplace receive --keep --for 7d --limit 10GB tcp://0.0.0.0:7777 inbox
  anyplace receive unix:/run/user/1000/inbox.sock inbox";

const RECEIVE_CODES: &str = "Exit codes:
  0      all of it is here               2      the command line makes no sense
  1-100  so many files were not written  255    anyplace itself could not go on
  101    more than 100 were not written";
