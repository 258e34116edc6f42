//! Conversations and their turns, for apps. They belong to their user.

use cloud_sync_protocol::cursor::{List, moment_key, moment_of};
use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::persona::Mood;
use cloud_sync_protocol::store::{ConversationStore, Page, PageAt, StoreError, Stored, Whose};
use cloud_sync_protocol::sync::op::{Field, Kind};
use cloud_sync_protocol::sync::table::{Table, turns};
use cloud_sync_protocol::turn::{Conversation, SPEAKER_BYTES_MAX, Sender, Turn};
use models_mind::words::cut;
use sqlx::PgConnection;

use super::persona::mood;
use super::state::moment;
use super::writing::Writing;
use super::{Rows, failed, new_id};
use crate::store::columns::Id;

/// Characters of the newest turn in a list of conversations.
const PREVIEW_CHARS: i32 = 120;

/// `ordinal, id, sender, speaker, message_text, at_ms, mood_at_time`.
type TurnColumns = (i32, Id, String, Option<String>, String, i64, String);
/// `id, started_ms, last_ms, turns, preview`.
type TalkColumns = (Id, i64, i64, i64, String);

fn read((ordinal, Id(id), sender, speaker, message_text, at_ms, name): TurnColumns) -> (i32, Turn) {
    let sender = if sender == "robbie" { Sender::Robbie } else { Sender::User };
    let (timestamp, mood_at_time) = (moment(at_ms), mood(&name));
    (ordinal, Turn { id, sender, speaker, message_text, timestamp, mood_at_time })
}

/// A turn to be said.
pub(super) struct NewTurn<'a> {
    pub(super) conversation: RowId,
    pub(super) sender: Sender,
    pub(super) speaker: &'a str,
    pub(super) text: &'a str,
    pub(super) mood: Mood,
}

/// Says it; gives its id.
pub(super) fn say(writing: &mut Writing, new: &NewTurn<'_>) -> Stored<RowId> {
    let id = new_id()?;
    let fields = vec![
        Field::row(turns::CONVERSATION, new.conversation),
        Field::int(turns::SENDER, i64::from(new.sender == Sender::Robbie)),
        Field::text(turns::SPEAKER, cut(new.speaker, SPEAKER_BYTES_MAX)),
        Field::text(turns::TEXT, new.text),
        Field::int(turns::AT_MS, writing.now_ms),
        Field::text(turns::MOOD, new.mood.as_str()),
    ];
    writing.apply(Kind::Insert, Table::Turns, id, fields)?;
    Ok(id)
}

/// Whether a conversation is this user's, or nobody's yet.
pub(super) async fn is_open_to(
    connection: &mut PgConnection,
    user: &str,
    conversation: RowId,
) -> Result<bool, sqlx::Error> {
    let asked = "SELECT coalesce(bool_or(user_id = $2), true) FROM talks WHERE id = $1";
    sqlx::query_scalar(asked).bind(Id(conversation)).bind(user).fetch_one(connection).await
}

/// The newest turns of a conversation, oldest first; none where there is no such conversation yet.
pub(super) async fn newest(
    connection: &mut PgConnection,
    user: &str,
    conversation: RowId,
    limit: u32,
) -> Result<Vec<Turn>, sqlx::Error> {
    let asked = "SELECT ordinal, id, sender, speaker, message_text, at_ms, mood_at_time FROM conversations \
        WHERE user_id = $1 AND conversation_id = $2 ORDER BY ordinal DESC LIMIT $3";
    let rows: Vec<TurnColumns> = sqlx::query_as(asked)
        .bind(user)
        .bind(Id(conversation))
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().rev().map(|columns| read(columns).1).collect())
}

async fn list(
    connection: &mut PgConnection,
    user: &str,
    (ms, before): (i64, [u8; 16]),
    limit: u32,
) -> Result<Vec<Conversation>, sqlx::Error> {
    let asked = "SELECT t.id, t.started_ms, t.last_ms, t.turns, coalesce((SELECT left(c.message_text, $5) \
        FROM conversations c WHERE c.user_id = t.user_id AND c.conversation_id = t.id ORDER BY c.ordinal DESC LIMIT 1), '') \
        FROM talks t WHERE t.user_id = $1 AND (t.last_ms, t.id) < ($2, $3) ORDER BY t.last_ms DESC, t.id DESC LIMIT $4";
    let rows: Vec<TalkColumns> = sqlx::query_as(asked)
        .bind(user)
        .bind(ms)
        .bind(Id(RowId::from_bytes(before)))
        .bind(i64::from(limit) + 1)
        .bind(PREVIEW_CHARS)
        .fetch_all(connection)
        .await?;
    let talk = |(Id(id), started_ms, last_ms, turns, preview): TalkColumns| Conversation {
        id,
        started_at: moment(started_ms),
        last_at: moment(last_ms),
        turns: turns.unsigned_abs(),
        preview,
    };
    Ok(rows.into_iter().map(talk).collect())
}

/// `None`: no such conversation of this user's.
async fn of_talk(
    connection: &mut PgConnection,
    user: &str,
    id: RowId,
    after: i32,
    limit: u32,
) -> Result<Option<Vec<(i32, Turn)>>, sqlx::Error> {
    let asked = "SELECT EXISTS (SELECT FROM talks WHERE user_id = $1 AND id = $2)";
    let is_there: bool =
        sqlx::query_scalar(asked).bind(user).bind(Id(id)).fetch_one(&mut *connection).await?;
    if !is_there {
        return Ok(None);
    }
    let asked = "SELECT ordinal, id, sender, speaker, message_text, at_ms, mood_at_time FROM conversations \
        WHERE user_id = $1 AND conversation_id = $2 AND ordinal > $3 ORDER BY ordinal LIMIT $4";
    let rows: Vec<TurnColumns> = sqlx::query_as(asked)
        .bind(user)
        .bind(Id(id))
        .bind(after)
        .bind(i64::from(limit) + 1)
        .fetch_all(connection)
        .await?;
    Ok(Some(rows.into_iter().map(read).collect()))
}

impl Rows {
    /// The newest turns of a conversation, oldest first.
    ///
    /// # Errors
    /// No such conversation of this user's; the database does not answer.
    pub async fn newest_turns(&self, whose: &Whose, id: RowId, limit: u32) -> Stored<Vec<Turn>> {
        let mut read = self.town(whose)?.begin().await.map_err(failed)?;
        let turns = newest(read.connection(), &whose.user, id, limit).await.map_err(failed)?;
        if turns.is_empty() { Err(StoreError::NotFound) } else { Ok(turns) }
    }
}

impl ConversationStore for Rows {
    async fn conversations(&self, whose: &Whose, at: &PageAt) -> Stored<Page<Conversation>> {
        let name = List::named(&[Some("conversations"), Some(&whose.town), Some(&whose.user)]);
        let from = match &at.cursor {
            Some(cursor) => moment_of(&name.key(cursor)?),
            None => (i64::MAX, [u8::MAX; 16]),
        };
        let limit = at.limit.clamp(1, 500);
        let mut read = self.town(whose)?.begin().await.map_err(failed)?;
        let mut rows = list(read.connection(), &whose.user, from, limit).await.map_err(failed)?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| more);
        let next =
            next.map(|last| name.after(&moment_key(last.last_at.as_millisecond(), last.id.as_bytes())));
        Ok(Page { rows, next })
    }

    async fn turns(&self, whose: &Whose, id: RowId, at: &PageAt) -> Stored<Page<Turn>> {
        let text = id.to_string();
        let name = List::named(&[Some("turns"), Some(&whose.town), Some(&whose.user), Some(&text)]);
        let after = match &at.cursor {
            Some(cursor) => i32::from_be_bytes(name.key(cursor)?),
            None => -1,
        };
        let limit = at.limit.clamp(1, 500);
        let mut read = self.town(whose)?.begin().await.map_err(failed)?;
        let rows = of_talk(read.connection(), &whose.user, id, after, limit).await.map_err(failed)?;
        let mut rows = rows.ok_or(StoreError::NotFound)?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| more).map(|(ordinal, _)| name.after(&ordinal.to_be_bytes()));
        Ok(Page { rows: rows.into_iter().map(|(_, turn)| turn).collect(), next })
    }
}
