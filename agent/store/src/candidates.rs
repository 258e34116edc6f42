//! Whatever might answer a question: the best by meaning, the best by word, and what was said just before and after each.
//! It does not decide which of them matters; that is ranked elsewhere.
//!
//! The index in memory proposes, the database disposes: whose a row is, of which kind, and what it says are read here, in one
//! state, so that nothing deleted or foreign is ever shown, and the best by meaning are compared exactly.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::memory::MemoryKind;
use cloud_sync_protocol::store::{Stored, Whose};
use models_mind::recall::Candidate;
use rusqlite::{Connection, params};

use crate::index::{Change, Filter, Index, Kinds, Meant, ModelId, Question, Span, Vector};
use crate::store::Store;
use crate::vectors::{self, ContentHash};
use crate::words;
use crate::writer::Room;

mod meaning;
mod read;

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
    /// The time that is asked about. It excludes nothing: rows of this time are looked for beside all others.
    pub span: Option<Span>,
    /// The people whose words are asked for, as the store spells them, in the same way. With a time too, rows are looked for
    /// that one of them said then.
    pub speakers: &'a [String],
    /// Rows of each list: by meaning, by word, and by the time and the people named, 1 ..= 1000.
    pub n: usize,
}

impl Store {
    /// The best `n` by meaning, the best `n` by word, the best `n` by meaning of those of the time and by the people that are
    /// named, in that order, and behind them the turns just before and after each, of the town's rows and the user's. Every
    /// row once.
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
            span: query.span,
            speakers: query.speakers.to_vec(),
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
    span: Option<Span>,
    speakers: Vec<String>,
    n: usize,
}

impl Asked {
    fn filter(&self) -> Filter<'_> {
        Filter { whose: &self.whose, kinds: self.kinds }
    }

    /// Whether a row is of the time and by the people that are named.
    fn means(&self, row: &Candidate) -> bool {
        self.span.is_none_or(|span| span.contains(row.at_ms))
            && (self.speakers.is_empty()
                || row.speaker.as_ref().is_some_and(|one| self.speakers.contains(one)))
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
        meaning::best(conn, index, asked, meaning)?.into_iter().for_each(|row| found.add(row));
    }
    for (n, bm25) in words::best(conn, &asked.filter(), &asked.terms, index.rows(), asked.n)? {
        if !found.knows(n) {
            read::by_key(conn, asked, n)?.into_iter().for_each(|row| found.add(row));
        }
        found.mark(n, |candidate| candidate.bm25 = Some(bm25));
    }
    let meant = Meant::of(asked.span, &asked.speakers);
    if !meant.is_all() {
        for n in meaning::best_meant(conn, index, asked, &meant, meaning.as_ref())? {
            if !found.knows(n) {
                let row = read::by_key(conn, asked, n)?;
                // Names that share a number in the index are told apart here.
                row.filter(|row| asked.means(row)).into_iter().for_each(|row| found.add(row));
            }
        }
    }
    for place in 0..found.candidates.len() {
        for neighbour in read::neighbours(conn, asked, &found, place)? {
            found.add(neighbour);
        }
    }
    if let Some(meaning) = &meaning {
        meaning::compare_rest(conn, index, asked, meaning, &mut found.candidates)?;
    }
    Ok(found.candidates)
}

/// Candidates in order, each once.
#[derive(Default)]
struct Found {
    candidates: Vec<Candidate>,
    places: HashMap<i64, usize>,
    /// Where in which conversation they were said.
    turns: HashSet<(RowId, u32)>,
}

impl Found {
    fn knows(&self, n: i64) -> bool {
        self.places.contains_key(&n)
    }

    fn knows_turn(&self, conversation: RowId, ordinal: u32) -> bool {
        self.turns.contains(&(conversation, ordinal))
    }

    fn add(&mut self, candidate: Candidate) {
        if self.knows(candidate.n) {
            return;
        }
        self.places.insert(candidate.n, self.candidates.len());
        self.turns.extend(candidate.conversation.zip(candidate.ordinal));
        self.candidates.push(candidate);
    }

    fn mark(&mut self, n: i64, mark: impl FnOnce(&mut Candidate)) {
        if let Some(place) = self.places.get(&n) {
            mark(&mut self.candidates[*place]);
        }
    }
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
