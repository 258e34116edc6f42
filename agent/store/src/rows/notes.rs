//! Sticky notes. A note belongs to its town; its version rises by one with each change that changes something.

use cloud_sync_protocol::cursor::List;
mod synced;

use cloud_sync_protocol::event::EventKind;
use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::memory::MemoryKind;
use cloud_sync_protocol::note::{Changed, NewNote, NoteFilter, NotePatch, PRIORITY_DEFAULT, StickyNote};
use cloud_sync_protocol::stamp::Stamp;
use cloud_sync_protocol::store::{NoteStore, Page, PageAt, StoreError, Stored, Whose};
use cloud_sync_protocol::sync::op::{Field, Kind};
use cloud_sync_protocol::sync::table::{Table, notes as fields};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};
use serde::Serialize;

use crate::fail::Fail;
use crate::limits::{Class, ROW_BYTES};
use crate::rows::columns::{StampColumns, id, moment, moment_field};
use crate::rows::memory::{self, Remembered};
use crate::store::Store;
use crate::sync;
use crate::writer::{Room, Write};

pub(crate) use synced::{WHOLE, put, take_away, whole};

pub(super) const COLUMNS: &str = "id, content, created_by, created_ms, tags, priority, surfaced, version";

/// What an event says about a note.
#[derive(Serialize)]
struct NoteEvent<'a> {
    id: RowId,
    deleted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a StickyNote>,
}

pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Changed<StickyNote>> {
    let tags = row.get_ref(4)?.as_str()?;
    // A check of the table keeps everything out that is no JSON.
    let tags = serde_json::from_str(tags).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(4, rusqlite::types::Type::Text, error.into())
    })?;
    Ok(Changed {
        row: StickyNote {
            id: id(row, 0)?,
            content: row.get(1)?,
            created_by: row.get(2)?,
            created_at: moment(row, 3)?,
            tags,
            priority: row.get(5)?,
            surfaced: row.get(6)?,
        },
        version: row.get::<_, i64>(7)?.unsigned_abs(),
    })
}

fn find(connection: &Connection, whose: &Whose, id: RowId) -> Result<Changed<StickyNote>, Fail> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM notes WHERE id = ?1 AND town = ?2"))?;
    let found = statement.query_row(params![id.as_bytes(), whose.town], read).optional()?;
    Ok(found.ok_or(StoreError::NotFound)?)
}

fn key(note: &StickyNote) -> [u8; 25] {
    let mut key = [0; 25];
    key[0] = note.priority;
    key[1..9].copy_from_slice(&note.created_at.as_millisecond().to_be_bytes());
    key[9..].copy_from_slice(note.id.as_bytes());
    key
}

fn list(
    connection: &Connection,
    whose: &Whose,
    filter: &NoteFilter,
    at: &PageAt,
) -> Result<Page<StickyNote>, Fail> {
    let name = [
        Some("notes"),
        Some(&*whose.town),
        filter.tag.as_deref(),
        filter.text.as_deref(),
        filter.author.as_deref(),
    ];
    let list = List::named(&name);
    // Priority 101 is before them all.
    let mut from = [0; 25];
    from[0] = 101;
    if let Some(cursor) = &at.cursor {
        from = list.key(cursor)?;
    }
    let (mut created_ms, mut from_id) = ([0; 8], [0; 16]);
    created_ms.copy_from_slice(&from[1..9]);
    from_id.copy_from_slice(&from[9..]);
    let limit = at.limit.clamp(1, 500);
    let (created_ms, more) = (i64::from_be_bytes(created_ms), i64::from(limit) + 1);
    let mut sql =
        format!("SELECT {COLUMNS} FROM notes WHERE town = ?1 AND (priority, created_ms, id) < (?2, ?3, ?4)");
    let mut values: Vec<&dyn ToSql> = vec![&whose.town, &from[0], &created_ms, &from_id];
    if let Some(author) = &filter.author {
        values.push(author);
        sql += &format!(" AND created_by = ?{}", values.len());
    }
    if let Some(tag) = &filter.tag {
        values.push(tag);
        sql += &format!(" AND EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?{})", values.len());
    }
    let phrases = filter.text.as_deref().and_then(phrases);
    match (&phrases, &filter.text) {
        (Some(phrases), _) => {
            values.push(phrases);
            sql += &format!(
                " AND id IN (SELECT m.id FROM words CROSS JOIN memory m ON m.n = words.rowid \
                 WHERE words MATCH ?{} AND m.kind = 0 AND m.town = ?1)",
                values.len()
            );
        }
        // Without a letter or a digit there is no word; an emoji, say, is looked for as it stands.
        (None, Some(text)) => {
            values.push(text);
            sql += &format!(" AND instr(content, ?{}) > 0", values.len());
        }
        (None, None) => {}
    }
    values.push(&more);
    sql += &format!(" ORDER BY priority DESC, created_ms DESC, id DESC LIMIT ?{}", values.len());
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(values.as_slice(), |row| Ok(read(row)?.row))?;
    let mut rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| more).map(|last| list.after(&key(last)));
    Ok(Page { rows, next })
}

/// Every word, quoted, which is the only form in which FTS5 obeys nothing; `None` where there is no word.
fn phrases(text: &str) -> Option<String> {
    // A query ends at a zero.
    let text = text.replace('\0', " ");
    if !text.chars().any(char::is_alphanumeric) {
        return None;
    }
    let words = text.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric));
    Some(words.map(|word| format!("\"{}\"", word.replace('"', "\"\""))).collect::<Vec<_>>().join(" "))
}

fn bytes(content: &str, tags_json: &str, created_by: &str) -> u64 {
    (content.len() + tags_json.len() + created_by.len()) as u64 + ROW_BYTES
}

fn tell(write: &mut Write<'_>, whose: &Whose, note: &StickyNote) -> Result<(), Fail> {
    write.tell(&whose.town, "", EventKind::Note, &NoteEvent { id: note.id, deleted: false, note: Some(note) })
}

fn remember(write: &mut Write<'_>, whose: &Whose, note: &StickyNote) -> Result<(), Fail> {
    let row = Remembered {
        kind: MemoryKind::Note,
        id: note.id,
        town: &whose.town,
        user: "",
        said_in: None,
        speaker: Some(&note.created_by),
        at_ms: note.created_at.as_millisecond(),
    };
    let changes = memory::remember(write.tx, &row, &note.content)?;
    write.changes.extend(changes);
    Ok(())
}

pub(crate) fn add(write: &mut Write<'_>, whose: &Whose, new: &NewNote) -> Result<Changed<StickyNote>, Fail> {
    match find(write.tx, whose, new.id) {
        Ok(found) => {
            let row = &found.row;
            let is_same = row.content == new.content
                && row.tags == new.tags
                && row.priority == new.priority
                && row.created_by == new.created_by;
            return if is_same {
                Ok(found)
            } else {
                Err(StoreError::Conflict { version: found.version }.into())
            };
        }
        Err(Fail::Store(StoreError::NotFound)) => {}
        Err(fail) => return Err(fail),
    }
    let tags = serde_json::to_string(&new.tags)?;
    write.usage.take(Class::Notes, bytes(&new.content, &tags, &new.created_by), write.limits)?;
    let note = StickyNote {
        id: new.id,
        content: new.content.clone(),
        created_by: new.created_by.clone(),
        created_at: crate::rows::columns::to_ms(write.now.wall),
        tags: new.tags.clone(),
        priority: new.priority,
        surfaced: false,
    };
    // First, because it finds out whether the id is another row's.
    remember(write, whose, &note)?;
    let created_ms = write.now_ms();
    let stamp = StampColumns::of(&write.now);
    let own: [&dyn ToSql; 7] =
        [new.id.as_bytes(), &whose.town, &note.content, &note.created_by, &created_ms, &tags, &note.priority];
    let values: Vec<&dyn ToSql> = own.into_iter().chain(stamp.values()).collect();
    let mut statement = write.tx.prepare_cached(
        "INSERT INTO notes (id, town, content, created_by, created_ms, tags, priority, surfaced, version, \
         boot_id, mono_ms, wall_ms, clock) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, 1, ?8, ?9, ?10, ?11)",
    )?;
    statement.execute(values.as_slice())?;
    log(write, whose, Kind::Insert, note.id, inserted(&note, &tags, write.now))?;
    tell(write, whose, &note)?;
    Ok(Changed { row: note, version: 1 })
}

/// The fields of a new note that are not the default.
fn inserted(note: &StickyNote, tags: &str, now: Stamp) -> Vec<Field> {
    let mut fields =
        vec![Field::text(fields::CONTENT, &note.content), Field::text(fields::CREATED_BY, &note.created_by)];
    fields.extend(moment_field(fields::CREATED_MS, note.created_at.as_millisecond(), &now));
    if !note.tags.is_empty() {
        fields.push(Field::text(fields::TAGS, tags));
    }
    if note.priority != PRIORITY_DEFAULT {
        fields.push(Field::int(fields::PRIORITY, i64::from(note.priority)));
    }
    fields
}

fn log(write: &Write<'_>, whose: &Whose, kind: Kind, id: RowId, fields: Vec<Field>) -> Result<(), Fail> {
    sync::log(write, whose, kind, Table::Notes, id, fields)
}

fn expect(version: u64, expected: Option<u64>) -> Result<(), StoreError> {
    match expected {
        Some(expected) if expected != version => Err(StoreError::Conflict { version }),
        _ => Ok(()),
    }
}

pub(crate) fn change(
    write: &mut Write<'_>,
    whose: &Whose,
    id: RowId,
    patch: &NotePatch,
    expected: Option<u64>,
) -> Result<Changed<StickyNote>, Fail> {
    let old = find(write.tx, whose, id)?;
    expect(old.version, expected)?;
    let mut note = old.row.clone();
    note.content = patch.content.clone().unwrap_or(note.content);
    note.tags = patch.tags.clone().unwrap_or(note.tags);
    note.priority = patch.priority.unwrap_or(note.priority);
    note.surfaced = patch.surfaced.unwrap_or(note.surfaced);
    // Brought up once more is a change: it rests anew.
    let is_brought_up = patch.surfaced == Some(true);
    if note == old.row && !is_brought_up {
        return Ok(old);
    }
    let (old_tags, tags) = (serde_json::to_string(&old.row.tags)?, serde_json::to_string(&note.tags)?);
    write.usage.give(Class::Notes, bytes(&old.row.content, &old_tags, &note.created_by));
    write.usage.take(Class::Notes, bytes(&note.content, &tags, &note.created_by), write.limits)?;
    let version = old.version + 1;
    let stored_version = i64::try_from(version).unwrap_or(i64::MAX);
    let surfaced_ms = is_brought_up.then(|| write.now_ms());
    let stamp = StampColumns::of(&write.now);
    let own: [&dyn ToSql; 7] =
        [id.as_bytes(), &note.content, &tags, &note.priority, &note.surfaced, &surfaced_ms, &stored_version];
    let values: Vec<&dyn ToSql> = own.into_iter().chain(stamp.values()).collect();
    let mut statement = write.tx.prepare_cached(
        "UPDATE notes SET content = ?2, tags = ?3, priority = ?4, surfaced = ?5, \
         last_surfaced_ms = coalesce(?6, last_surfaced_ms), version = ?7, \
         boot_id = ?8, mono_ms = ?9, wall_ms = ?10, clock = ?11 WHERE id = ?1",
    )?;
    statement.execute(values.as_slice())?;
    if note.content != old.row.content {
        let changes = memory::forget(write.tx, id)?;
        write.changes.extend(changes);
        remember(write, whose, &note)?;
    }
    log(write, whose, Kind::Set, id, changed(&old.row, &note, &tags, surfaced_ms))?;
    tell(write, whose, &note)?;
    Ok(Changed { row: note, version })
}

/// The fields of a note that are others than before.
fn changed(old: &StickyNote, new: &StickyNote, tags: &str, surfaced_ms: Option<i64>) -> Vec<Field> {
    let mut fields = Vec::new();
    if new.content != old.content {
        fields.push(Field::text(fields::CONTENT, &new.content));
    }
    if new.tags != old.tags {
        fields.push(Field::text(fields::TAGS, tags));
    }
    if new.priority != old.priority {
        fields.push(Field::int(fields::PRIORITY, i64::from(new.priority)));
    }
    if new.surfaced != old.surfaced {
        fields.push(Field::int(fields::SURFACED, i64::from(new.surfaced)));
    }
    fields.extend(surfaced_ms.map(|ms| Field::int(fields::LAST_SURFACED_MS, ms)));
    fields
}

pub(crate) fn delete(
    write: &mut Write<'_>,
    whose: &Whose,
    id: RowId,
    expected: Option<u64>,
) -> Result<(), Fail> {
    let old = find(write.tx, whose, id)?;
    expect(old.version, expected)?;
    let changes = memory::forget(write.tx, id)?;
    write.changes.extend(changes);
    write.tx.prepare_cached("DELETE FROM notes WHERE id = ?1")?.execute([id.as_bytes()])?;
    log(write, whose, Kind::Delete, id, Vec::new())?;
    gone(write, whose, &old.row)
}

/// What follows from a note that is not there any more.
fn gone(write: &mut Write<'_>, whose: &Whose, old: &StickyNote) -> Result<(), Fail> {
    let tags = serde_json::to_string(&old.tags)?;
    write.usage.give(Class::Notes, bytes(&old.content, &tags, &old.created_by));
    write.tell(&whose.town, "", EventKind::Note, &NoteEvent { id: old.id, deleted: true, note: None })
}

impl NoteStore for Store {
    async fn notes(&self, whose: &Whose, filter: &NoteFilter, at: &PageAt) -> Stored<Page<StickyNote>> {
        let (whose, filter, at) = (whose.clone(), filter.clone(), at.clone());
        self.read(move |connection| list(connection, &whose, &filter, &at)).await
    }

    async fn note(&self, whose: &Whose, id: RowId) -> Stored<Changed<StickyNote>> {
        let whose = whose.clone();
        self.read(move |connection| find(connection, &whose, id)).await
    }

    async fn add_note(&self, whose: &Whose, note: NewNote) -> Stored<Changed<StickyNote>> {
        let whose = whose.clone();
        self.write(Room::Takes, move |write| add(write, &whose, &note)).await
    }

    async fn change_note(
        &self,
        whose: &Whose,
        id: RowId,
        patch: NotePatch,
        expected: Option<u64>,
    ) -> Stored<Changed<StickyNote>> {
        let whose = whose.clone();
        self.write(Room::Takes, move |write| change(write, &whose, id, &patch, expected)).await
    }

    async fn delete_note(&self, whose: &Whose, id: RowId, expected: Option<u64>) -> Stored<()> {
        let whose = whose.clone();
        self.write(Room::Makes, move |write| delete(write, &whose, id, expected)).await
    }
}
