//! How a twin behaves, and how that is changed.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::fault::Fault;
use crate::script::Rule;

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) script: Vec<Rule>,
    pub(crate) fault: Option<Fault>,
    /// From the head of an answer to its first word.
    pub(crate) think: Duration,
    /// Between two pieces.
    pub(crate) between: Duration,
    pub(crate) chunk_words: usize,
    pub(crate) overlap_words: usize,
    pub(crate) restarts: bool,
    pub(crate) piece_bytes: Option<usize>,
    /// `None`: any key, and none.
    pub(crate) key: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            script: Vec::new(),
            fault: None,
            think: Duration::ZERO,
            between: Duration::ZERO,
            chunk_words: 1,
            overlap_words: 0,
            restarts: false,
            piece_bytes: None,
            key: None,
        }
    }
}

/// What is to be changed; what is absent stays.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Change {
    /// All rules.
    pub script: Option<Vec<Rule>>,
    /// `Some(None)`, in JSON `null`: none any more.
    #[serde(deserialize_with = "present")]
    pub fault: Option<Option<Fault>>,
    /// From the head of an answer to its first word, milliseconds.
    pub think_ms: Option<u64>,
    /// Between two pieces, milliseconds.
    pub between_ms: Option<u64>,
    /// Words of a piece.
    pub chunk_words: Option<usize>,
    /// Words that it repeats when it goes on with an answer.
    pub overlap_words: Option<usize>,
    /// Whether it starts anew instead of going on.
    pub restarts: Option<bool>,
    /// The body comes in pieces of so many bytes, wherever that cuts; 0: as it is made.
    pub piece_bytes: Option<usize>,
    /// The only key that is taken; an empty one: any, and none.
    pub key: Option<String>,
}

/// Tells `null` from a field that is absent.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<Fault>>, D::Error> {
    Option::<Fault>::deserialize(from).map(Some)
}

impl Settings {
    pub(crate) fn change(&mut self, change: Change) {
        let ms = Duration::from_millis;
        self.script = change.script.unwrap_or_else(|| std::mem::take(&mut self.script));
        self.fault = change.fault.unwrap_or_else(|| self.fault.take());
        self.think = change.think_ms.map_or(self.think, ms);
        self.between = change.between_ms.map_or(self.between, ms);
        self.chunk_words = change.chunk_words.unwrap_or(self.chunk_words).max(1);
        self.overlap_words = change.overlap_words.unwrap_or(self.overlap_words);
        self.restarts = change.restarts.unwrap_or(self.restarts);
        self.piece_bytes = change.piece_bytes.map_or(self.piece_bytes, |bytes| (bytes > 0).then_some(bytes));
        self.key = change.key.map_or_else(|| self.key.take(), |key| (!key.is_empty()).then_some(key));
    }

    /// The fault of the next request, which counts.
    pub(crate) fn take_fault(&mut self) -> Option<Fault> {
        let fault = self.fault.clone()?;
        if let Some(times) = self.fault.as_mut().and_then(|fault| fault.times.as_mut()) {
            *times = times.saturating_sub(1);
            if *times == 0 {
                self.fault = None;
            }
        }
        (fault.times != Some(0)).then_some(fault)
    }
}
