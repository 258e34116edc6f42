//! Finding again: a question is read ([`question`]), the store looks up candidates for it, and [`rank`] puts them in order
//! and says of each why it was found. It decides; it looks nothing up and keeps nothing.

use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::memory::{MemoryKind, Signal};

mod candidate;
mod fuse;
mod question;
mod speaker;
mod weights;
mod why;

pub use candidate::{Candidate, hits};
pub use fuse::rank;
pub use question::{Asked, Question, question};
pub use weights::{Constant, Weights};

/// How many rows of each list, by meaning and by word, [`rank`] wants to see. More changes nothing that can be measured.
pub const CANDIDATES: usize = 100;

/// What the store knows about a row that might be an answer.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// Likeness to [`Question::meaning`], -1 ..= 1, where the row has a vector.
    pub cosine: Option<f32>,
    /// BM25 of [`Question::terms`], more than 0, higher is better, where the row is among the best by word.
    pub bm25: Option<f32>,
    /// What it says.
    pub text: &'a str,
    /// Who said or wrote it.
    pub speaker: Option<&'a str>,
    /// When, ms since 1970.
    pub at_ms: i64,
    /// The conversation it was said in.
    pub conversation: Option<RowId>,
    /// Its place there, counted without gaps.
    pub ordinal: Option<u32>,
    /// Where it comes from.
    pub kind: MemoryKind,
}

/// A row in its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    /// Which of the rows given.
    pub index: usize,
    /// Sum of the shares; only its order means something.
    pub score: f32,
    /// What each signal gave, largest first; none of them 0.
    pub signals: Vec<Signal>,
    /// Why it was found: one sentence.
    pub why: String,
}
