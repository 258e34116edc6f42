//! Finding again: a question becomes words and a vector, the store gives candidates, `models-mind` puts them in order.
//!
//! Without the weights of the sentence embedder the built-in lexical embedding is compared, and every answer says so.

use agent_store::{Candidate, CandidateQuery, Span, Store, Vector};
use cloud_sync_protocol::memory::{Embedded, Found, MemoryKind, Moment, Search, Surfaced};
use cloud_sync_protocol::store::{MemoryStore, StoreError, Stored, Whose};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use models_local::{Embedder, LEXICAL, MINILM, Urgency};
use models_mind::recall::{CANDIDATES, Question, Weights, hits, question};

use super::embedding;

/// All kinds of memory.
const KINDS: [MemoryKind; 3] = [MemoryKind::Note, MemoryKind::Fact, MemoryKind::Turn];

/// Memory that can be asked.
#[derive(Clone, Debug)]
pub struct Recall {
    pub(super) store: Store,
    embedder: Embedder,
    pub(super) zone: TimeZone,
}

impl Recall {
    /// Finds the rows of `store`; days are those of `zone`.
    pub fn new(store: Store, embedder: Embedder, zone: TimeZone) -> Self {
        Self { store, embedder, zone }
    }

    /// The model whose vectors are compared: while rows are embedded anew, the one that has more of them.
    async fn model(&self) -> Stored<&'static str> {
        let made_now = embedding::model(&self.embedder);
        if made_now == MINILM && self.store.coverage(MINILM).await? < self.store.coverage(LEXICAL).await? {
            return Ok(LEXICAL);
        }
        Ok(made_now)
    }

    /// Which model's vectors are compared, and that of `text`.
    async fn embed(&self, text: &str) -> Stored<(&'static str, Option<Vector>)> {
        for model in [self.model().await?, LEXICAL] {
            let asked = vec![text.to_owned()];
            match embedding::vectors(&self.embedder, model, asked, Urgency::Now).await {
                Ok(mut vectors) => return Ok((model, vectors.pop())),
                Err(error) => tracing::warn!(%error, "the question is embedded by its letters instead"),
            }
        }
        Ok((LEXICAL, None))
    }

    pub(super) async fn candidates(
        &self,
        whose: &Whose,
        asked: &Question,
        kinds: &[MemoryKind],
    ) -> Stored<(&'static str, Vec<Candidate>)> {
        let (model, vector) = self.embed(&asked.meaning).await?;
        let span = asked.window.as_ref().map(|time| Span { from_ms: time.from_ms, to_ms: time.to_ms });
        let query = CandidateQuery {
            model,
            vector: vector.as_ref(),
            terms: &asked.terms,
            kinds,
            span,
            speakers: &asked.speakers,
            n: CANDIDATES,
        };
        Ok((model, self.store.candidates(whose, query).await?))
    }

    /// The question as it is read at `now`, with its hits.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn search_at(&self, whose: &Whose, search: &Search, now: Timestamp) -> Stored<Found> {
        let speakers = self.store.speakers(whose).await?;
        let mut asked = question(&search.query, &search.context, &speakers, now, &self.zone);
        let kinds = if search.kinds.is_empty() { &KINDS[..] } else { &search.kinds };
        let (model, candidates) = self.candidates(whose, &asked, kinds).await?;
        if model == LEXICAL {
            asked.weights = Weights::LEXICAL;
        }
        let hits = hits(&asked, &candidates, search.limit as usize);
        Ok(Found { hits, embedding: model.to_owned(), embedded: self.store.coverage(model).await? })
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
