//! When a row was written, by every clock there is: a board without a battery-backed clock starts in 1970, or where it was
//! switched off.

use std::time::Duration;

use jiff::Timestamp;

/// How far the wall clock can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockState {
    /// Set by a time server since this boot.
    Synced,
    /// Was set once, and has been running on by itself since.
    Holdover,
    /// Never set since this boot.
    Unknown,
}

impl ClockState {
    /// As stored.
    #[must_use]
    pub const fn as_u8(self) -> u8 {
        match self {
            Self::Synced => 0,
            Self::Holdover => 1,
            Self::Unknown => 2,
        }
    }

    /// As stored; whatever is not known is not trusted.
    #[must_use]
    pub const fn from_u8(stored: u8) -> Self {
        match stored {
            0 => Self::Synced,
            1 => Self::Holdover,
            _ => Self::Unknown,
        }
    }
}

/// When something was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The kernel's boot id.
    pub boot_id: u128,
    /// CLOCK_BOOTTIME, ms.
    pub mono_ms: u64,
    /// Wall clock.
    pub wall: Timestamp,
    /// What the wall clock was worth.
    pub clock: ClockState,
}

impl Stamp {
    /// How long after `earlier` this is: by the clock that does not jump within one boot, else by the wall clocks where both
    /// were worth something, else none.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Duration {
        if self.boot_id == earlier.boot_id {
            return Duration::from_millis(self.mono_ms.saturating_sub(earlier.mono_ms));
        }
        if self.clock == ClockState::Unknown || earlier.clock == ClockState::Unknown {
            return Duration::ZERO;
        }
        let ms = self.wall.as_millisecond().saturating_sub(earlier.wall.as_millisecond());
        Duration::from_millis(ms.max(0).unsigned_abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_between_stamps_is_by_the_clock_that_is_worth_most() {
        // Same boot: the monotonic one. Another boot: the wall clocks, where both can be trusted; never backwards.
        let at = |boot_id, mono_ms, wall_s, clock| Stamp {
            boot_id,
            mono_ms,
            wall: Timestamp::from_second(wall_s).unwrap(),
            clock,
        };
        let check = |later: Stamp, earlier: Stamp, wanted_ms| {
            assert_eq!(later.since(&earlier), Duration::from_millis(wanted_ms), "{later:?} {earlier:?}");
        };
        use ClockState::{Holdover, Synced, Unknown};
        check(at(1, 5_000, 0, Unknown), at(1, 2_000, 900, Synced), 3_000);
        check(at(1, 2_000, 0, Unknown), at(1, 5_000, 0, Unknown), 0);
        check(at(2, 10, 1_000, Holdover), at(1, 9_000, 990, Synced), 10_000);
        check(at(2, 10, 990, Synced), at(1, 9_000, 1_000, Synced), 0);
        check(at(2, 10, 1_000, Unknown), at(1, 9_000, 990, Synced), 0);
    }
}
