//! Finding again, by meaning and by word. Without the weights of the sentence embedder the built-in lexical embedding is compared,
//! and every answer says so.

use cloud_sync_protocol::memory::{Embedded, Found, MemoryKind, Moment, Search, Surfaced};
use cloud_sync_protocol::store::{MemoryStore, StoreError, Stored, Whose};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use models_local::{Embedder, LEXICAL, MINILM, Urgency};
use models_mind::recall::{CANDIDATES, Candidate, Question, Weights, hits, question};

use super::embedding;
use crate::store::{CandidateQuery, Rows, Vector};

/// Memory that can be asked.
#[derive(Clone, Debug)]
pub struct Recall {
    pub(super) rows: Rows,
    embedder: Embedder,
    pub(super) zone: TimeZone,
}

/// Which model's vectors are compared, and how much of the memory has some.
struct Compared {
    model: &'static str,
    embedded: f32,
}

impl Recall {
    /// Finds these rows; days are those of `zone`.
    pub fn new(rows: Rows, embedder: Embedder, zone: TimeZone) -> Self {
        Self { rows, embedder, zone }
    }

    /// The model whose vectors are compared: while rows are embedded anew, the one that has more of them.
    async fn compared(&self, whose: &Whose) -> Stored<Compared> {
        let [of_sentences, lexical] = self.rows.coverage(whose, [MINILM, LEXICAL]).await?;
        if embedding::model(&self.embedder) == MINILM && of_sentences >= lexical {
            return Ok(Compared { model: MINILM, embedded: of_sentences });
        }
        Ok(Compared { model: LEXICAL, embedded: lexical })
    }

    /// Which model's vectors are compared, and that of `text`.
    async fn embed(&self, whose: &Whose, text: &str) -> Stored<(Compared, Option<Vector>)> {
        let compared = self.compared(whose).await?;
        for model in [compared.model, LEXICAL] {
            let asked = vec![text.to_owned()];
            match embedding::vectors(&self.embedder, model, asked, Urgency::Now).await {
                Ok(mut vectors) => return Ok((Compared { model, ..compared }, vectors.pop())),
                Err(error) => tracing::warn!(%error, "the question is embedded by its letters instead"),
            }
        }
        Ok((compared, None))
    }

    pub(super) async fn candidates(
        &self,
        whose: &Whose,
        asked: &Question,
        kinds: &[MemoryKind],
    ) -> Stored<(&'static str, f32, Vec<Candidate>)> {
        let (compared, vector) = self.embed(whose, &asked.meaning).await?;
        let query = CandidateQuery {
            model: compared.model,
            vector: vector.as_ref(),
            terms: &asked.terms,
            kinds,
            span: asked.window.as_ref().map(|time| (time.from_ms, time.to_ms)),
            speakers: &asked.speakers,
            n: CANDIDATES,
        };
        Ok((compared.model, compared.embedded, self.rows.candidates(whose, query).await?))
    }

    /// The question as it is read at `now`, with its hits.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn search_at(&self, whose: &Whose, search: &Search, now: Timestamp) -> Stored<Found> {
        let speakers = self.rows.speakers(whose).await?;
        let mut asked = question(&search.query, &search.context, &speakers, now, &self.zone);
        let (model, embedded, candidates) = self.candidates(whose, &asked, &search.kinds).await?;
        if model == LEXICAL {
            asked.weights = Weights::LEXICAL;
        }
        let hits = hits(&asked, &candidates, search.limit as usize);
        Ok(Found { hits, embedding: model.to_owned(), embedded })
    }
}

impl MemoryStore for Recall {
    async fn search(&self, whose: &Whose, search: &Search) -> Stored<Found> {
        self.search_at(whose, search, Timestamp::now()).await
    }

    async fn embed(&self, texts: Vec<String>) -> Stored<Embedded> {
        let model = embedding::model(&self.embedder);
        match embedding::vectors(&self.embedder, model, texts, Urgency::Now).await {
            Ok(vectors) => {
                let vectors = vectors.iter().map(|vector| vector.to_vec()).collect();
                Ok(Embedded { model: model.to_owned(), vectors })
            }
            Err(error) => Err(StoreError::Failed(error.to_string())),
        }
    }

    fn embedding_model(&self) -> String {
        embedding::model(&self.embedder).to_owned()
    }

    async fn surface(&self, whose: &Whose, moment: &Moment) -> Stored<Vec<Surfaced>> {
        self.surface_at(whose, moment, Timestamp::now()).await
    }
}
