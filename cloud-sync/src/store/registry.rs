//! Who is who: towns, their users, tokens and devices. Every method that acts for a person takes the town it acts in, and knows
//! nothing of any other.

mod access;
mod devices;
mod first_start;
mod people;

use cloud_sync_protocol::town::{RobotId, TownId};

use super::database::{Database, DatabaseError};
use super::migrations::MigrationError;

pub use access::{Access, AccessRow};
pub use devices::{CODE_MS, Device, DeviceWish, NewCode, PairWish, Paired, VERSION_BYTES_MAX};
pub use first_start::FirstStart;
pub use people::{NewToken, TokenRow, TownRow, UserRow};

/// Bytes of a user's id, and of a token's name.
pub const NAME_BYTES_MAX: usize = 96;
/// Towns at most.
pub const TOWNS_MAX: i64 = 1000;
/// Users of one town at most.
pub const USERS_MAX: i64 = 1000;
/// Tokens of one town at most.
pub const TOKENS_MAX: i64 = 1000;
/// Devices of one town at most, those revoked included.
pub const DEVICES_MAX: i64 = 1000;

/// SHA-256 of a secret.
pub type Hash = [u8; 32];

/// Why the registry does not do what was asked. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// No such thing in this town.
    #[error("there is no such {0} here")]
    NotFound(&'static str),
    /// Something has this name already.
    #[error("there is a {what} of that name already")]
    Taken {
        /// What it is.
        what: &'static str,
    },
    /// There are as many as there may be.
    #[error("there are {max} {what} already: remove some first")]
    Full {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        max: i64,
    },
    /// The owner stays as long as the town does, and the first town for ever.
    #[error("{0}")]
    Needed(&'static str),
    /// The schema of a town cannot be made or taken away.
    #[error("the town's schema cannot be made")]
    Schema(#[from] MigrationError),
    /// Too many wrong codes from there.
    #[error("too many wrong codes")]
    TooManyTries {
        /// When the next one is listened to.
        retry_after_ms: i64,
    },
    /// The robot is another town's or another user's than the code.
    #[error("the robot belongs to another town or user")]
    BelongsElsewhere,
    /// The code is unknown, used, or too old.
    #[error("this code is not valid")]
    WrongCode,
}

impl From<sqlx::Error> for RegistryError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

/// Result of the registry.
pub type Registered<T> = Result<T, RegistryError>;

/// A handle on the registry. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Registry {
    database: Database,
}

impl Registry {
    pub(super) fn new(database: Database) -> Self {
        Self { database }
    }
}

/// Whether `text` can be a user's id or a token's name.
pub fn is_name(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= NAME_BYTES_MAX && !text.chars().any(char::is_control)
}

/// A name that a row holds. One that no longer fits could only come from another program's hand.
fn town_named(text: &str) -> Result<TownId, sqlx::Error> {
    text.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

fn robot_named(text: &str) -> Result<RobotId, sqlx::Error> {
    text.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

fn hash_from(bytes: &[u8]) -> Result<Hash, sqlx::Error> {
    bytes.try_into().map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

/// Whether a write was refused because the name is taken.
fn is_taken(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

/// Whether a write was refused because what it belongs to is not there.
fn is_orphan(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_foreign_key_violation)
}
