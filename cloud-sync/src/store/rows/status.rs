//! How the robots of a person stand with these rows.

use cloud_sync_protocol::conflict::{Conflict, Keep, SyncStatus};
use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::store::{Stored, SyncStore, Whose};
use cloud_sync_protocol::sync::op::Scope;
use cloud_sync_protocol::sync::server::TRACE_MS;
use sqlx::PgConnection;

use super::state::moment;
use super::{Rows, conflicts, failed, own};
use crate::clock::now_ms;

/// `device, seen_ms, behind, oldest_ms` of the newest life of each robot.
type RobotColumns = (String, i64, i64, Option<i64>);

async fn status(connection: &mut PgConnection, user: &str, now_ms: i64) -> Result<SyncStatus, sqlx::Error> {
    let own = Scope::User(user.to_owned()).name();
    let asked = "SELECT d.device, d.seen_ms, coalesce(sum(s.head - coalesce(c.cursor, 0)), 0)::bigint, \
        min((SELECT r.changed_ms FROM sync_rows r WHERE r.scope = s.scope AND r.server_seq > coalesce(c.cursor, 0) \
        ORDER BY r.server_seq LIMIT 1)) \
        FROM (SELECT DISTINCT ON (device) device, incarnation, seen_ms FROM sync_devices \
        WHERE user_id = $1 AND seen_ms >= $2 ORDER BY device, seen_ms DESC) AS d \
        LEFT JOIN sync_scopes s ON s.scope IN ('town', $3) LEFT JOIN sync_cursors c \
        ON c.device = d.device AND c.incarnation = d.incarnation AND c.scope = s.scope \
        GROUP BY d.device, d.seen_ms";
    let robots: Vec<RobotColumns> = sqlx::query_as(asked)
        .bind(user)
        .bind(now_ms - TRACE_MS)
        .bind(&own)
        .fetch_all(&mut *connection)
        .await?;
    let farthest = robots.iter().max_by_key(|(_, _, behind, _)| *behind);
    let pending = farthest.map_or(0, |(_, _, behind, _)| behind.max(&0).unsigned_abs());
    let oldest_ms = farthest.and_then(|(.., oldest_ms)| *oldest_ms).filter(|_| pending > 0);
    let converged = robots.iter().filter(|(_, _, behind, _)| *behind == 0).map(|(_, seen_ms, ..)| *seen_ms);
    let asked = "SELECT count(*) FROM conflicts WHERE NOT resolved AND scope IN ('town', $1)";
    let conflicts: i64 = sqlx::query_scalar(asked).bind(&own).fetch_one(connection).await?;
    Ok(SyncStatus {
        pending,
        oldest_pending_age_ms: oldest_ms.map(|ms| now_ms.saturating_sub(ms).max(0).unsigned_abs()),
        last_converged_at: converged.max().map(moment),
        conflicts: conflicts.unsigned_abs(),
        clock: "synced".to_owned(),
        ..SyncStatus::default()
    })
}

impl SyncStore for Rows {
    async fn sync_status(&self, whose: &Whose) -> Stored<SyncStatus> {
        let mut read = self.town(whose)?.begin().await.map_err(failed)?;
        status(read.connection(), &whose.user, now_ms()).await.map_err(failed)
    }

    async fn conflicts(&self, whose: &Whose) -> Stored<Vec<Conflict>> {
        let mut read = self.town(whose)?.begin().await.map_err(failed)?;
        conflicts::list(read.connection(), &own(whose)).await.map_err(failed)
    }

    async fn resolve(&self, whose: &Whose, id: RowId, keep: Keep) -> Stored<()> {
        conflicts::resolve(self, whose, id, keep).await
    }
}
