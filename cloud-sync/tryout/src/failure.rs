//! Why a command of this program ends without having done what was asked, and the exit code it ends with.

use std::process::ExitCode;

/// Exit code: the command line is wrong (`EX_USAGE`).
pub(crate) const USAGE: u8 = 64;
/// Exit code: something is taken, missing, or ended by itself (`EX_UNAVAILABLE`).
pub(crate) const UNAVAILABLE: u8 = 69;

/// Exit code: a folder, a file or a program is not as it must be (`EX_CONFIG`).
const CONFIGURATION: u8 = 78;

/// Why a command did not do what was asked. The text stands for itself and says what helps.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Something the command needs is missing or taken, or it ended.
    #[error("{0}")]
    Unavailable(String),
    /// The data folder, a port or a program is not as it must be.
    #[error("{0}")]
    Configuration(String),
    /// One of the above, which was said when it happened.
    #[error("{0}")]
    Said(Box<Failure>),
}

impl Failure {
    /// The exit code that scripts look at: `EX_UNAVAILABLE` or `EX_CONFIG`.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Unavailable(_) => ExitCode::from(UNAVAILABLE),
            Self::Configuration(_) => ExitCode::from(CONFIGURATION),
            Self::Said(failure) => failure.exit_code(),
        }
    }
}

/// An error with everything that caused it, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
