//! The folder of one system.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use tempfile::TempDir;

/// A temporary folder, in the build folder: that is on a disk, as a robot's data is, where `/tmp` may be in memory.
#[derive(Debug)]
pub(crate) struct Place(TempDir);

impl Place {
    /// An empty one.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("system-").tempdir_in(env!("CARGO_TARGET_TMPDIR"));
        let folder = folder.context("no temporary folder")?;
        // Postgres, which never runs as root, must get through to its own folder.
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o711))?;
        Ok(Self(folder))
    }

    /// The folder itself.
    pub(crate) fn root(&self) -> &Path {
        self.0.path()
    }

    /// A path in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    /// Leaves the folder where it is.
    pub(crate) fn keep(self) -> PathBuf {
        self.0.keep()
    }
}
