//! The server's side of sync: each frame of a robot is one transaction, decided by `cloud_sync_protocol::sync::server`.

use cloud_sync_protocol::store::Stored;
use cloud_sync_protocol::sync::frame::{Frame, Hello, Pull, Push, Refusal, Why};
use cloud_sync_protocol::sync::op::RowKey;
use cloud_sync_protocol::sync::row::RowState;
use cloud_sync_protocol::sync::server::{
    Device, PAGE_BYTES, Who, Work, greet, page, push, scopes_of, weight,
};
use cloud_sync_protocol::sync::table::SCHEMA;
use cloud_sync_protocol::town::TownId;
use sqlx::PgConnection;

use super::writing::{Wish, Writing, heads, row_key, state_of};
use super::{Rows, failed};
use crate::store::columns::Id;
use crate::store::database::DatabaseError;
use crate::store::town::Town;

/// Lives of one device's database that are known at most: those seen last. An older one greets as if it were new.
const LIVES_MAX: i64 = 8;
/// How exactly is known when a robot was there, ms.
const SEEN_EVERY_MS: i64 = 5_000;
/// Rows that are read at once for a page.
const ROWS_MAX: i64 = 256;

const fn refused(session: u64, why: Why) -> Frame {
    Frame::Refusal(Refusal { session, why })
}

impl Rows {
    /// Answers a frame of a device that has proven who it is. What an acknowledgement says is durable.
    ///
    /// # Errors
    /// The database does not answer, or there is no such town.
    pub async fn handle(&self, town: &TownId, who: Who<'_>, frame: &Frame, now_ms: i64) -> Stored<Frame> {
        let town = self.database.town(town);
        let answer = match frame {
            Frame::Hello(hello) if hello.device != who.device => {
                return Ok(refused(hello.session, Why::NotYours));
            }
            Frame::Hello(hello) if hello.schema > SCHEMA => return Ok(refused(hello.session, Why::TooNew)),
            Frame::Hello(hello) => self.greet(&town, who, hello, now_ms).await,
            Frame::Push(push) => self.push(&town, who, push, now_ms).await,
            Frame::Pull(pull) => self.pull(&town, who, pull, now_ms).await,
            _ => return Ok(refused(0, Why::Malformed)),
        };
        answer.map_err(failed)
    }

    async fn greet(
        &self,
        town: &Town,
        who: Who<'_>,
        hello: &Hello,
        now_ms: i64,
    ) -> Result<Frame, DatabaseError> {
        let mut write = town.begin_write(&[]).await?;
        let connection = write.connection();
        // Of two conversations of one life the later one counts; one that pushes now ends first.
        let keep = "INSERT INTO sync_devices \
            (device, incarnation, user_id, accepted, chain, session, effective_ms, seen_ms) \
            VALUES ($1, $2, $3, 0, 0, $4, 0, $5) ON CONFLICT (device, incarnation) DO UPDATE SET \
            user_id = excluded.user_id, session = excluded.session, seen_ms = excluded.seen_ms \
            RETURNING accepted, chain, session, effective_ms";
        let known: DeviceColumns = sqlx::query_as(keep)
            .bind(who.device)
            .bind(hello.incarnation.cast_signed())
            .bind(who.user)
            .bind(hello.session.cast_signed())
            .bind(now_ms)
            .fetch_one(&mut *connection)
            .await?;
        let forget = "DELETE FROM sync_devices WHERE device = $1 AND incarnation <> $2 AND incarnation IN \
            (SELECT incarnation FROM sync_devices WHERE device = $1 AND incarnation <> $2 \
            ORDER BY seen_ms DESC, incarnation OFFSET $3)";
        sqlx::query(forget)
            .bind(who.device)
            .bind(hello.incarnation.cast_signed())
            .bind(LIVES_MAX - 1)
            .execute(&mut *connection)
            .await?;
        // Behind the device's row: what it is told has been taken in is in these heads.
        let heads = heads(connection, &scopes_of(who.user)).await?;
        write.commit().await?;
        Ok(Frame::HelloAck(greet(hello, who, Some(device(known)), &heads, now_ms).answer))
    }

    async fn push(
        &self,
        town: &Town,
        who: Who<'_>,
        frame: &Push,
        now_ms: i64,
    ) -> Result<Frame, DatabaseError> {
        let keys: Vec<RowKey> = Work::needs(&frame.ops).collect();
        let scopes = scopes_of(who.user);
        let wish = Wish { scopes: &scopes, user: who.user, keys: &keys, now_ms };
        let mut writing = Writing::begin(town, wish).await?;
        let asked = "SELECT accepted, chain, session, effective_ms FROM sync_devices \
            WHERE device = $1 AND incarnation = $2 FOR UPDATE";
        let known: Option<DeviceColumns> = sqlx::query_as(asked)
            .bind(who.device)
            .bind(frame.incarnation.cast_signed())
            .fetch_optional(writing.connection())
            .await?;
        let Some(mut device) = known.map(device) else { return Ok(refused(frame.session, Why::GreetAgain)) };
        let ack = match push(&mut writing.work, &mut device, who, frame, now_ms) {
            Ok(ack) => ack,
            Err(refusal) => return Ok(Frame::Refusal(refusal)),
        };
        let keep = "UPDATE sync_devices SET accepted = $3, chain = $4, effective_ms = $5, seen_ms = $6 \
            WHERE device = $1 AND incarnation = $2";
        sqlx::query(keep)
            .bind(who.device)
            .bind(frame.incarnation.cast_signed())
            .bind(device.accepted.cast_signed())
            .bind(device.chain.cast_signed())
            .bind(device.effective_ms)
            .bind(now_ms)
            .execute(writing.connection())
            .await?;
        writing.commit(self).await?;
        Ok(Frame::PushAck(ack))
    }

    async fn pull(
        &self,
        town: &Town,
        who: Who<'_>,
        pull: &Pull,
        now_ms: i64,
    ) -> Result<Frame, DatabaseError> {
        let mut read = town.begin().await?;
        let connection = read.connection();
        let asked = "SELECT d.seen_ms, c.cursor FROM sync_devices d LEFT JOIN sync_cursors c \
            ON c.device = d.device AND c.incarnation = d.incarnation AND c.scope = $3 \
            WHERE d.device = $1 AND d.incarnation = $2";
        let known: Option<(i64, Option<i64>)> = sqlx::query_as(asked)
            .bind(who.device)
            .bind(pull.incarnation.cast_signed())
            .bind(pull.scope.name())
            .fetch_optional(&mut *connection)
            .await?;
        let Some((seen_ms, cursor)) = known else { return Ok(refused(pull.session, Why::GreetAgain)) };
        if !scopes_of(who.user).contains(&pull.scope) {
            return Ok(refused(pull.session, Why::NotYours));
        }
        let heads = heads(connection, std::slice::from_ref(&pull.scope)).await?;
        let head = heads.get(&pull.scope).copied().unwrap_or_default();
        if !head.continues(pull.cursor, pull.floor) {
            // What it misses has left no trace: the greeting tells it to begin from nothing.
            return Ok(refused(pull.session, Why::GreetAgain));
        }
        let rows = newer(connection, pull).await?;
        drop(read);
        let page = page(pull, head, rows, PAGE_BYTES);
        // A robot at rest asks again and again: that writes nothing.
        if cursor != Some(pull.cursor.cast_signed()) || now_ms.saturating_sub(seen_ms) >= SEEN_EVERY_MS {
            keep_cursor(town, who, pull, now_ms).await?;
        }
        Ok(Frame::Page(page))
    }
}

/// `accepted, chain, session, effective_ms`.
type DeviceColumns = (i64, i64, i64, i64);

const fn device((accepted, chain, session, effective_ms): DeviceColumns) -> Device {
    Device {
        accepted: accepted.cast_unsigned(),
        chain: chain.cast_unsigned(),
        session: session.cast_unsigned(),
        effective_ms,
    }
}

/// The rows that are asked for, in order, to the end or up to the first that is too much for a page.
async fn newer(connection: &mut PgConnection, pull: &Pull) -> Result<Vec<(RowKey, RowState)>, sqlx::Error> {
    let (mut rows, mut bytes, mut after) = (Vec::new(), 0, pull.cursor);
    loop {
        let asked = "SELECT table_id, row_id, state FROM sync_rows WHERE scope = $1 AND server_seq > $2 \
            ORDER BY server_seq LIMIT $3";
        let read: Vec<(i16, Id, Vec<u8>)> = sqlx::query_as(asked)
            .bind(pull.scope.name())
            .bind(after.cast_signed())
            .bind(ROWS_MAX)
            .fetch_all(&mut *connection)
            .await?;
        let is_end = (read.len() as i64) < ROWS_MAX;
        for (table, Id(row), state) in read {
            let state = state_of(&state)?;
            bytes += weight(&state, pull.known());
            after = state.version;
            rows.push((row_key(table, row), state));
            if bytes > PAGE_BYTES && rows.len() > 1 {
                return Ok(rows);
            }
        }
        if is_end {
            return Ok(rows);
        }
    }
}

/// Up to its cursor a device keeps everything safely.
async fn keep_cursor(town: &Town, who: Who<'_>, pull: &Pull, now_ms: i64) -> Result<(), DatabaseError> {
    let mut write = town.begin_write(&[]).await?;
    let seen = "UPDATE sync_devices SET seen_ms = $3 WHERE device = $1 AND incarnation = $2";
    let seen = sqlx::query(seen)
        .bind(who.device)
        .bind(pull.incarnation.cast_signed())
        .bind(now_ms)
        .execute(write.connection())
        .await?;
    if seen.rows_affected() == 0 {
        // Forgotten meanwhile.
        return Ok(());
    }
    let keep = "INSERT INTO sync_cursors (device, incarnation, scope, cursor) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (device, incarnation, scope) DO UPDATE SET cursor = excluded.cursor";
    sqlx::query(keep)
        .bind(who.device)
        .bind(pull.incarnation.cast_signed())
        .bind(pull.scope.name())
        .bind(pull.cursor.cast_signed())
        .execute(write.connection())
        .await?;
    write.commit().await
}
