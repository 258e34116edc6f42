//! Room kept back on the disk, so that deleting goes on when the disk takes nothing more: what is deleted is written, too,
//! first to the log and then to the file. It decides nothing about writes, and its file never holds anything.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

/// Bytes kept back: what a few hundred deletions write before the log is worked into the file.
pub(crate) const RESERVE_BYTES: u64 = 1024 * 1024;

/// Where the room is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In the file, for nobody to use.
    Held,
    /// Given to what makes room.
    Out,
    /// No file of this disk can hold room.
    Never,
}

/// The room, in a file of zeros that are never written.
pub(crate) struct Reserve {
    path: PathBuf,
    state: State,
}

impl Reserve {
    /// The room as an earlier run left it; takes none.
    pub(crate) fn at(path: PathBuf) -> Self {
        let is_held = fs::metadata(&path).is_ok_and(|file| file.len() == RESERVE_BYTES);
        Self { path, state: if is_held { State::Held } else { State::Out } }
    }

    /// Whether it was given away.
    pub(crate) fn is_out(&self) -> bool {
        self.state == State::Out
    }

    /// Takes it, where the disk has room for it and as much again, so that the next write is not short of it at once.
    pub(crate) fn take(&mut self) {
        if self.state != State::Out {
            return;
        }
        self.state = match self.allocate() {
            Ok(()) => State::Held,
            Err(error) => {
                self.remove();
                let errno = error.raw_os_error();
                if [Errno::NOSPC, Errno::DQUOT, Errno::FBIG]
                    .iter()
                    .any(|full| errno == Some(full.raw_os_error()))
                {
                    State::Out
                } else {
                    tracing::warn!(%error, "no room can be kept back on the disk: when it is full, nothing can be deleted");
                    State::Never
                }
            }
        };
    }

    fn allocate(&self) -> io::Result<()> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&self.path)?;
        fallocate(&file, FallocateFlags::empty(), 0, 2 * RESERVE_BYTES)?;
        file.set_len(RESERVE_BYTES)
    }

    /// Gives it to whoever writes next. `false`: there was none to give.
    pub(crate) fn release(&mut self) -> bool {
        if self.state != State::Held {
            return false;
        }
        self.remove();
        self.state = State::Out;
        true
    }

    fn remove(&self) {
        // Emptied first: a file that somebody has open keeps its room when its name goes.
        let emptied = File::options().write(true).open(&self.path).and_then(|file| file.set_len(0));
        if let Err(error) = emptied.and_then(|()| fs::remove_file(&self.path)) {
            tracing::debug!(%error, "the room kept back could not be given away");
        }
    }
}
