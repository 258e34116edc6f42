//! What is known of a tier: whether it rests, how fast it is, what it costs, when it last answered.

use std::time::Duration;

use super::breaker::{Breaker, Fuse};
use super::budget::{Budget, MicroUsd, usd};
use super::config::TierConfig;
use super::event::{AttemptId, Moment};
use super::latency::Latencies;
use super::view::TierView;
use super::words;
use crate::tier::{Failure, FailureKind, Usage};

/// A tier that failed since its last answer is healthy only that long after the answer.
const HEALTHY_FOR: Duration = Duration::from_secs(60);
const BUDGET_SPENT: &str = "its budget for today is spent";

/// A tier as it stands.
#[derive(Debug)]
pub(super) struct TierState {
    pub(super) config: TierConfig,
    fuse: Fuse,
    budget: Budget,
    latencies: Latencies,
    is_configured: bool,
    answered_at: Option<Moment>,
    has_failed_since: bool,
    answers: u64,
    failures: u64,
    last_failure: Option<String>,
    input_tokens: u64,
    output_tokens: u64,
}

impl TierState {
    pub(super) fn new(config: TierConfig) -> Self {
        Self {
            fuse: Fuse::new(),
            budget: Budget::new(config.price, config.budget_usd),
            latencies: Latencies::new(),
            is_configured: true,
            answered_at: None,
            has_failed_since: false,
            answers: 0,
            failures: 0,
            last_failure: None,
            input_tokens: 0,
            output_tokens: 0,
            config,
        }
    }

    /// Whether it answered lately, or nothing speaks against it.
    pub(super) fn is_healthy(&self, now: Moment) -> bool {
        let is_recent = self.answered_at.is_some_and(|at| now.saturating_sub(at) <= HEALTHY_FOR);
        self.is_configured && (is_recent || !self.has_failed_since)
    }

    pub(super) fn cost(&self, usage: Usage) -> MicroUsd {
        self.budget.cost(usage)
    }

    /// Why it is not asked now, with a cost of `cost`.
    pub(super) fn objection(&self, cost: MicroUsd, now: Moment) -> Option<String> {
        if !self.fuse.lets_in(now) {
            let cause = self.fuse.rests(now).map_or("it failed", |(_, kind)| words::cause(kind));
            return Some(format!("it rests, because {cause}"));
        }
        (!self.budget.fits(cost, now)).then(|| BUDGET_SPENT.to_owned())
    }

    /// How long it rests.
    pub(super) fn rests_for(&self, now: Moment) -> Option<Duration> {
        self.fuse.rests(now).map(|(rest, _)| rest).filter(|rest| !rest.is_zero())
    }

    /// How long its first word is waited for. Who tries it after a rest is as patient as with a stranger.
    pub(super) fn first_token_deadline(&self, now: Moment) -> Duration {
        let configured = self.config.deadlines.first_token;
        match self.fuse.state(now) {
            Breaker::Closed => self.latencies.deadline(configured),
            Breaker::Open | Breaker::HalfOpen => configured,
        }
    }

    /// When a second tier may be asked beside it.
    pub(super) fn hedge_after(&self) -> Option<Duration> {
        self.latencies.known_p95()
    }

    pub(super) fn begin(&mut self, attempt: AttemptId, cost: MicroUsd, now: Moment) {
        self.fuse.begin(attempt, now);
        self.budget.reserve(cost);
    }

    /// The first word came, or was waited for that long in vain.
    pub(super) fn first_token_took(&mut self, took: Duration) {
        self.latencies.record(took);
    }

    /// Every attempt is settled once, however it ended.
    pub(super) fn settle(&mut self, reserved: MicroUsd, usage: Usage, now: Moment) {
        self.budget.settle(reserved, self.budget.cost(usage), now);
        self.input_tokens += u64::from(usage.input_tokens);
        self.output_tokens += u64::from(usage.output_tokens);
    }

    pub(super) fn succeed(&mut self, attempt: AttemptId, now: Moment) {
        self.fuse.succeed(attempt);
        self.is_configured = true;
        self.answered_at = Some(now);
        self.has_failed_since = false;
        self.answers += 1;
    }

    pub(super) fn fail(&mut self, attempt: AttemptId, failure: &Failure, now: Moment) {
        self.fuse.fail(attempt, failure, now);
        self.is_configured = failure.kind != FailureKind::NotConfigured;
        if !self.is_configured {
            return;
        }
        self.has_failed_since |= !matches!(failure.kind, FailureKind::Rejected | FailureKind::WrongFinish);
        self.failures += 1;
        let said = if failure.detail.is_empty() { words::cause(failure.kind) } else { &failure.detail };
        self.last_failure = Some(said.to_owned());
    }

    /// An attempt was given up for a reason that is not the tier's.
    pub(super) fn give_up(&mut self, attempt: AttemptId) {
        self.fuse.give_up(attempt);
    }

    pub(super) fn view(&self, now: Moment) -> TierView {
        let rests = self.fuse.rests(now);
        let cause = match rests {
            _ if !self.is_configured => Some(words::cause(FailureKind::NotConfigured)),
            Some((_, kind)) => Some(words::cause(kind)),
            None if self.budget.is_spent(now) => Some(BUDGET_SPENT),
            None => None,
        };
        TierView {
            tier: self.config.tier,
            breaker: self.fuse.state(now),
            resting_because: cause.map(|cause| words::sentence(self.config.tier, cause)),
            rests_ms: self.rests_for(now).map(ms),
            is_healthy: self.is_healthy(now),
            answers: self.answers,
            failures: self.failures,
            last_failure: self.last_failure.clone(),
            first_token_ms_p50: self.latencies.p50().map(ms),
            first_token_ms_p95: self.latencies.p95().map(ms),
            first_token_deadline_ms: ms(self.first_token_deadline(now)),
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens,
            spent_usd: usd(self.budget.spent(now)),
            reserved_usd: usd(self.budget.reserved()),
            budget_usd: self.config.budget_usd,
        }
    }
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
