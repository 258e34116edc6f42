//! Where the programs of the parts are.

use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// The three programs, found.
#[derive(Debug)]
pub(super) struct Programs {
    /// This one.
    pub(super) tryout: PathBuf,
    pub(super) cloud: PathBuf,
    pub(super) agent: PathBuf,
}

impl Programs {
    /// Looks in `folder`, or beside this program.
    ///
    /// # Errors
    /// One is missing; it says how to build it.
    pub(super) fn find(folder: Option<&Path>) -> Result<Self, Failure> {
        let tryout = std::env::current_exe().map_err(|error| {
            Failure::Configuration(format!("cannot find this program's own file: {error}"))
        })?;
        let folder = folder.or(tryout.parent()).unwrap_or(Path::new("."));
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        Ok(Self {
            cloud: program(&folder, "robbie-cloud", "cloud-sync")?,
            agent: program(&folder, "robbie-agent", "agent")?,
            tryout,
        })
    }
}

fn program(folder: &Path, name: &str, package: &str) -> Result<PathBuf, Failure> {
    let path = folder.join(name);
    if path.is_file() {
        return Ok(path);
    }
    Err(Failure::Configuration(format!(
        "{name} is not in {}: build it with `cargo build --package {package} --bin {name}` (`make run` builds all that is \
         needed), or name the folder it is in with --programs",
        folder.display()
    )))
}
