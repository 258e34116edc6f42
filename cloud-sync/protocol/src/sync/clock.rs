//! When an operation was written, by the server's clock. Clocks are advice: a wrong one never blocks, and decides nothing but
//! which of two edits that did not know of each other came later.

use crate::stamp::{ClockState, Stamp};

/// When something was written, as far as the server can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effective {
    /// ms since 1970, never after the server's now.
    pub ms: i64,
    /// No clock vouches for it: it stands between what the device wrote before and now.
    pub is_approx: bool,
}

/// When `written` was, seen from `now_ms`.
///
/// A wall clock counts where it was synchronised; else the age by the clock that does not jump, where `sent`, the moment of
/// sending, is of the same boot; else the wall clock within what is possible: not before `not_before_ms`, the device's newest
/// operation before this one, and not after now.
#[must_use]
pub fn effective(written: &Stamp, sent: &Stamp, now_ms: i64, not_before_ms: i64) -> Effective {
    let floor = not_before_ms.min(now_ms);
    let (ms, is_approx) = if written.clock == ClockState::Synced {
        (written.wall.as_millisecond(), false)
    } else if written.boot_id == sent.boot_id {
        let age = sent.mono_ms.saturating_sub(written.mono_ms);
        (now_ms.saturating_sub(i64::try_from(age).unwrap_or(i64::MAX)), false)
    } else {
        (written.wall.as_millisecond(), true)
    };
    // One device's operations follow each other, whatever its clocks did meanwhile.
    Effective { ms: ms.clamp(floor, now_ms), is_approx }
}

#[cfg(test)]
mod tests {
    use super::super::op::stamp_of;
    use super::*;

    #[test]
    fn the_clock_that_is_worth_most_decides_within_what_is_possible() {
        const NOW: i64 = 1_000_000;
        let check = |written: Stamp, sent: Stamp, floor, wanted: (i64, bool)| {
            let found = effective(&written, &sent, NOW, floor);
            assert_eq!((found.ms, found.is_approx), wanted, "{written:?} {sent:?} {floor}");
        };
        let sent = stamp_of(1, 5_000, 0, 2);
        // Synchronised: its wall clock, never after now, never before what came before.
        check(stamp_of(7, 0, 900_000, 0), sent, 0, (900_000, false));
        check(stamp_of(7, 0, 2_000_000, 0), sent, 0, (NOW, false));
        check(stamp_of(7, 0, 100, 0), sent, 500, (500, false));
        // Same boot: its age.
        check(stamp_of(1, 2_000, 0, 2), sent, 0, (NOW - 3_000, false));
        check(stamp_of(1, 9_000, 0, 2), sent, 0, (NOW, false));
        // Another boot, no clock: somewhere between.
        check(stamp_of(2, 2_000, 0, 2), sent, 700, (700, true));
        check(stamp_of(2, 2_000, 1_728_000_000, 1), sent, 700, (NOW, true));
        check(stamp_of(2, 2_000, 800_000, 1), sent, 700, (800_000, true));
        // A floor in the future is none.
        check(stamp_of(2, 2_000, 0, 2), sent, NOW + 5, (NOW, true));
    }
}
