//! Messages of chats by their keys: each is begun once, and its answer is kept for whoever sends it again. It carries out
//! nothing. The oldest keys go; what was said stays.

use cloud_sync_protocol::chat::{Answered, Begun, HISTORY_MAX, Opened, Said};
use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::store::{ChatStore, StoreError, Stored, Whose};
use cloud_sync_protocol::turn::Sender;
use rusqlite::{OptionalExtension, params};

use super::persona;
use super::turns::{self, NewTurn};
use crate::fail::Fail;
use crate::store::Store;
use crate::vectors::ContentHash;
use crate::writer::{Room, Write};

/// Name of the speaker in Robbie's own turns.
const ROBBIE: &str = "robbie";

fn known(write: &Write<'_>, whose: &Whose, said: &Said) -> Result<Option<Begun>, Fail> {
    let mut statement = write.tx.prepare_cached(
        "SELECT conversation_id, message_hash, answer FROM chat_messages WHERE town = ?1 AND user_id = ?2 AND key = ?3",
    )?;
    let row = statement.query_row(params![whose.town, whose.user, said.key], |row| {
        let conversation = RowId::from_bytes(row.get(0)?);
        Ok((conversation, row.get::<_, [u8; 16]>(1)?, row.get::<_, Option<String>>(2)?))
    });
    let Some((conversation, hash, answer)) = row.optional()? else { return Ok(None) };
    let is_same_talk = said.conversation.is_none_or(|named| named == conversation);
    Ok(Some(match answer {
        _ if !is_same_talk || hash != *ContentHash::of(&said.message).as_bytes() => Begun::KeyTaken,
        Some(answer) => Begun::Answered(answer),
        None => Begun::Unanswered { conversation },
    }))
}

fn begin(write: &mut Write<'_>, whose: &Whose, said: &Said) -> Result<Begun, Fail> {
    if let Some(known) = known(write, whose, said)? {
        return Ok(known);
    }
    let conversation = said.conversation.unwrap_or_else(|| write.new_id());
    let history = turns::newest(write.tx, whose, conversation, HISTORY_MAX)?;
    let personality = persona::now(write, whose)?;
    let turn = NewTurn {
        id: None,
        sender: Sender::User,
        speaker: Some(said.speaker.clone()),
        text: said.message.clone(),
        at: None,
        mood: personality.mood,
    };
    let ids = turns::add(write, whose, conversation, &[turn])?;
    let mut statement = write.tx.prepare_cached(
        "INSERT INTO chat_messages (town, user_id, key, conversation_id, message_hash, at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let hash = ContentHash::of(&said.message);
    statement.execute(params![
        whose.town,
        whose.user,
        said.key,
        conversation.as_bytes(),
        hash.as_bytes(),
        write.now_ms()
    ])?;
    let newest = write.tx.last_insert_rowid();
    let oldest = newest - i64::from(write.limits.chat_messages);
    write.tx.prepare_cached("DELETE FROM chat_messages WHERE n <= ?1")?.execute([oldest])?;
    let turn = ids.first().copied().ok_or_else(|| StoreError::Failed("the turn got no id".to_owned()))?;
    Ok(Begun::New(Opened { conversation, turn, history, personality }))
}

fn finish(write: &mut Write<'_>, whose: &Whose, answered: &Answered) -> Result<(), Fail> {
    let turn = NewTurn {
        id: None,
        sender: Sender::Robbie,
        speaker: Some(ROBBIE.to_owned()),
        text: answered.reply.clone(),
        at: None,
        mood: answered.mood,
    };
    turns::add(write, whose, answered.conversation, &[turn])?;
    if let Some(change) = &answered.change {
        persona::change(write, whose, change)?;
    }
    let mut statement = write.tx.prepare_cached(
        "UPDATE chat_messages SET answer = ?4 WHERE town = ?1 AND user_id = ?2 AND key = ?3",
    )?;
    statement.execute(params![whose.town, whose.user, answered.key, answered.answer])?;
    Ok(())
}

impl ChatStore for Store {
    async fn begin_chat(&self, whose: &Whose, said: Said) -> Stored<Begun> {
        let whose = whose.clone();
        self.write(Room::Takes, move |write| begin(write, &whose, &said)).await
    }

    async fn finish_chat(&self, whose: &Whose, answered: Answered) -> Stored<()> {
        let whose = whose.clone();
        self.write(Room::Takes, move |write| finish(write, &whose, &answered)).await
    }
}
