//! A data folder, and that only one program uses it at a time.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataDirError {
    /// It cannot be made or written.
    #[error("cannot use the folder {path}: {source}")]
    File { path: PathBuf, source: io::Error },
    /// Another program uses it.
    #[error("another {what} ({holder}) already uses the folder {path}: stop that one")]
    InUse { what: &'static str, path: PathBuf, holder: String },
}

impl DataDirError {
    /// The failure of a command whose flag names the folder.
    pub(crate) fn for_flag(&self, flag: &str) -> Failure {
        let text = format!("{self}, or give another folder with {flag}");
        match self {
            Self::File { .. } => Failure::Configuration(text),
            Self::InUse { .. } => Failure::Unavailable(text),
        }
    }
}

/// The folder, used by this process and no other as long as the value lives.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    // Held for its lock, which ends with the process whatever happens to it.
    _lock: File,
}

impl DataDir {
    /// Makes the folder if needed (mode 0700) and takes it for this process, as the only `what` in it.
    ///
    /// # Errors
    /// It cannot be made or written, or is in use.
    pub(crate) fn open(path: &Path, what: &'static str) -> Result<Self, DataDirError> {
        let fail = |source| DataDirError::File { path: path.to_owned(), source };
        make(path).map_err(fail)?;
        // Children run elsewhere than a person who typed a relative path.
        let path = std::path::absolute(path).map_err(fail)?;
        let mut options = OpenOptions::new();
        let lock = path.join(format!("{what}.lock"));
        let mut file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&lock)
            .map_err(fail)?;
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(fail)?;
                Ok(Self { path, _lock: file })
            }
            Err(TryLockError::WouldBlock) => {
                Err(DataDirError::InUse { what, path, holder: holder(&mut file) })
            }
            Err(TryLockError::Error(source)) => Err(fail(source)),
        }
    }

    /// The process that uses the folder now as its `what`.
    pub(crate) fn holder_of(path: &Path, what: &str) -> Option<u32> {
        let mut lock = File::open(path.join(format!("{what}.lock"))).ok()?;
        match lock.try_lock_shared() {
            Err(TryLockError::WouldBlock) => read_pid(&mut lock),
            _ => None,
        }
    }

    /// The folder itself.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Makes a folder that only its owner reads.
///
/// # Errors
/// What the file system says.
pub(crate) fn make(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn holder(lock: &mut File) -> String {
    read_pid(lock).map_or_else(|| "its process is unknown".to_owned(), |pid| format!("process {pid}"))
}

fn read_pid(lock: &mut File) -> Option<u32> {
    let mut text = String::new();
    lock.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
