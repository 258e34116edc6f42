//! What was said.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::RowId;
use crate::persona::Mood;

/// Longest turn, bytes of UTF-8.
pub const TURN_BYTES_MAX: usize = 32 * 1024;
/// Longest name of a speaker, bytes of UTF-8.
pub const SPEAKER_BYTES_MAX: usize = 64;

/// Which side spoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Sender {
    /// A person.
    User,
    /// Robbie.
    Robbie,
}

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Turn {
    /// Its id.
    pub id: RowId,
    /// Which side spoke.
    pub sender: Sender,
    /// Who spoke, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speaker: Option<String>,
    /// What.
    pub message_text: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub timestamp: Timestamp,
    /// Robbie's mood then.
    pub mood_at_time: Mood,
}

/// A conversation as it stands in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Conversation {
    /// Its id.
    pub id: RowId,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// When its newest turn was.
    #[schema(value_type = String, format = DateTime)]
    pub last_at: Timestamp,
    /// Turns in it.
    pub turns: u64,
    /// The beginning of its newest turn.
    pub preview: String,
}
