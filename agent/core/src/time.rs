//! Time as the rules see it: microseconds of CLOCK_BOOTTIME, which goes on while the machine sleeps.

use std::ops::{Add, Sub};
use std::time::Duration;

/// A moment on the agent's clock (CLOCK_BOOTTIME), in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BootTime(u64);

impl BootTime {
    /// From microseconds since the machine started.
    pub const fn from_us(us: u64) -> Self {
        Self(us)
    }

    /// From milliseconds since the machine started.
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms * 1000)
    }

    /// Microseconds since the machine started.
    pub const fn as_us(self) -> u64 {
        self.0
    }

    /// Milliseconds since the machine started, rounded down.
    pub const fn as_ms(self) -> u64 {
        self.0 / 1000
    }

    /// Time since `earlier`; zero when `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for BootTime {
    type Output = Self;
    fn add(self, rhs: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(rhs.as_micros()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Duration> for BootTime {
    type Output = Self;
    fn sub(self, rhs: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(rhs.as_micros()).unwrap_or(u64::MAX)))
    }
}
