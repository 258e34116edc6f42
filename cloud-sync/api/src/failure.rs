//! How a command ends when it does not do what was asked.

use std::process::ExitCode;

/// Exit code: the command line is wrong (`EX_USAGE`).
pub const USAGE: u8 = 64;
/// Exit code: what the command needs cannot be reached (`EX_UNAVAILABLE`).
pub const UNAVAILABLE: u8 = 69;
/// Exit code: the configuration is wrong (`EX_CONFIG`).
pub const CONFIGURATION: u8 = 78;

/// Why a command did not do what was asked. The text stands for itself and says what helps.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line is wrong.
    #[error("{0}")]
    Usage(String),
    /// The program, its body, or something the command needs cannot be reached.
    #[error("{0}")]
    Unavailable(String),
    /// The configuration is wrong.
    #[error("{0}")]
    Configuration(String),
    /// The program said no.
    #[error("{0}")]
    Refused(String),
}

impl Failure {
    /// The exit code that scripts look at.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(USAGE),
            Self::Unavailable(_) => ExitCode::from(UNAVAILABLE),
            Self::Configuration(_) => ExitCode::from(CONFIGURATION),
            Self::Refused(_) => ExitCode::FAILURE,
        }
    }
}

/// An error with everything that caused it, in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
