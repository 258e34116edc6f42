//! What can be found again: the words of each text, and how much there is. Vectors come later, in the background.

use std::collections::BTreeMap;

use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::memory::MemoryKind;
use sqlx::PgConnection;

use crate::store::columns::Id;
use crate::store::rows::words::{Indexed, hash, index};

/// A text, and what is remembered beside it.
pub(super) struct Remembered<'a> {
    pub(super) id: RowId,
    /// Nothing of it was remembered before.
    pub(super) is_new: bool,
    /// Empty for what belongs to the town.
    pub(super) user: &'a str,
    /// The conversation, and the place in it.
    pub(super) said_in: Option<(RowId, i32)>,
    pub(super) speaker: Option<&'a str>,
    pub(super) at_ms: i64,
    pub(super) text: &'a str,
}

/// The number of a kind, as the table has it.
pub(in crate::store::rows) const fn number(kind: MemoryKind) -> i16 {
    match kind {
        MemoryKind::Note => 0,
        MemoryKind::Fact => 1,
        MemoryKind::Turn => 2,
    }
}

/// Lets these be found, and those that are gone, or said something else before, no more.
pub(super) async fn replace(
    connection: &mut PgConnection,
    kind: MemoryKind,
    gone: Vec<Id>,
    said: &[Remembered<'_>],
) -> Result<(), sqlx::Error> {
    let mut sizes = BTreeMap::new();
    let known = said.iter().filter(|row| !row.is_new).map(|row| Id(row.id));
    let outdated: Vec<Id> = gone.into_iter().chain(known).collect();
    let deleted = forget(connection, kind, &outdated).await?;
    let indexed: Vec<Indexed> = said.iter().map(|row| index(row.text)).collect();
    insert(connection, kind, said, &indexed).await?;
    for (user, words, _) in &deleted {
        count(&mut sizes, user, -1, -i64::from(*words));
    }
    for (row, indexed) in said.iter().zip(&indexed) {
        count(&mut sizes, row.user, 1, i64::from(indexed.words));
    }
    resize(connection, sizes).await?;
    if deleted.is_empty() {
        return Ok(());
    }
    let hashes: Vec<Vec<u8>> = deleted.into_iter().map(|(_, _, hash)| hash).collect();
    let unsaid = "DELETE FROM embeddings e WHERE content_hash = ANY($1) \
        AND NOT EXISTS (SELECT 1 FROM memory m WHERE m.content_hash = e.content_hash)";
    sqlx::query(unsaid).bind(hashes).execute(connection).await?;
    Ok(())
}

/// Takes these out; gives whose they were, how many words they had, and what they said.
async fn forget(
    connection: &mut PgConnection,
    kind: MemoryKind,
    outdated: &[Id],
) -> Result<Vec<(String, i32, Vec<u8>)>, sqlx::Error> {
    if outdated.is_empty() {
        return Ok(Vec::new());
    }
    let delete = "DELETE FROM memory WHERE kind = $1 AND id = ANY($2) RETURNING user_id, words, content_hash";
    sqlx::query_as(delete).bind(number(kind)).bind(outdated).fetch_all(connection).await
}

async fn insert(
    connection: &mut PgConnection,
    kind: MemoryKind,
    said: &[Remembered<'_>],
    indexed: &[Indexed],
) -> Result<(), sqlx::Error> {
    if said.is_empty() {
        return Ok(());
    }
    let insert = "INSERT INTO memory \
        (kind, id, user_id, conversation_id, ordinal, speaker, at_ms, content_hash, words, stems) \
        SELECT $1, id, user_id, conversation_id, ordinal, speaker, at_ms, content_hash, words, stems::tsvector \
        FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::integer[], $6::text[], $7::bigint[], $8::bytea[], \
        $9::integer[], $10::text[]) \
        AS m(id, user_id, conversation_id, ordinal, speaker, at_ms, content_hash, words, stems)";
    sqlx::query(insert)
        .bind(number(kind))
        .bind(said.iter().map(|row| Id(row.id)).collect::<Vec<_>>())
        .bind(said.iter().map(|row| row.user.to_owned()).collect::<Vec<_>>())
        .bind(said.iter().map(|row| row.said_in.map(|(talk, _)| Id(talk))).collect::<Vec<_>>())
        .bind(said.iter().map(|row| row.said_in.map(|(_, ordinal)| ordinal)).collect::<Vec<_>>())
        .bind(said.iter().map(|row| row.speaker.map(str::to_owned)).collect::<Vec<_>>())
        .bind(said.iter().map(|row| row.at_ms).collect::<Vec<_>>())
        .bind(said.iter().map(|row| hash(row.text)).collect::<Vec<_>>())
        .bind(indexed.iter().map(|one| one.words).collect::<Vec<_>>())
        .bind(indexed.iter().map(|one| one.stems.clone()).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

fn count(sizes: &mut BTreeMap<String, (i64, i64)>, user: &str, rows: i64, words: i64) {
    let size = sizes.entry(user.to_owned()).or_default();
    size.0 += rows;
    size.1 += words;
}

async fn resize(
    connection: &mut PgConnection,
    sizes: BTreeMap<String, (i64, i64)>,
) -> Result<(), sqlx::Error> {
    if sizes.is_empty() {
        return Ok(());
    }
    let resize = "INSERT INTO memory_sizes (user_id, rows, words) \
        SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[]) \
        ON CONFLICT (user_id) DO UPDATE SET rows = memory_sizes.rows + excluded.rows, \
        words = memory_sizes.words + excluded.words";
    sqlx::query(resize)
        .bind(sizes.keys().cloned().collect::<Vec<_>>())
        .bind(sizes.values().map(|(rows, _)| *rows).collect::<Vec<_>>())
        .bind(sizes.values().map(|(_, words)| *words).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}
