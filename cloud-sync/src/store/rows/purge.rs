//! What is left of deleted rows goes after a while.

use cloud_sync_protocol::store::Stored;
use cloud_sync_protocol::sync::op::Scope;
use cloud_sync_protocol::sync::server::TRACE_MS;
use cloud_sync_protocol::town::TownId;

use super::{Rows, failed};
use crate::store::database::DatabaseError;
use crate::store::town::Town;

impl Rows {
    /// Takes away the traces of deletions in a town that are older than 30 days, and that every device which holds them, and was
    /// seen in that time, has read. Gives how many.
    ///
    /// # Errors
    /// The database does not answer, or there is no such town.
    pub async fn purge(&self, town: &TownId, now_ms: i64) -> Stored<u64> {
        let town = self.database.town(town);
        let mut gone = 0;
        for scope in scopes(&town, now_ms).await.map_err(failed)? {
            gone += purge(&town, &scope, now_ms).await.map_err(failed)?;
        }
        Ok(gone)
    }

    /// The same in every town. One that fails waits for the next time.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn purge_all(&self, now_ms: i64) -> Stored<()> {
        let towns = self.database.registry().towns(None).await;
        let towns =
            towns.map_err(|error| cloud_sync_protocol::store::StoreError::Failed(error.to_string()))?;
        for town in towns {
            match self.purge(&town.id, now_ms).await {
                Ok(0) => {}
                Ok(gone) => tracing::debug!(town = %town.id, gone, "traces of deleted rows are gone"),
                Err(error) => {
                    tracing::warn!(town = %town.id, %error, "traces of deleted rows stay for now");
                }
            }
        }
        Ok(())
    }
}

/// The scopes in which something is old enough.
async fn scopes(town: &Town, now_ms: i64) -> Result<Vec<Scope>, DatabaseError> {
    let mut read = town.begin().await?;
    let asked = "SELECT DISTINCT scope FROM sync_rows WHERE deleted AND changed_ms < $1";
    let names: Vec<String> =
        sqlx::query_scalar(asked).bind(now_ms - TRACE_MS).fetch_all(read.connection()).await?;
    Ok(names.iter().filter_map(|name| Scope::named(name)).collect())
}

async fn purge(town: &Town, scope: &Scope, now_ms: i64) -> Result<u64, DatabaseError> {
    let since_ms = now_ms - TRACE_MS;
    let user = match scope {
        Scope::Town => None,
        Scope::User(user) => Some(user),
    };
    let mut write = town.begin_write(std::slice::from_ref(scope)).await?;
    let delete = "DELETE FROM sync_rows WHERE scope = $1 AND deleted AND changed_ms < $2 AND server_seq <= \
        coalesce((SELECT min(coalesce(c.cursor, -1)) FROM sync_devices d LEFT JOIN sync_cursors c \
        ON c.device = d.device AND c.incarnation = d.incarnation AND c.scope = $1 \
        WHERE d.seen_ms >= $2 AND ($3::text IS NULL OR d.user_id = $3)), 9223372036854775807) \
        RETURNING server_seq";
    let gone: Vec<i64> = sqlx::query_scalar(delete)
        .bind(scope.name())
        .bind(since_ms)
        .bind(user)
        .fetch_all(write.connection())
        .await?;
    let Some(newest) = gone.iter().max() else { return Ok(0) };
    sqlx::query("UPDATE sync_scopes SET floor = greatest(floor, $2) WHERE scope = $1")
        .bind(scope.name())
        .bind(newest)
        .execute(write.connection())
        .await?;
    write.commit().await?;
    Ok(gone.len() as u64)
}
