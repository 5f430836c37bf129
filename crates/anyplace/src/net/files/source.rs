//! What is to be sent: files, and folders with all that is in them.
//!
//! Each name is opened in the folder that was opened before it, never by its whole path, and never through a symbolic
//! link: whoever moves things about while they are sent cannot make us send something else.

use crate::wire::files::{Offer, What};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, fstat, openat, statat};
use rustix::io::Errno;
use std::ffi::{CStr, CString, OsStr};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::vec;

/// The bytes of a block in which a file system counts.
const BLOCK: u64 = 512;

/// Something to send.
#[derive(Debug)]
pub(super) struct Entry {
    /// Where it belongs at the other end, and what a person calls it.
    pub(super) path: PathBuf,
    /// The file, open; `None` for a folder.
    pub(super) file: Option<File>,
    pub(super) state: State,
}

/// What of a file's state is kept at the other end, or tells that it has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    pub(super) length: u64,
    /// How much of it is stored: the rest are holes.
    pub(super) stored: u64,
    pub(super) mode: u32,
    pub(super) modified: (i64, u32),
}

/// Why something is not sent.
#[derive(Debug)]
pub(super) struct Unsent {
    pub(super) path: PathBuf,
    pub(super) why: Why,
}

#[derive(Debug)]
pub(super) enum Why {
    /// It is nothing that is ever sent.
    Skipped(&'static str),
    /// It cannot be read.
    Failed(io::Error),
}

/// Goes through paths, and through the folders among them: a folder first, then what is in it, by name.
#[derive(Debug)]
pub(super) struct Source {
    paths: vec::IntoIter<PathBuf>,
    /// The folders that are open, each in the one before.
    folders: Vec<Folder>,
}

#[derive(Debug)]
struct Folder {
    fd: OwnedFd,
    path: PathBuf,
    names: vec::IntoIter<CString>,
}

impl Source {
    pub(super) fn new(paths: Vec<PathBuf>) -> Self {
        Self { paths: paths.into_iter(), folders: Vec::new() }
    }

    /// What was named by a person: a symbolic link there is followed.
    fn named(&mut self, path: &Path) -> Result<Entry, Unsent> {
        let unsent = |error: io::Error| Unsent { path: path.to_owned(), why: Why::Failed(error) };
        let name = own_name(path).map_err(unsent)?;
        let stat = rustix::fs::stat(path).map_err(|errno| unsent(errno.into()))?;
        let open = |flags| rustix::fs::open(path, flags, Mode::empty());
        self.entry(PathBuf::from(name), &stat, open).map_err(|why| Unsent { path: path.to_owned(), why })
    }

    /// What stands in the innermost folder.
    fn inside(&mut self, name: &CStr) -> Result<Entry, Unsent> {
        let folder = self.folders.last().expect("a folder that has names");
        let path = folder.path.join(OsStr::from_bytes(name.to_bytes()));
        let fd = folder.fd.as_fd().try_clone_to_owned();
        let entry = fd.map_err(Why::Failed).and_then(|fd| {
            let stat =
                statat(&fd, name, AtFlags::SYMLINK_NOFOLLOW).map_err(|errno| Why::Failed(errno.into()))?;
            self.entry(path.clone(), &stat, |flags| {
                openat(&fd, name, flags | OFlags::NOFOLLOW, Mode::empty())
            })
        });
        entry.map_err(|why| Unsent { path, why })
    }

    /// Opens it if it is something to send. What it is may change before it is open, so that is asked again.
    fn entry(
        &mut self,
        path: PathBuf,
        stat: &Stat,
        open: impl FnOnce(OFlags) -> Result<OwnedFd, Errno>,
    ) -> Result<Entry, Why> {
        let failed = |errno: Errno| Why::Failed(errno.into());
        // Whatever it turns out to be, opening it does not wait.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        is_sendable(stat)?;
        let fd = open(flags).map_err(failed)?;
        let stat = fstat(&fd).map_err(failed)?;
        is_sendable(&stat)?;
        let state = State::of(&stat);
        let file = match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                self.folders.push(Folder::new(fd, path.clone()).map_err(Why::Failed)?);
                None
            }
            _ => Some(File::from(fd)),
        };
        Ok(Entry { path, file, state })
    }
}

impl Iterator for Source {
    type Item = Result<Entry, Unsent>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(folder) = self.folders.last_mut() {
            match folder.names.next() {
                Some(name) => return Some(self.inside(&name)),
                None => drop(self.folders.pop()),
            }
        }
        let path = self.paths.next()?;
        Some(self.named(&path))
    }
}

impl Folder {
    fn new(fd: OwnedFd, path: PathBuf) -> io::Result<Self> {
        let mut names = Dir::read_from(&fd)?
            .map(|entry| entry.map(|entry| entry.file_name().to_owned()))
            .collect::<Result<Vec<_>, _>>()?;
        names.retain(|name| ![b".".as_slice(), b".."].contains(&name.to_bytes()));
        names.sort_unstable();
        Ok(Self { fd, path, names: names.into_iter() })
    }
}

impl State {
    pub(super) fn of(stat: &Stat) -> Self {
        let number = |number: i64| u64::try_from(number).unwrap_or(0);
        let length = number(stat.st_size);
        Self {
            length,
            stored: length.min(number(stat.st_blocks) * BLOCK),
            mode: stat.st_mode & 0o777,
            modified: (stat.st_mtime, u32::try_from(stat.st_mtime_nsec).unwrap_or(0)),
        }
    }
}

impl Entry {
    pub(super) fn offer(&self) -> Offer {
        let State { length, stored, mode, modified } = self.state;
        let what = match self.file {
            Some(_) => What::File { length, stored },
            None => What::Folder,
        };
        let path = self.path.iter().map(|name| name.as_bytes().to_vec()).collect();
        Offer { path, what, mode, modified }
    }

    /// Whether somebody wrote to the file after it was opened.
    pub(super) fn has_changed(&self) -> bool {
        let state = self.file.as_ref().and_then(|file| fstat(file).ok()).map(|stat| State::of(&stat));
        state.is_none_or(|state| (state.length, state.modified) != (self.state.length, self.state.modified))
    }
}

/// The last part of a path; of `.` and the like that of what they stand for.
fn own_name(path: &Path) -> io::Result<std::ffi::OsString> {
    if let Some(name) = path.file_name() {
        return Ok(name.to_owned());
    }
    let whole = path.canonicalize()?;
    let no_name = || io::Error::new(io::ErrorKind::InvalidInput, "it has no name of its own");
    whole.file_name().map(OsStr::to_owned).ok_or_else(no_name)
}

fn is_sendable(stat: &Stat) -> Result<(), Why> {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile | FileType::Directory => Ok(()),
        FileType::Symlink => Err(Why::Skipped("it is a symbolic link, which is not followed")),
        _ => Err(Why::Skipped("it is neither a file nor a folder")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn told(paths: &[&Path]) -> Vec<String> {
        let paths = paths.iter().map(|path| path.to_path_buf()).collect();
        let entries = Source::new(paths).map(|entry| match entry {
            Ok(entry) => entry.path.display().to_string(),
            Err(Unsent { path, why: Why::Skipped(_) }) => format!("skipped {}", path.display()),
            Err(Unsent { why: Why::Failed(error), .. }) => format!("failed {:?}", error.kind()),
        });
        entries.collect()
    }

    #[test]
    fn a_folder_comes_before_what_is_in_it_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().join("top");
        fs::create_dir_all(top.join("b/empty")).unwrap();
        fs::write(top.join("b/1"), "").unwrap();
        fs::write(top.join("a"), "").unwrap();
        assert_eq!(told(&[&top]), ["top", "top/a", "top/b", "top/b/1", "top/b/empty"]);
        assert_eq!(told(&[&top.join("b/..")]).first().unwrap(), "top");
    }

    #[test]
    fn links_inside_a_folder_are_not_followed_and_named_ones_are() {
        let folder = tempfile::tempdir().unwrap();
        let (top, link) = (folder.path().join("top"), folder.path().join("link"));
        fs::create_dir(&top).unwrap();
        symlink("/etc/passwd", top.join("passwd")).unwrap();
        symlink(&top, &link).unwrap();
        assert_eq!(told(&[&link]), ["link", "skipped link/passwd"]);
    }

    #[test]
    fn what_is_no_file_is_not_even_opened() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert_eq!(
            told(&[&socket, Path::new("/dev/null")]),
            ["skipped ".to_owned() + socket.to_str().unwrap(), "skipped /dev/null".into()]
        );
        assert_eq!(told(&[&folder.path().join("nothing")]), ["failed NotFound"]);
    }
}
