//! Who asks: a token, its class, and where the request came from.

use arrayvec::ArrayString;

/// Number of a token within this run of the agent; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenId(pub u32);

/// Number of everything that one message of a person causes. Rises within a run of the agent; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TurnId(pub u64);

/// Short text of fixed size: names, reasons. Longer input is cut at a character boundary.
pub type Label = ArrayString<96>;

/// Copies `text` into a [`Label`], cutting it at a character boundary.
pub fn label(text: &str) -> Label {
    joined(&[text])
}

/// Copies several texts into one [`Label`], cutting it at a character boundary.
pub fn joined(texts: &[&str]) -> Label {
    let mut label = Label::new();
    for character in texts.iter().flat_map(|text| text.chars()) {
        if label.try_push(character).is_err() {
            break;
        }
    }
    label
}

/// Rank of whoever commands. Greater wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// A language model. Moves nothing by itself, only within a turn.
    Ai,
    /// A program that acts on its own.
    Autonomy,
    /// A person elsewhere.
    Remote,
    /// A person beside the robot.
    Local,
}

impl Class {
    /// A person, near or far.
    pub const fn is_human(self) -> bool {
        matches!(self, Self::Remote | Self::Local)
    }

    /// The word on the wire: `local`, `remote`, `autonomy`, `ai`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Remote => "remote",
            Self::Autonomy => "autonomy",
            Self::Ai => "ai",
        }
    }
}

/// Who asks, as the edge found out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Caller {
    /// The token.
    pub token: TokenId,
    /// Effective class: the lower of the token's and what its peer allows.
    pub class: Class,
    /// Name of the token, shown as `holder`.
    pub name: Label,
    /// The request must carry `seen`: it came through a proxy, or from a peer that is not loopback.
    pub must_show_seen: bool,
    /// The turn that it acts in; only a model does.
    pub turn: Option<TurnId>,
}

impl Caller {
    /// The model that acts for this person in `turn`. The edge has seen that the person may drive.
    #[must_use]
    pub const fn in_turn(self, turn: TurnId) -> Self {
        Self { class: Class::Ai, turn: Some(turn), ..self }
    }
}
