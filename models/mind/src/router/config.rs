//! What a router is told before the first request: its tiers, how long each is waited for, and what each may cost.

use std::time::Duration;

use crate::tier::Tier;

/// How long a tier is waited for, from the moment it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// Until the head of its answer.
    pub connect: Duration,
    /// Until the first word or call while little is known of the tier, and at most. Once 8 answers are known it is twice the
    /// 95th percentile of the last 64, but at least 500 ms.
    pub first_token: Duration,
    /// From one word or call to the next, or to the end.
    pub between_tokens: Duration,
    /// Until the end of its answer.
    pub total: Duration,
}

/// What tokens cost, US dollars for a million of them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Price {
    /// Tokens of the question.
    pub usd_per_million_input: f64,
    /// Tokens of the answer.
    pub usd_per_million_output: f64,
}

/// How a tier's answer comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pieces {
    /// As the model makes it: pieces of words. The unfinished sentence is held back.
    Raw,
    /// In whole sentences or words, because another router held the others back. What comes goes out.
    Whole,
}

/// One tier of the chain.
#[derive(Clone, Debug, PartialEq)]
pub struct TierConfig {
    /// Which.
    pub tier: Tier,
    /// How long it is waited for.
    pub deadlines: Deadlines,
    /// How its answer comes.
    pub pieces: Pieces,
    /// What it costs.
    pub price: Price,
    /// US dollars in 24 hours; `None`: no limit.
    pub budget_usd: Option<f64>,
}

/// The chain and what holds for every request.
#[derive(Clone, Debug, PartialEq)]
pub struct RouterConfig {
    /// In the order in which they are asked.
    pub tiers: Vec<TierConfig>,
    /// To the first word or call, whoever it comes from.
    pub first_token_budget: Duration,
    /// The same while no tier was healthy for 60 s.
    pub honest_within: Duration,
    /// To the end, whoever it comes from.
    pub total: Duration,
    /// Whether a second tier is asked when the first is slower than its 95th percentile.
    pub hedge: bool,
    /// Answers that are kept for the time when nobody answers.
    pub cached_max: usize,
}
