//! The ways in which a model's server fails.

use serde::{Deserialize, Serialize};

/// A fault, and for how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Which.
    #[serde(flatten)]
    pub what: Faulty,
    /// For so many requests; without it until it is taken back.
    #[serde(default)]
    pub times: Option<u32>,
}

impl From<Faulty> for Fault {
    fn from(what: Faulty) -> Self {
        Self { what, times: None }
    }
}

/// What goes wrong. `after` counts pieces of text that come before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Faulty {
    /// Nobody listens, and every connection is closed. Cleared, it listens on the same port again.
    Refused,
    /// The connection is closed instead of an answer.
    HangUp,
    /// No answer, not even its head.
    StallHead,
    /// An error instead of an answer, which repeats the key it was sent.
    Status {
        /// Such as 401, 429, 500, 529.
        status: u16,
        /// The header of that name, as it is.
        #[serde(default)]
        retry_after: Option<String>,
        /// The header `retry-after-ms`.
        #[serde(default)]
        retry_after_ms: Option<String>,
    },
    /// The head, and nothing more.
    StallFirst,
    /// Nothing more in the middle.
    StallBetween {
        /// Pieces before.
        #[serde(default)]
        after: usize,
    },
    /// The connection breaks.
    Cut {
        /// Pieces before.
        #[serde(default)]
        after: usize,
    },
    /// What is no JSON.
    Malformed {
        /// Pieces before.
        #[serde(default)]
        after: usize,
    },
    /// Bytes that are no text.
    BrokenUtf8 {
        /// Pieces before.
        #[serde(default)]
        after: usize,
    },
    /// An error in the stream, as that provider writes it; it repeats the key.
    InBand {
        /// Pieces before.
        #[serde(default)]
        after: usize,
    },
    /// An answer without a word.
    Empty,
    /// An end that is none.
    WrongFinish {
        /// Pieces before.
        #[serde(default)]
        after: usize,
        /// Instead of `content_filter`, `refusal`, `SAFETY`, `unload`.
        #[serde(default)]
        reason: Option<String>,
    },
    /// Words without end, with the time between them that is set, 1 ms at least.
    Endless,
    /// All words, and then the body just ends.
    NoFinish,
    /// One piece of so many bytes; 2 MiB without a figure.
    HugeLine {
        /// Its length.
        #[serde(default)]
        bytes: Option<usize>,
    },
}
