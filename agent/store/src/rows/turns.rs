//! Conversations and their turns. A turn is written once and never changed; it belongs to its user.

use cloud_sync_protocol::cursor::{List, moment_key, moment_of};
use cloud_sync_protocol::event::EventKind;
use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::memory::MemoryKind;
use cloud_sync_protocol::persona::Mood;
use cloud_sync_protocol::stamp::Stamp;
use cloud_sync_protocol::store::{ConversationStore, Page, PageAt, StoreError, Stored, Whose};
use cloud_sync_protocol::sync::op::{Field, Kind};
use cloud_sync_protocol::sync::table::{Table, turns as fields};
use cloud_sync_protocol::turn::{Conversation, SPEAKER_BYTES_MAX, Sender, TURN_BYTES_MAX, Turn};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};
use serde::Serialize;

use crate::fail::Fail;
use crate::limits::{Class, ROW_BYTES};
use crate::rows::columns::{StampColumns, id, moment, moment_field, mood, to_ms};
use crate::rows::memory::{self, Remembered, taken};
use crate::store::Store;
use crate::sync;
use crate::writer::{Room, Write};

/// Most turns of one call.
pub const TURNS_AT_ONCE_MAX: usize = 1_000;

/// Characters of the newest turn in a list of conversations.
const PREVIEW_CHARS: i64 = 120;

/// A turn to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTurn {
    /// Its id, so that a retry names the same row; drawn where there is none.
    pub id: Option<RowId>,
    /// Which side spoke.
    pub sender: Sender,
    /// Who spoke, where that is known; at most 64 bytes.
    pub speaker: Option<String>,
    /// What; at most 32 KiB.
    pub text: String,
    /// When; now, where nobody says.
    pub at: Option<Timestamp>,
    /// Robbie's mood then.
    pub mood: Mood,
}

/// What an event says about a turn.
#[derive(Serialize)]
struct TurnEvent<'a> {
    conversation_id: RowId,
    #[serde(flatten)]
    turn: &'a Turn,
}

const fn sender_name(sender: Sender) -> &'static str {
    match sender {
        Sender::User => "user",
        Sender::Robbie => "robbie",
    }
}

/// Makes sure of the conversation, and returns the place of the next turn in it.
fn next_ordinal(write: &Write<'_>, whose: &Whose, conversation: RowId, first_ms: i64) -> Result<i64, Fail> {
    let mut statement = write.tx.prepare_cached("SELECT town, user_id FROM conversations WHERE id = ?1")?;
    let owner = statement.query_row([conversation.as_bytes()], |row| {
        Ok(row.get_ref(0)?.as_str()? == whose.town && row.get_ref(1)?.as_str()? == whose.user)
    });
    match owner.optional()? {
        Some(true) => {}
        Some(false) => return Err(StoreError::NotFound.into()),
        None => {
            let mut statement = write.tx.prepare_cached(
                "INSERT INTO conversations (id, town, user_id, started_ms, last_ms, turns) VALUES (?1, ?2, ?3, ?4, ?4, 0)",
            )?;
            statement.execute(params![conversation.as_bytes(), whose.town, whose.user, first_ms])?;
        }
    }
    let mut statement = write
        .tx
        .prepare_cached("SELECT coalesce(max(ordinal) + 1, 0) FROM turns WHERE conversation_id = ?1")?;
    Ok(statement.query_row([conversation.as_bytes()], |row| row.get(0))?)
}

/// Whether the turn is there already; refused where its id names something else.
fn is_known(write: &Write<'_>, conversation: RowId, id: RowId, text: &str) -> Result<bool, Fail> {
    let mut statement =
        write.tx.prepare_cached("SELECT conversation_id, message_text FROM turns WHERE id = ?1")?;
    let known = statement.query_row([id.as_bytes()], |row| {
        Ok((row.get::<_, [u8; 16]>(0)? == *conversation.as_bytes(), row.get_ref(1)?.as_str()? == text))
    });
    match known.optional()? {
        Some((true, true)) => Ok(true),
        Some((true, false)) => Err(StoreError::Conflict { version: 1 }.into()),
        Some((false, _)) => Err(taken().into()),
        None => Ok(false),
    }
}

fn add_one(
    write: &mut Write<'_>,
    whose: &Whose,
    conversation: RowId,
    ordinal: i64,
    turn: &Turn,
) -> Result<(), Fail> {
    write.usage.take(Class::Turns, turn.message_text.len() as u64 + ROW_BYTES, write.limits)?;
    let at_ms = turn.timestamp.as_millisecond();
    let row = Remembered {
        kind: MemoryKind::Turn,
        id: turn.id,
        town: &whose.town,
        user: &whose.user,
        said_in: Some((conversation, ordinal)),
        speaker: turn.speaker.as_deref(),
        at_ms,
    };
    let changes = memory::remember(write.tx, &row, &turn.message_text)?;
    write.changes.extend(changes);
    let (sender, mood) = (sender_name(turn.sender), turn.mood_at_time.as_str());
    let stamp = StampColumns::of(&write.now);
    let own: [&dyn ToSql; 8] = [
        turn.id.as_bytes(),
        conversation.as_bytes(),
        &ordinal,
        &sender,
        &turn.speaker,
        &turn.message_text,
        &at_ms,
        &mood,
    ];
    let values: Vec<&dyn ToSql> = own.into_iter().chain(stamp.values()).collect();
    let mut statement = write.tx.prepare_cached(
        "INSERT INTO turns (id, conversation_id, ordinal, sender, speaker, message_text, at_ms, mood_at_time, \
         boot_id, mono_ms, wall_ms, clock) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?;
    statement.execute(values.as_slice())?;
    let event = TurnEvent { conversation_id: conversation, turn };
    write.tell(&whose.town, &whose.user, EventKind::Chat, &event)
}

fn log(write: &Write<'_>, whose: &Whose, conversation: RowId, turn: &Turn) -> Result<(), Fail> {
    let fields = inserted(conversation, turn, &write.now);
    sync::log(write, whose, Kind::Insert, Table::Turns, turn.id, fields)
}

/// Every turn of a user, the stamp first, then the conversation, then as [`read`] has it.
pub(crate) const WHOLE: &str = "SELECT turns.boot_id, turns.mono_ms, turns.wall_ms, turns.clock, conversation_id, ordinal, \
                                turns.id, sender, speaker, message_text, at_ms, mood_at_time FROM turns \
                                JOIN conversations ON conversations.id = conversation_id \
                                WHERE town = ?1 AND user_id = ?2 ORDER BY conversation_id, ordinal";

/// A row of [`WHOLE`] as the fields of an Insert.
pub(crate) fn whole(row: &Row<'_>, stamp: &Stamp) -> Result<(RowId, Vec<Field>), Fail> {
    let turn = read_at(row, 5)?.1;
    Ok((turn.id, inserted(id(row, 4)?, &turn, stamp)))
}

/// The fields of a new turn that are not the default.
fn inserted(conversation: RowId, turn: &Turn, now: &Stamp) -> Vec<Field> {
    let sender = i64::from(turn.sender == Sender::Robbie);
    let mut fields = vec![
        Field::row(fields::CONVERSATION, conversation),
        Field::int(fields::SENDER, sender),
        Field::text(fields::TEXT, &turn.message_text),
    ];
    fields.extend(turn.speaker.as_deref().map(|speaker| Field::text(fields::SPEAKER, speaker)));
    fields.extend(moment_field(fields::AT_MS, turn.timestamp.as_millisecond(), now));
    if turn.mood_at_time != Mood::Friendly {
        fields.push(Field::text(fields::MOOD, turn.mood_at_time.as_str()));
    }
    fields
}

/// Keeps a turn that sync brings, at the end of its conversation. Of one that is there, the moment may be better known now.
pub(crate) fn put(
    write: &mut Write<'_>,
    whose: &Whose,
    conversation: RowId,
    turn: &Turn,
    stamp: &Stamp,
) -> Result<(), Fail> {
    let at_ms = turn.timestamp.as_millisecond();
    let mut statement = write.tx.prepare_cached("SELECT at_ms FROM turns WHERE id = ?1")?;
    let known: Option<i64> = statement.query_row([turn.id.as_bytes()], |row| row.get(0)).optional()?;
    match known {
        Some(known) if known == at_ms => return Ok(()),
        Some(_) => {
            let mut statement = write.tx.prepare_cached("UPDATE turns SET at_ms = ?2 WHERE id = ?1")?;
            statement.execute(params![turn.id.as_bytes(), at_ms])?;
            let mut statement = write.tx.prepare_cached("UPDATE memory SET at_ms = ?2 WHERE id = ?1")?;
            statement.execute(params![turn.id.as_bytes(), at_ms])?;
        }
        None => {
            let ordinal = next_ordinal(write, whose, conversation, at_ms)?;
            let now = std::mem::replace(&mut write.now, *stamp);
            let added = add_one(write, whose, conversation, ordinal, turn);
            write.now = now;
            added?;
        }
    }
    let mut statement = write.tx.prepare_cached(
        "UPDATE conversations SET turns = turns + ?2, started_ms = min(started_ms, ?3), last_ms = max(last_ms, ?3) \
         WHERE id = ?1",
    )?;
    statement.execute(params![conversation.as_bytes(), i64::from(known.is_none()), at_ms])?;
    Ok(())
}

pub(crate) fn add(
    write: &mut Write<'_>,
    whose: &Whose,
    conversation: RowId,
    new: &[NewTurn],
) -> Result<Vec<RowId>, Fail> {
    let now = to_ms(write.now.wall);
    let Some(first) = new.first() else { return Ok(Vec::new()) };
    let first_ms = first.at.unwrap_or(now).as_millisecond();
    let mut ordinal = next_ordinal(write, whose, conversation, first_ms)?;
    let (mut ids, mut added, mut from_ms, mut to_last_ms) =
        (Vec::with_capacity(new.len()), 0, i64::MAX, i64::MIN);
    for turn in new {
        let id = turn.id.unwrap_or_else(|| write.new_id());
        ids.push(id);
        if is_known(write, conversation, id, &turn.text)? {
            continue;
        }
        let turn = Turn {
            id,
            sender: turn.sender,
            speaker: turn.speaker.clone(),
            message_text: turn.text.clone(),
            timestamp: to_ms(turn.at.unwrap_or(now)),
            mood_at_time: turn.mood,
        };
        add_one(write, whose, conversation, ordinal, &turn)?;
        log(write, whose, conversation, &turn)?;
        ordinal += 1;
        added += 1;
        from_ms = from_ms.min(turn.timestamp.as_millisecond());
        to_last_ms = to_last_ms.max(turn.timestamp.as_millisecond());
    }
    if added > 0 {
        let mut statement = write.tx.prepare_cached(
            "UPDATE conversations SET turns = turns + ?2, started_ms = min(started_ms, ?3), last_ms = max(last_ms, ?4) \
             WHERE id = ?1",
        )?;
        statement.execute(params![conversation.as_bytes(), added, from_ms, to_last_ms])?;
    }
    Ok(ids)
}

fn list(connection: &Connection, whose: &Whose, at: &PageAt) -> Result<Page<Conversation>, Fail> {
    let list = List::named(&[Some("conversations"), Some(&whose.town), Some(&whose.user)]);
    let (ms, before) = match &at.cursor {
        Some(cursor) => moment_of(&list.key(cursor)?),
        None => (i64::MAX, [u8::MAX; 16]),
    };
    let limit = at.limit.clamp(1, 500);
    let mut statement = connection.prepare_cached(
        "SELECT id, started_ms, last_ms, turns, coalesce((SELECT substr(message_text, 1, ?6) FROM turns \
         WHERE conversation_id = conversations.id ORDER BY ordinal DESC LIMIT 1), '') \
         FROM conversations WHERE town = ?1 AND user_id = ?2 AND (last_ms, id) < (?3, ?4) \
         ORDER BY last_ms DESC, id DESC LIMIT ?5",
    )?;
    let values = params![whose.town, whose.user, ms, before, limit + 1, PREVIEW_CHARS];
    let rows = statement.query_map(values, |row| {
        Ok(Conversation {
            id: id(row, 0)?,
            started_at: moment(row, 1)?,
            last_at: moment(row, 2)?,
            turns: row.get::<_, i64>(3)?.unsigned_abs(),
            preview: row.get(4)?,
        })
    })?;
    let mut rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| more);
    let next = next.map(|last| list.after(&moment_key(last.last_at.as_millisecond(), last.id.as_bytes())));
    Ok(Page { rows, next })
}

/// The newest turns of a conversation, oldest first; none where there is no such conversation yet.
pub(super) fn newest(
    connection: &Connection,
    whose: &Whose,
    conversation: RowId,
    limit: u32,
) -> Result<Vec<Turn>, Fail> {
    let mut statement = connection.prepare_cached(
        "SELECT ordinal, turns.id, sender, speaker, message_text, at_ms, mood_at_time FROM turns \
         JOIN conversations ON conversations.id = turns.conversation_id \
         WHERE conversation_id = ?1 AND town = ?2 AND user_id = ?3 ORDER BY ordinal DESC LIMIT ?4",
    )?;
    let values = params![conversation.as_bytes(), whose.town, whose.user, limit];
    let rows = statement.query_map(values, |row| Ok(read(row)?.1))?;
    let mut turns = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    turns.reverse();
    Ok(turns)
}

fn read(row: &Row<'_>) -> rusqlite::Result<(i64, Turn)> {
    read_at(row, 0)
}

/// A turn with its place, from the column `first` on.
fn read_at(row: &Row<'_>, first: usize) -> rusqlite::Result<(i64, Turn)> {
    let is_robbie = row.get_ref(first + 2)?.as_str()? == sender_name(Sender::Robbie);
    let turn = Turn {
        id: id(row, first + 1)?,
        sender: if is_robbie { Sender::Robbie } else { Sender::User },
        speaker: row.get(first + 3)?,
        message_text: row.get(first + 4)?,
        timestamp: moment(row, first + 5)?,
        mood_at_time: mood(row, first + 6)?,
    };
    Ok((row.get(first)?, turn))
}

fn turns(
    connection: &Connection,
    whose: &Whose,
    conversation: RowId,
    at: &PageAt,
) -> Result<Page<Turn>, Fail> {
    let name = conversation.to_string();
    let list = List::named(&[Some("turns"), Some(&whose.town), Some(&whose.user), Some(&name)]);
    let after = match &at.cursor {
        Some(cursor) => i64::from_be_bytes(list.key(cursor)?),
        None => -1,
    };
    let mut statement = connection
        .prepare_cached("SELECT 1 FROM conversations WHERE id = ?1 AND town = ?2 AND user_id = ?3")?;
    if !statement.exists(params![conversation.as_bytes(), whose.town, whose.user])? {
        return Err(StoreError::NotFound.into());
    }
    let limit = at.limit.clamp(1, 500);
    let mut statement = connection.prepare_cached(
        "SELECT ordinal, id, sender, speaker, message_text, at_ms, mood_at_time FROM turns \
         WHERE conversation_id = ?1 AND ordinal > ?2 ORDER BY ordinal LIMIT ?3",
    )?;
    let rows = statement.query_map(params![conversation.as_bytes(), after, limit + 1], read)?;
    let mut rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| more).map(|(ordinal, _)| list.after(&ordinal.to_be_bytes()));
    Ok(Page { rows: rows.into_iter().map(|(_, turn)| turn).collect(), next })
}

impl Store {
    /// Keeps turns at the end of a conversation, all or none, at most 1,000; the conversation begins with its first turn.
    /// Once more with the same id and text: no second one; other text: `Conflict`. Returns their ids, in order.
    ///
    /// # Errors
    /// `NotFound` for another user's conversation, `Conflict` as above; `Full` and `Failed`, as every write.
    pub async fn add_turns(
        &self,
        whose: &Whose,
        conversation: RowId,
        turns: Vec<NewTurn>,
    ) -> Stored<Vec<RowId>> {
        let too_long = |turn: &NewTurn| {
            turn.text.len() > TURN_BYTES_MAX
                || turn.speaker.as_ref().is_some_and(|speaker| speaker.len() > SPEAKER_BYTES_MAX)
        };
        if turns.len() > TURNS_AT_ONCE_MAX || turns.iter().any(too_long) {
            return Err(StoreError::Failed(format!(
                "at most {TURNS_AT_ONCE_MAX} turns of at most {TURN_BYTES_MAX} bytes are kept at once, \
                 with names of at most {SPEAKER_BYTES_MAX} bytes"
            )));
        }
        let whose = whose.clone();
        self.write(Room::Takes, move |write| add(write, &whose, conversation, &turns)).await
    }
}

impl ConversationStore for Store {
    async fn conversations(&self, whose: &Whose, at: &PageAt) -> Stored<Page<Conversation>> {
        let (whose, at) = (whose.clone(), at.clone());
        self.read(move |connection| list(connection, &whose, &at)).await
    }

    async fn turns(&self, whose: &Whose, id: RowId, at: &PageAt) -> Stored<Page<Turn>> {
        let (whose, at) = (whose.clone(), at.clone());
        self.read(move |connection| turns(connection, &whose, id, &at)).await
    }
}
