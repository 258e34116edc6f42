//! One turn of a chat: what a person says, once, and what Robbie makes of it.

use crate::id::RowId;
use crate::persona::{Mood, MoodUpdate, PersonalityState};
use crate::turn::Turn;

/// Longest message, bytes of UTF-8.
pub const MESSAGE_BYTES_MAX: usize = 16 * 1024;
/// Longest key that names a message, bytes.
pub const KEY_BYTES_MAX: usize = 128;
/// Turns of the conversation that are handed out with a message, the newest.
pub const HISTORY_MAX: u32 = 12;

/// What a person says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Names the message among those of its user, so that it can be sent again; 1 ..= 128 bytes.
    pub key: String,
    /// The conversation it goes on with, or begins under this id; `None` begins one.
    pub conversation: Option<RowId>,
    /// Who speaks: the user's name.
    pub speaker: String,
    /// What.
    pub message: String,
}

/// What became of a message that was brought to the store.
#[derive(Clone, Debug, PartialEq)]
pub enum Begun {
    /// It is new, and kept.
    New(Opened),
    /// It was answered before, with this answer, JSON.
    Answered(String),
    /// It is kept, and was never answered: whoever carried it out is gone, or is still at it. It is not carried out again.
    Unanswered {
        /// Its conversation.
        conversation: RowId,
    },
    /// The key names another message.
    KeyTaken,
}

/// A message that is kept, and what is needed to answer it.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    /// Its conversation.
    pub conversation: RowId,
    /// The message's turn.
    pub turn: RowId,
    /// What was said before in it, oldest first, at most [`HISTORY_MAX`].
    pub history: Vec<Turn>,
    /// The user's personality now.
    pub personality: PersonalityState,
}

/// How a message was answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// The message's key.
    pub key: String,
    /// Its conversation.
    pub conversation: RowId,
    /// What Robbie said; at most 32 KiB.
    pub reply: String,
    /// Robbie's mood then.
    pub mood: Mood,
    /// The change of mood that came with it, already decided, with its reason.
    pub change: Option<MoodUpdate>,
    /// The whole answer as it is given again to whoever sends the message once more, JSON; at most 64 KiB.
    pub answer: String,
}
