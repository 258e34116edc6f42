//! Notes as sync has them: whole ones for a cloud that knows none yet, and what it says they are.

use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::note::StickyNote;
use cloud_sync_protocol::stamp::Stamp;
use cloud_sync_protocol::store::{StoreError, Whose};
use cloud_sync_protocol::sync::op::Field;
use cloud_sync_protocol::sync::table::notes as fields;
use rusqlite::{Row, ToSql, params};

use super::{bytes, find, gone, inserted, remember, tell};
use crate::fail::Fail;
use crate::limits::Class;
use crate::rows::columns::{StampColumns, id, moment};
use crate::rows::memory;
use crate::writer::Write;

/// Every note of a town, the stamp first, then as [`read`] has it.
pub(crate) const WHOLE: &str = "SELECT boot_id, mono_ms, wall_ms, clock, id, content, created_by, created_ms, tags, priority, \
                                surfaced, last_surfaced_ms FROM notes WHERE town = ?1 ORDER BY created_ms, id";

/// A row of [`WHOLE`] as the fields of an Insert.
pub(crate) fn whole(row: &Row<'_>, stamp: &Stamp) -> Result<(RowId, Vec<Field>), Fail> {
    let tags: String = row.get(8)?;
    let note = StickyNote {
        id: id(row, 4)?,
        content: row.get(5)?,
        created_by: row.get(6)?,
        created_at: moment(row, 7)?,
        tags: serde_json::from_str(&tags)?,
        priority: row.get(9)?,
        surfaced: row.get(10)?,
    };
    let mut fields = inserted(&note, &tags, *stamp);
    if note.surfaced {
        fields.push(Field::int(fields::SURFACED, 1));
    }
    fields.extend(row.get::<_, Option<i64>>(11)?.map(|ms| Field::int(fields::LAST_SURFACED_MS, ms)));
    Ok((note.id, fields))
}

/// Lets a note be what sync says it is.
pub(crate) fn put(
    write: &mut Write<'_>,
    whose: &Whose,
    note: &StickyNote,
    surfaced_ms: Option<i64>,
    stamp: &Stamp,
) -> Result<(), Fail> {
    let old = match find(write.tx, whose, note.id) {
        Ok(old) if old.row == *note => return last_surfaced(write, note.id, surfaced_ms),
        Ok(old) => Some(old),
        Err(Fail::Store(StoreError::NotFound)) => None,
        Err(fail) => return Err(fail),
    };
    let tags = serde_json::to_string(&note.tags)?;
    if let Some(old) = &old {
        let old_tags = serde_json::to_string(&old.row.tags)?;
        write.usage.give(Class::Notes, bytes(&old.row.content, &old_tags, &old.row.created_by));
    }
    write.usage.take(Class::Notes, bytes(&note.content, &tags, &note.created_by), write.limits)?;
    let is_found_as_before = old.as_ref().is_some_and(|old| {
        old.row.content == note.content
            && old.row.created_by == note.created_by
            && old.row.created_at == note.created_at
    });
    if !is_found_as_before {
        if old.is_some() {
            let changes = memory::forget(write.tx, note.id)?;
            write.changes.extend(changes);
        }
        remember(write, whose, note)?;
    }
    let version = old.map_or(1, |old| i64::try_from(old.version + 1).unwrap_or(i64::MAX));
    let created_ms = note.created_at.as_millisecond();
    let stamp = StampColumns::of(stamp);
    let own: [&dyn ToSql; 10] = [
        note.id.as_bytes(),
        &whose.town,
        &note.content,
        &note.created_by,
        &created_ms,
        &tags,
        &note.priority,
        &note.surfaced,
        &surfaced_ms,
        &version,
    ];
    let values: Vec<&dyn ToSql> = own.into_iter().chain(stamp.values()).collect();
    let mut statement = write.tx.prepare_cached(
        "INSERT INTO notes (id, town, content, created_by, created_ms, tags, priority, surfaced, last_surfaced_ms, version, \
         boot_id, mono_ms, wall_ms, clock) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) \
         ON CONFLICT (id) DO UPDATE SET content = ?3, created_by = ?4, created_ms = ?5, tags = ?6, priority = ?7, \
         surfaced = ?8, last_surfaced_ms = ?9, version = ?10, boot_id = ?11, mono_ms = ?12, wall_ms = ?13, clock = ?14",
    )?;
    statement.execute(values.as_slice())?;
    tell(write, whose, note)
}

/// When it was brought up last is seen by nobody who reads the note.
fn last_surfaced(write: &Write<'_>, id: RowId, surfaced_ms: Option<i64>) -> Result<(), Fail> {
    let mut statement = write.tx.prepare_cached(
        "UPDATE notes SET last_surfaced_ms = ?2 WHERE id = ?1 AND last_surfaced_ms IS NOT ?2",
    )?;
    statement.execute(params![id.as_bytes(), surfaced_ms])?;
    Ok(())
}

/// Lets a note be gone, as sync says it is.
pub(crate) fn take_away(write: &mut Write<'_>, whose: &Whose, id: RowId) -> Result<(), Fail> {
    let old = match find(write.tx, whose, id) {
        Ok(old) => old.row,
        Err(Fail::Store(StoreError::NotFound)) => return Ok(()),
        Err(fail) => return Err(fail),
    };
    let changes = memory::forget(write.tx, id)?;
    write.changes.extend(changes);
    write.tx.prepare_cached("DELETE FROM notes WHERE id = ?1")?.execute([id.as_bytes()])?;
    gone(write, whose, &old)
}
