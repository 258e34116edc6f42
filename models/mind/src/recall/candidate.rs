//! A row that a store hands over, and the hit that becomes of it.

use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::memory::{Hit, MemoryKind};
use jiff::Timestamp;

use super::{Evidence, Question, Ranked, rank};

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

impl Candidate {
    /// What the ranking looks at.
    #[must_use]
    pub fn evidence(&self) -> Evidence<'_> {
        Evidence {
            cosine: self.cosine,
            bm25: self.bm25,
            text: &self.text,
            speaker: self.speaker.as_deref(),
            at_ms: self.at_ms,
            conversation: self.conversation,
            ordinal: self.ordinal,
            kind: self.kind,
        }
    }

    fn hit(&self, ranked: Ranked) -> Hit {
        Hit {
            id: self.id,
            kind: self.kind,
            text: self.text.clone(),
            speaker: self.speaker.clone(),
            at: Timestamp::from_millisecond(self.at_ms).unwrap_or_default(),
            conversation_id: self.conversation,
            score: ranked.score,
            signals: ranked.signals,
            why: ranked.why,
        }
    }
}

/// The best `limit` of the candidates, best first, see [`rank`].
#[must_use]
pub fn hits(question: &Question, candidates: &[Candidate], limit: usize) -> Vec<Hit> {
    let evidence: Vec<Evidence<'_>> = candidates.iter().map(Candidate::evidence).collect();
    let ranked = rank(question, &evidence, limit);
    ranked.into_iter().map(|ranked| candidates[ranked.index].hit(ranked)).collect()
}
