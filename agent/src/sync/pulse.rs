//! How sync is doing, for health, metrics and whoever asks. Kept by the engine; says nothing about rows, which the store does.

use std::sync::{Arc, Mutex, PoisonError};

/// As it is now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// The cloud that the robot belongs to; `None` while it is not paired.
    pub cloud: Option<String>,
    /// The cloud answered the last time it was asked.
    pub is_connected: bool,
    /// Frames go over the broker.
    pub is_over_broker: bool,
    /// When both sides had the same the last time, ms since 1970 by this machine's clock.
    pub converged_ms: Option<i64>,
    /// What a person must look after; nothing while the cloud is only away.
    pub fault: Option<String>,
    /// Why the cloud did not answer the last time.
    pub away: Option<String>,
}

/// A handle on it.
#[derive(Clone, Debug, Default)]
pub struct Pulse(Arc<Mutex<Shown>>);

impl Pulse {
    /// As it is now.
    #[must_use]
    pub fn shown(&self) -> Shown {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Shown)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
