//! What happened, for those who look on over `/ws/chat`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum EventKind {
    /// The personality changed; data: its state.
    Personality,
    /// A note was written, changed or deleted; data: `{id, deleted, note?}`.
    Note,
    /// A turn was said; data: the turn with its conversation's id.
    Chat,
    /// Something about the robot.
    Robot,
    /// Something a person should read.
    Notification,
}

impl EventKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Personality, Self::Note, Self::Chat, Self::Robot, Self::Notification];

    /// As on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Personality => "personality",
            Self::Note => "note",
            Self::Chat => "chat",
            Self::Robot => "robot",
            Self::Notification => "notification",
        }
    }
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Rises within a store.
    pub id: u64,
    /// What it is about.
    pub kind: EventKind,
    /// JSON.
    pub data: String,
}

/// What a reader missed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replay {
    /// Everything after the id it named, oldest first; read on from the last one, or from the id named when empty.
    Events(Vec<Event>),
    /// That is older than what is kept, or from another store: read the state afresh, then on from here.
    Reset {
        /// The newest id.
        newest: u64,
    },
}
