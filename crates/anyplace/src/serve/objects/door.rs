//! Where a process is found that has objects: a unix socket without a name.
//!
//! It is bound in a folder of its own, and both are gone at once. A descriptor of the socket's file stays open in this process,
//! and by `/proc/PID/fd/N` others of the same user connect to it: nothing can be left behind, however this process ends. The
//! number of a process may be another's by then, so who connects hears from the greeting whom it has reached.

use crate::error::{Error, Kind, Result, Retry};
use crate::net::{Endpoint, Listener};
use rustix::fs::{Mode, OFlags, open};
use serde::{Deserialize, Serialize};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::OnceLock;

/// Where a process is found by others of the same machine and user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Hint {
    machine: u64,
    process: u32,
    descriptor: u32,
}

/// An open door: others connect, and somebody accepts them.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) listener: Listener,
    /// The socket's file, by which it is found.
    file: OwnedFd,
}

impl Hint {
    /// Where to connect, if that is on this machine.
    pub(crate) fn endpoint(self) -> Option<Endpoint> {
        let path = format!("/proc/{}/fd/{}", self.process, self.descriptor);
        (self.machine == machine()).then(|| Endpoint::Unix(path.into()))
    }
}

impl Door {
    /// # Errors
    /// `ResourceExhausted`, or what the system says.
    pub(super) fn open() -> Result<Self> {
        let folder = tempfile::tempdir().map_err(|error| shut(&error))?;
        let path = folder.path().join("door");
        let listener = crate::net::listen(Endpoint::Unix(path.clone()))?;
        let file = open(&path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty());
        let file = file.map_err(|error| shut(&error.into()))?;
        std::fs::remove_file(&path).map_err(|error| shut(&error))?;
        folder.close().map_err(|error| shut(&error))?;
        Ok(Self { listener, file })
    }

    pub(super) fn hint(&self) -> Hint {
        let descriptor = self.file.as_raw_fd().cast_unsigned();
        Hint { machine: machine(), process: std::process::id(), descriptor }
    }
}

fn shut(error: &std::io::Error) -> Error {
    Error::new(Kind::ResourceExhausted, format!("this process cannot open a door for its objects: {error}"))
        .with_retry(Retry::Safe)
        .with_help("it needs a folder for temporary files, and descriptors (`ulimit -n`)")
}

/// A number of this machine since it was started, and of the numbers that its processes have for us.
fn machine() -> u64 {
    static MACHINE: OnceLock<u64> = OnceLock::new();
    *MACHINE.get_or_init(|| {
        let mut hasher = DefaultHasher::new();
        std::fs::read("/proc/sys/kernel/random/boot_id").unwrap_or_default().hash(&mut hasher);
        std::fs::read_link("/proc/self/ns/pid").unwrap_or_default().hash(&mut hasher);
        hasher.finish()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn a_door_is_found_by_its_hint_and_has_no_file() {
        let door = Door::open().unwrap();
        let until = Some(Instant::now() + Duration::from_secs(5));
        let endpoint = door.hint().endpoint().unwrap();
        let near = crate::net::connect(endpoint, until).unwrap();
        let far = door.listener.accept(until).unwrap();
        near.write(b"x", until).unwrap();
        assert_eq!(far.read(&mut [0; 2], until).unwrap(), 1);
        let Endpoint::Unix(path) = door.listener.endpoint() else { panic!("a unix socket") };
        assert!(!path.exists() && !path.parent().unwrap().exists());
    }
}
