//! `DIR`, the data folder of one program: which it is, that only one program uses it, and the note by which commands find that
//! program. What lies in it is the program's business.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::environment::Environment;
use crate::files::write_private;

/// Whose folder it is.
#[derive(Debug)]
pub struct Program {
    /// What people call the program, and its files are named after: `agent`.
    pub name: &'static str,
    /// The variable of the environment that names its folder.
    pub variable: &'static str,
    /// Its folder below the person's home where nothing names one.
    pub below_home: &'static str,
    /// Where the service of the system keeps its data; commands look there when a person's own folder knows no such program.
    pub service_dir: &'static str,
}

/// Waits between tries for the lock: a command that looks whether a program runs holds it for an instant, too.
const LOCK_WAITS: [Duration; 4] =
    [Duration::from_millis(5), Duration::from_millis(10), Duration::from_millis(20), Duration::ZERO];

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Neither flag nor variable names one, and there is no home.
    #[error("no data folder: give --data DIR, or set {variable} or HOME")]
    NoHome {
        /// The variable that names it.
        variable: &'static str,
    },
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
    /// Another program uses it.
    #[error(
        "another {name} ({holder}) already uses the data folder {path}; stop that one, or give this one another folder \
         with --data"
    )]
    InUse {
        /// What people call the program.
        name: &'static str,
        /// The folder.
        path: PathBuf,
        /// `process 123`, or that it is unknown.
        holder: String,
    },
}

/// The folder by flag, the program's variable, `$STATE_DIRECTORY`, or the one below the person's home.
///
/// # Errors
/// [`DataDirError::NoHome`].
pub fn resolve(
    program: &Program,
    flag: Option<&Path>,
    environment: &Environment,
) -> Result<PathBuf, DataDirError> {
    if let Some(path) = flag {
        return Ok(path.to_owned());
    }
    if let Some(path) = environment.path(program.variable) {
        return Ok(path);
    }
    // systemd separates several folders with colons; the first one is ours.
    if let Some(path) = environment.get("STATE_DIRECTORY").and_then(|list| list.split(':').next()) {
        return Ok(path.into());
    }
    let home = environment.path("HOME").map(|home| home.join(program.below_home));
    home.ok_or(DataDirError::NoHome { variable: program.variable })
}

/// How to reach the program that runs, for commands beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFile {
    /// Its process.
    pub pid: u32,
    /// Its URL on this machine, without token.
    pub url: String,
    /// SHA-256 of its certificate, in hexadecimal digits; none without one of its own.
    #[serde(default)]
    pub fingerprint: Option<String>,
}

impl RunFile {
    /// The note of the program that runs in this folder, if there is one.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn read(program: &Program, root: &Path) -> io::Result<Option<Self>> {
        match fs::read(run_file(program, root)) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The folder, used by this process and no other as long as the value lives.
#[derive(Debug)]
pub struct DataDir {
    program: &'static Program,
    root: PathBuf,
    is_new: bool,
    // Held for its lock, which ends with the process whatever happens to it.
    _lock: File,
}

impl DataDir {
    /// Makes the folder if needed (mode 0700) and takes it for this process.
    ///
    /// # Errors
    /// It cannot be made or written, or another program uses it.
    pub fn open(program: &'static Program, root: &Path) -> Result<Self, DataDirError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(root)
            .map_err(|source| DataDirError::Create { path: root.to_owned(), source })?;
        let is_new = !lock_file(program, root).exists();
        let lock = take_lock(program, root)?;
        // A note of a program that died: nobody shall follow it.
        remove_if_there(&run_file(program, root))?;
        Ok(Self { program, root: root.to_owned(), is_new, _lock: lock })
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// No such program ever ran in it.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// Tells commands beside it how to reach this program. It replaces the file in one step.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn announce(&self, run: &RunFile) -> Result<(), DataDirError> {
        let path = run_file(self.program, &self.root);
        let fail = |source| DataDirError::File { path: path.clone(), source };
        let text = serde_json::to_vec(run).map_err(|error| fail(error.into()))?;
        write_private(&path, &text).map_err(fail)
    }

    /// Takes the note back, at the orderly end.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn withdraw(&self) -> Result<(), DataDirError> {
        remove_if_there(&run_file(self.program, &self.root))
    }
}

/// How to reach the program that runs.
fn run_file(program: &Program, root: &Path) -> PathBuf {
    root.join(format!("{}.json", program.name))
}

/// Locked while a program uses the folder; holds its process id.
fn lock_file(program: &Program, root: &Path) -> PathBuf {
    root.join(format!("{}.lock", program.name))
}

fn take_lock(program: &Program, root: &Path) -> Result<File, DataDirError> {
    let path = lock_file(program, root);
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
    Err(DataDirError::InUse { name: program.name, path: root.to_owned(), holder: holder(&mut lock) })
}

/// Whether a program uses the folder now, and which. `None`: none does, or nobody may know.
pub fn holder_of(program: &Program, root: &Path) -> Option<String> {
    let mut lock = File::open(lock_file(program, root)).ok()?;
    // A shared lock suffices to find the exclusive one, and lets two who look not mistake each other for the program.
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
