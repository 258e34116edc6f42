//! Where this database stands with its cloud: one row, and one a scope.

use cloud_sync_protocol::sync::op::Scope;
use cloud_sync_protocol::sync::replica::{Durable, ScopeState};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// The one row, with the sum of everything that was ever written in this life.
pub(super) struct State {
    pub(super) durable: Durable,
    pub(super) town: String,
    pub(super) chain: u64,
}

// Numbers of 64 bits are kept as SQLite has them, with a sign.
pub(super) const fn signed(number: u64) -> i64 {
    number.cast_signed()
}

pub(super) const fn unsigned(number: i64) -> u64 {
    number.cast_unsigned()
}

fn read(row: &Row<'_>) -> rusqlite::Result<State> {
    let number = |column| Ok::<_, rusqlite::Error>(unsigned(row.get(column)?));
    let parent: (Option<i64>, Option<i64>) = (row.get(8)?, row.get(9)?);
    Ok(State {
        durable: Durable {
            device: row.get(0)?,
            user: row.get(2)?,
            incarnation: number(3)?,
            next_seq: number(4)?,
            acked: number(6)?,
            acked_chain: number(7)?,
            parent: parent.0.zip(parent.1).map(|(life, seq)| (unsigned(life), unsigned(seq))),
            again_to: number(10)?,
            scopes: Vec::new(),
        },
        town: row.get(1)?,
        chain: number(5)?,
    })
}

/// Without the scopes.
pub(super) fn state(connection: &Connection) -> rusqlite::Result<Option<State>> {
    let mut statement = connection.prepare_cached(
        "SELECT device, town, user_id, incarnation, next_seq, chain, acked, acked_chain, parent_incarnation, parent_seq, \
         again_to FROM sync_state",
    )?;
    statement.query_row([], read).optional()
}

pub(super) fn durable(connection: &Connection) -> rusqlite::Result<Option<Durable>> {
    let Some(State { mut durable, .. }) = state(connection)? else { return Ok(None) };
    let mut statement =
        connection.prepare_cached("SELECT scope, cursor, floor, is_resetting, checksum FROM sync_scopes")?;
    let scopes = statement.query_map([], |row| {
        let scope = Scope::named(row.get_ref(0)?.as_str()?);
        Ok(scope.map(|scope| (scope, row.get(1), row.get(2), row.get(3), row.get(4))))
    })?;
    for scope in scopes {
        let Some((scope, cursor, floor, is_resetting, checksum)) = scope? else { continue };
        durable.scopes.push(ScopeState {
            scope,
            cursor: unsigned(cursor?),
            floor: unsigned(floor?),
            is_resetting: is_resetting?,
            checksum: unsigned(checksum?),
        });
    }
    Ok(Some(durable))
}

/// A scope, where this database holds it.
pub(super) fn scope(connection: &Connection, scope: &Scope) -> rusqlite::Result<Option<ScopeState>> {
    let mut statement = connection
        .prepare_cached("SELECT cursor, floor, is_resetting, checksum FROM sync_scopes WHERE scope = ?1")?;
    let found = statement.query_row([scope.name()], |row| {
        Ok(ScopeState {
            scope: scope.clone(),
            cursor: unsigned(row.get(0)?),
            floor: unsigned(row.get(1)?),
            is_resetting: row.get(2)?,
            checksum: unsigned(row.get(3)?),
        })
    });
    found.optional()
}

pub(super) fn put_scope(connection: &Connection, state: &ScopeState) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO sync_scopes (scope, cursor, floor, is_resetting, checksum) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT DO UPDATE SET cursor = ?2, floor = ?3, is_resetting = ?4, checksum = ?5",
    )?;
    statement.execute(params![
        state.scope.name(),
        signed(state.cursor),
        signed(state.floor),
        state.is_resetting,
        signed(state.checksum),
    ])?;
    Ok(())
}
