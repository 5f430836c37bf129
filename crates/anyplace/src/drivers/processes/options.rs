//! What a place's address may say of its workers.

use crate::Address;
use crate::driver::Setup;
use crate::error::{Error, Result};
use crate::wire::Terms;
use rustix::thread::sched_getaffinity;
use std::str::FromStr;

/// The options with a line each.
pub(super) const OPTIONS: &[(&str, &str)] = &[
    ("start", "how workers start: zygote, exec or fork"),
    ("max_tasks", "replace each worker after this many tasks"),
    ("strict", "the death of a worker breaks the place, as in concurrent.futures"),
    ("memory", "how much memory a worker may use, such as 2GiB"),
    ("cpus", "the cores that workers run on, such as 0-3,6"),
    ("env", "variables for workers: NAME=VALUE[,NAME=VALUE]"),
    ("preload", "modules that workers find imported, such as numpy"),
];

/// How workers come into being.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    Zygote,
    Exec,
    Fork,
}

/// What the address says of the workers.
#[derive(Clone, Debug)]
pub(super) struct Choices {
    pub(super) start: Start,
    /// Each worker is replaced after so many tasks.
    pub(super) max_tasks: u64,
    /// The death of a worker breaks the place.
    pub(super) strict: bool,
    /// A word for the zygote: what it imports.
    pub(super) preload: Option<String>,
    pub(super) terms: Terms,
}

impl Choices {
    /// Reads and checks them all, before anything is started.
    pub(super) fn read(address: &Address, setup: &Setup) -> Result<Self> {
        let options = address.options();
        let at = |error: Error| error.at(address);
        let start = options.parse("start", "`start=zygote`, `start=exec` or `start=fork`").map_err(at)?;
        let memory = options.parse::<Bytes>("memory", Bytes::WANTED).map_err(at)?;
        let cpus = options.parse::<Cpus>("cpus", Cpus::WANTED).map_err(at)?;
        let environment = options.parse::<Environment>("env", Environment::WANTED).map_err(at)?;
        let strict = options.parse("strict", "`strict=true` or `strict=false`").map_err(at)?.unwrap_or(false);
        let choices = Self {
            start: start.unwrap_or(Start::Zygote),
            max_tasks: max_tasks(address)?,
            strict,
            preload: preload(options.get("preload"), start, setup).map_err(at)?,
            terms: Terms {
                argument: Vec::new(),
                environment: environment.map_or_else(Vec::new, |environment| environment.0),
                memory: memory.map(|bytes| bytes.0),
                cpus: cpus.map_or_else(Vec::new, |cpus| cpus.0),
                strict,
            },
        };
        check_fork(choices.start, setup).map_err(at)?;
        check_cpus(&choices.terms.cpus).map_err(at)?;
        check_memory(choices.terms.memory).map_err(at)?;
        Ok(choices)
    }

    /// Whether a worker may leave by itself.
    pub(super) fn lets_leave(&self) -> bool {
        self.max_tasks < u64::MAX || self.terms.memory.is_some()
    }

    /// How many cores the workers have between them.
    pub(super) fn cores(&self) -> usize {
        let share = crate::context::share_of_cores();
        if self.terms.cpus.is_empty() { share } else { self.terms.cpus.len() }
    }
}

impl FromStr for Start {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "zygote" => Ok(Self::Zygote),
            "exec" => Ok(Self::Exec),
            "fork" => Ok(Self::Fork),
            _ => Err(()),
        }
    }
}

fn max_tasks(address: &Address) -> Result<u64> {
    let wanted = "a whole number from 1 on, such as `max_tasks=100`";
    match address.options().parse("max_tasks", wanted)? {
        Some(0) => Err(Error::config("a worker cannot be replaced after 0 tasks")
            .at(address)
            .during("open")
            .with_help(format!("write {wanted}"))),
        number => Ok(number.unwrap_or(u64::MAX)),
    }
}

fn check_fork(start: Start, setup: &Setup) -> Result<()> {
    if start == Start::Fork && setup.on_fork.is_none() {
        return Err(Error::config("this program cannot fork itself into workers")
            .during("open")
            .with_help("a Rust program's threads and locks do not survive a fork; leave `start` out"));
    }
    Ok(())
}

fn preload(modules: Option<&str>, start: Option<Start>, setup: &Setup) -> Result<Option<String>> {
    let Some(modules) = modules else { return Ok(None) };
    if !matches!(start, None | Some(Start::Zygote)) || setup.zygote.is_none() {
        return Err(Error::config("modules are preloaded where workers start from a zygote, and not here")
            .during("open")
            .with_help(
                "open the place from Python and without `start=exec` or `start=fork`; an `initializer` works wherever workers start",
            ));
    }
    let is_name = |part: &str| part.starts_with(|letter: char| letter.is_alphabetic() || letter == '_');
    if modules.split(',').any(|module| !module.split('.').all(is_name)) {
        return Err(Error::config(format!("option `preload` cannot be `{modules}`"))
            .during("open")
            .with_help("write names of modules joined by commas, such as `preload=numpy,scipy.linalg`"));
    }
    Ok(Some(format!("preload={modules}")))
}

/// [A size](crate::size).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bytes(u64);

impl Bytes {
    const WANTED: &str = "a size such as `memory=2GiB` or `memory=500MB`";
}

impl FromStr for Bytes {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        crate::size::parse(text).map(Self)
    }
}

/// A worker of a language needs about this much before it can do anything.
const LEAST_MEMORY: u64 = 64 << 20;

fn check_memory(memory: Option<u64>) -> Result<()> {
    match memory {
        Some(bytes) if bytes < LEAST_MEMORY => {
            Err(Error::config(format!("{bytes} bytes of memory are too few for a worker"))
                .during("open")
                .with_help("give each worker 64MiB or more"))
        }
        _ => Ok(()),
    }
}

/// Numbers and ranges of cores, such as `0-3,6`, in order and each once.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Cpus(Vec<u32>);

impl Cpus {
    const WANTED: &str = "numbers and ranges of cores, such as `cpus=0-3,6`";
    /// No machine that we know has more.
    const MOST: u32 = 8192;
}

impl FromStr for Cpus {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut cpus = Vec::new();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last): (u32, u32) = (first.parse().map_err(drop)?, last.parse().map_err(drop)?);
            if first > last || last >= Self::MOST {
                return Err(());
            }
            cpus.extend(first..=last);
        }
        cpus.sort_unstable();
        cpus.dedup();
        Ok(Self(cpus))
    }
}

/// Refuses cores that this process may not use: its workers may not either.
fn check_cpus(cpus: &[u32]) -> Result<()> {
    // Where the kernel does not tell, the workers will find out.
    let Ok(ours) = sched_getaffinity(None) else { return Ok(()) };
    let is_ours = |cpu: u32| (cpu as usize) < rustix::thread::CpuSet::MAX_CPU && ours.is_set(cpu as usize);
    match cpus.iter().find(|cpu| !is_ours(**cpu)) {
        None => Ok(()),
        Some(cpu) => {
            let allowed: Vec<String> =
                (0..Cpus::MOST).filter(|cpu| is_ours(*cpu)).map(|cpu| cpu.to_string()).collect();
            Err(Error::config(format!("this process may not use core {cpu}"))
                .during("open")
                .with_help(format!("it may use {}", allowed.join(","))))
        }
    }
}

/// Variables, such as `A=1,B=2`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Environment(Vec<(String, String)>);

impl Environment {
    const WANTED: &str = "variables such as `env=NAME=VALUE,NAME=VALUE`, a comma in a value as `%252C`";
}

impl FromStr for Environment {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let pair = |part: &str| {
            let (name, value) = part.split_once('=').filter(|(name, _)| !name.is_empty())?;
            Some((name.to_owned(), value.replace("%2C", ",")))
        };
        let pairs: Option<Vec<_>> = text.split(',').map(pair).collect();
        pairs
            .filter(|pairs| pairs.iter().all(|(name, value)| !name.contains('\0') && !value.contains('\0')))
            .map(Self)
            .ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_and_variables_read_as_people_write_them() {
        assert_eq!("0-2,6,1".parse(), Ok(Cpus(vec![0, 1, 2, 6])));
        let pairs = [("A", "1"), ("B", "x=y,z")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!("A=1,B=x=y%2Cz".parse(), Ok(Environment(pairs.to_vec())));
    }

    #[test]
    fn what_is_no_core_or_variable_is_refused() {
        for text in ["", "3-1", "a", "0-99999", "1,,2"] {
            assert!(text.parse::<Cpus>().is_err(), "{text}");
        }
        for text in ["", "A", "=1", "A=1,,B=2"] {
            assert!(text.parse::<Environment>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_wrong_option_is_told_before_anything_starts() {
        for (text, part) in [
            ("processes:2?start=spawn", "`start` cannot be `spawn`"),
            ("processes:2?start=fork", "cannot fork itself"),
            ("processes:2?memory=1MiB", "too few for a worker"),
            ("processes:2?cpus=8000", "may not use core 8000"),
            ("processes:2?env=A", "`env` cannot be `A`"),
            ("processes:2?preload=os", "not here"),
            ("processes:2?max_tasks=0", "after 0 tasks"),
        ] {
            let error = crate::open(text).unwrap_err();
            assert!(error.to_string().contains(part), "{text}: {error}");
            assert!(error.help().is_some(), "{text}");
        }
    }
}
