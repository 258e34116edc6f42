//! Whatever might answer a question: the best by meaning, the best by word, and what was said just before and after each.
//! It does not decide which of them matters; that is ranked elsewhere.
//!
//! The index in memory proposes, the database disposes: whose a row is, of which kind, and what it says are read here, in one
//! state, so that nothing deleted or foreign is ever shown, and the best by meaning are compared exactly.

use std::collections::HashMap;
use std::sync::Arc;

use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::memory::MemoryKind;
use cloud_sync_protocol::store::{Stored, Whose};
use rusqlite::{Connection, OptionalExtension, params};

use crate::index::{Change, Filter, Index, Kinds, ModelId, Near, Question, Vector};
use crate::store::Store;
use crate::vectors::{self, ContentHash, TEXT};
use crate::writer::Room;
use crate::{vec0, words};

/// Rows by meaning and rows by word at most.
const N_MAX: usize = 1_000;

/// Names that are told at most, in alphabetical order.
const SPEAKERS_MAX: usize = 256;

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
    /// Rows by meaning, and rows by word, 1 ..= 1000.
    pub n: usize,
}

/// A row that might matter.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Its number within the store, in the order of writing, for as long as it is there.
    pub n: i64,
    /// Its id.
    pub id: RowId,
    /// Where it comes from.
    pub kind: MemoryKind,
    /// What it says.
    pub text: String,
    /// Who said or wrote it, where that is known.
    pub speaker: Option<String>,
    /// When, ms since 1970 by the wall clock.
    pub at_ms: i64,
    /// The conversation it was said in.
    pub conversation: Option<RowId>,
    /// Its place there, from 0 or 1.
    pub ordinal: Option<u32>,
    /// Cosine to the question, -1 ..= 1, where both have a vector: exact for the best by meaning, off by some 0.001 for others.
    pub cosine: Option<f32>,
    /// BM25, never below 0, higher is better; `None` where it is not among the best by word.
    pub bm25: Option<f32>,
}

impl Store {
    /// The best `n` by meaning and the best `n` by word, in that order, and behind them the turns just before and after
    /// each, of the town's rows and the user's. Every row once.
    ///
    /// # Errors
    /// [`cloud_sync_protocol::store::StoreError::Failed`] where the file cannot be read.
    pub async fn candidates(&self, whose: &Whose, query: CandidateQuery<'_>) -> Stored<Vec<Candidate>> {
        let asked = Asked {
            whose: whose.clone(),
            model: query.model.to_owned(),
            vector: query.vector.map(|vector| Box::new(*vector)),
            terms: query.terms.to_vec(),
            kinds: Kinds::of(query.kinds),
            n: query.n.clamp(1, N_MAX),
        };
        let index = Arc::clone(self.index());
        self.read(move |conn| Ok(find(conn, &index, &asked)?)).await
    }

    /// Who has spoken, as far as this user may know: at most 256 names, each once, in alphabetical order.
    ///
    /// # Errors
    /// [`cloud_sync_protocol::store::StoreError::Failed`] where the file cannot be read.
    pub async fn speakers(&self, whose: &Whose) -> Stored<Vec<String>> {
        let whose = whose.clone();
        self.read(move |conn| Ok(speakers(conn, &whose)?)).await
    }

    /// Texts without a vector of this model, of everybody, the newest first.
    ///
    /// # Errors
    /// [`cloud_sync_protocol::store::StoreError::Failed`] where the file cannot be read.
    pub async fn missing_vectors(&self, model: &str, limit: usize) -> Stored<Vec<(ContentHash, String)>> {
        let (index, model) = (Arc::clone(self.index()), model.to_owned());
        self.read(move |conn| Ok(vectors::missing(conn, &index, &model, limit)?)).await
    }

    /// Keeps vectors of a model. What is known already, and what nobody says any more, is passed over.
    ///
    /// # Errors
    /// [`cloud_sync_protocol::store::StoreError::Full`] where there is no room, `Failed` where the file cannot be written.
    pub async fn put_vectors(&self, model: &str, vectors: Vec<(ContentHash, Vector)>) -> Stored<()> {
        let model = model.to_owned();
        self.write_changes(Room::Takes, move |conn| vectors::put(conn, &model, &vectors)).await
    }

    /// Deletes the vectors of a model that has been replaced by another.
    ///
    /// # Errors
    /// [`cloud_sync_protocol::store::StoreError::Failed`] where the file cannot be written.
    pub async fn retire_model(&self, model: &str) -> Stored<()> {
        let model = model.to_owned();
        self.write_changes(Room::Makes, move |conn| vectors::retire(conn, &model)).await
    }

    /// The part of the memory that has vectors of this model, of everybody, 0 ..= 1.
    ///
    /// # Errors
    /// [`cloud_sync_protocol::store::StoreError::Failed`] where the file cannot be read.
    pub async fn coverage(&self, model: &str) -> Stored<f32> {
        let (index, model) = (Arc::clone(self.index()), model.to_owned());
        self.read(move |conn| Ok(vectors::coverage(conn, &index, &model)?)).await
    }

    async fn write_changes<F>(&self, room: Room, mut work: F) -> Stored<()>
    where
        F: FnMut(&Connection) -> rusqlite::Result<Vec<Change>> + Send + 'static,
    {
        self.write(room, move |write| {
            let changes = work(write.tx)?;
            write.changes.extend(changes);
            Ok(())
        })
        .await
    }
}

/// A question, as it goes to the thread that reads.
struct Asked {
    whose: Whose,
    model: String,
    vector: Option<Box<Vector>>,
    terms: Vec<String>,
    kinds: Kinds,
    n: usize,
}

impl Asked {
    fn filter(&self) -> Filter<'_> {
        Filter { whose: &self.whose, kinds: self.kinds }
    }
}

/// The vector of a question, and the model whose vectors it is compared with.
struct Meaning<'a> {
    model: ModelId,
    vector: &'a Vector,
    question: Question,
}

fn find(conn: &Connection, index: &Index, asked: &Asked) -> rusqlite::Result<Vec<Candidate>> {
    let meaning = match &asked.vector {
        Some(vector) => vectors::model_id(conn, &asked.model)?.map(|model| Meaning {
            model,
            vector,
            question: Question::of(vector),
        }),
        None => None,
    };
    let mut found = Found::default();
    if let Some(meaning) = &meaning {
        for near in by_meaning(conn, index, asked, meaning)? {
            found.add(by_key(conn, asked, near.n)?, |candidate| candidate.cosine = Some(near.cosine));
        }
    }
    for (n, bm25) in words::best(conn, &asked.filter(), &asked.terms, index.rows(), asked.n)? {
        let row = if found.knows(n) { None } else { by_key(conn, asked, n)? };
        found.add(row, |_| {});
        found.mark(n, |candidate| candidate.bm25 = Some(bm25));
    }
    for place in 0..found.candidates.len() {
        for neighbour in neighbours(conn, asked, &found.candidates[place])? {
            found.add(Some(neighbour), |_| {});
        }
    }
    if let Some(meaning) = &meaning {
        compare_rest(conn, index, meaning, &mut found.candidates)?;
    }
    Ok(found.candidates)
}

/// Candidates in order, each once.
#[derive(Default)]
struct Found {
    candidates: Vec<Candidate>,
    places: HashMap<i64, usize>,
}

impl Found {
    fn knows(&self, n: i64) -> bool {
        self.places.contains_key(&n)
    }

    fn add(&mut self, candidate: Option<Candidate>, mark: impl FnOnce(&mut Candidate)) {
        let Some(mut candidate) = candidate.filter(|candidate| !self.knows(candidate.n)) else { return };
        mark(&mut candidate);
        self.places.insert(candidate.n, self.candidates.len());
        self.candidates.push(candidate);
    }

    fn mark(&mut self, n: i64, mark: impl FnOnce(&mut Candidate)) {
        if let Some(place) = self.places.get(&n) {
            mark(&mut self.candidates[*place]);
        }
    }
}

/// The best `n`, compared exactly, best first.
fn by_meaning(
    conn: &Connection,
    index: &Index,
    asked: &Asked,
    meaning: &Meaning<'_>,
) -> rusqlite::Result<Vec<Near>> {
    let proposed = index
        .space(meaning.model)
        .and_then(|space| space.nearest(&meaning.question, &asked.filter(), asked.n));
    let Some(proposed) = proposed else {
        return vec0::nearest(conn, meaning.model, meaning.vector, &asked.filter(), asked.n);
    };
    let mut exact = Vec::with_capacity(proposed.len());
    for Near { n, .. } in proposed {
        if let Some(cosine) = exact_cosine(conn, meaning, n)? {
            exact.push(Near { n, cosine });
        }
    }
    exact.sort_unstable_by(Near::best_first);
    exact.truncate(asked.n);
    Ok(exact)
}

/// From the vector in the database; `None` where the row has none, or is gone.
fn exact_cosine(conn: &Connection, meaning: &Meaning<'_>, n: i64) -> rusqlite::Result<Option<f32>> {
    let mut statement = conn.prepare_cached(
        "SELECT v.vector FROM memory m CROSS JOIN vectors v ON v.content_hash = m.content_hash AND v.model = ?2
         WHERE m.n = ?1",
    )?;
    let mut found = statement.query(params![n, meaning.model.0])?;
    let Some(row) = found.next()? else { return Ok(None) };
    let vector = vectors::vector(row.get_ref(0)?.as_blob()?);
    Ok(vector.map(|vector| meaning.question.cosine(&vector)))
}

/// Gives a cosine to those that were found by word or stand beside one that was.
fn compare_rest(
    conn: &Connection,
    index: &Index,
    meaning: &Meaning<'_>,
    candidates: &mut [Candidate],
) -> rusqlite::Result<()> {
    let rest: Vec<&mut Candidate> =
        candidates.iter_mut().filter(|candidate| candidate.cosine.is_none()).collect();
    let keys: Vec<i64> = rest.iter().map(|candidate| candidate.n).collect();
    let known = index.space(meaning.model).and_then(|space| space.cosines(&meaning.question, &keys));
    for (place, candidate) in rest.into_iter().enumerate() {
        candidate.cosine = match &known {
            Some(cosines) => cosines[place],
            None => exact_cosine(conn, meaning, candidate.n)?,
        };
    }
    Ok(())
}

/// Columns of a candidate, of rows that the asker may see. The rest of the condition follows, its values from `?4` on.
fn sql(condition: &str) -> String {
    format!(
        "SELECT m.n, m.id, m.kind, {TEXT}, m.speaker, m.at_ms, m.conversation_id, m.ordinal FROM memory m
         WHERE m.town = ?1 AND m.user_id IN ('', ?2) AND (?3 >> m.kind) & 1 AND {condition}"
    )
}

fn by_key(conn: &Connection, asked: &Asked, n: i64) -> rusqlite::Result<Option<Candidate>> {
    let mut statement = conn.prepare_cached(&sql("m.n = ?4"))?;
    let values = params![asked.whose.town, asked.whose.user, asked.kinds.bits(), n];
    Ok(statement.query_row(values, candidate).optional()?.flatten())
}

/// What was said just before and just after it.
fn neighbours(conn: &Connection, asked: &Asked, to: &Candidate) -> rusqlite::Result<Vec<Candidate>> {
    let (Some(conversation), Some(ordinal)) = (to.conversation, to.ordinal) else { return Ok(Vec::new()) };
    let mut statement =
        conn.prepare_cached(&sql("m.conversation_id = ?4 AND m.ordinal IN (?5 - 1, ?5 + 1)"))?;
    let values =
        params![asked.whose.town, asked.whose.user, asked.kinds.bits(), conversation.as_bytes(), ordinal];
    let rows = statement.query_map(values, candidate)?;
    Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().flatten().collect())
}

/// `None` for a kind that nobody knows.
fn candidate(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<Candidate>> {
    let Some(kind) = Kinds::from_number(row.get(2)?) else { return Ok(None) };
    // A row of `memory` is written with its text; one without it comes from a file that was repaired.
    let Some(text) = row.get(3)? else { return Ok(None) };
    Ok(Some(Candidate {
        n: row.get(0)?,
        id: RowId::from_bytes(row.get(1)?),
        kind,
        text,
        speaker: row.get(4)?,
        at_ms: row.get(5)?,
        conversation: row.get::<_, Option<[u8; 16]>>(6)?.map(RowId::from_bytes),
        ordinal: row.get(7)?,
        cosine: None,
        bm25: None,
    }))
}

fn speakers(conn: &Connection, whose: &Whose) -> rusqlite::Result<Vec<String>> {
    // From name to name through the index, not row by row: there are many rows and few names.
    let mut statement = conn.prepare_cached(
        "SELECT min(speaker) FROM memory WHERE town = ?1 AND user_id = ?2 AND speaker > ?3",
    )?;
    let mut names = Vec::new();
    for user in ["", &whose.user] {
        let mut name = String::new();
        for _ in 0..SPEAKERS_MAX {
            let next: Option<String> =
                statement.query_row(params![whose.town, user, name], |row| row.get(0))?;
            let Some(next) = next else { break };
            names.push(next.clone());
            name = next;
        }
    }
    names.sort_unstable();
    names.dedup();
    names.truncate(SPEAKERS_MAX);
    Ok(names)
}

#[cfg(test)]
mod tests;
