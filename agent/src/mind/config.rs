//! How long the robot waits for whoever thinks for it.

use std::time::Duration;

use cloud_sync_api::settings::{Key, Problems, Settings};
use models_mind::router::Deadlines;

/// What is configured.
pub const KEYS: &[Key] = &[
    Key::count(
        "chain.first_token_budget_ms",
        500,
        60_000,
        "ms",
        "8000",
        "to the first word of an answer at most, whoever it comes from",
    ),
    Key::count(
        "chain.between_tokens_ms",
        100,
        60_000,
        "ms",
        "10000",
        "from one word of the cloud's chain to the next at most",
    ),
];

/// The chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MindConfig {
    /// To the first word.
    pub first_token_budget: Duration,
    /// For the cloud's chain.
    pub cloud: Deadlines,
}

/// No answer takes longer.
const TOTAL: Duration = Duration::from_secs(50);

impl MindConfig {
    /// Reads it.
    ///
    /// # Errors
    /// Values that do not fit.
    pub fn read(settings: &Settings) -> Result<Self, Problems> {
        let first_token_budget = Duration::from_millis(settings.integer("chain.first_token_budget_ms")?);
        let between_tokens = Duration::from_millis(settings.integer("chain.between_tokens_ms")?);
        let first_token = first_token_budget;
        let cloud = Deadlines { connect: first_token, first_token, between_tokens, total: TOTAL };
        Ok(Self { first_token_budget, cloud })
    }
}
