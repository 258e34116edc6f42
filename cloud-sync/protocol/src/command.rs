//! What robot and cloud say to each other over a broker beside sync: commands, their results, and who is there. JSON.
//!
//! The routes' own bodies are the robot's business; here is only what every command carries.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Bytes of a command at most: a body of 64 KiB with who asks.
pub const COMMAND_BYTES_MAX: usize = 72 * 1024;
/// Bytes of an id, a token's or a socket's name at most.
pub const NAME_BYTES_MAX: usize = 64;
/// Accepted age of `seen` where a command through the cloud names none, ms.
pub const MAX_AGE_MS: i64 = 700;
/// A robot that does not answer by then is away, ms. It must leave room for the answer to get back within a second.
pub const AWAY_AFTER_MS: u64 = 950;
/// How often a cloud says that somebody reads, ms.
pub const WATCH_EVERY_MS: u64 = 2000;
/// So long after the newest of them the robot shows its state ten times a second, ms.
pub const WATCHED_FOR_MS: u64 = 5000;

/// What a command asks for: the last part of its topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `POST velocity`.
    Velocity,
    /// A frame of a teleop socket, or its end.
    Teleop,
    /// `POST move`.
    Move,
    /// `DELETE tasks/{task}`.
    TaskCancel,
    /// `POST head`.
    Head,
    /// `POST lights`.
    Lights,
    /// `POST stop`.
    Stop,
    /// `POST estop`.
    EStop,
    /// `POST leases`.
    LeaseTake,
    /// `PUT leases/{lease}`.
    LeaseRenew,
    /// `DELETE leases/{lease}`.
    LeaseRelease,
    /// A `GET` that the state does not answer.
    Read,
    /// A person's message begins a turn, in which a model may move something.
    TurnBegin,
    /// The turn is over.
    TurnEnd,
    /// A token died.
    Revoke,
    /// Somebody reads.
    Watch,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 16] = [
        Self::Velocity,
        Self::Teleop,
        Self::Move,
        Self::TaskCancel,
        Self::Head,
        Self::Lights,
        Self::Stop,
        Self::EStop,
        Self::LeaseTake,
        Self::LeaseRenew,
        Self::LeaseRelease,
        Self::Read,
        Self::TurnBegin,
        Self::TurnEnd,
        Self::Revoke,
        Self::Watch,
    ];

    /// The word in the topic.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Velocity => "velocity",
            Self::Teleop => "teleop",
            Self::Move => "move",
            Self::TaskCancel => "task-cancel",
            Self::Head => "head",
            Self::Lights => "lights",
            Self::Stop => "stop",
            Self::EStop => "estop",
            Self::LeaseTake => "lease-take",
            Self::LeaseRenew => "lease-renew",
            Self::LeaseRelease => "lease-release",
            Self::Read => "read",
            Self::TurnBegin => "turn-begin",
            Self::TurnEnd => "turn-end",
            Self::Revoke => "revoke",
            Self::Watch => "watch",
        }
    }

    /// The kind of that word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// A lost one is made up for by the next: quality of service 0. The others are delivered at least once.
    #[must_use]
    pub const fn is_repeated(self) -> bool {
        matches!(self, Self::Velocity | Self::Teleop | Self::Watch)
    }

    /// Only ends something: never waits behind others.
    #[must_use]
    pub const fn is_urgent(self) -> bool {
        matches!(self, Self::Stop | Self::EStop | Self::Revoke | Self::TurnEnd)
    }
}

/// For whom the cloud asks. It has checked the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct By {
    /// Id of the token, never its secret.
    pub token: String,
    /// Whose it is.
    pub user_id: String,
    /// Its class, as the cloud sees it.
    pub class: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// The human message that a model acts for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<String>,
}

/// What became of a command: what the route would have answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommandResult {
    /// The command's.
    pub id: String,
    /// HTTP status.
    pub status: u16,
    /// The problem's type, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// The problem in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The body of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

/// Whether a robot is there; retained, and the last will of one that falls silent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// It is.
    pub online: bool,
    /// Random for each start of its program.
    pub run: String,
    /// Its program's.
    pub version: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_word_of_its_own() {
        for kind in Kind::ALL {
            assert_eq!(Kind::named(kind.as_str()), Some(kind));
        }
        assert_eq!(Kind::named("reset"), None, "never over a broker");
    }

    #[test]
    fn what_is_absent_is_not_written() {
        let by = By {
            token: "t".into(),
            user_id: "ann".into(),
            class: "remote".into(),
            scopes: vec!["drive".into()],
            turn: None,
        };
        let text = serde_json::to_string(&by).unwrap();
        assert_eq!(text, r#"{"token":"t","user_id":"ann","class":"remote","scopes":["drive"]}"#);
        assert_eq!(serde_json::from_str::<By>(&text).unwrap(), by);
        let result = CommandResult { id: "1".into(), status: 202, r#type: None, detail: None, body: None };
        assert_eq!(serde_json::to_string(&result).unwrap(), r#"{"id":"1","status":202}"#);
    }
}
