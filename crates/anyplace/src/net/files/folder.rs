//! The folder that files are received in, and nothing outside of it.
//!
//! Paths are a stranger's words. Each name is looked up in the folder that was opened before it, and a symbolic link is
//! nowhere followed, so that no path leads out: not by `..`, not by a link that was there before, not by one that somebody
//! puts there meanwhile.

use super::source::State;
use crate::error::{Error, Result};
use crate::wire::files::Ended;
use rustix::fs::{
    AtFlags, CWD, FileType, FlockOperation, Mode, OFlags, RenameFlags, Stat, Timespec, Timestamps,
    UTIME_OMIT, fchmod, flock, fstat, fstatvfs, futimens, mkdirat, openat, renameat, renameat_with, statat,
};
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// What a file that is not whole is called: `.NAME` and this.
const PART: &[u8] = b".anyplace-part";

/// The longest name of a file.
const LONGEST: usize = 255;

/// How often somebody else may take a part away while we open it.
const TRIES: u32 = 16;

/// Permissions that are kept: whoever sends a file does not say as whom it is run.
const PERMISSIONS: u32 = 0o777;

/// A folder that files are received in.
#[derive(Debug)]
pub(super) struct Folder(OwnedFd);

/// A name in a folder: where a file belongs.
#[derive(Debug)]
pub(super) struct Spot {
    folder: OwnedFd,
    name: Vec<u8>,
}

/// A file that is not whole yet. What of it is there stays, for who goes on.
#[derive(Debug)]
pub(super) struct Part {
    spot: Spot,
    pub(super) file: File,
}

/// What stands where a file belongs.
#[derive(Debug)]
pub(super) enum Found {
    Nothing,
    File(State),
    /// No file: it is not ours to replace.
    Other(&'static str),
}

/// Why something is not to be had: `Refused` is by a rule, `Failed` is by the system.
pub(super) type Outcome<T> = std::result::Result<T, Ended>;

impl Folder {
    /// Opens it, made if it is not there.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let told = |error: io::Error| {
            let help = "name a folder that this user can write to";
            Error::from(error).during(format!("open the folder `{}`", path.display())).with_help(help)
        };
        std::fs::create_dir_all(path).map_err(told)?;
        openat(CWD, path, FOLDER, Mode::empty()).map(Self).map_err(|errno| told(errno.into()))
    }

    /// The spot for a path, all of whose folders are there.
    pub(super) fn spot(&self, path: &[Vec<u8>]) -> Outcome<Spot> {
        path.iter().try_for_each(|name| check_name(name))?;
        let (name, folders) = path.split_last().expect("a path has a name");
        let mut folder = self.0.try_clone().map_err(|error| failed(&error))?;
        for name in folders {
            folder = enter(&folder, name)?;
        }
        Ok(Spot { folder, name: name.clone() })
    }
}

/// Without `NOFOLLOW`: the folder that was named by our own user may be a link.
const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

fn enter(folder: &OwnedFd, name: &[u8]) -> Outcome<OwnedFd> {
    openat(folder, name, FOLDER | OFlags::NOFOLLOW, Mode::empty()).map_err(|errno| match errno {
        Errno::LOOP | Errno::NOTDIR => refused("a folder on its path is no folder here"),
        Errno::NOENT => refused("its folder is not here"),
        errno => failed(&errno.into()),
    })
}

/// A name that is one step down, and nothing of ours.
fn check_name(name: &[u8]) -> Outcome<()> {
    let is_step =
        !name.is_empty() && name != b"." && name != b".." && !name.contains(&b'/') && !name.contains(&0);
    if !is_step || name.len() > LONGEST {
        return Err(refused("its path leads out of the folder, or is none"));
    }
    if name.starts_with(b".") && name.ends_with(PART) {
        return Err(refused("names like this are for files that are not whole"));
    }
    Ok(())
}

impl Spot {
    /// What is there.
    pub(super) fn look(&self) -> Outcome<Found> {
        match statat(&self.folder, self.name.as_slice(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(match FileType::from_raw_mode(stat.st_mode) {
                FileType::RegularFile => Found::File(State::of(&stat)),
                FileType::Directory => Found::Other("a folder of that name is here"),
                FileType::Symlink => Found::Other("a symbolic link of that name is here"),
                _ => Found::Other("something of that name is here that is no file"),
            }),
            Err(Errno::NOENT) => Ok(Found::Nothing),
            Err(errno) => Err(failed(&errno.into())),
        }
    }

    /// Opens what is there, to read it.
    pub(super) fn open(&self) -> Outcome<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = openat(&self.folder, self.name.as_slice(), flags, Mode::empty());
        fd.map(File::from).map_err(|errno| failed(&errno.into()))
    }

    /// Makes a folder, unless there is one: whether it is new.
    pub(super) fn make_folder(&self, mode: u32) -> Outcome<bool> {
        // Until all is in it, its owner must be able to write to it.
        let mode = Mode::from_raw_mode((mode & PERMISSIONS) | 0o700);
        match mkdirat(&self.folder, self.name.as_slice(), mode) {
            Ok(()) => Ok(true),
            Err(Errno::EXIST) => {
                match statat(&self.folder, self.name.as_slice(), AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Directory => Ok(false),
                    Ok(_) => Err(refused("something of that name is here that is no folder")),
                    Err(errno) => Err(failed(&errno.into())),
                }
            }
            Err(errno) => Err(failed(&errno.into())),
        }
    }

    /// Gives a folder that was made its permissions and its time.
    pub(super) fn end_folder(&self, mode: u32, modified: (i64, u32)) -> Outcome<()> {
        let folder = enter(&self.folder, &self.name)?;
        dress(folder.as_fd(), mode, modified).map_err(|errno| failed(&errno.into()))
    }

    /// How many bytes the disk can take.
    pub(super) fn room(&self) -> u64 {
        fstatvfs(&self.folder).map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// Opens the part of the file that was received before, or a new one. Nobody else writes to it at the same time.
    pub(super) fn part(self) -> Outcome<Part> {
        for _ in 0..TRIES {
            let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let mode = Mode::RUSR | Mode::WUSR;
            let fd = openat(&self.folder, self.part_name(), flags, mode).map_err(|errno| match errno {
                Errno::LOOP => refused("a symbolic link is where its part belongs"),
                errno => failed(&errno.into()),
            })?;
            match flock(&fd, FlockOperation::NonBlockingLockExclusive) {
                Err(Errno::WOULDBLOCK) => return Err(refused("somebody is sending it already")),
                locked => locked.map_err(|errno| failed(&errno.into()))?,
            }
            let stat = fstat(&fd).map_err(|errno| failed(&errno.into()))?;
            if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || stat.st_nlink > 1 {
                return Err(refused("something else is where its part belongs"));
            }
            if self.is_at(&self.part_name(), &stat) {
                return Ok(Part { spot: self, file: File::from(fd) });
            }
            // Whoever had it ended it between our opening and our locking it.
        }
        Err(refused("somebody is sending it already"))
    }

    fn is_at(&self, name: &[u8], stat: &Stat) -> bool {
        let found = statat(&self.folder, name, AtFlags::SYMLINK_NOFOLLOW);
        found.is_ok_and(|found| (found.st_dev, found.st_ino) == (stat.st_dev, stat.st_ino))
    }

    /// `.NAME.anyplace-part`; of a long name its first letters and a digest of all of them.
    fn part_name(&self) -> Vec<u8> {
        let name = &self.name;
        let room = LONGEST - 1 - PART.len();
        if name.len() <= room {
            return [b".", name.as_slice(), PART].concat();
        }
        let digest = &blake3::hash(name).to_hex()[..16];
        [b".", &name[..room - digest.len()], digest.as_bytes(), PART].concat()
    }
}

impl Part {
    /// It stays a part: one that its owner can go on with.
    fn undress(&self) {
        // It fails where the disk is gone, which the caller tells.
        let _ = fchmod(&self.file, Mode::RUSR | Mode::WUSR);
    }

    /// The file is whole: it gets its permissions, its time and its name.
    ///
    /// What has been written is with the system, as after `cp`; that it survives a loss of power is not waited for.
    pub(super) fn end(self, mode: u32, modified: (i64, u32), may_replace: bool) -> Outcome<()> {
        dress(self.file.as_fd(), mode, modified).map_err(|errno| failed(&errno.into()))?;
        let Spot { folder, name } = &self.spot;
        let part = self.spot.part_name();
        let rename = || renameat(folder, part.as_slice(), folder, name.as_slice());
        let renamed = match may_replace {
            true => rename(),
            false => {
                let flags = RenameFlags::NOREPLACE;
                match renameat_with(folder, part.as_slice(), folder, name.as_slice(), flags) {
                    // A file system that cannot: then it is looked at first, as well as it can be.
                    Err(Errno::INVAL | Errno::NOSYS) => match self.spot.look()? {
                        Found::Nothing => rename(),
                        _ => Err(Errno::EXIST),
                    },
                    renamed => renamed,
                }
            }
        };
        renamed.inspect_err(|_| self.undress()).map_err(|errno| match errno {
            Errno::EXIST => refused("something of that name has appeared here meanwhile"),
            errno => failed(&errno.into()),
        })
    }
}

fn dress(fd: impl AsFd + Copy, mode: u32, (seconds, nanoseconds): (i64, u32)) -> Result<(), Errno> {
    fchmod(fd, Mode::from_raw_mode(mode & PERMISSIONS))?;
    let accessed = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
    let modified = Timespec { tv_sec: seconds, tv_nsec: nanoseconds.into() };
    futimens(fd, &Timestamps { last_access: accessed, last_modification: modified })
}

pub(super) fn refused(why: &str) -> Ended {
    Ended::Refused(why.to_owned())
}

pub(super) fn failed(error: &io::Error) -> Ended {
    Ended::Failed(match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "the disk is full".to_owned(),
        _ => error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    fn path(names: &[&str]) -> Vec<Vec<u8>> {
        names.iter().map(|name| name.as_bytes().to_vec()).collect()
    }

    fn folder() -> (tempfile::TempDir, Folder) {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::open(&home.path().join("in/box")).unwrap();
        (home, folder)
    }

    fn is_refused<T: std::fmt::Debug>(outcome: Outcome<T>) -> bool {
        matches!(outcome, Err(Ended::Refused(_)))
    }

    #[test]
    fn no_path_leads_out_of_the_folder() {
        let (home, folder) = folder();
        let inbox = home.path().join("in/box");
        symlink("/etc", inbox.join("link")).unwrap();
        fs::create_dir(inbox.join("here")).unwrap();
        symlink("../..", inbox.join("here/up")).unwrap();
        for hostile in [
            &[".."][..],
            &["here", "..", "..", "x"],
            &["/etc/passwd"],
            &["here", "/etc/passwd"],
            &["here/../../x"],
            &["."],
            &[""],
            &["here", ""],
            &["x\0y"],
            &["link", "passwd"],
            &["here", "up", "x"],
            &[".x.anyplace-part"],
            &[&"x".repeat(256)],
        ] {
            assert!(is_refused(folder.spot(&path(hostile))), "{hostile:?}");
        }
        assert!(
            folder
                .spot(&path(&["here", "...", "x"]))
                .is_err_and(|ended| ended == refused("its folder is not here"))
        );
    }

    #[test]
    fn what_is_no_file_is_not_replaced() {
        let (home, folder) = folder();
        let inbox = home.path().join("in/box");
        symlink("/etc/passwd", inbox.join("link")).unwrap();
        fs::create_dir(inbox.join("folder")).unwrap();
        for name in ["link", "folder"] {
            assert!(matches!(folder.spot(&path(&[name])).unwrap().look(), Ok(Found::Other(_))), "{name}");
        }
        assert!(is_refused(folder.spot(&path(&["link"])).unwrap().make_folder(0o755)));
    }

    #[test]
    fn a_part_becomes_a_file_with_its_permissions_and_time() {
        let (home, folder) = folder();
        let spot = || folder.spot(&path(&["tool"])).unwrap();
        let part = spot().part().unwrap();
        assert!(is_refused(spot().part()), "it is being written");
        part.end(0o106_755, (1_000_000_000, 5), false).unwrap();
        let state = fs::metadata(home.path().join("in/box/tool")).unwrap();
        assert_eq!((state.mode() & 0o7777, state.mtime(), state.mtime_nsec()), (0o755, 1_000_000_000, 5));
        assert_eq!(fs::read_dir(home.path().join("in/box")).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_appeared_meanwhile_is_replaced_only_by_force() {
        let (home, folder) = folder();
        let file = home.path().join("in/box/file");
        for (may_replace, left) in [(false, "theirs"), (true, "")] {
            let part = folder.spot(&path(&["file"])).unwrap().part().unwrap();
            fs::write(&file, "theirs").unwrap();
            assert_eq!(part.end(0o644, (0, 0), may_replace).is_ok(), may_replace);
            assert_eq!(fs::read_to_string(&file).unwrap(), left);
        }
    }

    #[test]
    fn a_part_is_never_something_else() {
        let (home, folder) = folder();
        let inbox = home.path().join("in/box");
        let victim = home.path().join("victim");
        fs::write(&victim, "theirs").unwrap();
        symlink(&victim, inbox.join(".a.anyplace-part")).unwrap();
        fs::hard_link(&victim, inbox.join(".b.anyplace-part")).unwrap();
        for name in ["a", "b"] {
            assert!(is_refused(folder.spot(&path(&[name])).unwrap().part()), "{name}");
        }
    }

    #[test]
    fn parts_of_long_names_are_told_apart() {
        let (_home, folder) = folder();
        let names = ["x".repeat(254) + "1", "x".repeat(254) + "2"];
        let parts = names.map(|name| folder.spot(&path(&[&name])).unwrap().part_name());
        assert!(parts[0] != parts[1] && parts.iter().all(|part| part.len() == LONGEST));
        assert!(folder.spot(&path(&[&"y".repeat(255)])).unwrap().part().is_ok());
    }

    #[test]
    fn a_folder_can_be_filled_before_it_is_closed_to_its_owner() {
        let (home, folder) = folder();
        let spot = folder.spot(&path(&["closed"])).unwrap();
        assert_eq!(spot.make_folder(0o555), Ok(true));
        assert_eq!(spot.make_folder(0o555), Ok(false));
        let mode = || fs::metadata(home.path().join("in/box/closed")).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode() & 0o700, 0o700);
        spot.end_folder(0o555, (0, 0)).unwrap();
        assert_eq!(mode(), 0o555);
    }
}
