//! The tables `vectors` and `models`: what every text means, by what it says and by the model that says so.
//!
//! Each function works inside its caller's transaction and returns what the index in memory has to take over after the commit.
//! A vector goes with the last row of its text. Never computes one.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use crate::index::{Change, Index, Kinds, Loading, MODELS_MAX, ModelId, Row, Vector};

/// Text of the row `m` of `memory`, in SQL.
pub(crate) const TEXT: &str = "CASE m.kind
    WHEN 0 THEN (SELECT content FROM notes WHERE id = m.id)
    WHEN 1 THEN (SELECT content FROM facts WHERE id = m.id)
    ELSE (SELECT message_text FROM turns WHERE id = m.id) END";

/// Names a text by what it says: the first 16 bytes of its SHA-256. Equal texts share one vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentHash([u8; 16]);

impl ContentHash {
    /// Of a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut hash = [0; 16];
        hash.copy_from_slice(&Sha256::digest(text)[..16]);
        Self(hash)
    }

    /// As stored.
    pub(crate) const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// As stored.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// Reads the index from the database. Nothing may be written meanwhile, or the index would miss it.
pub(crate) fn load(conn: &Connection, index: &Index) -> rusqlite::Result<()> {
    let snapshot = conn.unchecked_transaction()?;
    let rows: i64 = snapshot.query_row("SELECT count(*) FROM memory", [], |row| row.get(0))?;
    let rows = usize::try_from(rows).unwrap_or_default();
    let mut spaces = if rows > index.rows_max() { Vec::new() } else { spaces(&snapshot, rows)? };
    if !spaces.is_empty() {
        read_vectors(&snapshot, &mut spaces)?;
        read_rows(&snapshot, &mut spaces)?;
    }
    let spaces = spaces.into_iter().map(|(model, loading)| (model, loading.finish())).collect();
    index.replace(rows as u64, spaces);
    Ok(())
}

/// An empty space for each of the newest models.
fn spaces(conn: &Connection, rows: usize) -> rusqlite::Result<Vec<(ModelId, Loading)>> {
    let mut statement = conn.prepare("SELECT model FROM models ORDER BY model DESC LIMIT ?1")?;
    let space = |row: &rusqlite::Row<'_>| Ok((ModelId(row.get(0)?), Loading::with_capacity(rows)));
    statement.query_map([MODELS_MAX as i64], space)?.collect()
}

fn read_vectors(conn: &Connection, spaces: &mut [(ModelId, Loading)]) -> rusqlite::Result<()> {
    let mut statement = conn.prepare("SELECT model, content_hash, vector FROM vectors")?;
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        let model = ModelId(row.get(0)?);
        let Some((_, loading)) = spaces.iter_mut().find(|(known, _)| *known == model) else { continue };
        if let Some(vector) = vector(row.get_ref(2)?.as_blob()?) {
            loading.vector(row.get(1)?, &vector);
        }
    }
    Ok(())
}

fn read_rows(conn: &Connection, spaces: &mut [(ModelId, Loading)]) -> rusqlite::Result<()> {
    let mut statement =
        conn.prepare("SELECT n, kind, town, user_id, speaker, at_ms, content_hash FROM memory")?;
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        let Some(entry) = entry(row)? else { continue };
        let content_hash = row.get(6)?;
        for (_, loading) in &mut *spaces {
            loading.row(&entry, &content_hash);
        }
    }
    Ok(())
}

/// What follows for the index from a row that was written to `memory`: its text may have vectors already.
pub(crate) fn added(conn: &Connection, row: &Row, text: ContentHash) -> rusqlite::Result<Vec<Change>> {
    let mut changes = vec![Change::Written];
    let mut statement = conn.prepare_cached("SELECT model, vector FROM vectors WHERE content_hash = ?1")?;
    let mut found = statement.query([text.as_bytes()])?;
    while let Some(of_model) = found.next()? {
        let model = ModelId(of_model.get(0)?);
        let Some(vector) = vector(of_model.get_ref(1)?.as_blob()?) else { continue };
        let mut twin =
            conn.prepare_cached("SELECT n FROM memory WHERE content_hash = ?1 AND n <> ?2 LIMIT 1")?;
        let twin = twin.query_row(params![text.as_bytes(), row.n], |row| row.get(0)).optional()?;
        changes.push(Change::Placed { model, row: row.clone(), twin, vector: Box::new(vector) });
    }
    Ok(changes)
}

/// What follows from a row that was deleted from `memory`. What its text meant is deleted too, unless another row says the
/// same.
pub(crate) fn removed(conn: &Connection, n: i64, text: ContentHash) -> rusqlite::Result<Vec<Change>> {
    let mut statement = conn.prepare_cached(
        "DELETE FROM vectors WHERE content_hash = ?1 AND NOT EXISTS (SELECT 1 FROM memory WHERE content_hash = ?1)",
    )?;
    statement.execute([text.as_bytes()])?;
    Ok(vec![Change::Removed { n }])
}

/// Keeps vectors of a model. A text that no row says any more, or whose vector is known, is passed over. A vector with a
/// number that is none is kept as zeros, which are near to nothing, so that nobody computes it over and over.
pub(crate) fn put(
    conn: &Connection,
    model: &str,
    vectors: &[(ContentHash, Vector)],
) -> rusqlite::Result<Vec<Change>> {
    let mut changes = Vec::new();
    let model = match model_id(conn, model)? {
        Some(model) => model,
        None => {
            conn.execute("INSERT INTO models (name) VALUES (?1)", [model])?;
            let model = ModelId(conn.last_insert_rowid());
            changes.push(Change::ModelAdded { model });
            model
        }
    };
    for (text, vector) in vectors {
        let vector = if vector.iter().all(|number| number.is_finite()) { *vector } else { [0.0; _] };
        let rows = rows_that_say(conn, *text)?;
        let Some(first) = rows.first().map(|row| row.n) else { continue };
        let mut statement = conn.prepare_cached(
            "INSERT INTO vectors (model, content_hash, vector) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )?;
        if statement.execute(params![model.0, text.as_bytes(), bytes(&vector)])? == 0 {
            continue;
        }
        changes.extend(rows.into_iter().map(|row| {
            let twin = (row.n != first).then_some(first);
            Change::Placed { model, row, twin, vector: Box::new(vector) }
        }));
    }
    Ok(changes)
}

fn rows_that_say(conn: &Connection, text: ContentHash) -> rusqlite::Result<Vec<Row>> {
    let mut statement = conn.prepare_cached(
        "SELECT n, kind, town, user_id, speaker, at_ms FROM memory WHERE content_hash = ?1",
    )?;
    let rows = statement.query_map([text.as_bytes()], entry)?;
    Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().flatten().collect())
}

/// Deletes everything of a model that has been replaced.
pub(crate) fn retire(conn: &Connection, model: &str) -> rusqlite::Result<Vec<Change>> {
    let Some(model) = model_id(conn, model)? else { return Ok(Vec::new()) };
    conn.execute("DELETE FROM vectors WHERE model = ?1", [model.0])?;
    conn.execute("DELETE FROM models WHERE model = ?1", [model.0])?;
    Ok(vec![Change::ModelRemoved { model }])
}

/// Texts without a vector of this model, those of the newest rows first, at most `limit`.
pub(crate) fn missing(
    conn: &Connection,
    index: &Index,
    model: &str,
    limit: usize,
) -> rusqlite::Result<Vec<(ContentHash, String)>> {
    // -1 is no model's key.
    let model = model_id(conn, model)?.unwrap_or(ModelId(-1));
    // Asked again and again, and most of the time there is nothing: the index knows without a scan.
    if index.space(model).is_some_and(|space| space.len() as u64 == index.rows()) {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare_cached(&format!(
        "SELECT m.content_hash, {TEXT} FROM memory m
         WHERE NOT EXISTS (SELECT 1 FROM vectors v WHERE v.content_hash = m.content_hash AND v.model = ?1)
         ORDER BY m.n DESC"
    ))?;
    let mut found = statement.query([model.0])?;
    let (mut texts, mut seen) = (Vec::new(), HashSet::new());
    while texts.len() < limit {
        let Some(row) = found.next()? else { break };
        let text = ContentHash(row.get(0)?);
        if seen.insert(text) {
            texts.push((text, row.get::<_, Option<String>>(1)?.unwrap_or_default()));
        }
    }
    Ok(texts)
}

/// The part of the rows that have a vector of this model, 0 ..= 1; 1 where there are no rows.
pub(crate) fn coverage(conn: &Connection, index: &Index, model: &str) -> rusqlite::Result<f32> {
    let (with, all) = match model_id(conn, model)? {
        None => (0, index.rows()),
        Some(model) => match index.space(model) {
            Some(space) => (space.len() as u64, index.rows()),
            None => counted(conn, model)?,
        },
    };
    Ok(if all == 0 { 1.0 } else { (with as f32 / all as f32).min(1.0) })
}

fn counted(conn: &Connection, model: ModelId) -> rusqlite::Result<(u64, u64)> {
    let mut statement = conn.prepare_cached(
        "SELECT count(v.content_hash), count(*) FROM memory m
         LEFT JOIN vectors v ON v.content_hash = m.content_hash AND v.model = ?1",
    )?;
    statement.query_row([model.0], |row| {
        Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get::<_, i64>(1)?.unsigned_abs()))
    })
}

/// The key of a model that has vectors.
pub(crate) fn model_id(conn: &Connection, name: &str) -> rusqlite::Result<Option<ModelId>> {
    let mut statement = conn.prepare_cached("SELECT model FROM models WHERE name = ?1")?;
    statement.query_row([name], |row| Ok(ModelId(row.get(0)?))).optional()
}

/// Little-endian, as stored.
pub(crate) fn bytes(vector: &Vector) -> Vec<u8> {
    vector.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// The other way; `None` where the length is wrong.
pub(crate) fn vector(bytes: &[u8]) -> Option<Vector> {
    let (numbers, rest) = bytes.as_chunks::<4>();
    let mut vector = [0.0; _];
    if !rest.is_empty() || numbers.len() != vector.len() {
        return None;
    }
    for (number, bytes) in vector.iter_mut().zip(numbers) {
        *number = f32::from_le_bytes(*bytes);
    }
    Some(vector)
}

/// `n, kind, town, user_id, speaker, at_ms`; `None` for a kind that nobody knows.
fn entry(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<Row>> {
    let Some(kind) = Kinds::from_number(row.get(1)?) else { return Ok(None) };
    Ok(Some(Row {
        n: row.get(0)?,
        kind,
        town: row.get(2)?,
        user: row.get(3)?,
        speaker: row.get(4)?,
        at_ms: row.get(5)?,
    }))
}
