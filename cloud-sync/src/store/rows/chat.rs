//! Messages of chats by their keys: each is begun once, and its answer is kept for whoever sends it again. It carries out
//! nothing. The oldest keys go; what was said stays.

use cloud_sync_protocol::chat::{Answered, Begun, HISTORY_MAX, Opened, Said};
use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::store::{ChatStore, StoreError, Stored, Whose};
use cloud_sync_protocol::sync::table::Table;
use cloud_sync_protocol::turn::Sender;
use sqlx::PgConnection;

use super::turns::{NewTurn, is_open_to, newest, say};
use super::words::hash;
use super::writing::{Wish, Writing, key};
use super::{Rows, failed, new_id, own, persona};
use crate::clock::now_ms;
use crate::store::columns::Id;

/// Name of the speaker in Robbie's own turns.
const ROBBIE: &str = "robbie";
/// Keys kept of one user.
const KEYS_MAX: i64 = 1_000;

async fn known(connection: &mut PgConnection, user: &str, said: &Said) -> Result<Option<Begun>, sqlx::Error> {
    let asked =
        "SELECT conversation_id, message_hash, answer FROM chat_messages WHERE user_id = $1 AND key = $2";
    let row: Option<(Id, Vec<u8>, Option<String>)> =
        sqlx::query_as(asked).bind(user).bind(&said.key).fetch_optional(connection).await?;
    let Some((Id(conversation), of_message, answer)) = row else { return Ok(None) };
    let is_same_talk = said.conversation.is_none_or(|named| named == conversation);
    Ok(Some(match answer {
        _ if !is_same_talk || of_message != hash(&said.message) => Begun::KeyTaken,
        Some(answer) => Begun::Answered(answer),
        None => Begun::Unanswered { conversation },
    }))
}

async fn keep_key(
    connection: &mut PgConnection,
    user: &str,
    said: &Said,
    conversation: RowId,
    now_ms: i64,
) -> Result<(), sqlx::Error> {
    let insert = "INSERT INTO chat_messages (user_id, key, conversation_id, message_hash, at_ms) \
        VALUES ($1, $2, $3, $4, $5)";
    sqlx::query(insert)
        .bind(user)
        .bind(&said.key)
        .bind(Id(conversation))
        .bind(hash(&said.message))
        .bind(now_ms)
        .execute(&mut *connection)
        .await?;
    let room = "DELETE FROM chat_messages WHERE user_id = $1 AND key IN \
        (SELECT key FROM chat_messages WHERE user_id = $1 ORDER BY at_ms DESC OFFSET $2)";
    sqlx::query(room).bind(user).bind(KEYS_MAX).execute(connection).await?;
    Ok(())
}

async fn begin(rows: &Rows, whose: &Whose) -> Stored<Writing> {
    let wish = Wish {
        scopes: &[own(whose)],
        user: &whose.user,
        keys: &[key(Table::Personality, persona::row_id(&whose.user))],
        now_ms: now_ms(),
    };
    rows.begin(&rows.town(whose)?, wish).await
}

impl ChatStore for Rows {
    async fn begin_chat(&self, whose: &Whose, said: Said) -> Stored<Begun> {
        let mut writing = begin(self, whose).await?;
        if let Some(known) = known(writing.connection(), &whose.user, &said).await.map_err(failed)? {
            return Ok(known);
        }
        let conversation = match said.conversation {
            Some(conversation) => conversation,
            None => new_id()?,
        };
        if !is_open_to(writing.connection(), &whose.user, conversation).await.map_err(failed)? {
            return Err(StoreError::NotFound);
        }
        let history = newest(writing.connection(), &whose.user, conversation, HISTORY_MAX).await;
        let history = history.map_err(failed)?;
        let personality = persona::now(&writing, &whose.user);
        let turn = NewTurn {
            conversation,
            sender: Sender::User,
            speaker: &said.speaker,
            text: &said.message,
            mood: personality.mood,
        };
        let turn = say(&mut writing, &turn)?;
        let now_ms = writing.now_ms;
        keep_key(writing.connection(), &whose.user, &said, conversation, now_ms).await.map_err(failed)?;
        self.commit(writing).await?;
        Ok(Begun::New(Opened { conversation, turn, history, personality }))
    }

    async fn finish_chat(&self, whose: &Whose, answered: Answered) -> Stored<()> {
        let mut writing = begin(self, whose).await?;
        let conversation = answered.conversation;
        if !is_open_to(writing.connection(), &whose.user, conversation).await.map_err(failed)? {
            return Err(StoreError::NotFound);
        }
        let turn = NewTurn {
            conversation,
            sender: Sender::Robbie,
            speaker: ROBBIE,
            text: &answered.reply,
            mood: answered.mood,
        };
        say(&mut writing, &turn)?;
        if let Some(change) = &answered.change {
            persona::change(&mut writing, &whose.user, change)?;
        }
        let keep = "UPDATE chat_messages SET answer = $3 WHERE user_id = $1 AND key = $2";
        sqlx::query(keep)
            .bind(&whose.user)
            .bind(&answered.key)
            .bind(&answered.answer)
            .execute(writing.connection())
            .await
            .map_err(failed)?;
        self.commit(writing).await
    }
}
