//! Edits that lost, as the server keeps them; and a person's choice, which is a write like any other.

use cloud_sync_protocol::conflict::{
    Both, CONFLICTS_MAX, Conflict, ConflictKind, Keep, is_open, names, restored, shown,
};
use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::note::NewNote;
use cloud_sync_protocol::store::{StoreError, Whose};
use cloud_sync_protocol::sync::op::{Field, Kind, RowKey, Scope, as_int, as_row, as_text, get};
use cloud_sync_protocol::sync::table::{Table, TableId, conflicts as fields, facts, notes};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::Value;

use super::{log, state};
use crate::fail::Fail;
use crate::rows;
use crate::rows::columns::{id, moment};
use crate::writer::Write;

/// Lets a conflict be what the server says it is.
pub(super) fn put(tx: &Connection, id: RowId, told: Option<&[Field]>) -> Result<(), Fail> {
    let Some(told) = told else {
        tx.prepare_cached("DELETE FROM conflicts WHERE id = ?1")?.execute([id.as_bytes()])?;
        return Ok(());
    };
    let number = |field| get(told, field).and_then(as_int);
    let text = |field| get(told, field).and_then(as_text).unwrap_or_default();
    let (Some(table), Some(row)) = (number(fields::TABLE), get(told, fields::ROW).and_then(as_row)) else {
        return Ok(());
    };
    let mut statement =
        tx.prepare_cached("SELECT scope FROM sync_base WHERE table_id = ?1 AND row_id = ?2")?;
    let scope: Option<String> =
        statement.query_row(params![Table::Conflicts.id().0, id.as_bytes()], |row| row.get(0)).optional()?;
    let mut statement = tx.prepare_cached(
        "INSERT OR REPLACE INTO conflicts (id, scope, table_id, row_id, field, other, other_author, other_ms, \
         current_author, current_ms, why, is_open) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?;
    statement.execute(params![
        id.as_bytes(),
        scope.unwrap_or_default(),
        table,
        row.as_bytes(),
        number(fields::FIELD).unwrap_or_default(),
        get(told, fields::OTHER).unwrap_or_default(),
        text(fields::OTHER_AUTHOR),
        number(fields::OTHER_MS).unwrap_or_default(),
        text(fields::CURRENT_AUTHOR),
        number(fields::CURRENT_MS).unwrap_or_default(),
        number(fields::WHY).unwrap_or_default(),
        is_open(number(fields::STATE).unwrap_or_default()),
    ])?;
    Ok(())
}

/// A conflict with the value that lost as the field has it.
struct Kept {
    conflict: Conflict,
    table: TableId,
    field: u16,
    other: Vec<u8>,
}

const COLUMNS: &str =
    "id, table_id, row_id, field, other, other_author, other_ms, current_author, current_ms, why";

fn read(row: &Row<'_>) -> rusqlite::Result<Kept> {
    let (table, field, other) = (TableId(row.get(1)?), row.get(3)?, row.get::<_, Vec<u8>>(4)?);
    let (table_name, field_name) = names(table, field);
    let conflict = Conflict {
        id: id(row, 0)?,
        table: table_name,
        row: id(row, 2)?,
        field: field_name,
        kind: ConflictKind::from_number(row.get(9)?),
        current: Value::Null,
        other: shown(table, field, &other),
        authors: Both { current: row.get(7)?, other: row.get(5)? },
        times: Both { current: moment(row, 8)?, other: moment(row, 6)? },
    };
    Ok(Kept { conflict, table, field, other })
}

pub(super) fn list(connection: &Connection, whose: &Whose) -> Result<Vec<Conflict>, Fail> {
    let Some((town, own)) = scopes(connection, whose)? else { return Ok(Vec::new()) };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM conflicts WHERE is_open = 1 AND scope IN (?1, ?2) ORDER BY other_ms DESC, id DESC LIMIT ?3"
    ))?;
    let kept = statement.query_map(params![town, own, CONFLICTS_MAX], read)?;
    kept.map(|kept| with_current(connection, kept?)).collect()
}

/// The scopes that this person may see; `None` where the robot is not paired with their town.
fn scopes(connection: &Connection, whose: &Whose) -> rusqlite::Result<Option<(String, String)>> {
    let state = state::state(connection)?.filter(|state| state.town == whose.town);
    Ok(state.map(|_| (Scope::Town.name(), Scope::User(whose.user.clone()).name())))
}

/// With what the row shows now.
fn with_current(connection: &Connection, kept: Kept) -> Result<Conflict, Fail> {
    let sql = match (Table::of(kept.table), kept.field) {
        (Some(Table::Notes), notes::CONTENT) => "SELECT content FROM notes WHERE id = ?1",
        (Some(Table::Notes), notes::TAGS) => "SELECT tags FROM notes WHERE id = ?1",
        (Some(Table::Notes), notes::PRIORITY) => "SELECT priority FROM notes WHERE id = ?1",
        (Some(Table::Facts), facts::CONTENT) => "SELECT content FROM facts WHERE id = ?1",
        (Some(Table::Facts), facts::VALID_TO_MS) => "SELECT valid_to_ms FROM facts WHERE id = ?1",
        _ => return Ok(kept.conflict),
    };
    let mut statement = connection.prepare_cached(sql)?;
    let current = statement.query_row([kept.conflict.row.as_bytes()], |row| {
        Ok(match row.get_ref(0)? {
            rusqlite::types::ValueRef::Integer(number) => Value::from(number),
            rusqlite::types::ValueRef::Text(text) => shown(kept.table, kept.field, text),
            _ => Value::Null,
        })
    });
    Ok(Conflict { current: current.optional()?.unwrap_or_default(), ..kept.conflict })
}

/// How many nobody has resolved.
pub(super) fn count(connection: &Connection, whose: &Whose) -> rusqlite::Result<u64> {
    let Some((town, own)) = scopes(connection, whose)? else { return Ok(0) };
    let mut statement = connection
        .prepare_cached("SELECT count(*) FROM conflicts WHERE is_open = 1 AND scope IN (?1, ?2)")?;
    let count: i64 = statement.query_row([town, own], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

pub(super) fn resolve(write: &mut Write<'_>, whose: &Whose, id: RowId, keep: Keep) -> Result<(), Fail> {
    let Some((town, own)) = scopes(write.tx, whose)? else { return Err(StoreError::NotFound.into()) };
    let mut statement = write.tx.prepare_cached(&format!(
        "SELECT {COLUMNS}, scope FROM conflicts WHERE id = ?1 AND is_open = 1 AND scope IN (?2, ?3)"
    ))?;
    let found = statement
        .query_row(params![id.as_bytes(), town, own], |row| Ok((read(row)?, row.get::<_, String>(10)?)));
    let (kept, scope) = found.optional()?.ok_or(StoreError::NotFound)?;
    drop(statement);
    if keep == Keep::Other {
        choose_other(write, whose, &kept)?;
    }
    let scope = Scope::named(&scope).ok_or_else(|| super::strange("a scope"))?;
    if let Some(mut state) = state::state(write.tx)? {
        let key = RowKey { table: Table::Conflicts.id(), row: id };
        let chosen = vec![Field::int(fields::STATE, 1)];
        log::add(write.tx, &mut state, &scope, Kind::Set, key, chosen, write.now)?;
    }
    write.tx.prepare_cached("UPDATE conflicts SET is_open = 0 WHERE id = ?1")?.execute([id.as_bytes()])?;
    Ok(())
}

/// Writes the other version, as the person could have done by hand.
fn choose_other(write: &mut Write<'_>, whose: &Whose, kept: &Kept) -> Result<(), Fail> {
    let text = || as_text(&kept.other).unwrap_or_default().to_owned();
    let row = kept.conflict.row;
    match (Table::of(kept.table), kept.field) {
        (Some(Table::Notes), field) => {
            let mut patch = cloud_sync_protocol::note::NotePatch::default();
            match field {
                notes::CONTENT => patch.content = Some(text()),
                notes::TAGS => patch.tags = Some(serde_json::from_str(&text())?),
                _ => patch.priority = as_int(&kept.other).and_then(|number| u8::try_from(number).ok()),
            }
            match rows::notes::change(write, whose, row, &patch, None) {
                Err(Fail::Store(StoreError::NotFound)) if field == notes::CONTENT => {
                    let note = NewNote {
                        id: restored(kept.conflict.id),
                        content: text(),
                        created_by: whose.user.clone(),
                        tags: Vec::new(),
                        priority: cloud_sync_protocol::note::PRIORITY_DEFAULT,
                    };
                    rows::notes::add(write, whose, &note).map(drop)
                }
                changed => changed.map(drop),
            }
        }
        (Some(Table::Facts), field) => {
            let valid_to = || as_int(&kept.other).and_then(|ms| Timestamp::from_millisecond(ms).ok());
            let new_id = restored(kept.conflict.id);
            match field {
                facts::CONTENT => rows::facts::say(write, whose, row, &text(), new_id),
                _ => rows::facts::end(write, whose, row, valid_to()),
            }
        }
        // What is written once cannot be written otherwise.
        _ => Ok(()),
    }
}
