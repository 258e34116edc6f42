//! How fast a tier's first words come, and how long it is waited for them.

use std::time::Duration;

const SAMPLES: usize = 64;
const SAMPLES_MIN: usize = 8;
const DEADLINE_MIN: Duration = Duration::from_millis(500);

/// The last times to the first word.
#[derive(Debug)]
pub(super) struct Latencies {
    ring: Vec<Duration>,
    next: usize,
    p50: Option<Duration>,
    p95: Option<Duration>,
}

impl Latencies {
    pub(super) fn new() -> Self {
        Self { ring: Vec::with_capacity(SAMPLES), next: 0, p50: None, p95: None }
    }

    /// A first word came after `took`, or was waited for that long: else a tier that has become slower would fail for ever.
    pub(super) fn record(&mut self, took: Duration) {
        if self.ring.len() < SAMPLES {
            self.ring.push(took);
        } else {
            self.ring[self.next] = took;
        }
        self.next = (self.next + 1) % SAMPLES;
        let mut sorted = self.ring.clone();
        sorted.sort_unstable();
        let rank =
            |percent: usize| sorted.get((sorted.len() * percent).div_ceil(100).saturating_sub(1)).copied();
        (self.p50, self.p95) = (rank(50), rank(95));
    }

    pub(super) const fn p50(&self) -> Option<Duration> {
        self.p50
    }

    pub(super) const fn p95(&self) -> Option<Duration> {
        self.p95
    }

    /// The 95th percentile, where enough is known to act on it.
    pub(super) fn known_p95(&self) -> Option<Duration> {
        self.p95.filter(|_| self.ring.len() >= SAMPLES_MIN)
    }

    /// How long the first word is waited for.
    pub(super) fn deadline(&self, configured: Duration) -> Duration {
        self.known_p95().map_or(configured, |p95| (p95 * 2).max(DEADLINE_MIN).min(configured))
    }
}
