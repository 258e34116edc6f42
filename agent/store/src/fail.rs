//! What goes wrong inside the store, until it is said to a caller. It logs nothing.

use cloud_sync_protocol::store::StoreError;
use rusqlite::{ErrorCode, ffi};

/// Why a read or a write did not happen.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fail {
    /// SQLite refused.
    #[error("SQLite refused")]
    Sql(#[from] rusqlite::Error),
    /// Something of ours does not become JSON.
    #[error("a row does not become JSON")]
    Json(#[from] serde_json::Error),
    /// A rule of the store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Fail {
    /// No room, on the disk or below a bound of ours.
    pub(crate) fn is_full(&self) -> bool {
        match self {
            Self::Sql(error) => error.sqlite_error_code() == Some(ErrorCode::DiskFull),
            Self::Store(refusal) => matches!(refusal, StoreError::Full),
            Self::Json(_) => false,
        }
    }

    /// The file is not what it was.
    pub(crate) fn is_damage(&self) -> bool {
        matches!(self, Self::Sql(error) if is_damage(error))
    }
}

/// The file is not what it was: SQLite says so, or a value is none that was ever written.
pub(crate) fn is_damage(error: &rusqlite::Error) -> bool {
    let is_no_value = matches!(
        error,
        rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::Utf8Error(..)
    );
    // A page that ends before its end: the file was cut off.
    let is_cut =
        error.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_IOERR_SHORT_READ);
    is_no_value
        || is_cut
        || matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

impl From<Fail> for StoreError {
    fn from(fail: Fail) -> Self {
        if fail.is_full() {
            return Self::Full;
        }
        match fail {
            Fail::Store(refusal) => refusal,
            Fail::Sql(error) if is_damage(&error) => {
                Self::Failed(format!("its file is damaged ({error}); it is repaired at the next start"))
            }
            Fail::Sql(error) => Self::Failed(error.to_string()),
            Fail::Json(error) => Self::Failed(error.to_string()),
        }
    }
}
