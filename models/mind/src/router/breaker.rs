//! When a tier rests: after failures it is left alone for a while, then one request tries it, and what becomes of that one
//! decides.

use std::time::Duration;

use serde::Serialize;

use super::event::{AttemptId, Moment};
use crate::tier::{Failure, FailureKind};

const FAILURES_MAX: u32 = 3;
const REST_FIRST: Duration = Duration::from_secs(5);
const REST_MAX: Duration = Duration::from_secs(5 * 60);
/// A wrong key stays wrong until a person changes it.
const REST_UNAUTHORIZED: Duration = Duration::from_secs(10 * 60);
/// However long a tier asks to be left alone.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(10 * 60);

/// Whether a tier is asked now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Breaker {
    /// It is asked.
    Closed,
    /// It rests.
    Open,
    /// One request tries it.
    HalfOpen,
}

/// The breaker of a tier.
#[derive(Debug)]
pub(super) struct Fuse {
    failures_in_row: u32,
    /// `None`: closed.
    open_until: Option<Moment>,
    /// How long it rests the next time.
    rest: Duration,
    /// The attempt that tries it while it is half open.
    probe: Option<AttemptId>,
    /// What opened it.
    opened_by: Option<FailureKind>,
}

impl Fuse {
    pub(super) const fn new() -> Self {
        Self { failures_in_row: 0, open_until: None, rest: REST_FIRST, probe: None, opened_by: None }
    }

    pub(super) fn state(&self, now: Moment) -> Breaker {
        match self.open_until {
            None => Breaker::Closed,
            Some(until) if now < until => Breaker::Open,
            Some(_) => Breaker::HalfOpen,
        }
    }

    pub(super) fn lets_in(&self, now: Moment) -> bool {
        match self.state(now) {
            Breaker::Closed => true,
            Breaker::Open => false,
            Breaker::HalfOpen => self.probe.is_none(),
        }
    }

    /// How long it rests, and why; `None` while it is closed.
    pub(super) fn rests(&self, now: Moment) -> Option<(Duration, FailureKind)> {
        Some((self.open_until?.saturating_sub(now), self.opened_by?))
    }

    /// An attempt begins.
    pub(super) fn begin(&mut self, attempt: AttemptId, now: Moment) {
        if self.state(now) == Breaker::HalfOpen {
            self.probe = Some(attempt);
        }
    }

    /// Whether `attempt` is the one that tries the tier.
    pub(super) fn is_probe(&self, attempt: AttemptId) -> bool {
        self.probe == Some(attempt)
    }

    /// An attempt was given up, and says nothing about the tier.
    pub(super) fn give_up(&mut self, attempt: AttemptId) {
        if self.is_probe(attempt) {
            self.probe = None;
        }
    }

    /// An attempt succeeded. One that began before the tier rested does not wake it.
    pub(super) fn succeed(&mut self, attempt: AttemptId) {
        if self.open_until.is_none() || self.is_probe(attempt) {
            *self = Self::new();
        }
    }

    /// An attempt failed. What speaks of the question or of the set-up does not count.
    pub(super) fn fail(&mut self, attempt: AttemptId, failure: &Failure, now: Moment) {
        let was_probe = self.is_probe(attempt);
        self.give_up(attempt);
        let failures_max = match failure.kind {
            FailureKind::NotConfigured | FailureKind::Rejected | FailureKind::WrongFinish => return,
            FailureKind::Refused | FailureKind::Unauthorized | FailureKind::RateLimited => 1,
            _ => FAILURES_MAX,
        };
        // One of several that were under way when it opened: it neither adds to the rest nor doubles the next one, but a
        // wish to be left alone counts whenever it comes.
        let is_late = self.open_until.is_some() && !was_probe;
        let is_wish = matches!(failure.kind, FailureKind::Unauthorized | FailureKind::RateLimited);
        if is_late && !is_wish {
            return;
        }
        self.failures_in_row += 1;
        if !was_probe && self.failures_in_row < failures_max {
            return;
        }
        let rest = match (failure.kind, failure.retry_after) {
            (FailureKind::Unauthorized, _) => REST_UNAUTHORIZED,
            (FailureKind::RateLimited, Some(after)) => after.min(RETRY_AFTER_MAX),
            _ if is_late => REST_FIRST,
            _ => self.next_rest(),
        };
        let until = self.open_until.unwrap_or_default().max(now.saturating_add(rest));
        self.open_until = Some(until);
        self.opened_by = Some(failure.kind);
    }

    fn next_rest(&mut self) -> Duration {
        let rest = self.rest;
        self.rest = (rest * 2).min(REST_MAX);
        rest
    }
}
