//! What the project does to itself: `cargo xtask test`, `cargo xtask bench local`.
//!
//! Only the standard library is used, so that the first command of a fresh clone starts in seconds.
#![allow(clippy::print_stdout)] // A command's printing is its result.
#![allow(clippy::print_stderr)]
#![allow(clippy::disallowed_methods)] // It starts cargo, pip and the programs of the documents.

mod bench;
mod blocks;
mod callgrind;
mod counts;
mod examples;
mod fuzz;
mod house;
mod line;
mod machines;
mod readme;
mod report;
mod site;
mod steps;
mod test;
mod tools;
mod trials;

use std::process::ExitCode;

/// What can go wrong is told to a person, so text is enough.
pub(crate) type Result<T> = std::result::Result<T, String>;

const HELP: &str = "\
cargo xtask test                everything that must hold, step by step
cargo xtask test STEP...        only these steps, such as `clippy pytest`
cargo xtask test --list         the steps, with the commands that each runs
cargo xtask bench local         how fast it is, side by side with its peers (add --quick for a first look)
cargo xtask bench crashes       what a crash costs in every process pool (pools) and in whatever shares (sharing)
cargo xtask bench tables        shows the newest runs in docs/compare

Parts of the test command, which it runs as steps:
cargo xtask tools               installs what the steps need and this machine lacks
cargo xtask house               who may depend on whom, and where things may stand
cargo xtask callgrind           how many instructions the hot paths take (--update keeps the new numbers)
cargo xtask fuzz                bytes that nobody would send, for every decoder
cargo xtask readme              runs the shell and Python blocks of README.md
cargo xtask examples            runs the programs in examples/
cargo xtask machines            runs README.md's example of two machines, in two network namespaces";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match dispatch(&words) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}

/// Does what the words say; `false` if something that must hold does not.
fn dispatch(words: &[&str]) -> Result<bool> {
    let site = site::Site::here();
    std::env::set_current_dir(&site.root).map_err(|error| format!("{}: {error}", site.root.display()))?;
    match words {
        ["test", "--list"] => Ok(test::list(&site)),
        ["test", only @ ..] => test::run(&site, only),
        ["bench", words @ ..] => bench::dispatch(&site, words),
        ["tools"] => tools::check(),
        ["house"] => house::check(&site),
        ["callgrind"] => callgrind::check(&site),
        ["callgrind", "--update"] => callgrind::update(&site),
        ["fuzz"] => fuzz::check(&site),
        ["readme"] => readme::run(&site),
        ["examples"] => examples::run(&site),
        ["machines"] => machines::run(&site),
        [] | ["help" | "-h" | "--help"] => {
            println!("{HELP}");
            Ok(true)
        }
        [word, ..] => Err(format!("there is no `cargo xtask {word}`\n\n{HELP}")),
    }
}
