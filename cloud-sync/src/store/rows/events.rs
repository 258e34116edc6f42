//! Events for those who look on: those of before from the table, those of now as they are told.

use cloud_sync_protocol::event::{Event, EventKind, Replay};
use cloud_sync_protocol::store::{EventStore, Feed, Lost, Stored, Whose};
use sqlx::PgConnection;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::tell::{Told, kind_named};
use super::{Rows, failed};

/// Events of one answer at most, and their bytes; who asks goes on behind the last one.
const ANSWER_MAX: i64 = 500;
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

async fn after(
    connection: &mut PgConnection,
    user: &str,
    kinds: &[EventKind],
    after: i64,
) -> Result<Replay, sqlx::Error> {
    let asked = "SELECT id, coalesce((SELECT min(id) - 1 FROM events), id) FROM event_head";
    let (newest, floor): (i64, i64) = sqlx::query_as(asked).fetch_one(&mut *connection).await?;
    if after > newest || after < floor {
        return Ok(Replay::Reset { newest: newest.unsigned_abs() });
    }
    let kinds = if kinds.is_empty() { &EventKind::ALL[..] } else { kinds };
    let names: Vec<String> = kinds.iter().map(|kind| kind.as_str().to_owned()).collect();
    let asked = "SELECT id, kind, data FROM events WHERE id > $1 AND user_id IN ('', $2) AND kind = ANY($3) \
        ORDER BY id LIMIT $4";
    let rows: Vec<(i64, String, String)> = sqlx::query_as(asked)
        .bind(after)
        .bind(user)
        .bind(names)
        .bind(ANSWER_MAX)
        .fetch_all(connection)
        .await?;
    let mut bytes = 0;
    let fits = |(_, _, data): &(i64, String, String)| {
        let is_first = bytes == 0;
        bytes += data.len();
        is_first || bytes <= ANSWER_BYTES_MAX
    };
    let event = |(id, kind, data): (i64, String, String)| {
        Some(Event { id: id.unsigned_abs(), kind: kind_named(&kind)?, data })
    };
    Ok(Replay::Events(rows.into_iter().take_while(fits).filter_map(event).collect()))
}

impl EventStore for Rows {
    async fn events_after(&self, whose: &Whose, kinds: &[EventKind], id: u64) -> Stored<Replay> {
        let mut read = self.town(whose)?.begin().await.map_err(failed)?;
        let id = i64::try_from(id).unwrap_or(i64::MAX);
        after(read.connection(), &whose.user, kinds, id).await.map_err(failed)
    }

    fn follow(&self) -> impl Feed + 'static {
        Following(self.teller.follow())
    }
}

struct Following(broadcast::Receiver<Told>);

impl Feed for Following {
    async fn next(&mut self) -> Option<Result<(Whose, Event), Lost>> {
        match self.0.recv().await {
            Ok(Told::Event(told)) => Some(Ok((*told).clone())),
            Ok(Told::Lost) | Err(RecvError::Lagged(_)) => Some(Err(Lost)),
            Ok(Told::Over) | Err(RecvError::Closed) => None,
        }
    }
}
