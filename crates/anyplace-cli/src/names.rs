//! `anyplace names`: what is published in a place.

use std::io::{self, Write};

use anyplace::{Registry, Setup};
use serde_json::json;

use crate::args;
use crate::exit::Exit;
use crate::report::{Result, written};

/// Prints the names, a line each.
pub(crate) fn print(args: &args::Names) -> Result<Exit> {
    let setup = Setup { keys: crate::keys_folder(), ..Setup::default() };
    let place = Registry::standard().with_setup(setup).open(args.address.as_str())?;
    let names = place.names()?;
    place.close()?;
    let line =
        |name: String| if args.json { format!("{}\n", json!({ "v": 1, "name": name })) } else { name + "\n" };
    let text: String = names.into_iter().map(line).collect();
    written(io::stdout().lock().write_all(text.as_bytes())).map(|()| Exit::SUCCESS)
}
