//! The outbox: every write of a paired robot, as an operation, in the transaction of the write.

use std::collections::BTreeMap;

use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::stamp::Stamp;
use cloud_sync_protocol::store::Whose;
use cloud_sync_protocol::sync::op::{Field, Kind, Op, RowKey, Scope};
use cloud_sync_protocol::sync::table::{Table, TableId};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};

use super::state::{self, State, signed, unsigned};
use super::{OPS_MAX, strange};
use crate::fail::Fail;
use crate::rows::columns::{StampColumns, stamp};
use crate::writer::Write;

pub(super) const fn kind_number(kind: Kind) -> u8 {
    match kind {
        Kind::Insert => 0,
        Kind::Set => 1,
        Kind::Delete => 2,
    }
}

pub(super) fn pack(fields: &[Field]) -> Vec<u8> {
    // Into a growing vector nothing can fail but memory.
    postcard::to_extend(fields, Vec::new()).unwrap_or_default()
}

pub(super) fn unpack(bytes: &[u8]) -> Result<Vec<Field>, Fail> {
    postcard::from_bytes(bytes).map_err(|_not_ours| strange("fields"))
}

/// Notes a write for the cloud, where there is one that it concerns. Of an Insert `fields` are those that are not the default.
pub(crate) fn log(
    write: &Write<'_>,
    whose: &Whose,
    kind: Kind,
    table: Table,
    row: RowId,
    fields: Vec<Field>,
) -> Result<(), Fail> {
    let Some(mut state) = state::state(write.tx)? else { return Ok(()) };
    let Some(scope) = table.scope(&state.durable.user) else { return Ok(()) };
    let is_theirs = match &scope {
        Scope::Town => true,
        Scope::User(user) => *user == whose.user,
    };
    if whose.town != state.town || !is_theirs {
        return Ok(());
    }
    add(write.tx, &mut state, &scope, kind, RowKey { table: table.id(), row }, fields, write.now)
}

/// The same, for whoever knows scope and stamp.
pub(super) fn add(
    connection: &Connection,
    state: &mut State,
    scope: &Scope,
    kind: Kind,
    key: RowKey,
    mut fields: Vec<Field>,
    stamp: Stamp,
) -> Result<(), Fail> {
    fields.sort_unstable_by_key(|field| field.id);
    let base = version(connection, key)?;
    if kind == Kind::Insert {
        return put(connection, state, scope, Op { seq: 0, kind, key, base, stamp, fields });
    }
    let hidden = hidden(connection, key)?;
    if kind == Kind::Delete {
        // A deletion is about the text.
        let text = Table::of(key.table).and_then(Table::text_field);
        let base = text.and_then(|text| hidden.get(&text).copied()).unwrap_or(base);
        return put(connection, state, scope, Op { seq: 0, kind, key, base, stamp, fields });
    }
    // One for each version that was seen; nearly always that is one.
    let mut by_base = BTreeMap::<u64, Vec<Field>>::new();
    for field in fields {
        let base = hidden.get(&field.id).copied().unwrap_or(base);
        by_base.entry(base).or_default().push(field);
    }
    by_base.into_iter().try_for_each(|(base, fields)| {
        put(connection, state, scope, Op { seq: 0, kind, key, base, stamp, fields })
    })
}

fn put(connection: &Connection, state: &mut State, scope: &Scope, mut op: Op) -> Result<(), Fail> {
    op.seq = state.durable.next_seq;
    let chain = op.chain(state.chain);
    (state.durable.next_seq, state.chain) = (op.seq + 1, chain);
    let stamp = StampColumns::of(&op.stamp);
    let (seq, scope, kind) = (signed(op.seq), scope.name(), kind_number(op.kind));
    let (base, packed, sum) = (signed(op.base), pack(&op.fields), signed(chain));
    let (table, row) = (op.key.table.0, op.key.row.as_bytes());
    let own: [&dyn ToSql; 8] = [&seq, &scope, &table, row, &kind, &base, &packed, &sum];
    let values: Vec<&dyn ToSql> = own.into_iter().chain(stamp.values()).collect();
    let mut statement = connection.prepare_cached(
        "INSERT INTO outbox (seq, scope, table_id, row_id, kind, base, fields, chain, boot_id, mono_ms, wall_ms, clock) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?;
    statement.execute(values.as_slice())?;
    let mut statement = connection.prepare_cached("UPDATE sync_state SET next_seq = ?1, chain = ?2")?;
    statement.execute(params![seq + 1, sum])?;
    Ok(())
}

/// Fields of a row over which operations of our own lie, and the version that the newest of these had seen: what the server
/// told of them since, nobody here has seen.
fn hidden(connection: &Connection, key: RowKey) -> Result<BTreeMap<u16, u64>, Fail> {
    let mut statement = connection
        .prepare_cached("SELECT base, fields FROM outbox WHERE table_id = ?1 AND row_id = ?2 ORDER BY n")?;
    let mut rows = statement.query(params![key.table.0, key.row.as_bytes()])?;
    let mut hidden = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let fields = unpack(row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?)?;
        let base = unsigned(row.get(0)?);
        hidden.extend(fields.into_iter().map(|field| (field.id, base)));
    }
    Ok(hidden)
}

/// The version of a row that the server told of last; 0 where it told of none.
fn version(connection: &Connection, key: RowKey) -> rusqlite::Result<u64> {
    let mut statement =
        connection.prepare_cached("SELECT version FROM sync_base WHERE table_id = ?1 AND row_id = ?2")?;
    let version: Option<i64> =
        statement.query_row(params![key.table.0, key.row.as_bytes()], |row| row.get(0)).optional()?;
    Ok(version.map_or(0, unsigned))
}

/// Columns of an operation, in the order of [`op`].
pub(super) const COLUMNS: &str =
    "seq, kind, table_id, row_id, base, boot_id, mono_ms, wall_ms, clock, fields";

/// An operation; its number is 0 where it belongs to an earlier life.
pub(super) fn op(row: &Row<'_>) -> Result<Op, Fail> {
    let kind = match row.get::<_, u8>(1)? {
        0 => Kind::Insert,
        1 => Kind::Set,
        _ => Kind::Delete,
    };
    Ok(Op {
        seq: row.get::<_, Option<i64>>(0)?.map_or(0, unsigned),
        kind,
        key: RowKey { table: TableId(row.get(2)?), row: RowId::from_bytes(row.get(3)?) },
        base: unsigned(row.get(4)?),
        stamp: stamp(row, 5)?,
        fields: unpack(row.get_ref(9)?.as_blob().map_err(rusqlite::Error::from)?)?,
    })
}

pub(super) fn read(connection: &Connection, from: u64, bytes_max: usize) -> Result<Vec<Op>, Fail> {
    let mut statement = connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM outbox WHERE seq >= ?1 ORDER BY seq LIMIT ?2"))?;
    let mut rows = statement.query(params![signed(from), OPS_MAX])?;
    let (mut ops, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let op = op(row)?;
        bytes += 32 + op.fields.iter().map(|field| field.value.len() + 4).sum::<usize>();
        if bytes > bytes_max && !ops.is_empty() {
            break;
        }
        ops.push(op);
    }
    Ok(ops)
}

pub(super) fn chain_at(connection: &Connection, seq: u64) -> rusqlite::Result<Option<u64>> {
    let mut statement = connection.prepare_cached("SELECT chain FROM outbox WHERE seq = ?1")?;
    let chain: Option<i64> = statement.query_row([signed(seq)], |row| row.get(0)).optional()?;
    Ok(chain.map(unsigned))
}
