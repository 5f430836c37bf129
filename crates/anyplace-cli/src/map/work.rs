//! From a job's values to the work that a place takes.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

use anyplace::TaskOptions;
use anyplace::work::{Arguments, Command, Encoding, Named, Payload, Work};

use crate::args::{self, variables};
use crate::report::{Report, Result};
use crate::template::{Template, Values, push_quoted};

/// Makes the work of each job.
#[derive(Debug)]
pub(crate) struct Maker {
    what: What,
    options: TaskOptions,
}

#[derive(Debug)]
enum What {
    Command(Template),
    /// `module:function` of this Python.
    Call(Arc<str>, OsString),
}

impl Maker {
    pub(super) fn new(args: &args::Map, sources: usize) -> Result<Self> {
        let what = match &args.call {
            Some(call) => What::Call(named(call)?, args.python.clone()),
            None => What::Command(super::compile(&args.what, args, sources)?),
        };
        // A person who asks for retries says that trying again does no harm.
        let idempotent = args.retries > 1;
        Ok(Self {
            what,
            options: TaskOptions { idempotent, timeout: args.timeout, ..TaskOptions::default() },
        })
    }

    pub(super) fn work(&self, job: &Values<'_>) -> Result<Work> {
        match &self.what {
            What::Command(template) => Ok(Work::Command(Command::new(template.argv(job)))),
            What::Call(name, _) => {
                let arguments = Arguments::One(arguments(job.values)?);
                Ok(Work::Named(Named { name: name.clone(), arguments }))
            }
        }
    }

    pub(super) fn options(&self) -> TaskOptions {
        self.options.clone()
    }

    /// Whether a job has to know its slot before it starts.
    pub(super) fn names_slot(&self) -> bool {
        matches!(&self.what, What::Command(template) if template.names_slot())
    }

    /// What a job does, as a line for people.
    pub(super) fn line(&self, job: &Values<'_>) -> Vec<u8> {
        match &self.what {
            What::Command(template) => template.line(job),
            What::Call(name, python) => call_line(python, name, job.values),
        }
    }
}

/// The call as a shell command that does the same.
fn call_line(python: &OsStr, name: &str, values: &[OsString]) -> Vec<u8> {
    let (module, function) = name.split_once(':').unwrap_or((name, ""));
    let script = format!("import sys, {module}; print({module}.{function}(*sys.argv[1:]))");
    let mut line = Vec::new();
    push_quoted(&mut line, python.as_bytes());
    line.extend_from_slice(b" -c ");
    push_quoted(&mut line, script.as_bytes());
    for value in values {
        line.push(b' ');
        push_quoted(&mut line, value.as_bytes());
    }
    line
}

fn named(call: &str) -> Result<Arc<str>> {
    let is_name =
        |part: &str| part.split('.').all(|name| !name.is_empty() && !name.contains(char::is_whitespace));
    match call.split_once(':') {
        Some((module, function)) if is_name(module) && is_name(function) => Ok(call.into()),
        _ => {
            let report = Report::usage(format!("`{call}` names no Python function"))
                .help("write module:function, such as --call mypackage.photos:shrink");
            Err(match variables::holding("ANYPLACE_CALL", call.as_ref()) {
                Some(variable) => report.at(variable),
                None => report,
            })
        }
    }
}

/// The values as JSON text: a list of strings, one for each source.
fn arguments(values: &[OsString]) -> Result<Payload> {
    let texts: Option<Vec<&str>> = values.iter().map(|value| value.to_str()).collect();
    let texts = texts.ok_or_else(|| {
        Report::own("a value that is not UTF-8 cannot be given to a Python function")
            .help("run a command instead")
    })?;
    let bytes = serde_json::to_vec(&texts).expect("strings can be written as JSON");
    Ok(Payload::new(Encoding::Json, bytes))
}
