//! `anyplace map`: runs something for every input.
//!
//! ```text
//!  reader thread --rows--> run (one loop) --tasks--> place
//!      (bounded)              |    ^                   |
//!                             |    '-----outcomes------'
//!                             '--> order (-k) --> output, progress
//! ```
//!
//! One loop hears everything: inputs, outcomes, signals, the clock. It starts a job as soon as there is an input and
//! room, and takes no input before there is room, so that memory stays flat however long the input is.

mod item;
mod order;
mod place;
mod reader;
mod run;
mod work;

use std::ffi::OsString;
use std::io::{IsTerminal, Write, stdin, stdout};

use crate::args;
use crate::exit::Exit;
use crate::input::{Inputs, Kind, Source};
use crate::report::{Paint, Report, Result, written};
use crate::template::{Reader, Template, Values};
pub(crate) use item::Item;
use work::Maker;

/// How a run ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    Exit(Exit),
    /// By this signal, which is to end the process.
    Signal(i32),
}

/// Runs it to its end.
pub(crate) fn run(args: &args::Map, after_colons: Vec<Source>, paint: Paint) -> Result<End> {
    let inputs = Inputs::new(&args.arg_file, after_colons, if args.null { 0 } else { b'\n' });
    refuse_silent_wait(&inputs)?;
    let maker = Maker::new(args, inputs.sources.len())?;
    if args.dry_run {
        return dry_run(&maker, &inputs).map(End::Exit);
    }
    run::Run::start(args, maker, &inputs, paint)?.complete()
}

/// A person who forgot the inputs would wait for a prompt that never comes.
fn refuse_silent_wait(inputs: &Inputs) -> Result<()> {
    let is_default = matches!(&inputs.sources[..], [Source { kind: Kind::Stdin, .. }]);
    if is_default && stdin().is_terminal() {
        return Err(Report::usage("there are no inputs, and standard input is a terminal")
            .help("write them after :::, name a file with -a, or pipe them in"));
    }
    Ok(())
}

fn dry_run(maker: &Maker, inputs: &Inputs) -> Result<Exit> {
    let mut out = stdout().lock();
    for (row, number) in inputs.open()?.zip(1..) {
        let row = row?;
        let mut line = maker.line(&Values { values: &row.values, number, slot: 1 });
        line.push(b'\n');
        if let Err(error) = out.write_all(&line) {
            return written(Err(error)).map(|()| Exit::SUCCESS);
        }
    }
    Ok(Exit::SUCCESS)
}

/// Who reads the command that `args` has.
fn reader(args: &args::Map) -> Reader {
    match &args.shell {
        Some(shell) => Reader::Shell(shell.clone()),
        None if args.no_shell => Reader::Nobody,
        None => Reader::Guess,
    }
}

fn compile(what: &[OsString], args: &args::Map, sources: usize) -> Result<Template> {
    Template::compile(what, &reader(args), sources)
}
