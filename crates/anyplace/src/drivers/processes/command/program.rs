//! From the words of a command to what the kernel takes.

use crate::error::{Error, Kind};
use crate::work::Command;
use anyplace_sync::spawn::Program;
use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// Where programs are when nothing says where (`confstr(_CS_PATH)` on Linux).
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// A command with everything in C's form; borrow it as a [`Program`].
#[derive(Debug)]
pub(super) struct Prepared {
    candidates: Vec<CString>,
    argv: Vec<CString>,
    environment: Vec<CString>,
    folder: Option<CString>,
}

impl Prepared {
    /// The program inherits the environment of this process, with the command's own variables on top.
    pub(super) fn new(command: &Command) -> Result<Self, Error> {
        let name = command.argv.first().filter(|name| !name.is_empty()).ok_or_else(|| {
            Error::new(Kind::ConfigInvalid, "a command needs a program")
                .with_help("give its name as the first word")
        })?;
        Ok(Self {
            candidates: candidates(name, command).into_iter().map(c_string).collect::<Result<_, _>>()?,
            argv: command.argv.iter().cloned().map(c_string).collect::<Result<_, _>>()?,
            environment: environment(command).map(c_string).collect::<Result<_, _>>()?,
            folder: command.cwd.clone().map(|folder| c_string(folder.into())).transpose()?,
        })
    }

    pub(super) fn program<'a>(&'a self, streams: [BorrowedFd<'a>; 3]) -> Program<'a> {
        Program {
            candidates: &self.candidates,
            argv: &self.argv,
            environment: &self.environment,
            folder: self.folder.as_deref(),
            streams,
        }
    }
}

/// Where the program may be: its path, or each folder of PATH, as the command will see it.
fn candidates(name: &OsStr, command: &Command) -> Vec<OsString> {
    if name.as_bytes().contains(&b'/') {
        return vec![name.to_owned()];
    }
    let own =
        command.env.iter().rev().find(|(variable, _)| variable == "PATH").map(|(_, value)| value.clone());
    let path = own.or_else(|| std::env::var_os("PATH")).unwrap_or_else(|| DEFAULT_PATH.into());
    std::env::split_paths(&path).map(|folder| folder.join(name).into_os_string()).collect()
}

fn environment(command: &Command) -> impl Iterator<Item = OsString> + '_ {
    let is_own = |variable: &OsString| command.env.iter().any(|(name, _)| name == variable);
    let inherited = std::env::vars_os().filter(move |(name, _)| !is_own(name));
    inherited.chain(command.env.iter().cloned()).map(|(mut name, value)| {
        name.push("=");
        name.push(value);
        name
    })
}

fn c_string(text: OsString) -> Result<CString, Error> {
    CString::new(text.into_vec()).map_err(|error| {
        let text = String::from_utf8_lossy(&error.into_vec()).replace('\0', "\\0");
        Error::new(Kind::ConfigInvalid, format!("a command cannot take a NUL byte, as in `{text}`"))
            .with_help("write such data to a file or to standard input")
    })
}

/// A file without a name that holds what the command reads on standard input.
pub(super) fn input(bytes: &[u8]) -> io::Result<OwnedFd> {
    let mut file = File::from(rustix::fs::memfd_create("input", rustix::fs::MemfdFlags::CLOEXEC)?);
    file.write_all(bytes)?;
    file.rewind()?;
    Ok(file.into())
}

/// Why a program could not be started, for the person who named it.
pub(super) fn not_started(command: &Command, error: io::Error) -> Error {
    let name = command.argv[0].to_string_lossy().into_owned();
    let plain = |kind, message: String| Error::new(kind, message).with_retry(crate::Retry::Safe);
    let told = match error.raw_os_error().map(rustix::io::Errno::from_raw_os_error) {
        Some(rustix::io::Errno::NOENT) if command.cwd.as_ref().is_some_and(|folder| !folder.exists()) => {
            plain(Kind::NotFound, format!("the folder to run `{name}` in is not there"))
        }
        Some(rustix::io::Errno::NOENT) if name.contains('/') => {
            plain(Kind::NotFound, format!("there is no program `{name}`"))
                .with_help("if the file is there, the interpreter that its first line names is not")
        }
        Some(rustix::io::Errno::NOENT) => {
            plain(Kind::NotFound, format!("there is no program `{name}` in PATH"))
                .with_help("check its spelling, or give its path; what only a shell knows needs a shell")
        }
        Some(rustix::io::Errno::ACCESS) => {
            plain(Kind::PermissionDenied, format!("`{name}` may not be executed"))
                .with_help("chmod +x makes a file executable; a folder cannot be executed")
        }
        Some(rustix::io::Errno::NOEXEC) => {
            plain(Kind::Unsupported, format!("`{name}` is no program of this machine"))
                .with_help("a script begins with a line such as #!/bin/sh")
        }
        Some(rustix::io::Errno::TOOBIG) => plain(
            Kind::ResourceExhausted,
            format!("the arguments of `{name}` are too long: {}", sizes(command)),
        )
        .with_help("one argument may have 131,071 bytes on Linux; pass long values in a file"),
        Some(rustix::io::Errno::AGAIN | rustix::io::Errno::NOMEM | rustix::io::Errno::MFILE) => {
            plain(Kind::ResourceExhausted, format!("no process for `{name}`: {error}"))
                .with_help("run fewer at once, or raise the limit (ulimit -u, ulimit -n)")
        }
        _ => plain(Kind::Unexpected, format!("`{name}` could not be started: {error}")),
    };
    told.with_source(error)
}

fn sizes(command: &Command) -> String {
    let longest = command.argv.iter().map(|word| word.len()).max().unwrap_or(0);
    let all: usize = command.argv.iter().map(|word| word.len() + 1).sum();
    format!("the longest has {longest} bytes, all have {all}")
}
