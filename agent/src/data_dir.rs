//! `DIR`, the folder of one agent: what lies in it, and that only one agent uses it.

use std::path::{Path, PathBuf};

use cloud_sync_api::data_dir::{self, Program};
pub use cloud_sync_api::data_dir::{DataDirError, RunFile};

use crate::config::Environment;

/// Whose folder it is.
static AGENT: Program = Program {
    name: "agent",
    variable: "ROBBIE_DATA",
    below_home: ".local/share/robbie",
    service_dir: SERVICE_DIR,
};

/// Where the service of the system keeps its data; commands look there when a person's own folder knows no agent.
pub const SERVICE_DIR: &str = "/var/lib/robbie";

/// The folder by flag, `ROBBIE_DATA`, `$STATE_DIRECTORY`, or `~/.local/share/robbie`.
///
/// # Errors
/// [`DataDirError::NoHome`].
pub fn resolve(flag: Option<&Path>, environment: &Environment) -> Result<PathBuf, DataDirError> {
    data_dir::resolve(&AGENT, flag, environment)
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

    /// The cloud that the robot belongs to, mode 0600.
    pub fn cloud(&self) -> PathBuf {
        self.root.join("cloud.json")
    }

    /// Certificate and key of `--lan`.
    pub fn tls(&self) -> PathBuf {
        self.root.join("tls")
    }
}

/// The note of the agent that runs in this folder, if there is one.
///
/// # Errors
/// It is there and cannot be read.
pub fn run_note(paths: &DataPaths) -> std::io::Result<Option<RunFile>> {
    RunFile::read(&AGENT, paths.root())
}

/// Whether an agent uses the folder now, and which. `None`: none does, or nobody may know.
pub fn holder_of(paths: &DataPaths) -> Option<String> {
    data_dir::holder_of(&AGENT, paths.root())
}

/// The folder, used by this process and no other as long as the value lives.
#[derive(Debug)]
pub struct DataDir {
    paths: DataPaths,
    dir: data_dir::DataDir,
}

impl DataDir {
    /// Makes the folder if needed (mode 0700) and takes it for this process.
    ///
    /// # Errors
    /// It cannot be made or written, or another agent uses it.
    pub fn open(root: &Path) -> Result<Self, DataDirError> {
        let dir = data_dir::DataDir::open(&AGENT, root)?;
        Ok(Self { paths: DataPaths::new(root), dir })
    }

    /// Names of its files.
    pub fn paths(&self) -> &DataPaths {
        &self.paths
    }

    /// No agent ever ran in it.
    pub fn is_new(&self) -> bool {
        self.dir.is_new()
    }

    /// Tells commands beside it how to reach this agent. It replaces the file in one step.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn announce(&self, run: &RunFile) -> Result<(), DataDirError> {
        self.dir.announce(run)
    }

    /// Takes the note back, at the orderly end.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn withdraw(&self) -> Result<(), DataDirError> {
        self.dir.withdraw()
    }
}

#[cfg(test)]
mod tests;
