//! Notes with when they were last brought up, for whoever decides which of them matter now.

use cloud_sync_protocol::note::StickyNote;
use cloud_sync_protocol::store::{Stored, Whose};
use jiff::Timestamp;

use super::notes::{COLUMNS, read};
use crate::store::Store;

impl Store {
    /// The `limit` most important notes of the town, the newest first among equals, each with when it was last brought up.
    ///
    /// # Errors
    /// [`cloud_sync_protocol::store::StoreError::Failed`] where the file cannot be read.
    pub async fn notes_to_surface(
        &self,
        whose: &Whose,
        limit: u32,
    ) -> Stored<Vec<(StickyNote, Option<Timestamp>)>> {
        let town = whose.town.clone();
        self.read(move |connection| {
            let sql = format!(
                "SELECT {COLUMNS}, last_surfaced_ms AS surfaced_ms FROM notes WHERE town = ?1 \
                 ORDER BY priority DESC, created_ms DESC, id DESC LIMIT ?2"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map((&town, limit), |row| {
                let at = row.get::<_, Option<i64>>("surfaced_ms")?;
                Ok((read(row)?.row, at.and_then(|ms| Timestamp::from_millisecond(ms).ok())))
            })?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })
        .await
    }
}
