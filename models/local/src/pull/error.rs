//! Why a pull did not finish, and what helps.

use std::io;
use std::path::{Path, PathBuf};

/// Why a pull did not finish. The text says what helps.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// Another pull works in the folder.
    #[error("another pull is already fetching these weights; wait for it")]
    Busy,
    /// The disk is too full.
    #[error("not enough room on the disk: {need} bytes are needed and {free} are free")]
    NoRoom {
        /// With some to spare.
        need: u64,
        /// As the file system says.
        free: u64,
    },
    /// An address is none.
    #[error("{0} is no address that can be fetched from")]
    Address(String),
    /// The source does not answer, or not with the file.
    #[error("cannot fetch from {host}: {why}")]
    Unreachable {
        /// Without what may be secret in an address.
        host: String,
        /// In words.
        why: String,
    },
    /// The index has no such file.
    #[error("{host} lists no {file}")]
    NotListed {
        /// The index.
        host: String,
        /// What was looked for.
        file: String,
    },
    /// The connection broke.
    #[error("{file} broke off after {done} of {total} bytes ({why}); the next pull goes on from there")]
    Interrupted {
        /// Which file.
        file: String,
        /// Bytes that are there.
        done: u64,
        /// Bytes in all.
        total: u64,
        /// In words.
        why: String,
    },
    /// What came is another file.
    #[error(
        "what {host} sent as {file} is not the file that was wanted ({what}); it was removed. Pull again, or from the \
         other source with --source"
    )]
    Wrong {
        /// Who sent it.
        host: String,
        /// Which file.
        file: String,
        /// In what way.
        what: String,
    },
    /// The archive does not hold what it should.
    #[error("cannot take {file} out of the package: {what}")]
    Archive {
        /// Which file.
        file: String,
        /// In what way.
        what: String,
    },
    /// A file or folder cannot be used.
    #[error("cannot use {path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No HTTP client can be made.
    #[error("cannot speak HTTP")]
    Client(#[source] reqwest::Error),
}

impl PullError {
    pub(super) fn file(path: &Path, source: io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }
}

/// An HTTP error with its causes and without the address, which may hold a password.
pub(super) fn in_words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
