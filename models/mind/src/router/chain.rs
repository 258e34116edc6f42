//! What all requests share: the tiers, the answers that are kept, the names of attempts, the time, and what is to be done.

use std::collections::BTreeMap;
use std::time::Duration;

use super::cache::Cache;
use super::config::RouterConfig;
use super::event::{Action, AttemptId, Moment};
use super::tier_state::TierState;
use crate::tier::{Tier, Usage};

/// Names what one request, or several that ask the same, wait for.
pub(super) type FlightId = u64;

/// The chain.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) tiers: Vec<TierState>,
    pub(super) cache: Cache,
    /// Whose each attempt under way is.
    pub(super) flights: BTreeMap<AttemptId, FlightId>,
    pub(super) actions: Vec<Action>,
    pub(super) now: Moment,
    pub(super) may_hedge: bool,
    pub(super) total: Duration,
    first_token_budget: Duration,
    honest_within: Duration,
    next_attempt: AttemptId,
}

impl Chain {
    pub(super) fn new(config: RouterConfig) -> Self {
        Self {
            tiers: config.tiers.into_iter().map(TierState::new).collect(),
            cache: Cache::new(config.cached_max),
            flights: BTreeMap::new(),
            actions: Vec::new(),
            now: Moment::ZERO,
            may_hedge: config.hedge,
            total: config.total,
            first_token_budget: config.first_token_budget,
            honest_within: config.honest_within,
            next_attempt: 1,
        }
    }

    pub(super) fn draw(&mut self, flight: FlightId) -> AttemptId {
        let attempt = self.next_attempt;
        self.next_attempt += 1;
        self.flights.insert(attempt, flight);
        attempt
    }

    pub(super) fn tier(&self, index: usize) -> Tier {
        self.tiers[index].config.tier
    }

    /// How long a request that begins now may wait for its first word.
    pub(super) fn first_word_within(&self) -> Duration {
        let is_hopeful = self.tiers.iter().any(|tier| tier.is_healthy(self.now));
        if is_hopeful { self.first_token_budget } else { self.honest_within }
    }

    /// Why a tier is not asked now for an answer that takes `usage`.
    pub(super) fn objection(&self, index: usize, usage: Usage) -> Option<String> {
        let tier = &self.tiers[index];
        tier.objection(tier.cost(usage), self.now)
    }
}
