//! Where everything is: folders, addresses, and the one list of URLs that a person gets.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use super::files::write_private;
use crate::data_dir;
use crate::failure::Failure;

/// The folders of a try-out.
#[derive(Debug)]
pub(super) struct Folders {
    pub(super) root: PathBuf,
    pub(super) database: PathBuf,
    pub(super) cloud: PathBuf,
    pub(super) robot: PathBuf,
    pub(super) logs: PathBuf,
}

/// Where the parts of a running try-out are reached.
#[derive(Debug)]
pub(super) struct Places {
    pub(super) robot: SocketAddr,
    pub(super) cloud: SocketAddr,
    pub(super) database: String,
    pub(super) broker: String,
}

/// Whether the list holds the owner's tokens or only says where they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Secrets {
    Shown,
    OnlyPaths,
}

impl Folders {
    /// Makes them.
    ///
    /// # Errors
    /// One cannot be made.
    pub(super) fn make(root: &Path) -> Result<Self, Failure> {
        let folder = |name| {
            let path = root.join(name);
            data_dir::make(&path).map(|()| path.clone()).map_err(|error| {
                Failure::Configuration(format!("cannot make {}: {error}; choose with --data", path.display()))
            })
        };
        Ok(Self {
            root: root.to_owned(),
            database: folder("database")?,
            cloud: folder("cloud")?,
            robot: folder("robot")?,
            logs: folder("logs")?,
        })
    }

    /// Writes down, for programs, what a person reads from the list. Without secrets.
    ///
    /// # Errors
    /// What the file system says.
    pub(super) fn note_places(
        &self,
        places: &Places,
        processes: impl Iterator<Item = (&'static str, u32)>,
    ) -> io::Result<()> {
        let processes: Map<String, Value> =
            processes.map(|(name, pid)| (name.to_owned(), pid.into())).collect();
        let note = json!({
            "pid": std::process::id(),
            "robot": format!("http://{}", places.robot),
            "cloud": format!("http://{}", places.cloud),
            "database": places.database,
            "broker": places.broker,
            "processes": processes,
        });
        write_private(&self.note(), note.to_string().as_bytes())
    }

    /// Takes the note back.
    pub(super) fn forget_places(&self) {
        match std::fs::remove_file(self.note()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!("cannot remove {}: {error}", self.note().display());
            }
            _ => {}
        }
    }

    fn note(&self) -> PathBuf {
        self.root.join("tryout.json")
    }
}

impl Places {
    /// The list of URLs.
    pub(super) fn list(&self, folders: &Folders, secrets: Secrets) -> String {
        let mut list = String::from("\nRobbie is up, all of it on this machine:\n\n");
        let mut row = |name: &str, place: &str, note: &str| {
            let gap = if note.is_empty() { "" } else { "   " };
            list.push_str(&format!("  {name:<10}{place}{gap}{note}\n"));
        };
        let token_of = |folder: &Path| {
            let path = folder.join("owner-token");
            let shown = secrets == Secrets::Shown;
            let token = std::fs::read_to_string(&path).ok().filter(|_| shown);
            token.map(|token| token.trim().to_owned()).ok_or(path)
        };
        match token_of(&folders.robot) {
            Ok(token) => row("robot", &format!("http://{}/?token={token}", self.robot), ""),
            Err(path) => {
                row("robot", &format!("http://{}/", self.robot), &format!("token in {}", path.display()));
            }
        }
        match token_of(&folders.cloud) {
            Ok(token) => row("cloud", &format!("http://{}/docs", self.cloud), &format!("token {token}")),
            Err(path) => {
                row("cloud", &format!("http://{}/docs", self.cloud), &format!("token in {}", path.display()));
            }
        }
        let database = self.database.split('?').next().unwrap_or_default();
        row("database", database, "one connection, and the cloud has it");
        row("broker", &self.broker, "");
        let exports = format!(
            "export ROBBIE_DATA='{}' ROBBIE_CLOUD_DATA='{}'",
            folders.robot.display(),
            folders.cloud.display()
        );
        row("commands", &exports, "and robbie-agent and robbie-cloud find both");
        row("data", &folders.root.display().to_string(), "what the parts say is in logs/");
        list.push_str(
            "\nWhat is written here survives a kill, but not a power cut: this database never waits for the disk.\n\
             `robbie-tryout cloud off` lets the cloud crash, `cloud on` starts it again. Ctrl-C ends all of it.\n\n",
        );
        list
    }
}

/// The address with a port that nobody has now; of several free ones the kernel chooses.
///
/// # Errors
/// It is taken, and `flag` chooses another one.
pub(super) async fn free(address: SocketAddr, flag: &str) -> Result<SocketAddr, Failure> {
    let listener = TcpListener::bind(address).await;
    listener.and_then(|listener| listener.local_addr()).map_err(|error| {
        Failure::Unavailable(format!("cannot use {address}: {error}; choose another address with {flag}"))
    })
}
