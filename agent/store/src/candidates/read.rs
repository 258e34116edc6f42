//! Candidates as they stand in the database, of those rows alone that the asker may see. It never ranks them.

use cloud_sync_protocol::id::RowId;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Asked, Candidate, Found};
use crate::index::{Kinds, ModelId, Vector};
use crate::vectors::{self, TEXT};

/// Columns of a candidate and `more`, of rows `m` in `tables` that the asker may see. The rest of the condition follows, its
/// values from `?4` on.
fn sql(more: &str, tables: &str, condition: &str) -> String {
    format!(
        "SELECT m.n, m.id, m.kind, {TEXT}, m.speaker, m.at_ms, m.conversation_id, m.ordinal{more} FROM {tables}
         WHERE m.town = ?1 AND m.user_id IN ('', ?2) AND (?3 >> m.kind) & 1 AND {condition}"
    )
}

pub(super) fn by_key(conn: &Connection, asked: &Asked, n: i64) -> rusqlite::Result<Option<Candidate>> {
    let mut statement = conn.prepare_cached(&sql("", "memory m", "m.n = ?4"))?;
    let values = params![asked.whose.town, asked.whose.user, asked.kinds.bits(), n];
    Ok(statement.query_row(values, candidate).optional()?.flatten())
}

/// A row and the vector of its text, exactly; `None` where it has none, or is gone.
pub(super) fn with_vector(
    conn: &Connection,
    asked: &Asked,
    model: ModelId,
    n: i64,
) -> rusqlite::Result<Option<(Candidate, Vector)>> {
    let tables = "memory m CROSS JOIN vectors v ON v.content_hash = m.content_hash AND v.model = ?5";
    let mut statement = conn.prepare_cached(&sql(", v.vector", tables, "m.n = ?4"))?;
    let mut found =
        statement.query(params![asked.whose.town, asked.whose.user, asked.kinds.bits(), n, model.0])?;
    let Some(row) = found.next()? else { return Ok(None) };
    let vector = vectors::vector(row.get_ref(8)?.as_blob()?);
    Ok(candidate(row)?.zip(vector))
}

/// What was said just before and just after the candidate at `place`, as far as it is not among the candidates.
pub(super) fn neighbours(
    conn: &Connection,
    asked: &Asked,
    found: &Found,
    place: usize,
) -> rusqlite::Result<Vec<Candidate>> {
    let to = &found.candidates[place];
    let (Some(conversation), Some(ordinal)) = (to.conversation, to.ordinal) else { return Ok(Vec::new()) };
    let unknown = |ordinal: &u32| !found.knows_turn(conversation, *ordinal);
    let before = ordinal.checked_sub(1).filter(unknown);
    let after = ordinal.checked_add(1).filter(unknown);
    if before.or(after).is_none() {
        return Ok(Vec::new());
    }
    let condition = "m.conversation_id = ?4 AND m.ordinal IN (?5, ?6)";
    let mut statement = conn.prepare_cached(&sql("", "memory m", condition))?;
    let (whose, kinds) = (&asked.whose, asked.kinds.bits());
    let values = params![whose.town, whose.user, kinds, conversation.as_bytes(), before, after];
    let rows = statement.query_map(values, candidate)?;
    rows.filter_map(Result::transpose).collect()
}

/// `None` for a kind that nobody knows.
fn candidate(row: &Row<'_>) -> rusqlite::Result<Option<Candidate>> {
    let Some(kind) = Kinds::from_number(row.get(2)?) else { return Ok(None) };
    // A row of `memory` is written with its text; one without it comes from a file that was repaired.
    let Some(text) = row.get(3)? else { return Ok(None) };
    Ok(Some(Candidate {
        n: row.get(0)?,
        id: RowId::from_bytes(row.get(1)?),
        kind,
        text,
        speaker: row.get(4)?,
        at_ms: row.get(5)?,
        conversation: row.get::<_, Option<[u8; 16]>>(6)?.map(RowId::from_bytes),
        ordinal: row.get(7)?,
        cosine: None,
        bm25: None,
    }))
}
