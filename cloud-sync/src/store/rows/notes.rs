//! Sticky notes, for apps. A note's version is that of its synced row.

use cloud_sync_protocol::cursor::List;
use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::note::{Changed, NewNote, NoteFilter, NotePatch, StickyNote};
use cloud_sync_protocol::store::{NoteStore, Page, PageAt, StoreError, Stored, Whose};
use cloud_sync_protocol::sync::op::{Field, Kind, Scope};
use cloud_sync_protocol::sync::table::{Table, notes};
use jiff::Timestamp;
use sqlx::{PgConnection, Postgres, QueryBuilder};

use super::cache::Asked;
use super::state::{moment, note, tags_field};
use super::words::{query, stems};
use super::writing::{Wish, Writing, key};
use super::{Rows, failed};
use crate::clock::now_ms;
use crate::store::columns::Id;

/// Words of a filter that are looked for.
const WORDS_MAX: usize = 64;
/// Bytes of a key in the list: priority, moment, id.
type Key = [u8; 25];

/// `id, content, created_by, created_ms, tags, priority, surfaced, version`.
type NoteColumns = (Id, String, String, i64, Vec<String>, i16, bool, i64);

/// The same, and when it was brought up last.
type Surfacing = (Id, String, String, i64, Vec<String>, i16, bool, i64, Option<i64>);

const COLUMNS: &str = "id, content, created_by, created_ms, tags, priority, surfaced, version";

fn read(columns: NoteColumns) -> Changed<StickyNote> {
    let (Id(id), content, created_by, created_ms, tags, priority, surfaced, version) = columns;
    let row = StickyNote {
        id,
        content,
        created_by,
        created_at: moment(created_ms),
        tags,
        priority: u8::try_from(priority).unwrap_or_default(),
        surfaced,
    };
    Changed { row, version: version.cast_unsigned() }
}

fn key_of(note: &StickyNote) -> Key {
    let mut key = [0; 25];
    key[0] = note.priority;
    key[1..9].copy_from_slice(&note.created_at.as_millisecond().to_be_bytes());
    key[9..].copy_from_slice(note.id.as_bytes());
    key
}

/// Where a page begins: behind this priority, moment and id.
fn place_of(key: &Key) -> (i16, i64, Id) {
    let (mut created_ms, mut id) = ([0; 8], [0; 16]);
    created_ms.copy_from_slice(&key[1..9]);
    id.copy_from_slice(&key[9..]);
    (i16::from(key[0]), i64::from_be_bytes(created_ms), Id(RowId::from_bytes(id)))
}

async fn list(
    connection: &mut PgConnection,
    filter: &NoteFilter,
    from: &Key,
    limit: u32,
) -> Result<Vec<StickyNote>, sqlx::Error> {
    let (priority, created_ms, id) = place_of(from);
    let mut asked = QueryBuilder::<Postgres>::new(format!("SELECT {COLUMNS} FROM sticky_notes WHERE "));
    asked.push("(priority, created_ms, id) < (").push_bind(priority);
    asked.push(", ").push_bind(created_ms).push(", ").push_bind(id).push(")");
    if let Some(author) = &filter.author {
        asked.push(" AND created_by = ").push_bind(author);
    }
    if let Some(tag) = &filter.tag {
        asked.push(" AND tags @> ARRAY[").push_bind(tag).push("]");
    }
    if let Some(text) = &filter.text {
        let stems = stems([&**text], WORDS_MAX);
        if stems.is_empty() {
            // Without a letter or a digit there is no word; an emoji, say, is looked for as it stands.
            asked.push(" AND position(").push_bind(text).push(" IN content) > 0");
        } else {
            asked.push(" AND id IN (SELECT m.id FROM memory m WHERE m.kind = 0 AND m.stems @@ ");
            asked.push_bind(query(&stems, "&")).push("::tsquery)");
        }
    }
    asked.push(" ORDER BY priority DESC, created_ms DESC, id DESC LIMIT ").push_bind(i64::from(limit) + 1);
    let rows: Vec<NoteColumns> = asked.build_query_as().fetch_all(connection).await?;
    Ok(rows.into_iter().map(|columns| read(columns).row).collect())
}

/// Begins a write of one note.
async fn begin(rows: &Rows, whose: &Whose, id: RowId) -> Stored<Writing> {
    let wish =
        Wish { scopes: &[Scope::Town], user: &whose.user, keys: &[key(Table::Notes, id)], now_ms: now_ms() };
    rows.begin(&rows.town(whose)?, wish).await
}

/// The note that is there.
fn standing(writing: &Writing, id: RowId) -> Option<Changed<StickyNote>> {
    let state = writing.row(Table::Notes, id)?;
    Some(Changed { row: note(id, state).0, version: state.version })
}

fn expect(version: u64, expected: Option<u64>) -> Stored<()> {
    match expected {
        Some(expected) if expected != version => Err(StoreError::Conflict { version }),
        _ => Ok(()),
    }
}

pub(super) fn changes(old: &StickyNote, patch: &NotePatch, now_ms: i64) -> Vec<Field> {
    let mut fields = Vec::new();
    if let Some(content) = patch.content.as_ref().filter(|content| **content != old.content) {
        fields.push(Field::text(notes::CONTENT, content));
    }
    if let Some(tags) = patch.tags.as_ref().filter(|tags| **tags != old.tags) {
        fields.push(tags_field(tags));
    }
    if let Some(priority) = patch.priority.filter(|priority| *priority != old.priority) {
        fields.push(Field::int(notes::PRIORITY, priority.into()));
    }
    if let Some(surfaced) = patch.surfaced.filter(|surfaced| *surfaced != old.surfaced) {
        fields.push(Field::int(notes::SURFACED, surfaced.into()));
    }
    // Brought up once more is a change: it rests anew.
    if patch.surfaced == Some(true) {
        fields.push(Field::int(notes::LAST_SURFACED_MS, now_ms));
    }
    fields
}

impl NoteStore for Rows {
    async fn notes(&self, whose: &Whose, filter: &NoteFilter, at: &PageAt) -> Stored<Page<StickyNote>> {
        let (tag, text, author) = (filter.tag.as_deref(), filter.text.as_deref(), filter.author.as_deref());
        let name = List::named(&[Some("notes"), Some(&whose.town), tag, text, author]);
        // Priority 101 is before them all.
        let mut from = [0; 25];
        from[0] = 101;
        if let Some(cursor) = &at.cursor {
            from = name.key(cursor)?;
        }
        let limit = at.limit.clamp(1, 500);
        let town = self.town(whose)?;
        let caches = self.teller.caches();
        let asked = caches.place(town.id(), whose).map(|place| Asked::of(place, filter, at));
        if let Some(kept) = caches.notes(asked.as_ref()) {
            return Ok(kept);
        }
        let mut read = town.begin().await.map_err(failed)?;
        let mut rows = list(read.connection(), filter, &from, limit).await.map_err(failed)?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| more).map(|last| name.after(&key_of(last)));
        let page = Page { rows, next };
        caches.keep_notes(asked, &page);
        Ok(page)
    }

    async fn note(&self, whose: &Whose, id: RowId) -> Stored<Changed<StickyNote>> {
        let mut transaction = self.town(whose)?.begin().await.map_err(failed)?;
        let asked = "SELECT id, content, created_by, created_ms, tags, priority, surfaced, version \
            FROM sticky_notes WHERE id = $1";
        let found: Option<NoteColumns> = sqlx::query_as(asked)
            .bind(Id(id))
            .fetch_optional(transaction.connection())
            .await
            .map_err(failed)?;
        found.map(read).ok_or(StoreError::NotFound)
    }

    async fn add_note(&self, whose: &Whose, new: NewNote) -> Stored<Changed<StickyNote>> {
        let mut writing = begin(self, whose, new.id).await?;
        if let Some(found) = standing(&writing, new.id) {
            let row = &found.row;
            let is_same = row.content == new.content
                && row.tags == new.tags
                && row.priority == new.priority
                && row.created_by == new.created_by;
            return if is_same { Ok(found) } else { Err(StoreError::Conflict { version: found.version }) };
        }
        // Nothing brings a deleted note back.
        let version = writing.version(Table::Notes, new.id);
        if version > 0 {
            return Err(StoreError::Conflict { version });
        }
        let fields = vec![
            Field::text(notes::CONTENT, &new.content),
            Field::text(notes::CREATED_BY, &new.created_by),
            Field::int(notes::CREATED_MS, writing.now_ms),
            tags_field(&new.tags),
            Field::int(notes::PRIORITY, new.priority.into()),
        ];
        writing.apply(Kind::Insert, Table::Notes, new.id, fields)?;
        let written = standing(&writing, new.id).ok_or(StoreError::NotFound)?;
        self.commit(writing).await?;
        Ok(written)
    }

    async fn change_note(
        &self,
        whose: &Whose,
        id: RowId,
        patch: NotePatch,
        expected: Option<u64>,
    ) -> Stored<Changed<StickyNote>> {
        let mut writing = begin(self, whose, id).await?;
        let old = standing(&writing, id).ok_or(StoreError::NotFound)?;
        expect(old.version, expected)?;
        let fields = changes(&old.row, &patch, writing.now_ms);
        if fields.is_empty() {
            return Ok(old);
        }
        writing.apply(Kind::Set, Table::Notes, id, fields)?;
        let written = standing(&writing, id).ok_or(StoreError::NotFound)?;
        self.commit(writing).await?;
        Ok(written)
    }

    async fn delete_note(&self, whose: &Whose, id: RowId, expected: Option<u64>) -> Stored<()> {
        let mut writing = begin(self, whose, id).await?;
        let old = standing(&writing, id).ok_or(StoreError::NotFound)?;
        expect(old.version, expected)?;
        writing.apply(Kind::Delete, Table::Notes, id, Vec::new())?;
        self.commit(writing).await
    }
}

impl Rows {
    /// The `limit` most important notes of the town, the newest first among equals, each with when it was last brought up.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn notes_to_surface(
        &self,
        whose: &Whose,
        limit: u32,
    ) -> Stored<Vec<(StickyNote, Option<Timestamp>)>> {
        let mut transaction = self.town(whose)?.begin().await.map_err(failed)?;
        let asked = "SELECT id, content, created_by, created_ms, tags, priority, surfaced, version, last_surfaced_ms \
            FROM sticky_notes ORDER BY priority DESC, created_ms DESC, id DESC LIMIT $1";
        let rows: Vec<Surfacing> = sqlx::query_as(asked)
            .bind(i64::from(limit))
            .fetch_all(transaction.connection())
            .await
            .map_err(failed)?;
        let note = |(id, content, by, ms, tags, priority, surfaced, version, last_ms): Surfacing| {
            let note = read((id, content, by, ms, tags, priority, surfaced, version)).row;
            (note, last_ms.map(moment))
        };
        Ok(rows.into_iter().map(note).collect())
    }
}
