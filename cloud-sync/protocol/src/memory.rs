//! Finding again: what is asked, and what an answer says about itself.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::RowId;
use crate::note::StickyNote;

/// Longest question, bytes of UTF-8.
pub const QUERY_BYTES_MAX: usize = 2 * 1024;

/// Where a memory comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MemoryKind {
    /// A sticky note.
    Note,
    /// A fact that was learnt.
    Fact,
    /// Something that was said.
    Turn,
}

/// A question to the memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    /// The words, as asked.
    pub query: String,
    /// The turn before, which tells what "it" and "there" mean; may be empty.
    pub context: String,
    /// Only these kinds; all where it is empty.
    pub kinds: Vec<MemoryKind>,
    /// Hits at most, 1 ..= 100.
    pub limit: u32,
}

/// An answer of the memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Found {
    /// Best first.
    pub hits: Vec<Hit>,
    /// Model whose vectors were compared: `minilm-l6-v2`, or `lexical` where its weights are missing.
    pub embedding: String,
    /// The part of the memory that vectors of this model exist for yet, 0 ..= 1.
    pub embedded: f32,
}

/// Vectors of texts.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedded {
    /// The model that made them.
    pub model: String,
    /// One a text, in their order, each of length 1.
    pub vectors: Vec<Vec<f32>>,
}

/// One memory that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Hit {
    /// Its id.
    pub id: RowId,
    /// Where it comes from.
    pub kind: MemoryKind,
    /// What it says.
    pub text: String,
    /// Who said or wrote it, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speaker: Option<String>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The conversation it was said in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<RowId>,
    /// Sum of the signals; only its order means something.
    pub score: f32,
    /// What each signal gave, largest first.
    pub signals: Vec<Signal>,
    /// Why it was found, in words.
    pub why: String,
}

/// What one signal gave to a hit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Signal {
    /// `meaning`, `words`, `speaker`, `time`, `context`, `neighbour`.
    pub name: String,
    /// Its part of the score.
    pub share: f32,
}

/// When and where somebody asks what matters now.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    /// The conversation going on, where there is one.
    pub conversation_id: Option<RowId>,
    /// What it is about, in words; may be empty.
    pub about: String,
    /// Where, in words; may be empty.
    pub place: String,
    /// Notes at most, 1 ..= 50.
    pub limit: u32,
}

/// A note that matters now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Surfaced {
    /// The note.
    #[serde(flatten)]
    pub note: StickyNote,
    /// Why, in words.
    pub reason: String,
    /// Only its order means something.
    pub score: f32,
}
