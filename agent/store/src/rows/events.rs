//! Events: written with what caused them, told after the commit, in the order of their ids, and kept for a while for those
//! who were away. They are hints to look again, and the only rows that are dropped for being old.

use std::sync::Arc;

use cloud_sync_protocol::event::{Event, EventKind, Replay};
use cloud_sync_protocol::store::{EventStore, Feed, Lost, Stored, Whose};
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use tokio::sync::broadcast;

use crate::fail::Fail;
use crate::limits::ROW_BYTES;
use crate::store::Store;
use crate::writer::Write;

/// Most events that wait for one who follows; behind that he is told that he lost some.
pub(crate) const FOLLOW_MAX: usize = 256;

/// Bytes of events handed out at once. Whoever missed more reads the state afresh, which is less.
const REPLAY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Name in `meta` of the id before the first event of this file.
const FIRST: &str = "event_first";

/// An event, and whose it is.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// With an empty user for the whole town.
    pub(crate) whose: Whose,
    pub(crate) event: Event,
}

/// Lets the ids of a new file begin at a place that no other file's share, so that a reader who comes from another one
/// notices. Small enough for the numbers of JavaScript.
pub(crate) fn begin(connection: &Connection, random: [u8; 10]) -> rusqlite::Result<()> {
    let first = random[..5].iter().fold(0_i64, |number, byte| number << 8 | i64::from(*byte));
    connection.execute("INSERT INTO meta (key, value) VALUES (?1, ?2)", params![FIRST, first.to_string()])?;
    Ok(())
}

impl Write<'_> {
    /// An event of the user; of the town where `user` is empty. The oldest make room for it.
    pub(crate) fn tell(
        &mut self,
        town: &str,
        user: &str,
        kind: EventKind,
        data: &impl Serialize,
    ) -> Result<(), Fail> {
        let data = serde_json::to_string(data)?;
        let bytes = data.len() as u64 + ROW_BYTES;
        let mut statement = self.tx.prepare_cached(
            "INSERT INTO events (id, town, user_id, kind, data, at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        let id = newest(self.tx)? + 1;
        statement.execute(params![id, town, user, kind.as_str(), data, self.now_ms()])?;
        *self.usage.events() += bytes;
        self.drop_old_events(id)?;
        let whose = Whose { town: town.to_owned(), user: user.to_owned() };
        self.told.push(Told { whose, event: Event { id: id.unsigned_abs(), kind, data } });
        Ok(())
    }

    fn drop_old_events(&mut self, newest: i64) -> Result<(), Fail> {
        let too_many = newest - i64::from(self.limits.events);
        let too_old = self.now_ms().saturating_sub(self.limits.event_age_ms);
        while let Some((id, at_ms, bytes)) = self.oldest_event()? {
            let must_go =
                id <= too_many || at_ms < too_old || *self.usage.events() > self.limits.events_bytes;
            if !must_go || id == newest {
                break;
            }
            self.tx.prepare_cached("DELETE FROM events WHERE id = ?1")?.execute([id])?;
            let held = self.usage.events();
            *held = held.saturating_sub(bytes.unsigned_abs() + ROW_BYTES);
        }
        Ok(())
    }

    fn oldest_event(&self) -> rusqlite::Result<Option<(i64, i64, i64)>> {
        let mut statement =
            self.tx.prepare_cached("SELECT id, at_ms, octet_length(data) FROM events ORDER BY id LIMIT 1")?;
        statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()
    }
}

/// The newest id: the newest event is never dropped, so no id is given twice.
fn newest(connection: &Connection) -> rusqlite::Result<i64> {
    let newest: Option<i64> =
        connection.prepare_cached("SELECT max(id) FROM events")?.query_row([], |row| row.get(0))?;
    newest.map_or_else(|| first(connection), Ok)
}

/// The id before the first event that is kept.
fn floor(connection: &Connection, newest: i64) -> rusqlite::Result<i64> {
    let oldest: Option<i64> =
        connection.prepare_cached("SELECT min(id) FROM events")?.query_row([], |row| row.get(0))?;
    Ok(oldest.map_or(newest, |oldest| oldest - 1))
}

fn first(connection: &Connection) -> rusqlite::Result<i64> {
    let mut statement =
        connection.prepare_cached("SELECT CAST(value AS INTEGER) FROM meta WHERE key = ?1")?;
    Ok(statement.query_row([FIRST], |row| row.get(0)).optional()?.unwrap_or(0))
}

fn after(connection: &Connection, whose: &Whose, kinds: &[EventKind], after: u64) -> Result<Replay, Fail> {
    let newest = newest(connection)?;
    let reset = Replay::Reset { newest: newest.unsigned_abs() };
    // Nought is where every store begins.
    let after = if after == 0 { first(connection)? } else { i64::try_from(after).unwrap_or(i64::MAX) };
    if after > newest || after < floor(connection, newest)? {
        return Ok(reset);
    }
    let mut statement = connection.prepare_cached(
        "SELECT id, kind, data FROM events WHERE id > ?1 AND town = ?2 AND user_id IN ('', ?3) ORDER BY id",
    )?;
    let mut rows = statement.query(params![after, whose.town, whose.user])?;
    let (mut events, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let name = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
        let Some(kind) = EventKind::ALL.into_iter().find(|kind| kind.as_str() == name) else { continue };
        if !kinds.is_empty() && !kinds.contains(&kind) {
            continue;
        }
        let (id, data): (i64, String) = (row.get(0)?, row.get(2)?);
        bytes += data.len();
        if bytes > REPLAY_BYTES_MAX {
            return Ok(reset);
        }
        events.push(Event { id: id.unsigned_abs(), kind, data });
    }
    Ok(Replay::Events(events))
}

impl EventStore for Store {
    async fn events_after(&self, whose: &Whose, kinds: &[EventKind], id: u64) -> Stored<Replay> {
        let (whose, kinds) = (whose.clone(), kinds.to_vec());
        self.read(move |connection| after(connection, &whose, &kinds, id)).await
    }

    fn follow(&self) -> impl Feed + 'static {
        Following(self.told())
    }
}

/// `None` where the store had ended before.
struct Following(Option<broadcast::Receiver<Arc<Told>>>);

impl Feed for Following {
    async fn next(&mut self) -> Option<Result<(Whose, Event), Lost>> {
        match self.0.as_mut()?.recv().await {
            Ok(told) => Some(Ok((told.whose.clone(), told.event.clone()))),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(Err(Lost)),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}
