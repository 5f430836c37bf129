//! Where things are in the repository and its build folder.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The repository with its build folder.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// The root of the repository.
    pub(crate) root: PathBuf,
    /// Where cargo builds.
    pub(crate) target: PathBuf,
}

impl Site {
    /// The repository that this program was built from.
    pub(crate) fn here() -> Self {
        let root =
            Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of it").to_owned();
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), |folder| root.join(folder));
        Self { root, target }
    }

    /// The virtual environment with the wheel in it.
    pub(crate) fn venv(&self) -> PathBuf {
        self.target.join("venv")
    }

    /// The virtual environment's Python.
    pub(crate) fn python(&self) -> PathBuf {
        self.venv().join("bin/python")
    }

    /// The virtual environment of comparisons: the wheel and its peers.
    pub(crate) fn peers(&self) -> PathBuf {
        self.target.join("peers")
    }

    /// That environment's Python.
    pub(crate) fn peers_python(&self) -> PathBuf {
        self.peers().join("bin/python")
    }

    /// The command line built by `cargo build --release`.
    pub(crate) fn command(&self) -> PathBuf {
        self.target.join("release/anyplace")
    }

    /// The search path on which the built command and the environment's programs come first.
    pub(crate) fn path(&self) -> OsString {
        let folders = [self.target.join("release"), self.venv().join("bin")];
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        let all = folders.into_iter().chain(std::env::split_paths(&inherited));
        std::env::join_paths(all).expect("folders of a search path hold no colon")
    }

    /// How a person would write the path: from the root of the repository where it is inside.
    pub(crate) fn short<'a>(&self, path: &'a Path) -> &'a Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }

    /// A new empty folder in the build folder.
    pub(crate) fn empty_folder(&self, name: &str) -> crate::Result<PathBuf> {
        let folder = self.target.join("xtask").join(name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(folder)
    }
}
