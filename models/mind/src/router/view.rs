//! A tier as a person is shown it.

use serde::Serialize;

use super::breaker::Breaker;
use crate::tier::Tier;

/// A tier as it stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TierView {
    /// Which.
    pub tier: Tier,
    /// Whether it is asked now.
    pub breaker: Breaker,
    /// Why it is not asked now: it is not set up, it rests after failures, or its budget is spent. A sentence that names it.
    pub resting_because: Option<String>,
    /// How long it still rests.
    pub rests_ms: Option<u64>,
    /// Whether it answered within the last 60 s, or has not failed since it last did (or since the start).
    pub is_healthy: bool,
    /// Complete answers since the start.
    pub answers: u64,
    /// Failures since the start, not counting that it is not set up.
    pub failures: u64,
    /// What the last one was.
    pub last_failure: Option<String>,
    /// Median of the last 64 times to the first word.
    pub first_token_ms_p50: Option<u64>,
    /// Their 95th percentile.
    pub first_token_ms_p95: Option<u64>,
    /// How long the first word is waited for now.
    pub first_token_deadline_ms: u64,
    /// Tokens of questions since the start.
    pub input_tokens: u64,
    /// Tokens of answers since the start.
    pub output_tokens: u64,
    /// In the last 24 hours, and in what had begun of the hour before them.
    pub spent_usd: f64,
    /// For answers under way.
    pub reserved_usd: f64,
    /// In 24 hours at most.
    pub budget_usd: Option<f64>,
}
