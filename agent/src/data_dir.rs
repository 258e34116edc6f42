//! `DIR`, the folder of one agent: which it is, that only one agent uses it, and the note by which commands find that agent.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::Environment;
use crate::files::write_private;

/// Where the service of the system keeps its data; commands look there when a person's own folder knows no agent.
pub const SERVICE_DIR: &str = "/var/lib/robbie";

/// Waits between tries for the lock: a command that looks whether an agent runs holds it for an instant, too.
const LOCK_WAITS: [Duration; 4] =
    [Duration::from_millis(5), Duration::from_millis(10), Duration::from_millis(20), Duration::ZERO];

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Neither flag nor variable names one, and there is no home.
    #[error("no data folder: give --data DIR, or set ROBBIE_DATA or HOME")]
    NoHome,
    /// It cannot be made.
    #[error("cannot make the data folder {path}")]
    Create {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file in it cannot be written or read.
    #[error("cannot use {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another agent uses it.
    #[error(
        "another agent ({holder}) already uses the data folder {path}; stop that one, or give this one another folder \
         with --data"
    )]
    InUse {
        /// The folder.
        path: PathBuf,
        /// `process 123`, or that it is unknown.
        holder: String,
    },
}

/// The folder by flag, `ROBBIE_DATA`, `$STATE_DIRECTORY`, or `~/.local/share/robbie`.
///
/// # Errors
/// [`DataDirError::NoHome`].
pub fn resolve(flag: Option<&Path>, environment: &Environment) -> Result<PathBuf, DataDirError> {
    if let Some(path) = flag {
        return Ok(path.to_owned());
    }
    if let Some(path) = environment.path("ROBBIE_DATA") {
        return Ok(path);
    }
    // systemd separates several folders with colons; the first one is ours.
    if let Some(path) = environment.get("STATE_DIRECTORY").and_then(|list| list.split(':').next()) {
        return Ok(path.into());
    }
    environment.path("HOME").map(|home| home.join(".local/share/robbie")).ok_or(DataDirError::NoHome)
}

/// Names of the files in a data folder. Makes and opens nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataPaths {
    root: PathBuf,
}

impl DataPaths {
    /// The files of this folder.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Tokens, as SHA-256.
    pub fn tokens(&self) -> PathBuf {
        self.root.join("tokens.json")
    }

    /// The owner's token, mode 0600.
    pub fn owner_token(&self) -> PathBuf {
        self.root.join("owner-token")
    }

    /// The e-stop's latch.
    pub fn latch(&self) -> PathBuf {
        self.root.join("latch")
    }

    /// There while the last run ended in order with the body open.
    pub fn clean(&self) -> PathBuf {
        self.root.join("clean")
    }

    /// The memory: the store's file.
    pub fn memory(&self) -> PathBuf {
        self.root.join("memory.db")
    }

    /// Weights of models, one folder each.
    pub fn models(&self) -> PathBuf {
        self.root.join("models")
    }

    /// Certificate and key of `--lan`.
    pub fn tls(&self) -> PathBuf {
        self.root.join("tls")
    }

    /// How to reach the agent that runs.
    pub fn run_file(&self) -> PathBuf {
        self.root.join("agent.json")
    }

    /// Locked while an agent uses the folder; holds its process id.
    pub fn lock(&self) -> PathBuf {
        self.root.join("agent.lock")
    }
}

/// How to reach the agent that runs, for commands beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFile {
    /// Its process.
    pub pid: u32,
    /// Its URL on this machine, without token.
    pub url: String,
    /// SHA-256 of its certificate, as [`crate::lan::Fingerprint`] prints it; none without TLS.
    #[serde(default)]
    pub fingerprint: Option<String>,
}

impl RunFile {
    /// The note of the agent that runs in this folder, if there is one.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn read(paths: &DataPaths) -> io::Result<Option<Self>> {
        match fs::read(paths.run_file()) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The folder, used by this process and no other as long as the value lives.
#[derive(Debug)]
pub struct DataDir {
    paths: DataPaths,
    is_new: bool,
    // Held for its lock, which ends with the process whatever happens to it.
    _lock: File,
}

impl DataDir {
    /// Makes the folder if needed (mode 0700) and takes it for this process.
    ///
    /// # Errors
    /// It cannot be made or written, or another agent uses it.
    pub fn open(root: &Path) -> Result<Self, DataDirError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(root)
            .map_err(|source| DataDirError::Create { path: root.to_owned(), source })?;
        let paths = DataPaths::new(root);
        let is_new = !paths.lock().exists();
        let lock = take_lock(&paths)?;
        // A note of an agent that died: nobody shall follow it.
        remove_if_there(&paths.run_file())?;
        Ok(Self { paths, is_new, _lock: lock })
    }

    /// Names of its files.
    pub fn paths(&self) -> &DataPaths {
        &self.paths
    }

    /// No agent ever ran in it.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// Tells commands beside it how to reach this agent. It replaces the file in one step.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn announce(&self, run: &RunFile) -> Result<(), DataDirError> {
        let path = self.paths.run_file();
        let fail = |source| DataDirError::File { path: path.clone(), source };
        let text = serde_json::to_vec(run).map_err(|error| fail(error.into()))?;
        write_private(&path, &text).map_err(fail)
    }

    /// Takes the note back, at the orderly end.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn withdraw(&self) -> Result<(), DataDirError> {
        remove_if_there(&self.paths.run_file())
    }
}

fn take_lock(paths: &DataPaths) -> Result<File, DataDirError> {
    let path = paths.lock();
    let fail = |source| DataDirError::File { path: path.clone(), source };
    let mut lock = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(fail)?;
    for wait in LOCK_WAITS {
        match lock.try_lock() {
            Ok(()) => {
                lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id())).map_err(fail)?;
                return Ok(lock);
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(wait),
            Err(TryLockError::Error(source)) => return Err(fail(source)),
        }
    }
    Err(DataDirError::InUse { path: paths.root.clone(), holder: holder(&mut lock) })
}

/// Whether an agent uses the folder now, and which. `None`: none does, or nobody may know.
pub fn holder_of(paths: &DataPaths) -> Option<String> {
    let mut lock = File::open(paths.lock()).ok()?;
    // A shared lock suffices to find the exclusive one, and lets two who look not mistake each other for an agent.
    match lock.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Some(holder(&mut lock)),
        _ => None,
    }
}

fn holder(lock: &mut File) -> String {
    let mut text = String::new();
    let read = lock.take(32).read_to_string(&mut text);
    match (read, text.trim().parse::<u32>()) {
        (Ok(_), Ok(pid)) => format!("process {pid}"),
        _ => "its process is unknown".to_owned(),
    }
}

fn remove_if_there(path: &Path) -> Result<(), DataDirError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(DataDirError::File { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
