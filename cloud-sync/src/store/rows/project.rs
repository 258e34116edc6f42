//! What follows from synced rows: the columns that apps read, and what finds them again. One statement a table, however many
//! rows there are.

mod memory;
mod persona;
mod turns;

use std::collections::HashMap;

use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::memory::MemoryKind;
use cloud_sync_protocol::sync::op::{RowKey, Scope};
use cloud_sync_protocol::sync::row::RowState;
use cloud_sync_protocol::sync::server::Held;
use cloud_sync_protocol::sync::table::{Table, facts, notes};
use sqlx::PgConnection;

use super::state;
use crate::store::columns::Id;
use memory::Remembered;
pub(super) use memory::number;

/// A changed row of one table.
#[derive(Clone, Copy)]
struct Row<'a> {
    id: RowId,
    /// Empty for the town.
    user: &'a str,
    state: &'a RowState,
    /// Its version before; 0 where it is new.
    before: u64,
}

impl Row<'_> {
    fn version(&self) -> i64 {
        self.state.version.cast_signed()
    }

    /// Whether this register was written by what is under way.
    fn has_new(&self, field: u16) -> bool {
        self.state.get(field).is_some_and(|one| one.version > self.before)
    }
}

/// Writes what follows from these rows, in the order of their changes. `before`: the versions of those that were there.
pub(super) async fn project(
    connection: &mut PgConnection,
    changed: &[(RowKey, &Held)],
    before: &HashMap<RowKey, u64>,
) -> Result<(), sqlx::Error> {
    let of_table = |table: Table| -> Vec<Row<'_>> {
        let of_table = changed.iter().filter(|(key, _)| key.table == table.id());
        of_table.map(|(key, held)| row(*key, held, before)).collect()
    };
    notes(connection, &of_table(Table::Notes)).await?;
    facts(connection, &of_table(Table::Facts)).await?;
    turns::turns(connection, &of_table(Table::Turns)).await?;
    persona::personalities(connection, &of_table(Table::Personality)).await?;
    persona::mood_changes(connection, &of_table(Table::MoodChanges)).await?;
    conflicts(connection, &of_table(Table::Conflicts), changed).await
}

fn row<'a>(key: RowKey, held: &'a Held, before: &HashMap<RowKey, u64>) -> Row<'a> {
    let user = match &held.scope {
        Scope::Town => "",
        Scope::User(user) => user,
    };
    Row { id: key.row, user, state: &held.state, before: before.get(&key).copied().unwrap_or(0) }
}

/// Those that are gone, and those that are there.
fn gone_and_kept<'a>(rows: &[Row<'a>]) -> (Vec<Id>, Vec<Row<'a>>) {
    let (gone, kept): (Vec<Row<'_>>, Vec<Row<'_>>) = rows.iter().partition(|row| row.state.deleted);
    (gone.iter().map(|row| Id(row.id)).collect(), kept)
}

async fn delete(
    connection: &mut PgConnection,
    statement: &'static str,
    gone: &[Id],
) -> Result<(), sqlx::Error> {
    if !gone.is_empty() {
        sqlx::query(statement).bind(gone).execute(connection).await?;
    }
    Ok(())
}

async fn notes(connection: &mut PgConnection, rows: &[Row<'_>]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let (gone, kept) = gone_and_kept(rows);
    delete(connection, "DELETE FROM sticky_notes WHERE id = ANY($1)", &gone).await?;
    let notes: Vec<_> = kept.iter().map(|row| (state::note(row.id, row.state), row.version())).collect();
    let keep = "INSERT INTO sticky_notes \
        (id, content, created_by, created_ms, tags, priority, surfaced, last_surfaced_ms, version) \
        SELECT id, content, created_by, created_ms, ARRAY(SELECT jsonb_array_elements_text(tags::jsonb)), priority, \
        surfaced, last_surfaced_ms, version FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], \
        $5::text[], $6::smallint[], $7::boolean[], $8::bigint[], $9::bigint[]) \
        AS n(id, content, created_by, created_ms, tags, priority, surfaced, last_surfaced_ms, version) \
        ON CONFLICT (id) DO UPDATE SET content = excluded.content, created_by = excluded.created_by, \
        created_ms = excluded.created_ms, tags = excluded.tags, priority = excluded.priority, \
        surfaced = excluded.surfaced, last_surfaced_ms = excluded.last_surfaced_ms, version = excluded.version";
    sqlx::query(keep)
        .bind(notes.iter().map(|((note, _), _)| Id(note.id)).collect::<Vec<_>>())
        .bind(notes.iter().map(|((note, _), _)| note.content.clone()).collect::<Vec<_>>())
        .bind(notes.iter().map(|((note, _), _)| note.created_by.clone()).collect::<Vec<_>>())
        .bind(notes.iter().map(|((note, _), _)| note.created_at.as_millisecond()).collect::<Vec<_>>())
        .bind(notes.iter().map(|((note, _), _)| state::tags_json(&note.tags)).collect::<Vec<_>>())
        .bind(notes.iter().map(|((note, _), _)| i16::from(note.priority)).collect::<Vec<_>>())
        .bind(notes.iter().map(|((note, _), _)| note.surfaced).collect::<Vec<_>>())
        .bind(notes.iter().map(|((_, surfaced_ms), _)| *surfaced_ms).collect::<Vec<_>>())
        .bind(notes.iter().map(|(_, version)| *version).collect::<Vec<_>>())
        .execute(&mut *connection)
        .await?;
    let is_new = |row: &Row<'_>| {
        [notes::CONTENT, notes::CREATED_BY, notes::CREATED_MS].into_iter().any(|field| row.has_new(field))
    };
    let said = kept.iter().zip(&notes).filter(|(row, _)| is_new(row));
    let said = said.map(|(row, ((note, _), _))| Remembered {
        id: row.id,
        is_new: row.before == 0,
        user: "",
        said_in: None,
        speaker: Some(&note.created_by),
        at_ms: note.created_at.as_millisecond(),
        text: &note.content,
    });
    memory::replace(connection, MemoryKind::Note, gone, &said.collect::<Vec<_>>()).await
}

async fn facts(connection: &mut PgConnection, rows: &[Row<'_>]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let (gone, kept) = gone_and_kept(rows);
    delete(connection, "DELETE FROM facts WHERE id = ANY($1)", &gone).await?;
    let facts: Vec<_> = kept.iter().map(|row| state::fact(row.state)).collect();
    let keep = "INSERT INTO facts \
        (id, user_id, content, source_id, event_ms, valid_from_ms, valid_to_ms, version) \
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::bigint[], $6::bigint[], \
        $7::bigint[], $8::bigint[]) \
        ON CONFLICT (id) DO UPDATE SET content = excluded.content, source_id = excluded.source_id, \
        event_ms = excluded.event_ms, valid_from_ms = excluded.valid_from_ms, valid_to_ms = excluded.valid_to_ms, \
        version = excluded.version";
    sqlx::query(keep)
        .bind(kept.iter().map(|row| Id(row.id)).collect::<Vec<_>>())
        .bind(kept.iter().map(|row| row.user.to_owned()).collect::<Vec<_>>())
        .bind(facts.iter().map(|fact| fact.content.clone()).collect::<Vec<_>>())
        .bind(facts.iter().map(|fact| fact.source.map(Id)).collect::<Vec<_>>())
        .bind(facts.iter().map(|fact| fact.event_ms).collect::<Vec<_>>())
        .bind(facts.iter().map(|fact| fact.valid_from_ms).collect::<Vec<_>>())
        .bind(facts.iter().map(|fact| fact.valid_to_ms).collect::<Vec<_>>())
        .bind(kept.iter().map(|row| row.version()).collect::<Vec<_>>())
        .execute(&mut *connection)
        .await?;
    let is_new = |row: &Row<'_>| {
        [facts::CONTENT, facts::EVENT_MS, facts::VALID_FROM_MS].into_iter().any(|field| row.has_new(field))
    };
    let said = kept.iter().zip(&facts).filter(|(row, _)| is_new(row));
    let said = said.map(|(row, fact)| Remembered {
        id: row.id,
        is_new: row.before == 0,
        user: row.user,
        said_in: None,
        speaker: None,
        at_ms: fact.event_ms.unwrap_or(fact.valid_from_ms),
        text: &fact.content,
    });
    memory::replace(connection, MemoryKind::Fact, gone, &said.collect::<Vec<_>>()).await
}

/// Conflicts are never deleted.
async fn conflicts(
    connection: &mut PgConnection,
    rows: &[Row<'_>],
    changed: &[(RowKey, &Held)],
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let of_conflicts = changed.iter().filter(|(key, _)| key.table == Table::Conflicts.id());
    let scopes: Vec<String> = of_conflicts.map(|(_, held)| held.scope.name()).collect();
    let conflicts: Vec<_> = rows.iter().map(|row| state::conflict(row.id, row.state)).collect();
    let keep = "INSERT INTO conflicts (id, scope, table_id, row_id, field, current_author, current_ms, other, \
        other_author, other_ms, why, resolved, version) \
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::smallint[], $4::uuid[], $5::integer[], $6::text[], \
        $7::bigint[], $8::bytea[], $9::text[], $10::bigint[], $11::smallint[], $12::boolean[], $13::bigint[]) \
        ON CONFLICT (id) DO UPDATE SET scope = excluded.scope, current_author = excluded.current_author, \
        current_ms = excluded.current_ms, other = excluded.other, other_author = excluded.other_author, \
        other_ms = excluded.other_ms, why = excluded.why, resolved = excluded.resolved, version = excluded.version";
    sqlx::query(keep)
        .bind(rows.iter().map(|row| Id(row.id)).collect::<Vec<_>>())
        .bind(scopes)
        .bind(conflicts.iter().map(|one| one.table).collect::<Vec<_>>())
        .bind(conflicts.iter().map(|one| Id(one.row)).collect::<Vec<_>>())
        .bind(conflicts.iter().map(|one| one.field).collect::<Vec<_>>())
        .bind(conflicts.iter().map(|one| one.current_author.clone()).collect::<Vec<_>>())
        .bind(conflicts.iter().map(|one| one.current_ms).collect::<Vec<_>>())
        .bind(conflicts.iter().map(|one| one.other.clone()).collect::<Vec<_>>())
        .bind(conflicts.iter().map(|one| one.other_author.clone()).collect::<Vec<_>>())
        .bind(conflicts.iter().map(|one| one.other_ms).collect::<Vec<_>>())
        .bind(conflicts.iter().map(|one| one.why).collect::<Vec<_>>())
        .bind(conflicts.iter().map(|one| one.resolved).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.version()).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}
