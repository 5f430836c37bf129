//! The `anyplace` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    anyplace_cli::main(std::env::args_os())
}
