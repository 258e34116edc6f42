//! Edits that lost; and a person's choice between two versions, which is a write like any other.

use cloud_sync_protocol::conflict::{
    Both, CONFLICTS_MAX, Conflict, ConflictKind, Keep, names, restored, shown,
};
use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::note::CONTENT_BYTES_MAX;
use cloud_sync_protocol::store::{StoreError, Stored, Whose};
use cloud_sync_protocol::sync::op::{Field, Kind, Scope};
use cloud_sync_protocol::sync::server::scopes_of;
use cloud_sync_protocol::sync::table::{Table, TableId, conflicts, facts, notes};
use models_mind::words::cut;
use serde_json::Value;
use sqlx::PgConnection;

use super::state::{conflict, moment};
use super::writing::{Wish, Writing, key, state_of};
use super::{Rows, failed};
use crate::clock::now_ms;
use crate::store::columns::Id;

/// `id, table_id, row_id, field, current_author, current_ms, other, other_author, other_ms, why, state` of the row.
type ConflictColumns = (Id, i16, Id, i32, String, i64, Vec<u8>, String, i64, i16, Option<Vec<u8>>);

/// Those that nobody has resolved, the newest first, of the town and of one user.
pub(super) async fn list(connection: &mut PgConnection, own: &Scope) -> Result<Vec<Conflict>, sqlx::Error> {
    // What stands is told only where it is in the same scope: an id may be another's.
    let asked = "SELECT c.id, c.table_id, c.row_id, c.field, c.current_author, c.current_ms, c.other, c.other_author, \
        c.other_ms, c.why, r.state FROM conflicts c LEFT JOIN sync_rows r \
        ON r.table_id = c.table_id AND r.row_id = c.row_id AND r.scope = c.scope \
        WHERE NOT c.resolved AND c.scope IN ('town', $1) ORDER BY c.other_ms DESC, c.id DESC LIMIT $2";
    let rows: Vec<ConflictColumns> =
        sqlx::query_as(asked).bind(own.name()).bind(i64::from(CONFLICTS_MAX)).fetch_all(connection).await?;
    rows.into_iter().map(read).collect()
}

fn read(columns: ConflictColumns) -> Result<Conflict, sqlx::Error> {
    let (Id(id), table, Id(row), field, author, ms, other, other_author, other_ms, why, state) = columns;
    let (table, field) = (TableId(u16::try_from(table).unwrap_or(0)), u16::try_from(field).unwrap_or(0));
    let state = state.as_deref().map(state_of).transpose()?;
    let current = state.as_ref().and_then(|state| state.get(field));
    let (table_name, field_name) = names(table, field);
    Ok(Conflict {
        id,
        table: table_name,
        row,
        field: field_name,
        kind: ConflictKind::from_number(why.into()),
        current: current.map_or(Value::Null, |current| shown(table, field, &current.value)),
        other: shown(table, field, &other),
        authors: Both { current: author, other: other_author },
        times: Both { current: moment(ms), other: moment(other_ms) },
    })
}

/// Which row a conflict is about. That never changes.
async fn about(rows: &Rows, whose: &Whose, id: RowId) -> Stored<(TableId, RowId)> {
    let mut read = rows.town(whose)?.begin().await.map_err(failed)?;
    let own = Scope::User(whose.user.clone()).name();
    let asked =
        "SELECT table_id, row_id FROM conflicts WHERE id = $1 AND NOT resolved AND scope IN ('town', $2)";
    let found: Option<(i16, Id)> = sqlx::query_as(asked)
        .bind(Id(id))
        .bind(own)
        .fetch_optional(read.connection())
        .await
        .map_err(failed)?;
    let (table, Id(row)) = found.ok_or(StoreError::NotFound)?;
    Ok((TableId(u16::try_from(table).unwrap_or(0)), row))
}

/// Chooses a version, and settles the conflict with it.
pub(super) async fn resolve(rows: &Rows, whose: &Whose, id: RowId, keep: Keep) -> Stored<()> {
    let (table, row) = about(rows, whose, id).await?;
    let table = Table::of(table).unwrap_or(Table::Conflicts);
    let keys = [key(Table::Conflicts, id), key(table, row), key(table, restored(id))];
    let scopes = scopes_of(&whose.user);
    let wish = Wish { scopes: &scopes, user: &whose.user, keys: &keys, now_ms: now_ms() };
    let mut writing = rows.begin(&rows.town(whose)?, wish).await?;
    let kept = writing.row(Table::Conflicts, id).map(|state| conflict(id, state));
    // Somebody else may have been quicker.
    let kept = kept.filter(|kept| !kept.resolved).ok_or(StoreError::NotFound)?;
    if keep == Keep::Other {
        choose_other(&mut writing, whose, id, table, (row, kept.field, &kept.other))?;
    }
    writing.apply(Kind::Set, Table::Conflicts, id, vec![Field::int(conflicts::STATE, 1)])?;
    rows.commit(writing).await
}

/// Writes the other version, as the person could have done by hand.
fn choose_other(
    writing: &mut Writing,
    whose: &Whose,
    id: RowId,
    table: Table,
    (row, field, other): (RowId, i32, &[u8]),
) -> Stored<()> {
    let field = u16::try_from(field).unwrap_or(0);
    if !matches!(table, Table::Notes | Table::Facts) {
        // What is written once cannot be written otherwise.
        return Ok(());
    }
    let is_text = table.text_field() == Some(field);
    let value = if is_text { readable(other) } else { Field { id: field, value: other.to_vec() } };
    let value = Field { id: field, ..value };
    let is_there = writing
        .work
        .row(key(table, row))
        .is_some_and(|held| !held.state.deleted && scopes_of(&whose.user).contains(&held.scope));
    if is_there {
        return writing.apply(Kind::Set, table, row, vec![value]);
    }
    if !is_text {
        return Ok(());
    }
    let mut fields = vec![value];
    let moment = Field::int(
        if table == Table::Notes { notes::CREATED_MS } else { facts::VALID_FROM_MS },
        writing.now_ms,
    );
    fields.push(moment);
    if table == Table::Notes {
        fields.push(Field::text(notes::CREATED_BY, &whose.user));
    }
    writing.apply(Kind::Insert, table, restored(id), fields)
}

/// A text that lost, also one that was not valid: what of it can be written.
fn readable(other: &[u8]) -> Field {
    let text = String::from_utf8_lossy(other).replace('\0', "\u{fffd}");
    Field::text(0, cut(&text, CONTENT_BYTES_MAX))
}
