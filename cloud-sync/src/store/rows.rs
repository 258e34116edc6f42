//! The rows of towns: what robots and apps keep in step, and what is found in them.
//!
//! Whoever writes, a robot's frame or an app, goes through [`writing`]: the pure decision of `cloud_sync_protocol::sync`, its
//! rows, and the columns that follow from them, in one transaction. What happened is told after the commit.

mod bm25;
mod cache;
mod candidates;
mod chat;
mod conflicts;
mod events;
mod frames;
mod notes;
mod persona;
mod project;
mod purge;
mod state;
mod status;
mod tell;
mod turns;
mod vectors;
mod words;
mod writing;

use std::time::{SystemTime, UNIX_EPOCH};

use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::store::{StoreError, Stored, Whose};
use cloud_sync_protocol::sync::op::Scope;
use cloud_sync_protocol::town::TownId;
use tokio::sync::broadcast;

use super::database::{Database, DatabaseError};
use super::town::Town;
use tell::Teller;

pub use candidates::CandidateQuery;
pub use vectors::{ContentHash, DIMENSIONS, Vector};

/// Changes that wait for whoever passes them on. Whoever is slower than that hears of the next ones.
const CHANGES_MAX: usize = 1024;

/// Rows of scopes were committed just now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The town.
    pub town: TownId,
    /// The scopes, each with the version of its last change.
    pub heads: Vec<(Scope, u64)>,
}

/// A handle on the rows of every town. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Rows {
    database: Database,
    teller: Teller,
    changes: broadcast::Sender<Changed>,
}

impl Rows {
    /// Of this database.
    pub fn new(database: Database) -> Self {
        let (changes, _) = broadcast::channel(CHANGES_MAX);
        Self { teller: Teller::new(database.clone()), database, changes }
    }

    /// Hears of every commit of this program, from now on.
    pub fn changes(&self) -> broadcast::Receiver<Changed> {
        self.changes.subscribe()
    }

    /// Tells what other replicas have written, for as long as it is polled.
    pub async fn follow_others(&self) {
        self.teller.follow_others().await;
    }

    /// Ends: whoever follows what happens is told so.
    pub fn end(&self) {
        self.teller.end();
    }

    /// The town of those rows. One that cannot exist has none.
    fn town(&self, whose: &Whose) -> Stored<Town> {
        let id: TownId = whose.town.parse().map_err(|_no_name| StoreError::NotFound)?;
        Ok(self.database.town(&id))
    }
}

/// The scope of a user's own rows.
fn own(whose: &Whose) -> Scope {
    Scope::User(whose.user.clone())
}

/// A new id.
fn new_id() -> Stored<RowId> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut random = [0; 10];
    getrandom::fill(&mut random)
        .map_err(|error| StoreError::Failed(format!("the system gives no random numbers: {error}")))?;
    Ok(RowId::new(u64::try_from(since.as_micros()).unwrap_or(u64::MAX), random))
}

/// What Postgres says where a town has no schema.
const NO_TABLE: &str = "42P01";

/// A database's failure as those hear it who asked for rows: of a town that is not there nothing is found.
fn failed(error: impl Into<DatabaseError>) -> StoreError {
    match error.into() {
        DatabaseError::Failed(sqlx::Error::Database(said)) if said.code().as_deref() == Some(NO_TABLE) => {
            StoreError::NotFound
        }
        other => other.into(),
    }
}
