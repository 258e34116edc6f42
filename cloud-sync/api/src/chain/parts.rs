//! What a chain is made of, how its tiers stand, what it is asked and what comes of that. Types only.

use std::sync::Arc;
use std::time::Duration;

use models_mind::router::{End, TierConfig, TierView};
use models_mind::tier::{Asked, Called, ChatTier, Tier};

/// One tier of a chain.
pub struct Link {
    /// Its deadlines, prices and budget.
    pub config: TierConfig,
    /// What answers.
    pub tier: Arc<dyn ChatTier>,
    /// The model that it asks for, as it is shown.
    pub model: String,
}

/// What a whole chain keeps to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// To the first word.
    pub first_token_budget: Duration,
    /// Whether a second tier is asked when the first is slow.
    pub hedge: bool,
}

/// A tier that is not set up, and what sets it up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Which.
    pub tier: Tier,
    /// A sentence: `OPENAI_API_KEY is not set.`
    pub because: String,
}

/// How a tier stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// It can be asked, or rests.
    SetUp {
        /// What the router knows of it.
        view: TierView,
        /// The model that it asks for.
        model: String,
    },
    /// It is not set up.
    Missing(Missing),
}

impl Standing {
    /// Which tier.
    #[must_use]
    pub const fn tier(&self) -> Tier {
        match self {
            Self::SetUp { view, .. } => view.tier,
            Self::Missing(missing) => missing.tier,
        }
    }
}

/// What comes of a question.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// Who answers from here on.
    From(Tier),
    /// Words, in order.
    Text(String),
    /// Everything that is to be called, at once.
    Calls(Vec<Called>),
    /// The end.
    End(End),
}

/// A question to the chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Whose it is: nobody else gets its words. Town, user, and the user of an app, each on a line, because names have no
    /// line breaks but may have anything else.
    pub scope: String,
    /// What is asked.
    pub asked: Asked,
    /// Whether its answer may be given again another time: nothing in it came from memory or body.
    pub is_keepable: bool,
}
