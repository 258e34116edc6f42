//! The table `memory` and what hangs on it: a row for everything that can be found again, its words, its vector.

use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::memory::MemoryKind;
use cloud_sync_protocol::store::StoreError;
use rusqlite::{Connection, ErrorCode, params};

use crate::fail::Fail;
use crate::index::{Change, Kinds, Row};
use crate::vectors::{self, ContentHash};
use crate::words;

/// What is remembered of a row, beside its text.
pub(crate) struct Remembered<'a> {
    pub(crate) kind: MemoryKind,
    pub(crate) id: RowId,
    pub(crate) town: &'a str,
    /// Empty for what belongs to the town.
    pub(crate) user: &'a str,
    /// The conversation and the place in it.
    pub(crate) said_in: Option<(RowId, i64)>,
    pub(crate) speaker: Option<&'a str>,
    pub(crate) at_ms: i64,
}

/// Lets a new row be found. Where its id is another row's, also one of another kind, it is refused.
pub(crate) fn remember(tx: &Connection, row: &Remembered<'_>, text: &str) -> Result<Vec<Change>, Fail> {
    let hash = ContentHash::of(text);
    let mut statement = tx.prepare_cached(
        "INSERT INTO memory (kind, id, town, user_id, conversation_id, ordinal, speaker, at_ms, content_hash) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    let inserted = statement.execute(params![
        Kinds::number(row.kind),
        row.id.as_bytes(),
        row.town,
        row.user,
        row.said_in.map(|(conversation, _)| *conversation.as_bytes()),
        row.said_in.map(|(_, ordinal)| ordinal),
        row.speaker,
        row.at_ms,
        hash.as_bytes(),
    ]);
    match inserted {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
            return Err(taken().into());
        }
        inserted => inserted?,
    };
    let n = tx.last_insert_rowid();
    words::write(tx, n, text)?;
    let entry = Row {
        n,
        kind: row.kind,
        town: row.town.to_owned(),
        user: row.user.to_owned(),
        speaker: row.speaker.map(str::to_owned),
        at_ms: row.at_ms,
    };
    Ok(vectors::added(tx, &entry, hash)?)
}

/// The id is another row's, of which nothing is told.
pub(crate) fn taken() -> StoreError {
    StoreError::Conflict { version: 0 }
}

/// A row is not found any more.
pub(crate) fn forget(tx: &Connection, id: RowId) -> Result<Vec<Change>, Fail> {
    let mut statement = tx.prepare_cached("DELETE FROM memory WHERE id = ?1 RETURNING n, content_hash")?;
    let mut gone = statement.query([id.as_bytes()])?;
    let Some(row) = gone.next()? else { return Ok(Vec::new()) };
    let (n, hash) = (row.get(0)?, ContentHash::from_bytes(row.get(1)?));
    // A statement with RETURNING is done only when it says so.
    while gone.next()?.is_some() {}
    words::delete(tx, n)?;
    Ok(vectors::removed(tx, n, hash)?)
}
