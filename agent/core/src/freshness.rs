//! Freshness without clocks: a command shows the robot's own newest stamp, and the robot says how old that is.
//!
//! Also the tick-gap rule: after the agent stood still (process stopped, machine asleep) whatever waited in a socket's buffer
//! must show a fresh stamp before it may move or take anything.

use std::time::Duration;

use crate::refusal::Refusal;
use crate::request::{Freshness, Seen};
use crate::time::BootTime;

/// Longest time between two ticks that is not a gap.
pub const TICK_GAP_MAX: Duration = Duration::from_millis(100);
/// How long after a gap commands must show a stamp.
pub const AFTER_GAP: Duration = Duration::from_millis(500);
/// Age of `seen` that is accepted where the request names none.
pub const MAX_AGE_DEFAULT: Duration = Duration::from_millis(300);

/// What a stamp is judged against.
#[derive(Clone, Copy, Debug)]
pub struct Judge {
    run: u64,
    /// Requests received before this moment came in before or shortly after a gap.
    wary_until: BootTime,
}

impl Judge {
    /// A run without a gap so far.
    pub const fn new(run: u64) -> Self {
        Self { run, wary_until: BootTime::from_us(0) }
    }

    /// A gap ended now.
    pub fn gap_ended(&mut self, now: BootTime) {
        self.wary_until = now + AFTER_GAP;
    }

    /// Whether a command that moves something is fresh enough.
    ///
    /// # Errors
    /// [`Refusal::Stale`].
    pub fn judge(&self, freshness: &Freshness, received_at: BootTime, now: BootTime) -> Result<(), Refusal> {
        let max_age_ms = u64::try_from(freshness.max_age.as_millis()).unwrap_or(u64::MAX);
        let Some(seen) = freshness.seen else {
            if received_at < self.wary_until {
                return Err(Refusal::Stale { age_ms: None, max_age_ms });
            }
            return Ok(());
        };
        match self.age(seen, now) {
            Some(age) if age <= freshness.max_age => Ok(()),
            age => Err(Refusal::Stale {
                age_ms: age.map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX)),
                max_age_ms,
            }),
        }
    }

    /// Whether a take is fresh enough: of this run, and after a gap as fresh as a command.
    ///
    /// # Errors
    /// [`Refusal::Stale`].
    pub fn judge_take(
        &self,
        seen: Option<Seen>,
        received_at: BootTime,
        now: BootTime,
    ) -> Result<(), Refusal> {
        let freshness = Freshness { seen, max_age: MAX_AGE_DEFAULT };
        if received_at < self.wary_until {
            return self.judge(&freshness, received_at, now);
        }
        match seen {
            Some(seen) if seen.run != self.run => Err(Refusal::Stale {
                age_ms: None,
                max_age_ms: u64::try_from(MAX_AGE_DEFAULT.as_millis()).unwrap_or(u64::MAX),
            }),
            _ => Ok(()),
        }
    }

    /// Age of a stamp; `None` when it is another run's or from the future.
    fn age(&self, seen: Seen, now: BootTime) -> Option<Duration> {
        if seen.run != self.run {
            return None;
        }
        now.as_ms().checked_sub(seen.mono_ms).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: u64 = 7;

    fn check(run: u64, mono_ms: u64, max_age_ms: u64, now_ms: u64, accepted: bool) {
        let judge = Judge::new(RUN);
        let freshness =
            Freshness { seen: Some(Seen { run, mono_ms }), max_age: Duration::from_millis(max_age_ms) };
        let now = BootTime::from_ms(now_ms);
        assert_eq!(
            judge.judge(&freshness, now, now).is_ok(),
            accepted,
            "{run} {mono_ms} {max_age_ms} {now_ms}"
        );
    }

    #[test]
    fn accepts_a_young_stamp() {
        check(RUN, 1000, 300, 1000, true);
    }
    #[test]
    fn accepts_a_stamp_just_old_enough() {
        check(RUN, 1000, 300, 1300, true);
    }
    #[test]
    fn refuses_an_old_stamp() {
        check(RUN, 1000, 300, 1301, false);
    }
    #[test]
    fn refuses_a_stamp_from_the_future() {
        check(RUN, 1001, 300, 1000, false);
    }
    #[test]
    fn refuses_another_runs_stamp() {
        check(8, 1000, 300, 1000, false);
    }
    #[test]
    fn refuses_the_largest_stamp() {
        check(RUN, u64::MAX, 300, 1000, false);
    }

    fn check_after_gap(seen_ms: Option<u64>, received_ms: u64, now_ms: u64, accepted: bool) {
        let mut judge = Judge::new(RUN);
        judge.gap_ended(BootTime::from_ms(2000));
        let seen = seen_ms.map(|mono_ms| Seen { run: RUN, mono_ms });
        let freshness = Freshness { seen, max_age: Duration::from_millis(300) };
        let (received, now) = (BootTime::from_ms(received_ms), BootTime::from_ms(now_ms));
        assert_eq!(
            judge.judge(&freshness, received, now).is_ok(),
            accepted,
            "command {seen_ms:?} {received_ms} {now_ms}"
        );
        assert_eq!(
            judge.judge_take(seen, received, now).is_ok(),
            accepted,
            "take {seen_ms:?} {received_ms} {now_ms}"
        );
    }

    #[test]
    fn after_a_gap_a_stamp_is_needed() {
        // 500 ms long; what was received before the end of that counts, however late it is looked at.
        check_after_gap(None, 1999, 2000, false);
        check_after_gap(None, 2499, 2499, false);
        check_after_gap(None, 2499, 9000, false);
        check_after_gap(None, 2500, 2500, true);
        check_after_gap(Some(1900), 2010, 2010, true);
        check_after_gap(Some(1700), 2010, 2010, false);
    }
}
