//! What a twin was asked, in the words that all four have in common.

use models_mind::tier::{Message, Options, Tool};
use serde::Serialize;
use serde_json::Value;

/// A request.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Seen {
    /// Which model was asked for.
    pub model: String,
    /// The conversation. Where a provider has no ids, calls and results have empty ones.
    pub messages: Vec<Message>,
    /// What may be called.
    pub tools: Vec<Tool>,
    /// How it may be answered.
    pub options: Options,
    /// Whether the answer was to come piece by piece.
    pub stream: bool,
    /// Whether it came with the key that is set, or none is set.
    pub key_was_right: bool,
    /// The body as it came.
    #[serde(skip)]
    pub raw: Value,
}

impl Seen {
    /// About as many tokens as that may be.
    pub(crate) fn tokens(&self) -> usize {
        self.messages
            .iter()
            .map(|message| match message {
                Message::System(text) | Message::User(text) | Message::Assistant { text, .. } => words(text),
                Message::Result { content, .. } => words(content),
            })
            .sum()
    }
}

pub(crate) fn words(text: &str) -> usize {
    text.split_whitespace().count()
}
