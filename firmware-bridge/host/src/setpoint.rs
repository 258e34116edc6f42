//! The setpoint's one place: the latest wins, a new goal at most every 5 ms, and as seldom a repeat of what was sent last.
//!
//! A repeat never holds back a new goal, and nothing holds back standing still: neither a halt nor a driver's own zero.

use firmware_bridge_link::limits::clamp_ttl_ms;
use firmware_bridge_link::message::{Setpoint, WheelGoal};

/// Least time between two new goals, and from any motion to its repeat, us: clients that ask thousands of times a second
/// for the same get no more frames than others.
const APART_US: u64 = 5_000;

/// The newest setpoint that has not gone out, and what went out before.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SetpointSlot {
    waiting: Option<Waiting>,
    sent: Option<WheelGoal>,
    new_goal_at_us: Option<u64>,
    sent_at_us: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    setpoint: Setpoint,
    ends_at_us: u64,
}

impl SetpointSlot {
    /// Takes the newest setpoint. Its `sent_at_us` is the time of this call, so that whatever delays the frame from
    /// here on shortens the motion instead of prolonging it.
    pub(crate) fn set(&mut self, now_us: u64, setpoint: Setpoint) {
        let ends_at_us = now_us.saturating_add(u64::from(clamp_ttl_ms(setpoint.ttl_ms)) * 1_000);
        self.waiting = Some(Waiting { setpoint, ends_at_us });
    }

    /// When the waiting setpoint may go out, host us.
    pub(crate) fn due_us(&self) -> Option<u64> {
        let waiting = self.waiting?;
        let goal = waiting.setpoint.wheels;
        let is_repeat = Some(goal) == self.sent;
        // A zero that is only repeated waits like any repeat: it changes nothing.
        if goal == WheelGoal::Halt || (stands(goal) && !is_repeat) {
            return Some(0);
        }
        let before_us = if is_repeat { self.sent_at_us } else { self.new_goal_at_us };
        Some(before_us.map_or(0, |at| at + APART_US))
    }

    /// The setpoint to send now. One whose time is over is dropped.
    pub(crate) fn take(&mut self, now_us: u64) -> Option<Setpoint> {
        if self.due_us()? > now_us {
            return None;
        }
        let waiting = self.waiting.take()?;
        if waiting.ends_at_us <= now_us {
            return None;
        }
        let goal = waiting.setpoint.wheels;
        self.sent_at_us = Some(now_us);
        if self.sent != Some(goal) {
            self.new_goal_at_us = Some(now_us);
            self.sent = Some(goal);
        }
        Some(waiting.setpoint)
    }

    /// Drops a waiting motion; a waiting halt stays.
    pub(crate) fn drop_motion(&mut self) {
        self.waiting = self.waiting.filter(|waiting| waiting.setpoint.wheels == WheelGoal::Halt);
    }

    /// Nothing waits and nothing was sent: another MCU listens now.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }
}

fn stands(goal: WheelGoal) -> bool {
    match goal {
        WheelGoal::Halt => true,
        WheelGoal::Follow { left_mps, right_mps } => left_mps == 0.0 && right_mps == 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow(speed: f32) -> WheelGoal {
        WheelGoal::Follow { left_mps: speed, right_mps: speed }
    }

    /// Setpoints offered at times in ms; what went out when, with the slot asked every ms.
    #[track_caller]
    fn check(offered: &[(u64, WheelGoal)], want: &[(u64, WheelGoal)]) {
        let mut slot = SetpointSlot::default();
        let mut sent = Vec::new();
        for ms in 0..100 {
            for (_, goal) in offered.iter().filter(|(at, _)| *at == ms) {
                slot.set(ms * 1_000, Setpoint { sent_at_us: 0, ttl_ms: 100, wheels: *goal });
            }
            sent.extend(slot.take(ms * 1_000).map(|setpoint| (ms, setpoint.wheels)));
        }
        assert_eq!(sent, want);
    }

    #[test]
    fn new_goals_keep_5_ms_apart_and_the_latest_wins() {
        let (a, b, c, halt) = (follow(0.1), follow(0.2), follow(0.3), WheelGoal::Halt);
        check(&[(0, a)], &[(0, a)]);
        check(&[(0, a), (1, b)], &[(0, a), (5, b)]);
        check(&[(0, a), (1, b), (3, c)], &[(0, a), (5, c)]);
        check(&[(0, a), (2, a), (3, a)], &[(0, a), (5, a)]);
        check(&[(0, a), (6, a), (7, b)], &[(0, a), (6, a), (7, b)]);
        check(&[(0, a), (1, b), (6, b)], &[(0, a), (5, b), (10, b)]);
        check(&[(0, halt), (1, halt)], &[(0, halt), (1, halt)]);
        check(&[(0, a), (1, follow(0.0))], &[(0, a), (1, follow(0.0))]);
        check(&[(0, a), (1, follow(0.0)), (2, follow(0.0))], &[(0, a), (1, follow(0.0)), (6, follow(0.0))]);
        check(&[(0, a), (1, follow(0.0)), (2, b)], &[(0, a), (1, follow(0.0)), (6, b)]);
        check(&[(0, a), (1, halt)], &[(0, a), (1, halt)]);
        check(&[(0, a), (1, b), (2, halt)], &[(0, a), (2, halt)]);
        check(&[(0, halt), (1, a)], &[(0, halt), (5, a)]);
        check(&[(0, a), (0, b)], &[(0, b)]);
    }

    #[test]
    fn a_setpoint_whose_time_is_over_never_goes_out() {
        let mut slot = SetpointSlot::default();
        slot.set(0, Setpoint { sent_at_us: 0, ttl_ms: 60, wheels: follow(0.1) });
        assert_eq!(slot.take(60_000), None);
        assert_eq!(slot.due_us(), None);
    }
}
