//! The `anyplace` command, as a library: the Python wheel carries the same command.
//!
//! ```no_run
//! let exit = anyplace_cli::main(std::env::args_os());
//! # let _ = exit;
//! ```
//!
//! It is the only crate that prints and reads the environment.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printing is what a command does")]

mod args;
mod connect;
mod exit;
mod input;
mod keys;
mod map;
mod names;
mod output;
mod places;
mod progress;
mod report;
mod serve;
mod signals;
mod size;
mod template;
mod transfer;

use std::ffi::OsString;
use std::io::{Write, stderr, stdout};
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory, FromArgMatches};

use args::{Args, Command};
use exit::Exit;
use input::Source;
pub use keys::folder as keys_folder;
use map::End;
use report::{Paint, Report, Result};

/// Runs the command with these arguments, the program's name first, and gives its exit code.
///
/// A run that a signal ended does not return: the process ends by the same signal, so that the shell sees it.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    status(arguments).into()
}

/// As [`main`], with the exit code as a number: for programs of other languages that carry the command.
pub fn status(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let (arguments, sources) = input::split_off_sources(arguments.into_iter().collect());
    let args = match parse(&arguments) {
        Ok(args) => args,
        Err(error) => return usage(&error, &arguments).0,
    };
    let paint = Paint::new(args.color);
    match run(args, sources, paint) {
        Ok(End::Exit(exit)) => exit.0,
        Ok(End::Signal(signal)) => {
            signals::end_by(signal);
            Exit::OWN_ERROR.0
        }
        Err(report) => tell(&report, paint).0,
    }
}

fn parse(arguments: &[OsString]) -> std::result::Result<Args, clap::Error> {
    let command = Args::command().color(color_choice(arguments));
    Args::from_arg_matches(&args::variables::parse(command, arguments)?)
}

/// Colours of help and usage errors are chosen before the arguments are understood.
fn color_choice(arguments: &[OsString]) -> clap::ColorChoice {
    let after =
        arguments.iter().position(|argument| argument == "--color").and_then(|at| arguments.get(at + 1));
    let inline = arguments.iter().filter_map(|argument| argument.to_str()?.strip_prefix("--color=")).next();
    match after.and_then(|value| value.to_str()).or(inline) {
        Some("always") => clap::ColorChoice::Always,
        Some("never") => clap::ColorChoice::Never,
        _ => clap::ColorChoice::Auto,
    }
}

/// Help and version go to standard output and are no error.
fn usage(error: &clap::Error, arguments: &[OsString]) -> Exit {
    let printed = error.print();
    if !error.use_stderr() {
        return report::written(printed)
            .map_or_else(|report| tell(&report, Paint::Plain), |()| Exit::SUCCESS);
    }
    if let Some(variable) = args::variables::culprit(Args::command(), arguments, error) {
        drop(writeln!(stderr(), " help: the value is that of the variable {variable}"));
    }
    if let Some(ContextValue::String(option)) = error.get(ContextKind::InvalidArg)
        && let Some(help) = args::gnu::here(option)
    {
        drop(writeln!(stderr(), " help: {help}"));
    }
    Exit::USAGE
}

/// Nobody may read our standard error: the exit code still tells.
fn tell(report: &Report, paint: Paint) -> Exit {
    drop(writeln!(stderr(), "{}", report.shown(paint)));
    report.exit()
}

fn run(args: Args, sources: Vec<Source>, paint: Paint) -> Result<End> {
    match args.command {
        Command::Map(map) => map::run(&map, sources, paint),
        Command::Serve(serve) => serve::run(&serve),
        Command::Connect(connect) => connect::run(&connect).map(End::Exit),
        Command::Places(places) => places::print(&places).map(End::Exit),
        Command::Send(send) => transfer::send(&send).map(End::Exit),
        Command::Receive(receive) => transfer::receive(receive),
        Command::Names(names) => names::print(&names).map(End::Exit),
        Command::Keys(keys) => keys::run(&keys).map(End::Exit),
        Command::Completions { shell } => {
            let mut completions = Vec::new();
            clap_complete::generate(shell, &mut Args::command(), "anyplace", &mut completions);
            print(&completions)
        }
        Command::Man { command } => print(&manual(command.as_deref())?),
    }
}

/// The page of the whole, which names the others, or of one command: `anyplace-map(1)`.
fn manual(name: Option<&str>) -> Result<Vec<u8>> {
    let mut whole = Args::command();
    // Only then do the commands have their full names.
    whole.build();
    let command = match name {
        None => whole,
        Some(name) => whole.find_subcommand(name).cloned().ok_or_else(|| {
            Report::usage(format!("there is no command `{name}`")).help("`anyplace --help` names them all")
        })?,
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(command)
        .render(&mut page)
        .map_err(|error| Report::own(format!("the manual page cannot be made: {error}")))?;
    Ok(page)
}

fn print(text: &[u8]) -> Result<End> {
    let mut out = stdout().lock();
    report::written(out.write_all(text).and_then(|()| out.flush())).map(|()| End::Exit(Exit::SUCCESS))
}
