//! When something is written, by every clock of this board.

use std::sync::Arc;

use cloud_sync_protocol::stamp::{ClockState, Stamp};
use jiff::Timestamp;

use crate::os;

/// Before this the wall clock of a board without a battery stands in 1970, or where it was switched off: 2025-01-01.
const PLAUSIBLE_S: i64 = 1_735_689_600;

/// The wall clock, where it can be trusted at all.
pub fn wall_clock() -> Option<Timestamp> {
    let wall = Timestamp::now();
    (state_of(wall) != ClockState::Unknown).then_some(wall)
}

fn state_of(wall: Timestamp) -> ClockState {
    match (os::is_clock_synced(), wall.as_second() >= PLAUSIBLE_S) {
        (true, _) => ClockState::Synced,
        (false, true) => ClockState::Holdover,
        (false, false) => ClockState::Unknown,
    }
}

/// Reads every clock there is.
pub fn clock() -> Arc<dyn Fn() -> Stamp + Send + Sync> {
    let boot_id = os::boot_id();
    Arc::new(move || {
        let wall = Timestamp::now();
        Stamp { boot_id, mono_ms: os::boot_time().as_ms(), wall, clock: state_of(wall) }
    })
}
