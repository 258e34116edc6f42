//! `DIR`, the folder of one service: the owner's token, and the note by which commands find the service.

use std::path::{Path, PathBuf};

use cloud_sync_api::data_dir::{self, Program};
pub use cloud_sync_api::data_dir::{DataDir, DataDirError, RunFile};
use cloud_sync_api::environment::Environment;

use crate::config::DATA;

/// Whose folder it is.
pub static CLOUD: Program = Program {
    name: "cloud",
    variable: DATA,
    below_home: ".local/share/robbie-cloud",
    service_dir: "/var/lib/robbie-cloud",
};

/// The folder by flag, `ROBBIE_CLOUD_DATA`, `$STATE_DIRECTORY`, or `~/.local/share/robbie-cloud`.
///
/// # Errors
/// [`DataDirError::NoHome`].
pub fn resolve(flag: Option<&Path>, environment: &Environment) -> Result<PathBuf, DataDirError> {
    data_dir::resolve(&CLOUD, flag, environment)
}

/// The weights of models.
pub fn models(root: &Path) -> PathBuf {
    root.join("models")
}

/// Certificate and key of `--lan`.
pub fn tls(root: &Path) -> PathBuf {
    root.join("tls")
}

/// The owner's token, mode 0600.
pub fn owner_token(root: &Path) -> PathBuf {
    root.join("owner-token")
}
