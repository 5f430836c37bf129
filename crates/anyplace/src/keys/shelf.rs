//! Where keys and tables are kept: a folder that only its user reads, or the memory of this process.

use crate::error::{Error, Kind, Result};
use rustix::fs::{FlockOperation, flock};
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Texts by name. Each is replaced as a whole, so that a reader sees the old or the new one; who changes one has it alone.
#[derive(Debug)]
pub(super) enum Shelf {
    /// Made on first use, of mode 0700; files have mode 0600.
    Folder(PathBuf),
    Memory(Mutex<HashMap<String, String>>),
}

impl Shelf {
    /// The text, which is empty if there is none.
    pub(super) fn read(&self, name: &str) -> Result<String> {
        match self {
            Self::Folder(folder) => read(&folder.join(name)),
            Self::Memory(texts) => {
                let texts = texts.lock().unwrap_or_else(PoisonError::into_inner);
                Ok(texts.get(name).cloned().unwrap_or_default())
            }
        }
    }

    /// Writes a text, whatever it was, even one that could not be read.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<()> {
        match self {
            Self::Folder(folder) => {
                let path = folder.join(name);
                let _alone = lock(folder)?;
                replace(&path, text).map_err(|error| told(error, "write", &path))
            }
            Self::Memory(_) => self.change(name, |old| {
                text.clone_into(old);
                Ok(())
            }),
        }
    }

    /// Changes one text while nobody else changes any. If `change` fails, it stays as it was.
    pub(super) fn change<R>(&self, name: &str, change: impl FnOnce(&mut String) -> Result<R>) -> Result<R> {
        self.change_all([name], |[text]| change(text))
    }

    /// Changes several texts together. They are written in this order: a crash may leave the first ones new.
    pub(super) fn change_all<const N: usize, R>(
        &self,
        names: [&str; N],
        change: impl FnOnce(&mut [String; N]) -> Result<R>,
    ) -> Result<R> {
        match self {
            Self::Folder(folder) => {
                let _alone = lock(folder)?;
                change_files(names.map(|name| folder.join(name)), change)
            }
            Self::Memory(texts) => {
                let mut texts = texts.lock().unwrap_or_else(PoisonError::into_inner);
                let mut new = names.map(|name| texts.get(name).cloned().unwrap_or_default());
                let changed = change(&mut new)?;
                texts.extend(names.map(str::to_owned).into_iter().zip(new));
                Ok(changed)
            }
        }
    }
}

fn change_files<const N: usize, R>(
    paths: [PathBuf; N],
    change: impl FnOnce(&mut [String; N]) -> Result<R>,
) -> Result<R> {
    let mut old = [const { String::new() }; N];
    for (text, path) in old.iter_mut().zip(&paths) {
        *text = read(path)?;
    }
    let mut new = old.clone();
    let changed = change(&mut new)?;
    for ((path, old), new) in paths.iter().zip(&old).zip(&new) {
        if old != new {
            replace(path, new).map_err(|error| told(error, "write", path))?;
        }
    }
    Ok(changed)
}

fn read(path: &Path) -> Result<String> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(told(error, "read", path)),
    };
    check_private(&file, path, 0o077, "chmod 600")?;
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(|error| told(error, "read", path))?;
    Ok(text)
}

/// Makes the folder, if need be, and holds its lock until what this gives is dropped.
fn lock(folder: &Path) -> Result<File> {
    make(folder).map_err(|error| told(error, "make", folder))?;
    let opened = File::open(folder).map_err(|error| told(error, "open", folder))?;
    // A folder that others can write is one in which they can put files of their own choice.
    check_private(&opened, folder, 0o022, "chmod 700")?;
    // The lock is that of the folder itself: no file is left behind, and the kernel releases it with the process.
    while let Err(error) = flock(&opened, FlockOperation::LockExclusive) {
        if error != rustix::io::Errno::INTR || anyplace_sync::signal_came() {
            return Err(told(error.into(), "lock", folder));
        }
    }
    Ok(opened)
}

fn make(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn check_private(file: &File, path: &Path, forbidden: u32, chmod: &str) -> Result<()> {
    let metadata = file.metadata().map_err(|error| told(error, "look at", path))?;
    let ours = rustix::process::geteuid().as_raw();
    let path = path.display();
    if metadata.uid() != ours && metadata.uid() != 0 {
        return Err(refused(format!("`{path}` belongs to another user"))
            .with_help("keys are taken only from files of the user who runs this"));
    }
    if metadata.mode() & forbidden != 0 {
        return Err(refused(format!("`{path}` is open to other users of this machine")).with_help(format!(
            "make it yours alone: {chmod} '{path}'; if others may have read a key, `anyplace keys rotate`"
        )));
    }
    Ok(())
}

/// Writes beside and renames, so that a crash leaves the old text or the new one. Its caller has the lock.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    make(path.parent().unwrap_or(path))?;
    let beside = beside(path);
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    // One that a crash has left may have another mode.
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

/// A name that no text has: theirs do not begin with a dot.
fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    path.with_file_name(name)
}

fn refused(message: String) -> Error {
    Error::new(Kind::PermissionDenied, message)
}

fn told(error: io::Error, verb: &str, path: &Path) -> Error {
    let message = format!("cannot {verb} `{}`: {error}", path.display());
    Error::from(error).reworded(message).with_help(
        "see who owns it, and whether the disk has room; XDG_CONFIG_HOME names another folder for keys",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Shelf) {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::Folder(folder.path().join("keys"));
        (folder, shelf)
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    fn append(shelf: &Shelf, line: &str) {
        let append = |text: &mut String| {
            text.push_str(line);
            Ok(())
        };
        shelf.change("table", append).unwrap();
    }

    #[test]
    fn only_their_user_can_read_the_files() {
        let (folder, shelf) = folder();
        append(&shelf, "one\n");
        assert_eq!(mode(&folder.path().join("keys")), 0o700);
        assert_eq!(mode(&folder.path().join("keys/table")), 0o600);
        assert_eq!(shelf.read("table").unwrap(), "one\n");
    }

    #[test]
    fn nothing_else_is_left_in_the_folder() {
        let (folder, shelf) = folder();
        append(&shelf, "one\n");
        let names: Vec<_> = fs::read_dir(folder.path().join("keys"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names, ["table"]);
    }

    #[test]
    fn what_others_can_read_or_write_is_refused_with_the_remedy() {
        let (folder, shelf) = folder();
        append(&shelf, "one\n");
        let (keys, table) = (folder.path().join("keys"), folder.path().join("keys/table"));
        fs::set_permissions(&table, Permissions::from_mode(0o640)).unwrap();
        let error = shelf.read("table").unwrap_err();
        assert_eq!(error.kind(), Kind::PermissionDenied);
        assert!(error.help().unwrap().contains("chmod 600"));
        fs::set_permissions(&table, Permissions::from_mode(0o600)).unwrap();
        fs::set_permissions(&keys, Permissions::from_mode(0o770)).unwrap();
        let error = shelf.change("table", |_| Ok(())).unwrap_err();
        assert!(error.help().unwrap().contains("chmod 700"));
    }

    #[test]
    fn of_many_who_write_at_once_none_is_lost() {
        let (_folder, shelf) = folder();
        for shelf in [&shelf, &Shelf::Memory(Mutex::default())] {
            std::thread::scope(|scope| {
                for writer in 0..4 {
                    scope
                        .spawn(move || (0..25).for_each(|line| append(shelf, &format!("{writer} {line}\n"))));
                }
            });
            assert_eq!(shelf.read("table").unwrap().lines().count(), 100);
        }
    }

    #[test]
    fn a_change_that_fails_changes_nothing() {
        let (_folder, shelf) = folder();
        append(&shelf, "one\n");
        let failed: Result<()> = shelf.change("table", |text| {
            text.clear();
            Err(Error::config("no"))
        });
        assert!(failed.is_err());
        assert_eq!(shelf.read("table").unwrap(), "one\n");
    }
}
