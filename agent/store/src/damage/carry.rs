//! Row by row out of a damaged file. Each table is read from its beginning until it breaks, then from its end; between the two
//! places, every row is asked for by the ids that other tables and indexes still know. A row whose text is not what it was
//! when it was written is not carried over.

use std::collections::{HashMap, HashSet};

use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::memory::MemoryKind;
use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode, Row, params_from_iter};

use super::Counts;
use super::reading::{Id, Mention, each, key, mentions, values};
use crate::fail::Fail;
use crate::index::Kinds;
use crate::rows::memory::{Remembered, remember};
use crate::vectors::ContentHash;

/// Rows between two commits.
const COMMIT_ROWS: u64 = 2_000;

/// What came over.
#[derive(Default)]
pub(super) struct Carried {
    pub(super) carried: Counts,
    pub(super) lost: Counts,
    pub(super) is_exact: bool,
}

struct Table {
    name: &'static str,
    columns: &'static str,
    /// Its primary key, which its columns begin with.
    key: &'static [&'static str],
}

const STAMP: &str = "boot_id, mono_ms, wall_ms, clock";
const CONVERSATIONS: Table =
    Table { name: "conversations", columns: "id, town, user_id, started_ms, last_ms, turns", key: &["id"] };
const NOTES: Table = Table {
    name: "notes",
    columns: "id, town, content, created_by, created_ms, tags, priority, surfaced, last_surfaced_ms, version",
    key: &["id"],
};
const TURNS: Table = Table {
    name: "turns",
    columns: "id, conversation_id, ordinal, sender, speaker, message_text, at_ms, mood_at_time",
    key: &["id"],
};
const FACTS: Table = Table {
    name: "facts",
    columns: "id, town, user_id, content, source_id, event_ms, valid_from_ms, valid_to_ms, version",
    key: &["id"],
};
const PERSONALITY: Table = Table {
    name: "personality",
    columns: "id, town, user_id, mood, attraction_level, gandhi_genghis, energy, version",
    key: &["id"],
};
const MOODS: Table = Table {
    name: "mood_changes",
    columns: "id, town, user_id, at_ms, from_mood, mood, attraction_level, gandhi_genghis, energy, reason, context, source",
    key: &["id"],
};
const MODELS: Table = Table { name: "models", columns: "model, name", key: &["model"] };
const VECTORS: Table =
    Table { name: "vectors", columns: "model, content_hash, vector", key: &["model", "content_hash"] };

impl Table {
    /// All columns, stamps included.
    fn all(&self) -> String {
        if matches!(self.name, "conversations" | "models" | "vectors") {
            self.columns.to_owned()
        } else {
            format!("{}, {STAMP}", self.columns)
        }
    }

    fn in_order(&self, direction: &str) -> String {
        let order: Vec<String> = self.key.iter().map(|column| format!("{column} {direction}")).collect();
        format!("SELECT {} FROM {} ORDER BY {}", self.all(), self.name, order.join(", "))
    }
}

/// Carries everything from one file to the other. `Err`: the new file cannot be written.
pub(super) fn everything(source: Option<&Connection>, target: &Connection) -> Result<Carried, Fail> {
    let Some(source) = source else { return Ok(Carried::default()) };
    let (mentions, is_exact) = mentions(source);
    let mut carry = Carry { source, target, mentions, written: 0 };
    target.execute_batch("PRAGMA foreign_keys = OFF; BEGIN")?;
    let none = HashSet::new();
    let turn_ids =
        carry.ids_in("SELECT id FROM turns ORDER BY conversation_id, ordinal", Some(MemoryKind::Turn));
    carry.table(&MODELS, &none, |_, _| Ok(true))?;
    carry.table(&VECTORS, &none, |_, _| Ok(true))?;
    let conversations =
        carry.ids_in("SELECT id FROM conversations ORDER BY town, user_id, last_ms DESC, id DESC", None);
    carry.table(&CONVERSATIONS, &conversations, |_, _| Ok(true))?;
    let turns = carry.table(&TURNS, &turn_ids, turn)?;
    let note_ids = carry.ids_in(
        "SELECT id FROM notes ORDER BY town, priority DESC, created_ms DESC, id DESC",
        Some(MemoryKind::Note),
    );
    let notes = carry.table(&NOTES, &note_ids, note)?;
    let fact_ids = carry.ids_in("", Some(MemoryKind::Fact));
    let facts = carry.table(&FACTS, &fact_ids, fact)?;
    carry.table(&PERSONALITY, &none, |_, _| Ok(true))?;
    let mood_ids =
        carry.ids_in("SELECT id FROM mood_changes ORDER BY town, user_id, at_ms DESC, id DESC", None);
    let moods = carry.table(&MOODS, &mood_ids, |_, _| Ok(true))?;
    target.execute_batch(
        "UPDATE conversations SET turns = (SELECT count(*) FROM turns WHERE conversation_id = conversations.id);
         DELETE FROM vectors WHERE content_hash NOT IN (SELECT content_hash FROM memory);
         COMMIT; PRAGMA foreign_keys = ON",
    )?;
    let counts = |of: fn(&Moved) -> u64| Counts {
        notes: of(&notes),
        turns: of(&turns),
        facts: of(&facts),
        mood_changes: of(&moods),
    };
    Ok(Carried { carried: counts(|moved| moved.carried), lost: counts(|moved| moved.lost), is_exact })
}

/// How a table came over.
struct Moved {
    carried: u64,
    lost: u64,
}

struct Carry<'a> {
    source: &'a Connection,
    target: &'a Connection,
    mentions: HashMap<Id, Mention>,
    written: u64,
}

/// What belongs to a row in other tables. `false`: the row is not to be carried over.
type Beside = fn(&Carry<'_>, &[Value]) -> Result<bool, Fail>;

impl Carry<'_> {
    /// Ids that an index still knows, from both its ends, and those that `memory` knows.
    fn ids_in(&self, index: &str, kind: Option<MemoryKind>) -> HashSet<Id> {
        let mut ids = HashSet::new();
        // Backwards, every direction in it is the other one.
        let backwards = index
            .replace(" DESC", " UP")
            .replace("town,", "town DESC,")
            .replace("user_id,", "user_id DESC,")
            .replace("conversation_id,", "conversation_id DESC,")
            .replace("ordinal", "ordinal DESC")
            .replace(" UP", "");
        for sql in [index, &backwards] {
            each(self.source, sql, |row| {
                ids.insert(row.get(0)?);
                Ok(())
            });
        }
        if let Some(kind) = kind.map(Kinds::number) {
            ids.extend(self.mentions.iter().filter(|(_, mention)| mention.kind == kind).map(|(id, _)| *id));
        }
        ids
    }

    fn table(&mut self, table: &Table, known: &HashSet<Id>, beside: Beside) -> Result<Moved, Fail> {
        let (mut seen, mut carried) = (HashSet::new(), HashSet::new());
        for direction in ["ASC", "DESC"] {
            let (source, sql) = (self.source, table.in_order(direction));
            let Ok(mut statement) = source.prepare(&sql) else { continue };
            let Ok(mut rows) = statement.query([]) else { continue };
            loop {
                let row = match rows.next() {
                    Ok(Some(row)) => row,
                    // The end, or where it breaks.
                    Ok(None) | Err(_) => break,
                };
                let Some(key) = key(row, table.key.len()) else { continue };
                if !seen.insert(key.clone()) {
                    // The pass from the other side was here.
                    break;
                }
                if self.row(table, row, beside)? {
                    carried.insert(key);
                }
            }
        }
        let sql = format!("SELECT {} FROM {} WHERE id = ?1", table.all(), table.name);
        for id in known {
            if seen.contains(id.as_slice()) {
                continue;
            }
            let source = self.source;
            let Ok(mut statement) = source.prepare_cached(&sql) else { continue };
            let Ok(mut rows) = statement.query([id]) else { continue };
            if let Ok(Some(row)) = rows.next()
                && self.row(table, row, beside)?
            {
                carried.insert(id.to_vec());
            }
        }
        let lost = known.iter().filter(|id| !carried.contains(id.as_slice())).count() as u64;
        Ok(Moved { carried: carried.len() as u64, lost })
    }

    /// Writes one row. `false`: it is not what a row must be.
    fn row(&mut self, table: &Table, row: &Row<'_>, beside: Beside) -> Result<bool, Fail> {
        let Some(values) = values(row) else { return Ok(false) };
        self.target.execute_batch("SAVEPOINT one")?;
        let is_whole = self.insert(table, &values, beside)?;
        self.target.execute_batch(if is_whole { "RELEASE one" } else { "ROLLBACK TO one; RELEASE one" })?;
        self.written += 1;
        if self.written.is_multiple_of(COMMIT_ROWS) {
            self.target.execute_batch("COMMIT; BEGIN")?;
        }
        Ok(is_whole)
    }

    fn insert(&self, table: &Table, values: &[Value], beside: Beside) -> Result<bool, Fail> {
        let places = vec!["?"; values.len()].join(", ");
        let sql = format!("INSERT INTO {} ({}) VALUES ({places})", table.name, table.all());
        match self.target.prepare_cached(&sql)?.execute(params_from_iter(values)) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                return Ok(false);
            }
            done => done?,
        };
        match beside(self, values) {
            // Another row has its id, or a value is of the wrong kind.
            Err(Fail::Store(_)) => Ok(false),
            done => done,
        }
    }

    fn remember(&self, row: &Remembered<'_>, text: &str) -> Result<bool, Fail> {
        let mention = self.mentions.get(row.id.as_bytes());
        if mention.is_some_and(|mention| mention.hash != *ContentHash::of(text).as_bytes()) {
            return Ok(false);
        }
        remember(self.target, row, text)?;
        Ok(true)
    }
}

fn note(carry: &Carry<'_>, values: &[Value]) -> Result<bool, Fail> {
    let [
        Value::Blob(id),
        Value::Text(town),
        Value::Text(text),
        Value::Text(author),
        Value::Integer(at_ms),
        ..,
    ] = values
    else {
        return Ok(false);
    };
    let Some(id) = row_id(id) else { return Ok(false) };
    // SQLite takes zeros for JSON.
    if !matches!(&values[5], Value::Text(tags) if serde_json::from_str::<Vec<String>>(tags).is_ok()) {
        return Ok(false);
    }
    let speaker = Some(author.as_str());
    let row =
        Remembered { kind: MemoryKind::Note, id, town, user: "", said_in: None, speaker, at_ms: *at_ms };
    carry.remember(&row, text)
}

fn fact(carry: &Carry<'_>, values: &[Value]) -> Result<bool, Fail> {
    let [
        Value::Blob(id),
        Value::Text(town),
        Value::Text(user),
        Value::Text(text),
        _,
        event,
        Value::Integer(from_ms),
        ..,
    ] = values
    else {
        return Ok(false);
    };
    let Some(id) = row_id(id) else { return Ok(false) };
    let at_ms = if let Value::Integer(event_ms) = event { *event_ms } else { *from_ms };
    let row = Remembered { kind: MemoryKind::Fact, id, town, user, said_in: None, speaker: None, at_ms };
    carry.remember(&row, text)
}

/// A turn belongs to whom its conversation belongs to; where that is lost, `memory` still says it. A turn of nobody is not
/// carried over: it must not be shown to the wrong person.
fn turn(carry: &Carry<'_>, values: &[Value]) -> Result<bool, Fail> {
    let [
        Value::Blob(id),
        Value::Blob(conversation),
        Value::Integer(ordinal),
        Value::Text(_),
        speaker,
        Value::Text(text),
        Value::Integer(at_ms),
        ..,
    ] = values
    else {
        return Ok(false);
    };
    let (Some(id), Some(conversation)) = (row_id(id), row_id(conversation)) else { return Ok(false) };
    let mut statement =
        carry.target.prepare_cached("SELECT town, user_id FROM conversations WHERE id = ?1")?;
    let mut rows = statement.query([conversation.as_bytes()])?;
    let owner: Option<(String, String)> = match rows.next()? {
        Some(row) => Some((row.get(0)?, row.get(1)?)),
        None => None,
    };
    drop(rows);
    let (town, user) = match (owner, carry.mentions.get(id.as_bytes())) {
        (Some(owner), _) => owner,
        (None, Some(mention)) => {
            let mut statement = carry.target.prepare_cached(
                "INSERT INTO conversations (id, town, user_id, started_ms, last_ms, turns) VALUES (?1, ?2, ?3, ?4, ?4, 0)",
            )?;
            statement.execute((conversation.as_bytes(), &mention.town, &mention.user, at_ms))?;
            (mention.town.clone(), mention.user.clone())
        }
        (None, None) => return Ok(false),
    };
    let mut statement = carry.target.prepare_cached(
        "UPDATE conversations SET started_ms = min(started_ms, ?2), last_ms = max(last_ms, ?2) WHERE id = ?1",
    )?;
    statement.execute((conversation.as_bytes(), at_ms))?;
    let speaker = if let Value::Text(name) = speaker { Some(name.as_str()) } else { None };
    let said_in = Some((conversation, *ordinal));
    let row =
        Remembered { kind: MemoryKind::Turn, id, town: &town, user: &user, said_in, speaker, at_ms: *at_ms };
    carry.remember(&row, text)
}

fn row_id(bytes: &[u8]) -> Option<RowId> {
    Some(RowId::from_bytes(bytes.try_into().ok()?))
}
