//! What can be wrong with a port: before it is open with the way out, afterwards in a word.

use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

/// Where udev names serial devices after what they are.
const BY_ID: &str = "/dev/serial/by-id";

/// What can be wrong with a port. The text names the path and the way out.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// There is no such device.
    #[error("{path}: no such device; {present}", path = path.display())]
    NotFound {
        /// What was to be opened.
        path: PathBuf,
        /// What is there instead.
        present: String,
    },
    /// This user may not open it.
    #[error("{path}: permission denied; add the user to the group that owns it (`sudo usermod -aG dialout $USER`) and log in again", path = path.display())]
    Permission {
        /// What was to be opened.
        path: PathBuf,
    },
    /// Somebody else has it.
    #[error("{path}: in use by another agent or program; `fuser {path}` shows which", path = path.display())]
    Busy {
        /// What was to be opened.
        path: PathBuf,
    },
    /// It is something else than a serial port.
    #[error("{path}: not a serial port; `[body] port` must name a tty such as /dev/ttyACM0", path = path.display())]
    NotATty {
        /// What was to be opened.
        path: PathBuf,
    },
    /// Opening failed for another reason.
    #[error("{path}: cannot be opened", path = path.display())]
    Open {
        /// What was to be opened.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The device does not take the settings.
    #[error("{path}: does not take raw mode at {baud} baud; try another `baud`, such as 115200", path = path.display())]
    Configure {
        /// What was opened.
        path: PathBuf,
        /// Bits a second that were asked for.
        baud: u32,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// What can go wrong with an open port. It comes from the thread that may not allocate, so it names no path: whoever shows
/// it to people adds that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// It was unplugged, or the simulated body ended.
    #[error("gone; unplugged, or the body's program ended")]
    Gone,
    /// Reading or writing failed for another reason.
    #[error("reading or writing failed: {0}")]
    Io(Errno),
}

impl From<Errno> for WireError {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::IO | Errno::NXIO | Errno::NODEV | Errno::PIPE => Self::Gone,
            _ => Self::Io(errno),
        }
    }
}

impl PortError {
    /// From an errno of opening `path`.
    pub(super) fn opening(path: &Path, errno: Errno) -> Self {
        let path = path.to_path_buf();
        match errno {
            Errno::NOENT => Self::NotFound { path, present: present(Path::new(BY_ID)) },
            Errno::ACCESS | Errno::PERM => Self::Permission { path },
            Errno::BUSY => Self::Busy { path },
            Errno::NOTTY => Self::NotATty { path },
            _ => Self::Open { path, source: errno.into() },
        }
    }
}

/// The serial devices there are, in words.
fn present(by_id: &Path) -> String {
    let mut names: Vec<String> = std::fs::read_dir(by_id)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().display().to_string())
        .collect();
    if names.is_empty() {
        return format!("nothing is listed in {} either: is the board plugged in?", by_id.display());
    }
    names.sort();
    format!("these are there: {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(errno: Errno, want: &str) {
        let text = PortError::opening(Path::new("/dev/ttyACM7"), errno).to_string();
        assert!(text.contains("/dev/ttyACM7") && text.contains(want), "{text}");
    }

    #[test]
    fn an_error_names_the_path_and_the_way_out() {
        check(Errno::NOENT, "/dev/serial/by-id");
        check(Errno::ACCESS, "dialout");
        check(Errno::BUSY, "another agent");
        check(Errno::ISDIR, "cannot be opened");
    }
}
