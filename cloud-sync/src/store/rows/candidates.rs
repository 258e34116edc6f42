//! Whatever might answer a question: the best by meaning, the best by word, those of the time and the people that are named, and
//! what was said just before and after each. It does not decide which of them matters; that is ranked elsewhere.
//!
//! Vectors are compared exactly, of the rows alone that the asker may see.

use std::collections::HashMap;

use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::memory::MemoryKind;
use cloud_sync_protocol::store::{Stored, Whose};
use models_mind::recall::Candidate;
use sqlx::PgConnection;

use super::bm25::{Said, Size, best};
use super::project::number;
use super::vectors::{Vector, vector_text};
use super::words::{query, stems};
use super::{Rows, failed};
use crate::store::columns::Id;

/// Words of a question that are looked for; the rest of a longer one is left out.
const STEMS_MAX: usize = 32;
/// Rows that are ranked by word at most, the newest of those that match.
const RANKED_MAX: i64 = 4_000;
/// Names that are told at most, in alphabetical order.
const SPEAKERS_MAX: i64 = 256;
/// Rows of each list at most.
const N_MAX: usize = 1_000;

/// What to look for.
#[derive(Clone, Copy, Debug)]
pub struct CandidateQuery<'a> {
    /// Name of the model that made `vector`.
    pub model: &'a str,
    /// What the question means, where somebody could say: length 1.
    pub vector: Option<&'a Vector>,
    /// Its words. Any text is safe; at most 32 of them are looked for.
    pub terms: &'a [String],
    /// Only these kinds; all where it is empty.
    pub kinds: &'a [MemoryKind],
    /// The time that is asked about, ms since 1970, its end excluded. It excludes nothing: rows of this time are looked for
    /// beside all others.
    pub span: Option<(i64, i64)>,
    /// The people whose words are asked for, as the rows spell them, in the same way.
    pub speakers: &'a [String],
    /// Rows of each list: by meaning, by word, and by the time and the people named, 1 ..= 1000.
    pub n: usize,
}

/// A row of `memory`.
type Key = (i16, RowId);

/// A question, as every statement asks it.
struct Asked<'a> {
    user: &'a str,
    kinds: Vec<i16>,
    model: &'a str,
    vector: Option<String>,
    n: i64,
}

const ALL: [MemoryKind; 3] = [MemoryKind::Note, MemoryKind::Fact, MemoryKind::Turn];

fn kind_of(number: i16) -> MemoryKind {
    match number {
        0 => MemoryKind::Note,
        1 => MemoryKind::Fact,
        _ => MemoryKind::Turn,
    }
}

impl Rows {
    /// The best `n` by meaning, the best `n` by word, the best `n` by meaning of those of the time and by the people that are
    /// named, in that order, and behind them the turns just before and after each, of the town's rows and the user's. Every
    /// row once.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn candidates(&self, whose: &Whose, query: CandidateQuery<'_>) -> Stored<Vec<Candidate>> {
        let mut read = self.town(whose)?.begin().await.map_err(failed)?;
        find(read.connection(), &whose.user, query).await.map_err(failed)
    }

    /// Who has spoken, as far as this user may know: at most 256 names, each once, in alphabetical order.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn speakers(&self, whose: &Whose) -> Stored<Vec<String>> {
        let mut read = self.town(whose)?.begin().await.map_err(failed)?;
        // From name to name through the index, not row by row: there are many rows and few names.
        let asked = "WITH RECURSIVE names AS ( \
            SELECT u.id AS user_id, (SELECT min(speaker) FROM memory WHERE user_id = u.id) AS name \
            FROM (VALUES (''), ($1)) AS u(id) \
            UNION ALL SELECT names.user_id, (SELECT min(speaker) FROM memory \
            WHERE user_id = names.user_id AND speaker > names.name) FROM names WHERE names.name IS NOT NULL) \
            SELECT DISTINCT name COLLATE \"C\" FROM names WHERE name IS NOT NULL ORDER BY 1 LIMIT $2";
        let names = sqlx::query_scalar(asked).bind(&whose.user).bind(SPEAKERS_MAX);
        names.fetch_all(read.connection()).await.map_err(failed)
    }
}

async fn find(
    connection: &mut PgConnection,
    user: &str,
    question: CandidateQuery<'_>,
) -> Result<Vec<Candidate>, sqlx::Error> {
    let kinds = if question.kinds.is_empty() { &ALL[..] } else { question.kinds };
    let n = question.n.clamp(1, N_MAX);
    let asked = Asked {
        user,
        kinds: kinds.iter().map(|kind| number(*kind)).collect(),
        model: question.model,
        vector: question.vector.map(vector_text),
        n: i64::try_from(n).unwrap_or(1),
    };
    let mut keys = Vec::new();
    if asked.vector.is_some() {
        keys = by_meaning(connection, &asked).await?;
    }
    let by_word = by_word(connection, &asked, question.terms, n).await?;
    keys.extend(by_word.iter().map(|(key, _)| *key));
    if question.span.is_some() || !question.speakers.is_empty() {
        keys.extend(meant(connection, &asked, question.span, question.speakers).await?);
    }
    let mut candidates = read(connection, &asked, &each_once(keys)).await?;
    let neighbours = neighbours(connection, &asked, &candidates).await?;
    candidates.extend(read(connection, &asked, &neighbours).await?);
    let scores: HashMap<Key, f32> = by_word.into_iter().collect();
    for (place, candidate) in candidates.iter_mut().enumerate() {
        candidate.n = i64::try_from(place).unwrap_or(i64::MAX);
        candidate.bm25 = scores.get(&(number(candidate.kind), candidate.id)).copied();
    }
    Ok(candidates)
}

fn each_once(keys: Vec<Key>) -> Vec<Key> {
    let mut seen = std::collections::HashSet::new();
    keys.into_iter().filter(|key| seen.insert(*key)).collect()
}

fn plain(rows: Vec<(i16, Id)>) -> Vec<Key> {
    rows.into_iter().map(|(kind, Id(id))| (kind, id)).collect()
}

async fn by_meaning(connection: &mut PgConnection, asked: &Asked<'_>) -> Result<Vec<Key>, sqlx::Error> {
    let nearest = "SELECT m.kind, m.id FROM memory m \
        JOIN embeddings e ON e.content_hash = m.content_hash AND e.model = $3 \
        WHERE m.user_id IN ('', $1) AND m.kind = ANY($2) \
        ORDER BY e.embedding <=> $4::text::vector, m.at_ms DESC, m.id DESC LIMIT $5";
    let rows = sqlx::query_as(nearest)
        .bind(asked.user)
        .bind(&asked.kinds)
        .bind(asked.model)
        .bind(&asked.vector)
        .bind(asked.n)
        .fetch_all(connection)
        .await?;
    Ok(plain(rows))
}

/// The best by word, with how good they are.
async fn by_word(
    connection: &mut PgConnection,
    asked: &Asked<'_>,
    terms: &[String],
    n: usize,
) -> Result<Vec<(Key, f32)>, sqlx::Error> {
    let stems = stems(terms.iter().map(String::as_str), STEMS_MAX);
    if stems.is_empty() {
        return Ok(Vec::new());
    }
    let size = "SELECT coalesce(sum(rows), 0)::bigint, coalesce(sum(words), 0)::bigint FROM memory_sizes \
        WHERE user_id IN ('', $1)";
    let (rows, words): (i64, i64) = sqlx::query_as(size).bind(asked.user).fetch_one(&mut *connection).await?;
    let counted = counted(connection, asked, stems).await?;
    let (stems, rows_with): (Vec<String>, Vec<i64>) = counted.into_iter().unzip();
    if stems.is_empty() {
        return Ok(Vec::new());
    }
    let saying = "SELECT m.kind, m.id, m.words, s.lexeme, cardinality(s.positions) FROM (SELECT kind, id, words, stems \
        FROM memory WHERE stems @@ $3::text::tsquery AND user_id IN ('', $1) AND kind = ANY($2) \
        ORDER BY at_ms DESC, id DESC LIMIT $5) AS m, unnest(m.stems) AS s WHERE s.lexeme = ANY($4)";
    let said: Vec<(i16, Id, i32, String, i32)> = sqlx::query_as(saying)
        .bind(asked.user)
        .bind(&asked.kinds)
        .bind(query(&stems, "|"))
        .bind(&stems)
        .bind(RANKED_MAX)
        .fetch_all(connection)
        .await?;
    let said = said.into_iter().filter_map(|(kind, Id(id), words, stem, times)| {
        let stem = stems.iter().position(|known| *known == stem)?;
        Some(Said { row: (kind, id), words, stem, times })
    });
    Ok(best(Size { rows, words }, &rows_with, &said.collect::<Vec<_>>(), n))
}

/// How many rows say each stem, the rarest first, as long as all the rows that say one of them can be ranked: a word that
/// everybody says tells nothing. Counted up to that bound.
async fn counted(
    connection: &mut PgConnection,
    asked: &Asked<'_>,
    stems: Vec<String>,
) -> Result<Vec<(String, i64)>, sqlx::Error> {
    let queries: Vec<String> = stems.iter().map(|stem| query(std::slice::from_ref(stem), "|")).collect();
    let count = "SELECT (SELECT count(*) FROM (SELECT FROM memory WHERE stems @@ q::tsquery \
        AND user_id IN ('', $1) LIMIT $3) AS few) FROM unnest($2::text[]) WITH ORDINALITY AS t(q, place) ORDER BY place";
    let counts: Vec<i64> = sqlx::query_scalar(count)
        .bind(asked.user)
        .bind(&queries)
        .bind(RANKED_MAX)
        .fetch_all(connection)
        .await?;
    let mut counted: Vec<(String, i64)> =
        stems.into_iter().zip(counts).filter(|(_, rows)| *rows > 0).collect();
    counted.sort_by_key(|(_, rows)| *rows);
    let mut sum = 0;
    let fits = |(place, (stem, rows)): (usize, (String, i64))| {
        sum += rows;
        (place == 0 || sum <= RANKED_MAX).then_some((stem, rows))
    };
    Ok(counted.into_iter().enumerate().map_while(fits).collect())
}

/// Those of the time and by the people that are named, the nearest first, the newest of equal ones.
async fn meant(
    connection: &mut PgConnection,
    asked: &Asked<'_>,
    span: Option<(i64, i64)>,
    speakers: &[String],
) -> Result<Vec<Key>, sqlx::Error> {
    let nearest = "SELECT m.kind, m.id FROM memory m \
        LEFT JOIN embeddings e ON e.content_hash = m.content_hash AND e.model = $3 \
        WHERE m.user_id IN ('', $1) AND m.kind = ANY($2) AND ($6::bigint IS NULL OR m.at_ms >= $6 AND m.at_ms < $7) \
        AND (cardinality($8::text[]) = 0 OR m.speaker = ANY($8)) \
        ORDER BY e.embedding <=> $4::text::vector NULLS LAST, m.at_ms DESC, m.id DESC LIMIT $5";
    let rows = sqlx::query_as(nearest)
        .bind(asked.user)
        .bind(&asked.kinds)
        .bind(asked.model)
        .bind(&asked.vector)
        .bind(asked.n)
        .bind(span.map(|(from_ms, _)| from_ms))
        .bind(span.map(|(_, to_ms)| to_ms))
        .bind(speakers)
        .fetch_all(connection)
        .await?;
    Ok(plain(rows))
}

/// What was said just before and just after the candidates, as far as it is not among them.
async fn neighbours(
    connection: &mut PgConnection,
    asked: &Asked<'_>,
    candidates: &[Candidate],
) -> Result<Vec<Key>, sqlx::Error> {
    let places = candidates.iter().filter_map(|one| Some((Id(one.conversation?), one.ordinal?)));
    let places = places.filter_map(|(talk, ordinal)| Some((talk, i32::try_from(ordinal).ok()?)));
    let (talks, ordinals): (Vec<Id>, Vec<i32>) = places.unzip();
    if talks.is_empty() {
        return Ok(Vec::new());
    }
    let beside = "SELECT DISTINCT m.kind, m.id FROM unnest($3::uuid[], $4::integer[]) AS p(talk, ordinal) \
        JOIN memory m ON m.user_id = $1 AND m.conversation_id = p.talk AND m.ordinal IN (p.ordinal - 1, p.ordinal + 1) \
        WHERE m.kind = ANY($2)";
    let rows = sqlx::query_as(beside)
        .bind(asked.user)
        .bind(&asked.kinds)
        .bind(talks)
        .bind(ordinals)
        .fetch_all(connection)
        .await?;
    let is_new = |key: &Key| !candidates.iter().any(|one| (number(one.kind), one.id) == *key);
    Ok(plain(rows).into_iter().filter(is_new).collect())
}

/// `kind, id, text, speaker, at_ms, conversation_id, ordinal, cosine`.
type CandidateColumns = (i16, Id, Option<String>, Option<String>, i64, Option<Id>, Option<i32>, Option<f64>);

/// These rows in this order, each with its text.
async fn read(
    connection: &mut PgConnection,
    asked: &Asked<'_>,
    keys: &[Key],
) -> Result<Vec<Candidate>, sqlx::Error> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let told = "SELECT m.kind, m.id, coalesce(n.content, f.content, c.message_text), m.speaker, m.at_ms, \
        m.conversation_id, m.ordinal, 1 - (e.embedding <=> $3::text::vector) \
        FROM unnest($4::smallint[], $5::uuid[]) WITH ORDINALITY AS k(kind, id, place) \
        JOIN memory m ON m.kind = k.kind AND m.id = k.id AND m.user_id IN ('', $1) \
        LEFT JOIN sticky_notes n ON m.kind = 0 AND n.id = m.id LEFT JOIN facts f ON m.kind = 1 AND f.id = m.id \
        LEFT JOIN conversations c ON m.kind = 2 AND c.id = m.id \
        LEFT JOIN embeddings e ON e.content_hash = m.content_hash AND e.model = $2 ORDER BY k.place";
    let rows: Vec<CandidateColumns> = sqlx::query_as(told)
        .bind(asked.user)
        .bind(asked.model)
        .bind(&asked.vector)
        .bind(keys.iter().map(|(kind, _)| *kind).collect::<Vec<_>>())
        .bind(keys.iter().map(|(_, id)| Id(*id)).collect::<Vec<_>>())
        .fetch_all(connection)
        .await?;
    let candidate = |(kind, Id(id), text, speaker, at_ms, talk, ordinal, cosine): CandidateColumns| {
        Some(Candidate {
            n: 0,
            id,
            kind: kind_of(kind),
            text: text?,
            speaker,
            at_ms,
            conversation: talk.map(|Id(talk)| talk),
            ordinal: ordinal.and_then(|ordinal| u32::try_from(ordinal).ok()),
            // A vector of zeros is near to nothing.
            cosine: cosine.map(|cosine| cosine as f32).filter(|cosine| cosine.is_finite()),
            bm25: None,
        })
    };
    Ok(rows.into_iter().filter_map(candidate).collect())
}
