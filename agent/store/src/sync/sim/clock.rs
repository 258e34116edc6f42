//! A robot's clocks: the one that does not jump begins anew at each boot, the wall clock may stand anywhere until a time server
//! has set it.

use cloud_sync_protocol::stamp::{ClockState, Stamp};
use cloud_sync_protocol::sync::op::stamp_of;

use super::chance::Chance;

/// A day, ms.
pub(super) const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Before anything.
pub(super) fn epoch() -> Stamp {
    stamp_of(0, 0, 0, ClockState::Unknown.as_u8())
}

/// The clocks of one robot.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    boot_id: u128,
    booted_ms: i64,
    /// Wall clock less the true time.
    offset_ms: i64,
    state: ClockState,
}

impl Clock {
    /// Just booted.
    pub(super) fn boot(now_ms: i64, chance: &mut Chance) -> Self {
        let offset_ms = match chance.between(0, 9) {
            // A board without a battery-backed clock.
            0..3 => -now_ms,
            3..5 => -60 * DAY_MS,
            5..7 => 20 * DAY_MS,
            // Where it was switched off, or nearly right.
            7 => -chance.ms(0, DAY_MS),
            _ => chance.ms(-2_000, 2_000),
        };
        Self { boot_id: chance.id(), booted_ms: now_ms, offset_ms, state: ClockState::Unknown }
    }

    /// A time server sets the wall clock.
    pub(super) fn is_set(&mut self, chance: &mut Chance) {
        (self.offset_ms, self.state) = (chance.ms(-1_000, 1_000), ClockState::Synced);
    }

    /// The time server is gone; the wall clock runs on, or somebody sets it by hand.
    pub(super) fn is_left_alone(&mut self, chance: &mut Chance) {
        self.state = chance.pick(&[ClockState::Holdover, ClockState::Unknown]);
        if chance.percent(30) {
            self.offset_ms = chance.pick(&[-60 * DAY_MS, 20 * DAY_MS, -DAY_MS, 3_600_000]);
        }
    }

    pub(super) fn now(&self, now_ms: i64) -> Stamp {
        let mono_ms = (now_ms - self.booted_ms).unsigned_abs();
        stamp_of(self.boot_id, mono_ms, now_ms + self.offset_ms, self.state.as_u8())
    }
}
