//! One write of synced rows, from the locks to the commit: what it needs is read, the pure decision is asked, and everything
//! that follows from what it changed is written. The only way in, for robots and for apps.

use std::collections::{BTreeMap, HashMap};

use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::store::{StoreError, Stored, Whose};
use cloud_sync_protocol::sync::op::{Field, Kind, Op, RowKey, Scope, stamp_of};
use cloud_sync_protocol::sync::row::RowState;
use cloud_sync_protocol::sync::server::{Head, Held, Work, apply_own, conflicts_of, scopes_of};
use cloud_sync_protocol::sync::table::{Table, TableId};
use sqlx::PgConnection;

use super::project::project;
use super::tell::{News, news};
use super::{Changed, Rows, failed};
use crate::store::columns::Id;
use crate::store::database::DatabaseError;
use crate::store::town::{ScopeWrite, Town};

/// What a write is about.
pub(super) struct Wish<'a> {
    /// The scopes that it may change, all locked.
    pub(super) scopes: &'a [Scope],
    /// Whose rows beside the town's.
    pub(super) user: &'a str,
    /// The rows that it touches, as far as they may exist.
    pub(super) keys: &'a [RowKey],
    /// Now, Unix milliseconds.
    pub(super) now_ms: i64,
}

/// A write that is under way. Dropping it writes nothing.
pub(super) struct Writing {
    write: ScopeWrite,
    user: String,
    pub(super) now_ms: i64,
    /// The heads of its scopes, and the rows that it may touch.
    pub(super) work: Work,
    heads_before: BTreeMap<Scope, Head>,
    versions_before: HashMap<RowKey, u64>,
}

impl Writing {
    /// Waits for its turn, and reads what the decision needs.
    pub(super) async fn begin(town: &Town, wish: Wish<'_>) -> Result<Self, DatabaseError> {
        let mut write = town.begin_write(wish.scopes).await?;
        let heads = heads(write.connection(), wish.scopes).await?;
        let mut rows = load(write.connection(), wish.keys).await?;
        let lost: Vec<RowKey> = rows.values().flat_map(conflicts_of).collect();
        rows.extend(load(write.connection(), &lost).await?);
        let versions_before = rows.iter().map(|(key, held)| (*key, held.state.version)).collect();
        let work = Work::new(heads.clone(), rows);
        let (user, now_ms) = (wish.user.to_owned(), wish.now_ms);
        Ok(Self { write, user, now_ms, work, heads_before: heads, versions_before })
    }

    /// The transaction, for what is no synced row.
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        self.write.connection()
    }

    /// A row that is there: not deleted.
    pub(super) fn row(&self, table: Table, id: RowId) -> Option<&RowState> {
        self.work.row(key(table, id)).map(|held| &held.state).filter(|state| !state.deleted)
    }

    /// The version of a row, also of a deleted one; 0 where there was none.
    pub(super) fn version(&self, table: Table, id: RowId) -> u64 {
        self.work.row(key(table, id)).map_or(0, |held| held.state.version)
    }

    /// Applies a write of an app.
    pub(super) fn apply(
        &mut self,
        kind: Kind,
        table: Table,
        id: RowId,
        mut fields: Vec<Field>,
    ) -> Stored<()> {
        fields.sort_unstable_by_key(|field| field.id);
        let stamp = stamp_of(0, 0, self.now_ms, 0);
        let op = Op { seq: 0, kind, key: key(table, id), base: 0, stamp, fields };
        let invalid = self.work.invalid;
        apply_own(&mut self.work, &self.user, &op, self.now_ms);
        if self.work.invalid > invalid {
            return Err(StoreError::Failed(format!("{} take no such values", table.name())));
        }
        Ok(())
    }

    /// Writes what was changed, and what follows from it; tells it once it is durable.
    pub(super) async fn commit(mut self, rows: &Rows) -> Result<(), DatabaseError> {
        let mut changed: Vec<(RowKey, &Held)> = self.work.changed().collect();
        changed.sort_unstable_by_key(|(_, held)| (&held.scope, held.state.version));
        let connection = self.write.connection();
        keep_rows(connection, &changed).await?;
        let moved = self.work.heads.iter().filter(|(scope, head)| self.heads_before.get(scope) != Some(head));
        let moved: Vec<(&Scope, &Head)> = moved.collect();
        keep_heads(connection, &moved).await?;
        project(connection, &changed, &self.versions_before).await?;
        let heads: Vec<(Scope, u64)> =
            moved.iter().map(|(scope, head)| ((*scope).clone(), head.version)).collect();
        let told = news(&changed);
        let town = self.write.town().clone();
        self.finish(rows, told).await?;
        if !heads.is_empty() {
            // Nobody may be listening.
            drop(rows.changes.send(Changed { town, heads }));
        }
        Ok(())
    }

    async fn finish(mut self, rows: &Rows, told: Vec<News>) -> Result<(), DatabaseError> {
        let town = self.write.town().clone();
        let events = rows.teller.keep(self.write.connection(), told, self.now_ms).await?;
        self.write.commit().await?;
        rows.teller.tell(&town, events).await;
        Ok(())
    }
}

/// The key of a row.
pub(super) fn key(table: Table, row: RowId) -> RowKey {
    RowKey { table: table.id(), row }
}

/// Where these scopes stand.
pub(super) async fn heads(
    connection: &mut PgConnection,
    scopes: &[Scope],
) -> Result<BTreeMap<Scope, Head>, sqlx::Error> {
    let names: Vec<String> = scopes.iter().map(Scope::name).collect();
    let asked = "SELECT scope, head, floor, checksum FROM sync_scopes WHERE scope = ANY($1)";
    let rows: Vec<(String, i64, i64, i64)> = sqlx::query_as(asked).bind(&names).fetch_all(connection).await?;
    let mut heads: BTreeMap<Scope, Head> =
        scopes.iter().map(|scope| (scope.clone(), Head::default())).collect();
    for (name, version, floor, checksum) in rows {
        let Some(scope) = Scope::named(&name) else { continue };
        let head = Head {
            version: version.cast_unsigned(),
            floor: floor.cast_unsigned(),
            checksum: checksum.cast_unsigned(),
        };
        heads.insert(scope, head);
    }
    Ok(heads)
}

/// Those of the rows that exist.
async fn load(connection: &mut PgConnection, keys: &[RowKey]) -> Result<HashMap<RowKey, Held>, sqlx::Error> {
    let known = |key: &RowKey| Some((i16::try_from(key.table.0).ok()?, Id(key.row)));
    let (tables, ids): (Vec<i16>, Vec<Id>) = keys.iter().filter_map(known).unzip();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let asked = "SELECT table_id, row_id, scope, state FROM sync_rows \
        WHERE (table_id, row_id) IN (SELECT * FROM unnest($1::smallint[], $2::uuid[]))";
    let rows: Vec<(i16, Id, String, Vec<u8>)> =
        sqlx::query_as(asked).bind(tables).bind(ids).fetch_all(connection).await?;
    let held = |(table, Id(row), scope, state): (i16, Id, String, Vec<u8>)| {
        let scope = Scope::named(&scope).ok_or_else(|| unreadable("scope"))?;
        Ok((row_key(table, row), Held { scope, state: state_of(&state)? }))
    };
    rows.into_iter().map(held).collect()
}

/// The key of a row as its columns have it.
pub(super) fn row_key(table: i16, row: RowId) -> RowKey {
    RowKey { table: TableId(u16::try_from(table).unwrap_or(0)), row }
}

/// A row as its column has it.
pub(super) fn state_of(bytes: &[u8]) -> Result<RowState, sqlx::Error> {
    RowState::from_bytes(bytes).ok_or_else(|| unreadable("state"))
}

/// What only another program's hand could have written.
fn unreadable(what: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("a synced row has a {what} that cannot be read").into())
}

async fn keep_rows(connection: &mut PgConnection, changed: &[(RowKey, &Held)]) -> Result<(), sqlx::Error> {
    if changed.is_empty() {
        return Ok(());
    }
    let column =
        |of: fn(&RowState) -> i64| changed.iter().map(|(_, held)| of(&held.state)).collect::<Vec<_>>();
    let tables: Vec<i16> =
        changed.iter().map(|(key, _)| i16::try_from(key.table.0).unwrap_or(i16::MAX)).collect();
    let ids: Vec<Id> = changed.iter().map(|(key, _)| Id(key.row)).collect();
    let scopes: Vec<String> = changed.iter().map(|(_, held)| held.scope.name()).collect();
    let deleted: Vec<bool> = changed.iter().map(|(_, held)| held.state.deleted).collect();
    let states: Vec<Vec<u8>> = changed.iter().map(|(_, held)| held.state.to_bytes()).collect();
    let keep = "INSERT INTO sync_rows (table_id, row_id, scope, server_seq, deleted, changed_ms, state) \
        SELECT * FROM unnest($1::smallint[], $2::uuid[], $3::text[], $4::bigint[], $5::boolean[], $6::bigint[], \
        $7::bytea[]) ON CONFLICT (table_id, row_id) DO UPDATE SET scope = excluded.scope, \
        server_seq = excluded.server_seq, deleted = excluded.deleted, changed_ms = excluded.changed_ms, \
        state = excluded.state";
    sqlx::query(keep)
        .bind(tables)
        .bind(ids)
        .bind(scopes)
        .bind(column(|state| state.version.cast_signed()))
        .bind(deleted)
        .bind(column(|state| state.at_ms))
        .bind(states)
        .execute(connection)
        .await?;
    Ok(())
}

async fn keep_heads(connection: &mut PgConnection, moved: &[(&Scope, &Head)]) -> Result<(), sqlx::Error> {
    if moved.is_empty() {
        return Ok(());
    }
    let column =
        |of: fn(&Head) -> u64| moved.iter().map(|(_, head)| of(head).cast_signed()).collect::<Vec<_>>();
    let names: Vec<String> = moved.iter().map(|(scope, _)| scope.name()).collect();
    let keep = "INSERT INTO sync_scopes (scope, head, floor, checksum) \
        SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[]) \
        ON CONFLICT (scope) DO UPDATE SET head = excluded.head, floor = excluded.floor, checksum = excluded.checksum";
    sqlx::query(keep)
        .bind(names)
        .bind(column(|head| head.version))
        .bind(column(|head| head.floor))
        .bind(column(|head| head.checksum))
        .execute(connection)
        .await?;
    Ok(())
}

impl Rows {
    /// Applies an app's write; it sees what stands, whatever `op` says of that. What came of it, the rows say.
    ///
    /// # Errors
    /// The database does not answer, or there is no such town.
    pub async fn write(&self, whose: &Whose, op: &Op, now_ms: i64) -> Stored<()> {
        let scopes = scopes_of(&whose.user);
        let keys = [op.key];
        let wish = Wish { scopes: &scopes, user: &whose.user, keys: &keys, now_ms };
        let mut writing = self.begin(&self.town(whose)?, wish).await?;
        apply_own(&mut writing.work, &whose.user, op, now_ms);
        self.commit(writing).await
    }

    /// Begins an app's write.
    pub(super) async fn begin(&self, town: &Town, wish: Wish<'_>) -> Stored<Writing> {
        Writing::begin(town, wish).await.map_err(failed)
    }

    /// Ends it.
    pub(super) async fn commit(&self, writing: Writing) -> Stored<()> {
        writing.commit(self).await.map_err(failed)
    }
}
