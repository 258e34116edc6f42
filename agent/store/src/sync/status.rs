//! How the memory stands with the cloud, as far as its file knows.

use cloud_sync_protocol::conflict::{Conflict, Keep, SyncStatus};
use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::stamp::{ClockState, Stamp};
use cloud_sync_protocol::store::{Stored, SyncStore, Whose};
use rusqlite::{Connection, OptionalExtension};

use super::{conflicts, state};
use crate::fail::Fail;
use crate::rows::columns::stamp;
use crate::store::Store;
use crate::writer::Room;

fn status(connection: &Connection, whose: &Whose, now: &Stamp) -> Result<SyncStatus, Fail> {
    let Some(state) = state::state(connection)? else {
        return Ok(SyncStatus { clock: clock(now).to_owned(), ..SyncStatus::default() });
    };
    let mut statement = connection.prepare_cached(
        "SELECT boot_id, mono_ms, wall_ms, clock FROM outbox WHERE seq > ?1 ORDER BY seq LIMIT 1",
    )?;
    let oldest = statement.query_row([state::signed(state.durable.acked)], |row| stamp(row, 0)).optional()?;
    let age = oldest.map(|oldest| u64::try_from(now.since(&oldest).as_millis()).unwrap_or(u64::MAX));
    Ok(SyncStatus {
        pending: state.durable.unacked(),
        oldest_pending_age_ms: age,
        conflicts: conflicts::count(connection, whose)?,
        clock: clock(now).to_owned(),
        ..SyncStatus::default()
    })
}

const fn clock(now: &Stamp) -> &'static str {
    match now.clock {
        ClockState::Synced => "synced",
        ClockState::Holdover => "holdover",
        ClockState::Unknown => "unknown",
    }
}

impl SyncStore for Store {
    /// Without what only whoever talks with the cloud knows.
    async fn sync_status(&self, whose: &Whose) -> Stored<SyncStatus> {
        let (whose, now) = (whose.clone(), self.now());
        self.read(move |connection| status(connection, &whose, &now)).await
    }

    async fn conflicts(&self, whose: &Whose) -> Stored<Vec<Conflict>> {
        let whose = whose.clone();
        self.read(move |connection| conflicts::list(connection, &whose)).await
    }

    async fn resolve(&self, whose: &Whose, id: RowId, keep: Keep) -> Stored<()> {
        let whose = whose.clone();
        self.write(Room::Takes, move |write| conflicts::resolve(write, &whose, id, keep)).await
    }
}
