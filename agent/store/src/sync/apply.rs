//! What an answer of the server does to the database.

use std::collections::{BTreeMap, BTreeSet};

use cloud_sync_protocol::store::StoreError;
use cloud_sync_protocol::sync::frame::{Item, Page};
use cloud_sync_protocol::sync::op::{Field, RowKey, Scope, put_over};
use cloud_sync_protocol::sync::replica::{Change, ScopeState};
use cloud_sync_protocol::sync::row::{checksum, overlay};
use cloud_sync_protocol::sync::table::{Table, TableId};
use rusqlite::{Connection, OptionalExtension, params};

use super::log::{self, COLUMNS};
use super::show::Shown;
use super::state::{self, State, put_scope, signed, unsigned};
use super::strange;
use crate::fail::Fail;
use crate::writer::Write;

pub(super) fn apply(write: &mut Write<'_>, change: &Change) -> Result<(), Fail> {
    // What belongs to nobody any more came too late.
    let Some(state) = state::state(write.tx)? else { return Ok(()) };
    match change {
        Change::None | Change::Refused(_) => Ok(()),
        Change::Acked { upto, at } => {
            let changed = acked(write.tx, &state, *upto, at)?;
            show(write, &state, changed, BTreeMap::new())
        }
        Change::Greeted { acked: known, is_new_life, resets, .. } => {
            let mut changed = BTreeSet::new();
            if let Some((upto, at)) = known {
                changed = acked(write.tx, &state, *upto, at)?;
            }
            if *is_new_life {
                new_life(write, &state)?;
            }
            for (scope, floor) in resets {
                reset(write.tx, scope, *floor)?;
            }
            show(write, &state, changed, BTreeMap::new())
        }
        Change::Page(page) => take(write, &state, page),
    }
}

/// Operations are in; those whose outcome has been read already leave the outbox. Returns their rows.
fn acked(tx: &Connection, state: &State, upto: u64, at: &[(Scope, u64)]) -> Result<BTreeSet<RowKey>, Fail> {
    if upto <= state.durable.acked {
        return Ok(BTreeSet::new());
    }
    let chain = log::chain_at(tx, upto)?.ok_or_else(|| strange("an outbox"))?;
    let mut statement =
        tx.prepare_cached("UPDATE outbox SET at = ?1 WHERE scope = ?2 AND seq <= ?3 AND at IS NULL")?;
    for (scope, version) in at {
        statement.execute(params![signed(*version), scope.name(), signed(upto)])?;
    }
    let mut statement = tx.prepare_cached("UPDATE sync_state SET acked = ?1, acked_chain = ?2")?;
    statement.execute(params![signed(upto), signed(chain)])?;
    let mut gone = BTreeSet::new();
    for (scope, _) in at {
        let cursor = state::scope(tx, scope)?.map_or(0, |state| state.cursor);
        gone.extend(drop_reached(tx, scope, cursor)?);
    }
    Ok(gone)
}

/// Takes operations out whose outcome has been read. Returns their rows.
fn drop_reached(tx: &Connection, scope: &Scope, cursor: u64) -> rusqlite::Result<BTreeSet<RowKey>> {
    let mut statement = tx.prepare_cached(
        "DELETE FROM outbox WHERE scope = ?1 AND at IS NOT NULL AND at <= ?2 RETURNING table_id, row_id",
    )?;
    let keys = statement.query_map(params![scope.name(), signed(cursor)], key)?;
    keys.collect()
}

fn key(row: &rusqlite::Row<'_>) -> rusqlite::Result<RowKey> {
    let row_id = cloud_sync_protocol::id::RowId::from_bytes(row.get(1)?);
    Ok(RowKey { table: TableId(row.get(0)?), row: row_id })
}

/// Another database goes under this one's name: what the server has not answered for is numbered anew, as it is.
fn new_life(write: &Write<'_>, before: &State) -> Result<(), Fail> {
    let tx = write.tx;
    // Those that were answered for stay over their rows, and are never sent again.
    tx.execute("UPDATE outbox SET seq = NULL WHERE at IS NOT NULL", [])?;
    let mut waiting = tx.prepare(&format!("SELECT {COLUMNS}, n FROM outbox WHERE at IS NULL ORDER BY n"))?;
    let mut number = tx.prepare("UPDATE outbox SET seq = ?2, chain = ?3 WHERE n = ?1")?;
    let (mut rows, mut seq, mut chain) = (waiting.query([])?, 0, 0);
    let mut renumbered = Vec::new();
    while let Some(row) = rows.next()? {
        let mut op = log::op(row)?;
        seq += 1;
        op.seq = seq;
        chain = op.chain(chain);
        renumbered.push((row.get::<_, i64>(10)?, seq, chain));
    }
    for (n, seq, chain) in renumbered {
        number.execute(params![n, signed(seq), signed(chain)])?;
    }
    let mut statement = tx.prepare_cached(
        "UPDATE sync_state SET incarnation = ?1, next_seq = ?2, chain = ?3, acked = 0, acked_chain = 0, \
         parent_incarnation = ?4, parent_seq = ?5, again_to = ?6",
    )?;
    statement.execute(params![
        signed(write.new_incarnation()),
        signed(seq + 1),
        signed(chain),
        signed(before.durable.incarnation),
        signed(before.durable.acked),
        signed(seq),
    ])?;
    Ok(())
}

/// A scope begins from nothing. What was known of it is shown until everything has been read.
fn reset(tx: &Connection, scope: &Scope, floor: u64) -> rusqlite::Result<()> {
    tx.prepare_cached("UPDATE sync_base SET stale = 1 WHERE scope = ?1")?.execute([scope.name()])?;
    let state = ScopeState { scope: scope.clone(), cursor: 0, floor, is_resetting: true, checksum: 0 };
    put_scope(tx, &state)
}

/// Rows that the server told of.
fn take(write: &mut Write<'_>, state: &State, page: &Page) -> Result<(), Fail> {
    let tx = write.tx;
    let Some(mut scope) = state::scope(tx, &page.scope)? else { return Ok(()) };
    if scope.cursor != page.from {
        return Ok(());
    }
    let mut told = BTreeMap::new();
    for item in &page.items {
        let base = keep(tx, &mut scope, item)?;
        told.insert(item.key, base);
    }
    scope.cursor = page.to;
    let mut changed = drop_reached(tx, &page.scope, page.to)?;
    if let Some(sum) = page.checksum {
        if scope.is_resetting {
            changed.extend(drop_stale(tx, &page.scope)?);
            scope.is_resetting = false;
        }
        if scope.checksum != sum {
            tracing::error!(scope = page.scope.name(), "the rows are not those of the cloud: read anew");
            tx.execute("UPDATE sync_state SET mismatches = mismatches + 1", [])?;
            put_scope(tx, &scope)?;
            reset(tx, &page.scope, scope.floor)?;
            changed.extend(told.keys());
            return show(write, state, changed, told);
        }
    }
    put_scope(tx, &scope)?;
    changed.extend(told.keys());
    show(write, state, changed, told)
}

/// What the server last said of a row.
#[derive(Clone, Debug)]
pub(super) struct Base {
    /// `None`: it is gone.
    pub(super) fields: Option<Vec<Field>>,
    pub(super) at_ms: i64,
}

/// Keeps what the server says of a row.
fn keep(tx: &Connection, scope: &mut ScopeState, item: &Item) -> Result<Base, Fail> {
    let before = base_row(tx, item.key)?;
    if let Some((version, false, _)) = &before {
        scope.checksum = scope.checksum.wrapping_sub(checksum(item.key.row, *version));
    }
    if item.is_deleted {
        let mut statement = tx.prepare_cached("DELETE FROM sync_base WHERE table_id = ?1 AND row_id = ?2")?;
        statement.execute(params![item.key.table.0, item.key.row.as_bytes()])?;
        return Ok(Base { fields: None, at_ms: item.at_ms });
    }
    scope.checksum = scope.checksum.wrapping_add(checksum(item.key.row, item.version));
    let is_written_once = Table::of(item.key.table).is_some_and(Table::is_append_only);
    let mut fields = match &before {
        Some((_, _, fields)) if !is_written_once => log::unpack(fields)?,
        _ => Vec::new(),
    };
    put_over(&mut fields, &item.fields);
    let packed = if is_written_once { Vec::new() } else { log::pack(&fields) };
    let mut statement = tx.prepare_cached(
        "INSERT INTO sync_base (table_id, row_id, scope, version, at_ms, stale, fields) VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6) \
         ON CONFLICT DO UPDATE SET scope = ?3, version = ?4, at_ms = ?5, stale = 0, fields = ?6",
    )?;
    let (table, row) = (item.key.table.0, item.key.row.as_bytes());
    statement.execute(params![table, row, scope.scope.name(), signed(item.version), item.at_ms, packed])?;
    Ok(Base { fields: Some(fields), at_ms: item.at_ms })
}

/// Version, whether it is stale, and fields.
fn base_row(tx: &Connection, key: RowKey) -> rusqlite::Result<Option<(u64, bool, Vec<u8>)>> {
    let mut statement = tx
        .prepare_cached("SELECT version, stale, fields FROM sync_base WHERE table_id = ?1 AND row_id = ?2")?;
    let found = statement.query_row(params![key.table.0, key.row.as_bytes()], |row| {
        Ok((unsigned(row.get(0)?), row.get(1)?, row.get(2)?))
    });
    found.optional()
}

/// Rows of before a new beginning that were not met since are gone. Returns them.
fn drop_stale(tx: &Connection, scope: &Scope) -> rusqlite::Result<BTreeSet<RowKey>> {
    let mut statement =
        tx.prepare_cached("DELETE FROM sync_base WHERE scope = ?1 AND stale = 1 RETURNING table_id, row_id")?;
    let keys = statement.query_map([scope.name()], key)?;
    keys.collect()
}

/// Lets these rows show what the server said, and over it what waits. `told` has what was just read.
fn show(
    write: &mut Write<'_>,
    state: &State,
    keys: BTreeSet<RowKey>,
    mut told: BTreeMap<RowKey, Base>,
) -> Result<(), Fail> {
    let shown = Shown { town: &state.town, user: &state.durable.user };
    let waits = write.tx.prepare_cached("SELECT 1 FROM outbox")?.exists([])?;
    for key in keys {
        // What this version does not know is kept, and not shown.
        let Some(table) = Table::of(key.table) else { continue };
        let base = match told.remove(&key) {
            Some(base) => base,
            // A row that is written once is shown as it is.
            None if table.is_append_only() => continue,
            None => base(write.tx, key)?,
        };
        let waiting = if waits { waiting(write.tx, key)? } else { Vec::new() };
        if table.is_append_only() && base.fields.is_none() {
            continue;
        }
        let fields = overlay(base.fields, &waiting);
        match shown.row(write, table, key.row, fields.as_deref(), base.at_ms) {
            // The id is another row's here. One row that cannot be shown must not keep all others from coming.
            Err(Fail::Store(StoreError::Conflict { .. })) => {
                tracing::warn!(row = %key.row, table = table.name(), "a row of the cloud has the id of another one here");
            }
            shown => shown?,
        }
    }
    Ok(())
}

fn base(tx: &Connection, key: RowKey) -> Result<Base, Fail> {
    let mut statement =
        tx.prepare_cached("SELECT at_ms, fields FROM sync_base WHERE table_id = ?1 AND row_id = ?2")?;
    let found: Option<(i64, Vec<u8>)> = statement
        .query_row(params![key.table.0, key.row.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match found {
        Some((at_ms, fields)) => Ok(Base { fields: Some(log::unpack(&fields)?), at_ms }),
        None => Ok(Base { fields: None, at_ms: 0 }),
    }
}

fn waiting(tx: &Connection, key: RowKey) -> Result<Vec<cloud_sync_protocol::sync::op::Op>, Fail> {
    let mut statement = tx.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM outbox WHERE table_id = ?1 AND row_id = ?2 ORDER BY n"
    ))?;
    let mut rows = statement.query(params![key.table.0, key.row.as_bytes()])?;
    let mut ops = Vec::new();
    while let Some(row) = rows.next()? {
        ops.push(log::op(row)?);
    }
    Ok(ops)
}
