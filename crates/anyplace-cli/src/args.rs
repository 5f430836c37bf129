//! What can be said on the command line.
//!
//! Every option can also be given as an environment variable, `ANYPLACE_` and its name; the command line wins.

pub(crate) mod gnu;
mod halt;
mod jobs;
mod read;
mod transfer;
pub(crate) mod variables;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use anyplace::keys::Scope;
use anyplace::serve::ClientLimits;
use clap::builder::FalseyValueParser;
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

pub(crate) use halt::{Halt, How};
pub(crate) use jobs::Jobs;
pub(crate) use transfer::{Receive, Send};

/// Run work in any place: threads, processes, or another machine
#[derive(Debug, Parser)]
#[command(name = "anyplace", version, max_term_width = 98, help_template = TEMPLATE, before_help = EXAMPLES)]
#[command(disable_help_subcommand = true, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Use colours
    #[arg(long, global = true, value_name = "WHEN", env = "ANYPLACE_COLOR", default_value = "auto")]
    #[arg(help_heading = "Global", hide_env = true)]
    pub(crate) color: Color,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Map(Box<Map>),
    Serve(Serve),
    Connect(Connect),
    Places(Places),
    Names(Names),
    Send(Send),
    Receive(Receive),
    Keys(Keys),
    /// Print the completions of a shell
    Completions {
        /// bash, zsh, fish, elvish or powershell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or that of one command
    Man {
        /// Such as map
        command: Option<String>,
    },
}

/// Run a command, or a Python function, for every input
///
/// WHAT is a command: several words are executed directly, one quoted text is given to a shell. Inputs come from
/// after `:::`, from files, or from standard input, a line each. Values never become a part of a shell's script:
/// nothing in them is expanded or executed, in whatever quotes the placeholder stands.
#[derive(Debug, ClapArgs)]
#[command(help_template = TEMPLATE, before_help = MAP_EXAMPLES, after_long_help = MAP_CODES)]
#[command(override_usage = "anyplace map [OPTIONS] WHAT... [::: INPUTS...]")]
pub(crate) struct Map {
    /// The command, with placeholders
    #[arg(value_name = "WHAT", trailing_var_arg = true)]
    #[arg(required_unless_present = "call", conflicts_with = "call", long_help = WHAT)]
    pub(crate) what: Vec<OsString>,

    /// Call a Python function with every input instead of running a command
    #[arg(
        long,
        value_name = "MODULE:FUNCTION",
        env = "ANYPLACE_CALL",
        hide_env = true,
        help_heading = "Work"
    )]
    pub(crate) call: Option<String>,

    /// The Python that --call runs
    #[arg(long, value_name = "PROGRAM", env = "ANYPLACE_PYTHON", hide_env = true, default_value = "python3")]
    #[arg(help_heading = "Work")]
    pub(crate) python: OsString,

    /// Give the command to a shell, also if it is several words
    #[arg(long, value_name = "SHELL", num_args = 0..=1, require_equals = true, default_missing_value = "sh")]
    #[arg(env = "ANYPLACE_SHELL", hide_env = true, help_heading = "Work", overrides_with = "no_shell")]
    pub(crate) shell: Option<OsString>,

    /// Execute the command directly, also if it is one text
    #[arg(long, value_parser = FalseyValueParser::new(), env = "ANYPLACE_NO_SHELL", hide_env = true)]
    #[arg(help_heading = "Work", overrides_with = "shell")]
    pub(crate) no_shell: bool,

    /// Read inputs from FILE, a line each; - is standard input; several are combined
    #[arg(short = 'a', long, value_name = "FILE", env = "ANYPLACE_ARG_FILE", hide_env = true)]
    #[arg(help_heading = "Input")]
    pub(crate) arg_file: Vec<PathBuf>,

    /// Inputs end with NUL, not newline, as `find -print0` writes them
    #[arg(short = '0', long, value_parser = FalseyValueParser::new(), env = "ANYPLACE_NULL", hide_env = true)]
    #[arg(help_heading = "Input")]
    pub(crate) null: bool,

    /// Where to run
    #[arg(long, value_name = "ADDRESS", env = "ANYPLACE", default_value = "processes:", hide_env = true)]
    #[arg(help_heading = "Place", long_help = ON)]
    pub(crate) on: String,

    /// How many at once: 8, 150% of the cores, +2 or -1 of the cores, 0 for as many as possible
    #[arg(
        short = 'j',
        long,
        value_name = "N",
        env = "ANYPLACE_JOBS",
        hide_env = true,
        help_heading = "Place"
    )]
    #[arg(allow_hyphen_values = true)]
    pub(crate) jobs: Option<Jobs>,

    /// End a job that runs longer, such as 10, 1.5, 500ms, 2m, 1h30m
    #[arg(long, value_name = "TIME", env = "ANYPLACE_TIMEOUT", hide_env = true, help_heading = "Scheduling")]
    #[arg(value_parser = read::duration)]
    pub(crate) timeout: Option<Duration>,

    /// Try a job up to N times until it succeeds
    #[arg(long, value_name = "N", env = "ANYPLACE_RETRIES", hide_env = true, help_heading = "Scheduling")]
    #[arg(default_value = "1", hide_default_value = true, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) retries: u32,

    /// Stop early: now,fail=1 kills the rest at the first failure; soon,success=3; soon,fail=10%
    #[arg(long, value_name = "WHEN,WHAT=N", env = "ANYPLACE_HALT", hide_env = true, long_help = HALT)]
    #[arg(help_heading = "Scheduling", default_value = "never", hide_default_value = true)]
    pub(crate) halt: Halt,

    /// Print the commands instead of running them; each line can be pasted into a shell
    #[arg(long, value_parser = FalseyValueParser::new(), env = "ANYPLACE_DRY_RUN", hide_env = true)]
    #[arg(help_heading = "Scheduling")]
    pub(crate) dry_run: bool,

    /// Print results in the order of the inputs; up to 4096 wait for an earlier one
    #[arg(short = 'k', long, value_parser = FalseyValueParser::new(), env = "ANYPLACE_KEEP_ORDER")]
    #[arg(hide_env = true, help_heading = "Output")]
    pub(crate) keep_order: bool,

    /// Start every line with the input and a TAB
    #[arg(long, value_parser = FalseyValueParser::new(), env = "ANYPLACE_TAG", hide_env = true)]
    #[arg(help_heading = "Output", conflicts_with = "json")]
    pub(crate) tag: bool,

    /// Print one JSON object for each finished input
    #[arg(long, value_parser = FalseyValueParser::new(), env = "ANYPLACE_JSON", hide_env = true)]
    #[arg(help_heading = "Output")]
    pub(crate) json: bool,

    /// Show progress on standard error
    #[arg(long, value_name = "HOW", env = "ANYPLACE_PROGRESS", hide_env = true, default_value = "auto")]
    #[arg(help_heading = "Output")]
    pub(crate) progress: Progress,
}

/// Offer a place to other machines, or to other processes of this one
///
/// Prints the address by which others open the place, on one line, and serves until a signal comes: the first lets in
/// nobody else and waits for what runs, the second ends it. At tcp: there is a ticket in the address, which lets in
/// whoever has it; hand it on as you would a password.
#[derive(Debug, ClapArgs)]
#[command(help_template = TEMPLATE, before_help = SERVE_EXAMPLES)]
pub(crate) struct Serve {
    /// Where to listen: tcp://host:port, or unix:/path for processes of the same user
    pub(crate) address: String,

    /// The place that is offered
    #[arg(long, value_name = "ADDRESS", env = "ANYPLACE", default_value = "processes:", hide_env = true)]
    pub(crate) on: String,

    /// The Python of the workers, if it has the package anyplace
    #[arg(long, value_name = "PROGRAM", env = "ANYPLACE_PYTHON", hide_env = true, default_value = "python3")]
    pub(crate) python: OsString,

    /// What the ticket's holder may do: status, run, share or admin, with commas between them
    #[arg(long, value_name = "WORDS", env = "ANYPLACE_SCOPE", hide_env = true, default_value = "run,share")]
    #[arg(help_heading = "Ticket")]
    pub(crate) scope: Scope,

    /// How long the ticket is good, such as 10m or 12h; for ever unless it is given
    #[arg(long, value_name = "TIME", env = "ANYPLACE_EXPIRES", hide_env = true, help_heading = "Ticket")]
    #[arg(value_parser = read::duration)]
    pub(crate) expires: Option<Duration>,

    /// The ticket is good for the first who comes
    #[arg(long, value_parser = FalseyValueParser::new(), env = "ANYPLACE_ONCE", hide_env = true)]
    #[arg(help_heading = "Ticket")]
    pub(crate) once: bool,

    /// Let in only those whose keys are known (see `anyplace keys list`)
    #[arg(long, value_parser = FalseyValueParser::new(), env = "ANYPLACE_NO_TICKET", hide_env = true)]
    #[arg(help_heading = "Ticket")]
    pub(crate) no_ticket: bool,

    /// What one client may have at most, such as arrays=2GiB,calls=64
    ///
    /// Names with a size or number each: arrays, message and untaken (bytes); shared, sessions, names, objects and calls.
    #[arg(long, value_name = "NAME=MOST,...", env = "ANYPLACE_LIMITS", hide_env = true)]
    #[arg(value_parser = read::limits)]
    pub(crate) limits: Option<ClientLimits>,

    /// Keep the address under this name, where programs of this user find it
    #[arg(long, value_name = "NAME", env = "ANYPLACE_NAME", hide_env = true)]
    pub(crate) name: Option<String>,

    /// How long what runs may go on after the first signal, such as 30s; until it ends unless it is given
    #[arg(long, value_name = "TIME", env = "ANYPLACE_GRACE", hide_env = true)]
    #[arg(value_parser = read::duration)]
    pub(crate) grace: Option<Duration>,
}

/// Send standard input to a socket, and print what comes back
///
/// It ends when the other end has ended, or, for datagrams, when standard input has and nothing has come for a while. The
/// end of standard input is the end of our direction only: the answer is still printed. Exit code 0 says that both ends
/// were orderly.
#[derive(Debug, ClapArgs)]
#[command(help_template = TEMPLATE, before_help = CONNECT_EXAMPLES)]
pub(crate) struct Connect {
    /// tcp://HOST:PORT, tls://HOST:PORT, unix:PATH, pipe:PATH, udp://HOST:PORT or unixgram:PATH
    #[arg(value_name = "ENDPOINT")]
    pub(crate) endpoint: String,

    /// Connect within this time, such as 10, 1.5, 500ms, 2m
    #[arg(long, value_name = "TIME", env = "ANYPLACE_TIMEOUT", hide_env = true)]
    #[arg(value_parser = read::duration, default_value = "30s")]
    pub(crate) timeout: Duration,

    /// End when nothing has come for this time; for datagrams 1s after the end of standard input, unless told otherwise
    #[arg(long, value_name = "TIME", env = "ANYPLACE_IDLE", hide_env = true)]
    #[arg(value_parser = read::duration)]
    pub(crate) idle: Option<Duration>,

    /// Believe a server of tls:// only if an authority in this PEM file vouches for it
    #[arg(long, value_name = "FILE", env = "ANYPLACE_CA", hide_env = true)]
    pub(crate) ca: Option<PathBuf>,
}

/// Show the kinds of places, and whether they work on this machine
#[derive(Debug, ClapArgs)]
pub(crate) struct Places {
    /// Print one JSON object for each kind of place
    #[arg(long, value_parser = FalseyValueParser::new(), env = "ANYPLACE_JSON", hide_env = true)]
    pub(crate) json: bool,
}

/// Show the names of the objects that are published in a place
#[derive(Debug, ClapArgs)]
pub(crate) struct Names {
    /// The place, such as unix:/run/any.sock or tcp://host:7777
    #[arg(value_name = "ADDRESS")]
    pub(crate) address: String,

    /// Print one JSON object for each name
    #[arg(long, value_parser = FalseyValueParser::new(), env = "ANYPLACE_JSON", hide_env = true)]
    pub(crate) json: bool,
}

/// Show who may use the places offered here, and end what they may
///
/// Keys are in $XDG_CONFIG_HOME/anyplace, which is ~/.config/anyplace where that is not set: texts for this user's eyes
/// alone, which may be edited.
#[derive(Debug, ClapArgs)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Keys {
    #[command(subcommand)]
    pub(crate) what: KeysCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Show this user's key, the clients and tickets of places offered here, and the servers that are known
    List {
        /// Print one JSON object for each
        #[arg(long, value_parser = FalseyValueParser::new(), env = "ANYPLACE_JSON", hide_env = true)]
        json: bool,
    },
    /// End what a client or a ticket is good for
    ///
    /// A client's key stays known as revoked, so that no ticket brings it back, and the ticket by which it came is void, too.
    Revoke {
        /// A client's name, or the first letters of its key or of a ticket
        which: String,
    },
    /// Make a new key: who knew this user by the old one needs a new ticket
    Rotate,
}

/// How a run shows how far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Progress {
    /// A bar on a terminal, else a line every 10 seconds
    Auto,
    /// A bar with rate and time left
    Bar,
    /// A line every 10 seconds and at the end
    Counter,
    /// Nothing
    None,
}

/// When colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    Always,
    Never,
}

const TEMPLATE: &str = "{about-with-newline}\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}";

const EXAMPLES: &str = "Examples:
  anyplace map gzip ::: *.log                  one job for each file
  anyplace map 'convert {} {.}.png' ::: *.jpg  one quoted text is for a shell
  anyplace serve tcp://0.0.0.0:7777            lend this machine to another
  anyplace places                              the kinds of places there are
  anyplace receive tcp://0.0.0.0:7777 inbox    receive files from another machine";

const SERVE_EXAMPLES: &str = "Examples:
  anyplace serve tcp://0.0.0.0:7777 --on processes:8   lend eight processes to who has the ticket
  anyplace serve unix:$XDG_RUNTIME_DIR/any.sock        to other programs of this user
  anyplace map --on 'tcp://host:7777#ap1...' gzip ::: *.log";

const MAP_EXAMPLES: &str = "Examples:
  anyplace map gzip ::: *.log                  one job for each file
  anyplace map 'convert {} {.}.png' ::: *.jpg  one quoted text is for a shell
  find . -name '*.c' -print0 | anyplace map -0 -k wc -l
  anyplace map --tag ping -c1 {1}{2} ::: a b c ::: .net .org
  anyplace map --timeout 30 --retries 3 --halt now,fail=1 ./fetch :::: urls
  anyplace map --call mypackage.photos:shrink ::: *.jpg";

const CONNECT_EXAMPLES: &str = "Examples:
  anyplace connect tcp://localhost:7        talk to whoever listens there
  anyplace connect unix:/run/any.sock < request > answer
  printf 'GET / HTTP/1.0\r\n\r\n' | anyplace connect tls://example.org:443";

const MAP_CODES: &str = "Exit codes:
  0      all jobs succeeded            2      the command line makes no sense
  1-100  so many jobs failed           255    anyplace itself could not go on
  101    more than 100 jobs failed     other  the failed job's, after --halt ...,fail=1

Every option can be set in the environment: --keep-order is ANYPLACE_KEEP_ORDER, --on is ANYPLACE.";

const WHAT: &str = "The command, with placeholders

  {}    the value                 {#}   the job's number
  {.}   without its extension     {%}   its slot, 1 to the number of jobs at once
  {/}   its last part             {1}   the first source's value; {-1} the last one's
  {//}  its folder                {2/.} the second source's, shortened as {/.}
  {/.}  its last part without extension

Without any placeholder, the values are appended.";

const ON: &str =
    "Where to run: an address, such as processes:8 or retry=3::processes: (see `anyplace places`)";

const HALT: &str = "Stop early: WHEN is `soon` (start no more) or `now` (also end the running); WHAT is `fail`, `success` \
or `done`; N is a number, or a percentage of the jobs done so far, from the third on. `never` is the default";
