//! `anyplace keys`: who may use the places offered here.

mod row;

use std::io::{self, Write};
use std::path::PathBuf;

use anyplace::keys::{Keys, Moment, Revoked};

use crate::args::{self, KeysCommand};
use crate::exit::Exit;
use crate::report::{Report, Result, written};

use row::{Row, rows};

/// Where this user's keys are: `$XDG_CONFIG_HOME/anyplace`, else `~/.config/anyplace`; `None` for who has no home.
///
/// As the XDG base directory specification says, a relative path there counts as none.
pub fn folder() -> Option<PathBuf> {
    let path = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let config = path("XDG_CONFIG_HOME").or_else(|| path("HOME").map(|home| home.join(".config")));
    config.map(|config| config.join("anyplace"))
}

/// Does what is asked with them.
pub(crate) fn run(args: &args::Keys) -> Result<Exit> {
    let folder = folder().ok_or_else(|| {
        Report::usage("this user has no folder for keys")
            .help("set HOME, or XDG_CONFIG_HOME, to an absolute path")
    })?;
    let keys = Keys::new(Some(folder));
    let text = match &args.what {
        KeysCommand::List { json } => list(&rows(&keys)?, *json),
        KeysCommand::Revoke { which } => keys.revoke(which)?.iter().map(revoked).collect(),
        KeysCommand::Rotate => {
            let new = keys.rotate()?.hash();
            format!("this user's key is {new}; tickets that were given out before are void\n")
        }
    };
    written(io::stdout().lock().write_all(text.as_bytes())).map(|()| Exit::SUCCESS)
}

fn list(rows: &[Row], json: bool) -> String {
    if json { rows.iter().map(|row| format!("{}\n", row.json())).collect() } else { table(rows) }
}

fn table(rows: &[Row]) -> String {
    let now = Moment::now();
    let mut lines = vec![["WHO", "KEY", "NAME", "SCOPE", "SINCE", "STATE"].map(str::to_owned)];
    lines.extend(rows.iter().map(|row| row.columns(now)));
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 6] = std::array::from_fn(width);
    let line = |line: &[String; 6]| {
        let cells = line.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    lines.iter().map(line).collect()
}

fn revoked(revoked: &Revoked) -> String {
    match revoked {
        Revoked::Peer(peer) => format!("revoked the client {} ({})\n", peer.name, peer.key.short()),
        Revoked::Ticket(ticket) => format!("revoked the ticket {}\n", ticket.name()),
    }
}
