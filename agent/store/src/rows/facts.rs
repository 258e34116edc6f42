//! Facts: what was learnt about a user and his world. Written once; nothing here decides what is a fact.

use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::memory::MemoryKind;
use cloud_sync_protocol::note::CONTENT_BYTES_MAX;
use cloud_sync_protocol::store::{StoreError, Stored, Whose};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, ToSql};

use crate::fail::Fail;
use crate::limits::{Class, ROW_BYTES};
use crate::rows::columns::StampColumns;
use crate::rows::memory::{self, Remembered, taken};
use crate::store::Store;
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

fn add(write: &mut Write<'_>, whose: &Whose, fact: &NewFact) -> Result<RowId, Fail> {
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
    Ok(id)
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
