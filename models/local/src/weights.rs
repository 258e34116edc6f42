//! The folder of weight files: what is there, what is half there, what is damaged.
//!
//! One folder for each entry of the catalogue. Files only ever appear whole, under their own name; what is being fetched has
//! the ending `.part`.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::catalog::{self, Entry, WeightFile};
use crate::checksum::{digest, hex};

/// Ending of a file that is not complete yet.
pub(crate) const PART: &str = ".part";

/// The folder. Making the value neither makes nor opens anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weights {
    root: PathBuf,
}

/// How much of an entry is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WeightState {
    /// Nothing.
    Missing,
    /// A pull was interrupted; the next one goes on from here.
    Partial {
        /// Of the source that has come furthest, 0 to 99.
        percent: u8,
    },
    /// Every file, with the right size; [`Weights::verify`] looks inside.
    Present,
    /// A file is not what it should be.
    Damaged {
        /// Which, and in what way.
        what: String,
    },
}

impl Weights {
    /// The folder below which every entry has its own.
    pub fn in_dir(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder of one entry.
    pub fn folder(&self, entry: &Entry) -> PathBuf {
        self.root.join(&entry.name)
    }

    /// Every entry of the catalogue with its state, by the sizes of files alone.
    pub fn list(&self) -> Vec<(&'static Entry, WeightState)> {
        catalog::all().iter().map(|entry| (entry, self.state(entry))).collect()
    }

    /// The state of one entry, by the sizes of files alone.
    pub fn state(&self, entry: &Entry) -> WeightState {
        let folder = self.folder(entry);
        let (mut done, mut missing) = (0, false);
        for file in &entry.files {
            match size_of(&folder.join(&file.name)) {
                Some(size) if size == file.size => done += size,
                Some(size) => {
                    let what = format!("{} has {size} bytes instead of {}", file.name, file.size);
                    return WeightState::Damaged { what };
                }
                None => {
                    missing = true;
                    done += part_of(&folder, &file.name);
                }
            }
        }
        if !missing {
            return WeightState::Present;
        }
        let wheel =
            part_of(&folder, &entry.pypi.file).max(size_of(&folder.join(&entry.pypi.file)).unwrap_or(0));
        match percent(done, entry.size()).max(percent(wheel, entry.pypi.size)) {
            0 if done == 0 && wheel == 0 => WeightState::Missing,
            percent => WeightState::Partial { percent },
        }
    }

    /// The state of one entry, every file read and hashed. Takes a second or so on a small board, and blocks.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn verify(&self, entry: &Entry) -> io::Result<WeightState> {
        let state = self.state(entry);
        if state != WeightState::Present {
            return Ok(state);
        }
        for file in &entry.files {
            if !is_right(&self.folder(entry).join(&file.name), file)? {
                return Ok(WeightState::Damaged { what: format!("{} has the wrong checksum", file.name) });
            }
        }
        Ok(WeightState::Present)
    }
}

/// Whether a file is there and is the one of the catalogue.
pub(crate) fn is_right(path: &Path, wanted: &WeightFile) -> io::Result<bool> {
    has_checksum(path, wanted.size, &wanted.sha256)
}

/// Whether a file is there with this size and checksum.
pub(crate) fn has_checksum(path: &Path, size: u64, sha256: &str) -> io::Result<bool> {
    if size_of(path) != Some(size) {
        return Ok(false);
    }
    let (hash, _) = digest(&mut File::open(path)?)?;
    Ok(hex(&sha2::Digest::finalize(hash)) == sha256)
}

fn size_of(path: &Path) -> Option<u64> {
    path.metadata().ok().map(|found| found.len())
}

/// Bytes of a file that have come so far.
pub(crate) fn part_of(folder: &Path, name: &str) -> u64 {
    size_of(&folder.join(format!("{name}{PART}"))).unwrap_or(0)
}

fn percent(done: u64, total: u64) -> u8 {
    u8::try_from(done.saturating_mul(100) / total.max(1)).unwrap_or(99).min(99)
}
