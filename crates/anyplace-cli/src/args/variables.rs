//! Options that stand in the environment: the command line wins over them, and a wrong one is named.

use std::ffi::{OsStr, OsString};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

/// Parses; of two options that exclude each other, the one on the command line wins over one of the environment.
pub(crate) fn parse(command: Command, arguments: &[OsString]) -> Result<ArgMatches, clap::Error> {
    let error = match command.clone().try_get_matches_from(arguments) {
        Err(error) if error.kind() == ErrorKind::ArgumentConflict => error,
        result => return result,
    };
    let rivals = named(&error);
    let matches = without(command, &rivals).try_get_matches_from(arguments);
    // If none is left, both stood in the environment, and neither wins.
    matches.ok().filter(|matches| has_any(matches, &rivals)).ok_or(error)
}

/// The variable that a wrong value is from, if it is not from the command line.
pub(crate) fn culprit(command: Command, arguments: &[OsString], error: &clap::Error) -> Option<String> {
    let is_value = matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidValue);
    let names = named(error);
    let variable = arguments_of(&command).find(|argument| is_in(argument, &names))?.get_env()?;
    let variable = variable.to_string_lossy().into_owned();
    let still_wrong = match without(command, &names).try_get_matches_from(arguments) {
        Err(other) => named(&other) == names,
        Ok(_) => false,
    };
    (is_value && !still_wrong).then_some(variable)
}

/// `name`, if that variable holds this value.
pub(crate) fn holding(name: &'static str, value: &OsStr) -> Option<&'static str> {
    std::env::var_os(name).is_some_and(|held| held == value).then_some(name)
}

/// The options an error is about, as clap writes them.
fn named(error: &clap::Error) -> Vec<String> {
    let contexts = [ContextKind::InvalidArg, ContextKind::PriorArg].map(|kind| error.get(kind));
    let names = contexts.into_iter().flatten().flat_map(|value| match value {
        ContextValue::String(name) => vec![name.clone()],
        ContextValue::Strings(names) => names.clone(),
        _ => vec![],
    });
    names.collect()
}

fn arguments_of(command: &Command) -> impl Iterator<Item = &Arg> {
    let below = command.get_subcommands().flat_map(Command::get_arguments);
    command.get_arguments().chain(below)
}

/// The command with the environment hidden from these options.
fn without(command: Command, names: &[String]) -> Command {
    let hide = |argument: Arg| match is_in(&argument, names) {
        true => argument.env(None::<&'static str>),
        false => argument,
    };
    let below: Vec<String> = command.get_subcommands().map(|command| command.get_name().into()).collect();
    let command = command.mut_args(hide);
    below.iter().fold(command, |command, name| command.mut_subcommand(name, |command| command.mut_args(hide)))
}

fn is_in(argument: &Arg, names: &[String]) -> bool {
    argument.get_long().is_some_and(|long| names.iter().any(|name| option(name) == Some(long)))
}

/// `jobs` of `--jobs <N>` and of `--jobs[=<N>]`; nothing of a word without dashes.
fn option(name: &str) -> Option<&str> {
    name.strip_prefix("--")?.split([' ', '[', '=']).next()
}

/// Whether one of them stands on the command line, as words without dashes always do.
fn has_any(matches: &ArgMatches, names: &[String]) -> bool {
    let Some((_, matches)) = matches.subcommand() else { return false };
    let is_typed = |id: String| matches.value_source(&id) == Some(ValueSource::CommandLine);
    names.iter().any(|name| option(name).is_none_or(|long| is_typed(long.replace('-', "_"))))
}
