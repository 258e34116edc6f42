//! `DIR/cloud.json`: which cloud the robot belongs to, and the secret that proves it. `pair` writes it beside a running agent,
//! which follows it.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use cloud_sync_api::files::{remove_durably, write_private};

/// How often the file is looked at: well within the promised 2 s.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// To whom the robot belongs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pairing {
    /// The cloud, without a path.
    pub url: String,
    /// The town.
    pub town: String,
    /// The robot's name there.
    pub robot: String,
    /// Its owner there.
    pub user_id: String,
    /// The device's secret.
    pub secret: String,
}

impl std::fmt::Debug for Pairing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Never the secret.
        f.debug_struct("Pairing")
            .field("url", &self.url)
            .field("town", &self.town)
            .field("robot", &self.robot)
            .field("user_id", &self.user_id)
            .finish_non_exhaustive()
    }
}

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloudFile {
    /// The robot is paired.
    Paired(Pairing),
    /// It was, and all that came of it is to be removed; the agent that does it removes the file.
    Forget,
}

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PairingError {
    /// It cannot be read or written.
    #[error("cannot use {path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is not what `pair` writes.
    #[error("{path} is damaged: pair anew with `robbie-agent pair`")]
    Damaged {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

impl CloudFile {
    /// Reads it; `None` where there is none.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn read(path: &Path) -> Result<Option<Self>, PairingError> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(PairingError::File { path: path.to_owned(), source }),
        };
        let file = serde_json::from_slice(&bytes);
        file.map(Some).map_err(|source| PairingError::Damaged { path: path.to_owned(), source })
    }

    /// Writes it, mode 0600, in one step.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), PairingError> {
        let fail = |source| PairingError::File { path: path.to_owned(), source };
        let bytes = serde_json::to_vec_pretty(self).map_err(|error| fail(error.into()))?;
        write_private(path, &bytes).map_err(fail)
    }

    /// Removes it.
    ///
    /// # Errors
    /// It is there and cannot be removed.
    pub fn remove(path: &Path) -> Result<(), PairingError> {
        remove_durably(path).map_err(|source| PairingError::File { path: path.to_owned(), source })
    }
}

/// Follows the file for ever. While it cannot be read, what was read last holds; `report` hears each time how it went.
pub async fn follow(
    path: PathBuf,
    shown: watch::Sender<Option<CloudFile>>,
    report: impl Fn(Result<(), PairingError>),
) {
    let mut seen = None;
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let stamp = stamp_of(&path);
        if seen == Some(stamp) {
            continue;
        }
        // The stamp is older than what is read: a change in between shows at the next look.
        let read = CloudFile::read(&path);
        if let Ok(file) = &read {
            seen = Some(stamp);
            shown.send_if_modified(|old| {
                *old != *file && {
                    old.clone_from(file);
                    true
                }
            });
        }
        report(read.map(drop));
    }
}

type Stamp = Option<(u64, i64, i64, u64)>;

fn stamp_of(path: &Path) -> Stamp {
    let data = std::fs::metadata(path).ok()?;
    Some((data.ino(), data.mtime(), data.mtime_nsec(), data.size()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn pairing() -> CloudFile {
        CloudFile::Paired(Pairing {
            url: "http://127.0.0.1:8000".to_owned(),
            town: "home".to_owned(),
            robot: "robbie".to_owned(),
            user_id: "ann".to_owned(),
            secret: "hush".to_owned(),
        })
    }

    #[test]
    fn the_file_is_private_and_read_back_and_its_secret_is_never_printed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cloud.json");
        assert_eq!(CloudFile::read(&path).unwrap(), None);
        pairing().write(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(CloudFile::read(&path).unwrap(), Some(pairing()));
        assert!(!format!("{:?}", pairing()).contains("hush"));
        std::fs::write(&path, "{").unwrap();
        assert!(matches!(CloudFile::read(&path), Err(PairingError::Damaged { .. })));
    }

    #[tokio::test(start_paused = true)]
    async fn a_running_agent_notices_within_two_seconds_and_keeps_what_it_read_last() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cloud.json");
        let (sender, mut shown) = watch::channel(None);
        let watching = follow(path.clone(), sender, |_| {});
        let beside = async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            assert_eq!(*shown.borrow_and_update(), None);
            pairing().write(&path).unwrap();
            tokio::time::timeout(Duration::from_secs(2), shown.changed()).await.unwrap().unwrap();
            assert_eq!(*shown.borrow_and_update(), Some(pairing()));
            std::fs::write(&path, "{").unwrap();
            tokio::time::sleep(Duration::from_secs(2)).await;
            assert_eq!(*shown.borrow_and_update(), Some(pairing()));
            CloudFile::remove(&path).unwrap();
            tokio::time::timeout(Duration::from_secs(2), shown.changed()).await.unwrap().unwrap();
            assert_eq!(*shown.borrow_and_update(), None);
        };
        tokio::select! { () = watching => {}, () = beside => {} }
    }
}
