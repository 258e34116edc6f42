//! One town's rows: transactions that see its schema and no other.

use cloud_sync_protocol::sync::op::Scope;
use cloud_sync_protocol::town::TownId;
use sqlx::{PgConnection, Postgres, Transaction};

use super::database::{Database, DatabaseError};
use super::scope::lock_keys;

/// A town's rows. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Town {
    database: Database,
    id: TownId,
}

/// A transaction on one town that sees one moment and writes nothing. Dropping it ends it.
#[derive(Debug)]
pub struct TownRead {
    transaction: Transaction<'static, Postgres>,
}

/// A transaction that may write the rows of some scopes of one town, and holds their locks until it ends. Dropping it without
/// [`ScopeWrite::commit`] writes nothing.
#[derive(Debug)]
pub struct ScopeWrite {
    transaction: Transaction<'static, Postgres>,
    town: TownId,
    scopes: Vec<Scope>,
}

impl Town {
    pub(super) fn new(database: Database, id: TownId) -> Self {
        Self { database, id }
    }

    /// Which town it is.
    pub fn id(&self) -> &TownId {
        &self.id
    }

    /// Begins to read: every statement sees the same moment.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn begin(&self) -> Result<TownRead, DatabaseError> {
        let mut read = TownRead { transaction: self.database.begin_read().await? };
        sqlx::query("SELECT set_config('search_path', $1, true)")
            .bind(search_path(&self.id, self.database.shared()))
            .execute(read.connection())
            .await?;
        Ok(read)
    }

    /// Begins to write rows of these scopes, once nobody else writes any of them. READ COMMITTED: every statement sees what the
    /// writer before has committed.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn begin_write(&self, scopes: &[Scope]) -> Result<ScopeWrite, DatabaseError> {
        let transaction = self.database.begin_write().await?;
        let mut write = ScopeWrite { transaction, town: self.id.clone(), scopes: scopes.to_vec() };
        // `unnest` keeps the order of the keys: everybody waits in the same one.
        let locks = "SELECT set_config('search_path', $1, true), \
                     (SELECT count(pg_advisory_xact_lock(key)) FROM unnest($2::bigint[]) AS key)";
        sqlx::query(locks)
            .bind(search_path(&self.id, self.database.shared()))
            .bind(lock_keys(&self.id, scopes))
            .execute(write.connection())
            .await?;
        Ok(write)
    }
}

impl TownRead {
    /// For the modules of this folder alone.
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }
}

impl ScopeWrite {
    /// Which town it writes.
    pub fn town(&self) -> &TownId {
        &self.town
    }

    /// The scopes whose locks it holds.
    pub fn scopes(&self) -> &[Scope] {
        &self.scopes
    }

    /// Makes everything durable, and lets the next writer in.
    ///
    /// # Errors
    /// The database does not answer: whether it is written, nobody knows.
    pub async fn commit(self) -> Result<(), DatabaseError> {
        Ok(self.transaction.commit().await?)
    }

    /// For the modules of this folder alone.
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }
}

/// Name of a town's schema.
pub(super) fn schema(town: &TownId) -> String {
    // A town's id holds no quotation mark, so this is one identifier whatever it says.
    format!("\"town_{town}\"")
}

/// Where names are looked for: the town's own schema, then what all share. Never anywhere else.
pub(super) fn search_path(town: &TownId, shared: &str) -> String {
    format!("{}, \"{}\"", schema(town), shared.replace('"', "\"\""))
}
