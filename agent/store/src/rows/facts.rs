//! Facts: what was learnt about a user and his world. Written once; nothing here decides what is a fact.

use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::memory::MemoryKind;
use cloud_sync_protocol::note::CONTENT_BYTES_MAX;
use cloud_sync_protocol::stamp::Stamp;
use cloud_sync_protocol::store::{StoreError, Stored, Whose};
use cloud_sync_protocol::sync::op::{Field, Kind};
use cloud_sync_protocol::sync::table::{Table, facts as fields};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, ToSql};

use crate::fail::Fail;
use crate::limits::{Class, ROW_BYTES};
use crate::rows::columns::{StampColumns, id, moment_field};
use crate::rows::memory::{self, Remembered, taken};
use crate::store::Store;
use crate::sync;
use crate::writer::{Room, Write};

/// Most facts of one call.
const FACTS_AT_ONCE_MAX: usize = 1_000;

/// A fact to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFact {
    /// Its id, so that a retry names the same row; drawn where there is none.
    pub id: Option<RowId>,
    /// What is so; at most 16 KiB.
    pub content: String,
    /// The turn or note it comes from.
    pub source: Option<RowId>,
    /// When what it tells of was or will be.
    pub event: Option<Timestamp>,
}

pub(crate) fn add(write: &mut Write<'_>, whose: &Whose, fact: &NewFact) -> Result<RowId, Fail> {
    let id = fact.id.unwrap_or_else(|| write.new_id());
    let mut statement =
        write.tx.prepare_cached("SELECT town, user_id, content, version FROM facts WHERE id = ?1")?;
    let known = statement.query_row([id.as_bytes()], |row| {
        let (town, user, content): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok((town == whose.town && user == whose.user, content, row.get::<_, i64>(3)?.unsigned_abs()))
    });
    match known.optional()? {
        Some((true, content, _)) if content == fact.content => return Ok(id),
        Some((true, _, version)) => return Err(StoreError::Conflict { version }.into()),
        Some((false, ..)) => return Err(taken().into()),
        None => {}
    }
    write.usage.take(Class::Facts, fact.content.len() as u64 + ROW_BYTES, write.limits)?;
    let now_ms = write.now_ms();
    let event_ms = fact.event.map(Timestamp::as_millisecond);
    let row = Remembered {
        kind: MemoryKind::Fact,
        id,
        town: &whose.town,
        user: &whose.user,
        said_in: None,
        speaker: None,
        at_ms: event_ms.unwrap_or(now_ms),
    };
    let changes = memory::remember(write.tx, &row, &fact.content)?;
    write.changes.extend(changes);
    let source = fact.source.map(|source| *source.as_bytes());
    let stamp = StampColumns::of(&write.now);
    let own: [&dyn ToSql; 7] =
        [id.as_bytes(), &whose.town, &whose.user, &fact.content, &source, &event_ms, &now_ms];
    let values: Vec<&dyn ToSql> = own.into_iter().chain(stamp.values()).collect();
    let mut statement = write.tx.prepare_cached(
        "INSERT INTO facts (id, town, user_id, content, source_id, event_ms, valid_from_ms, version, \
         boot_id, mono_ms, wall_ms, clock) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, ?8, ?9, ?10, ?11)",
    )?;
    statement.execute(values.as_slice())?;
    let written = Fact {
        id,
        content: fact.content.clone(),
        source: fact.source,
        event_ms,
        valid_from_ms: now_ms,
        valid_to_ms: None,
    };
    let fields = inserted(&written, &write.now);
    sync::log(write, whose, Kind::Insert, Table::Facts, id, fields)?;
    Ok(id)
}

/// A fact, as sync brings it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) id: RowId,
    pub(crate) content: String,
    pub(crate) source: Option<RowId>,
    pub(crate) event_ms: Option<i64>,
    pub(crate) valid_from_ms: i64,
    pub(crate) valid_to_ms: Option<i64>,
}

/// The fields of a new fact that are not the default.
fn inserted(fact: &Fact, now: &Stamp) -> Vec<Field> {
    let mut fields = vec![Field::text(fields::CONTENT, &fact.content)];
    fields.extend(fact.source.map(|source| Field::row(fields::SOURCE, source)));
    fields.extend(fact.event_ms.map(|ms| Field::int(fields::EVENT_MS, ms)));
    fields.extend(moment_field(fields::VALID_FROM_MS, fact.valid_from_ms, now));
    fields.extend(fact.valid_to_ms.map(|ms| Field::int(fields::VALID_TO_MS, ms)));
    fields
}

/// Every fact of a user, the stamp first.
pub(crate) const WHOLE: &str = "SELECT boot_id, mono_ms, wall_ms, clock, id, content, source_id, event_ms, valid_from_ms, \
                                valid_to_ms FROM facts WHERE town = ?1 AND user_id = ?2 ORDER BY valid_from_ms, id";

/// A row of [`WHOLE`] as the fields of an Insert.
pub(crate) fn whole(row: &Row<'_>, stamp: &Stamp) -> Result<(RowId, Vec<Field>), Fail> {
    let fact = Fact {
        id: id(row, 4)?,
        content: row.get(5)?,
        source: row.get::<_, Option<[u8; 16]>>(6)?.map(RowId::from_bytes),
        event_ms: row.get(7)?,
        valid_from_ms: row.get(8)?,
        valid_to_ms: row.get(9)?,
    };
    Ok((fact.id, inserted(&fact, stamp)))
}

fn find(connection: &Connection, id: RowId) -> rusqlite::Result<Option<Fact>> {
    let mut statement = connection.prepare_cached(
        "SELECT content, source_id, event_ms, valid_from_ms, valid_to_ms FROM facts WHERE id = ?1",
    )?;
    let found = statement.query_row([id.as_bytes()], |row| {
        Ok(Fact {
            id,
            content: row.get(0)?,
            source: row.get::<_, Option<[u8; 16]>>(1)?.map(RowId::from_bytes),
            event_ms: row.get(2)?,
            valid_from_ms: row.get(3)?,
            valid_to_ms: row.get(4)?,
        })
    });
    found.optional()
}

/// Says a fact otherwise, or anew under `new_id` where it is gone.
pub(crate) fn say(
    write: &mut Write<'_>,
    whose: &Whose,
    id: RowId,
    content: &str,
    new_id: RowId,
) -> Result<(), Fail> {
    let Some(old) = find(write.tx, id)? else {
        let new = NewFact { id: Some(new_id), content: content.to_owned(), source: None, event: None };
        return add(write, whose, &new).map(drop);
    };
    let now = write.now;
    put(write, whose, &Fact { content: content.to_owned(), ..old }, &now)?;
    let fields = vec![Field::text(fields::CONTENT, content)];
    sync::log(write, whose, Kind::Set, Table::Facts, id, fields)
}

/// A fact is true until then; `None`: nothing is known of that.
pub(crate) fn end(
    write: &mut Write<'_>,
    whose: &Whose,
    id: RowId,
    until: Option<Timestamp>,
) -> Result<(), Fail> {
    let (Some(old), Some(until)) = (find(write.tx, id)?, until) else { return Ok(()) };
    let (now, until_ms) = (write.now, until.as_millisecond());
    put(write, whose, &Fact { valid_to_ms: Some(until_ms), ..old }, &now)?;
    let fields = vec![Field::int(fields::VALID_TO_MS, until_ms)];
    sync::log(write, whose, Kind::Set, Table::Facts, id, fields)
}

/// Lets a fact be what sync says it is.
pub(crate) fn put(write: &mut Write<'_>, whose: &Whose, fact: &Fact, stamp: &Stamp) -> Result<(), Fail> {
    let old = find(write.tx, fact.id)?;
    if old.as_ref() == Some(fact) {
        return Ok(());
    }
    if let Some(old) = &old {
        write.usage.give(Class::Facts, old.content.len() as u64 + ROW_BYTES);
        let changes = memory::forget(write.tx, fact.id)?;
        write.changes.extend(changes);
    }
    write.usage.take(Class::Facts, fact.content.len() as u64 + ROW_BYTES, write.limits)?;
    let row = Remembered {
        kind: MemoryKind::Fact,
        id: fact.id,
        town: &whose.town,
        user: &whose.user,
        said_in: None,
        speaker: None,
        at_ms: fact.event_ms.unwrap_or(fact.valid_from_ms),
    };
    let changes = memory::remember(write.tx, &row, &fact.content)?;
    write.changes.extend(changes);
    let source = fact.source.map(|source| *source.as_bytes());
    let stamp = StampColumns::of(stamp);
    let own: [&dyn ToSql; 8] = [
        fact.id.as_bytes(),
        &whose.town,
        &whose.user,
        &fact.content,
        &source,
        &fact.event_ms,
        &fact.valid_from_ms,
        &fact.valid_to_ms,
    ];
    let values: Vec<&dyn ToSql> = own.into_iter().chain(stamp.values()).collect();
    let mut statement = write.tx.prepare_cached(
        "INSERT INTO facts (id, town, user_id, content, source_id, event_ms, valid_from_ms, valid_to_ms, version, \
         boot_id, mono_ms, wall_ms, clock) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1, ?9, ?10, ?11, ?12) \
         ON CONFLICT (id) DO UPDATE SET content = ?4, source_id = ?5, event_ms = ?6, valid_from_ms = ?7, valid_to_ms = ?8, \
         version = version + 1, boot_id = ?9, mono_ms = ?10, wall_ms = ?11, clock = ?12",
    )?;
    statement.execute(values.as_slice())?;
    Ok(())
}

/// Lets a fact be gone, as sync says it is.
pub(crate) fn take_away(write: &mut Write<'_>, id: RowId) -> Result<(), Fail> {
    let Some(old) = find(write.tx, id)? else { return Ok(()) };
    let changes = memory::forget(write.tx, id)?;
    write.changes.extend(changes);
    write.tx.prepare_cached("DELETE FROM facts WHERE id = ?1")?.execute([id.as_bytes()])?;
    write.usage.give(Class::Facts, old.content.len() as u64 + ROW_BYTES);
    Ok(())
}

impl Store {
    /// Keeps facts, all or none, at most 1,000. Once more with the same id and content: no second one; other content:
    /// `Conflict`. Returns their ids, in order.
    ///
    /// # Errors
    /// `Conflict` as above; `Full` and `Failed`, as every write.
    pub async fn add_facts(&self, whose: &Whose, facts: Vec<NewFact>) -> Stored<Vec<RowId>> {
        let too_long = facts.iter().any(|fact| fact.content.len() > CONTENT_BYTES_MAX);
        if facts.len() > FACTS_AT_ONCE_MAX || too_long {
            return Err(StoreError::Failed(format!(
                "at most {FACTS_AT_ONCE_MAX} facts of at most {CONTENT_BYTES_MAX} bytes are kept at once"
            )));
        }
        let whose = whose.clone();
        let all = move |write: &mut Write<'_>| facts.iter().map(|fact| add(write, &whose, fact)).collect();
        self.write(Room::Takes, all).await
    }
}
