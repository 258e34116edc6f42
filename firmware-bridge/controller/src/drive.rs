//! Setpoints, their ends, and the ramps: the only place where a speed comes from.
//!
//! A setpoint is judged here (age, order, numbers) and kept for bookkeeping in every state; it becomes a goal only
//! while armed. Whatever is not a live setpoint of the host is a halt with the emergency deceleration.

use firmware_bridge_link::limits::{clamp_to, deadline_us, ramp_mps, stopping_time_us};
use firmware_bridge_link::message::{Limits, Setpoint, WheelGoal};

/// A send time further ahead of our clock than this is not believed; the time of arrival is taken instead.
const AHEAD_US_MAX: u64 = 50_000;
/// A control step that comes late speeds up by no more than this long would have.
const STEP_US_MAX: u64 = 20_000;
/// How long after its computed end a halt is cut short.
const RAMP_SLACK_US: u64 = 20_000;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Wheels {
    pub(crate) left_mps: f32,
    pub(crate) right_mps: f32,
}

impl Wheels {
    pub(crate) const STILL: Self = Self { left_mps: 0.0, right_mps: 0.0 };

    fn fastest_mps(&self) -> f32 {
        self.left_mps.abs().max(self.right_mps.abs())
    }

    /// Slowed so that neither wheel exceeds `most_mps`, on the same path: both wheels by the same factor.
    fn within(self, most_mps: f32) -> Self {
        let fastest = self.fastest_mps();
        if fastest <= most_mps {
            return self;
        }
        let factor = most_mps / fastest;
        Self {
            left_mps: clamp_to(self.left_mps * factor, most_mps),
            right_mps: clamp_to(self.right_mps * factor, most_mps),
        }
    }
}

/// What became of a setpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judged {
    Accepted,
    /// The newest one once more: not counted, does nothing.
    Duplicate,
    Refused,
}

#[derive(Clone, Copy, Debug)]
struct Accepted {
    /// As it stood in the frame.
    sent_at_us: u64,
    /// The same, or the arrival where that was not believable; nothing older is accepted any more.
    order_us: u64,
    arrived_at_us: u64,
    standstill: bool,
}

#[derive(Clone, Copy, Debug)]
struct Live {
    goal: Wheels,
    deadline_us: u64,
}

#[derive(Debug)]
pub(crate) struct Drive {
    newest: Option<Accepted>,
    /// Only ever set while armed.
    live: Option<Live>,
    ramp: Wheels,
    /// Since when the wheels have been halting with the emergency deceleration, and when that must be over.
    halt_ends_us: Option<u64>,
    stepped_at_us: Option<u64>,
}

impl Drive {
    pub(crate) fn new() -> Self {
        Self { newest: None, live: None, ramp: Wheels::STILL, halt_ends_us: None, stepped_at_us: None }
    }

    /// Takes a setpoint that arrived now. It moves something only if `armed`. The first of two with the same send time
    /// counts.
    pub(crate) fn take(&mut self, now_us: u64, setpoint: &Setpoint, limits: &Limits, armed: bool) -> Judged {
        let goal = match setpoint.wheels {
            WheelGoal::Halt => None,
            WheelGoal::Follow { left_mps, right_mps } => {
                if !left_mps.is_finite() || !right_mps.is_finite() {
                    return Judged::Refused;
                }
                Some(Wheels { left_mps, right_mps })
            }
        };
        let deadline_us = deadline_us(setpoint.sent_at_us, now_us, setpoint.ttl_ms);
        if deadline_us <= now_us {
            return Judged::Refused;
        }
        let believable = setpoint.sent_at_us <= now_us.saturating_add(AHEAD_US_MAX);
        let order_us = if believable { setpoint.sent_at_us } else { now_us };
        if let Some(newest) = self.newest {
            if setpoint.sent_at_us == newest.sent_at_us {
                return Judged::Duplicate;
            }
            if order_us < newest.order_us {
                return Judged::Refused;
            }
        }
        let standstill = goal.is_none_or(|goal| goal == Wheels::STILL);
        let sent_at_us = setpoint.sent_at_us;
        self.newest = Some(Accepted { sent_at_us, order_us, arrived_at_us: now_us, standstill });
        match goal {
            Some(goal) if armed => {
                self.live = Some(Live { goal, deadline_us });
                self.halt_ends_us = None;
            }
            _ => self.halt(now_us, limits),
        }
        Judged::Accepted
    }

    /// Drops the goal; the wheels halt with the emergency deceleration. Halting already, the end stays.
    pub(crate) fn halt(&mut self, now_us: u64, limits: &Limits) {
        self.live = None;
        if self.halt_ends_us.is_none() {
            let ramp_us = stopping_time_us(self.ramp.fastest_mps(), limits.emergency_mps2);
            self.halt_ends_us = Some(now_us.saturating_add(ramp_us).saturating_add(RAMP_SLACK_US));
        }
    }

    /// Ends a goal whose time is over.
    pub(crate) fn end_overdue(&mut self, now_us: u64, limits: &Limits) {
        if self.live.is_some_and(|live| live.deadline_us <= now_us) {
            self.halt(now_us, limits);
        }
    }

    /// When the goal in force ends.
    pub(crate) fn deadline_us(&self) -> Option<u64> {
        self.live.map(|live| live.deadline_us)
    }

    /// When the hold is over, counted from the newest accepted setpoint.
    pub(crate) fn hold_ends_us(&self, limits: &Limits) -> u64 {
        self.newest.map_or(0, |newest| newest.arrived_at_us.saturating_add(u64::from(limits.hold_ms) * 1_000))
    }

    /// Whether the newest accepted setpoint is a standstill and not older than the hold.
    pub(crate) fn is_neutral(&self, now_us: u64, limits: &Limits) -> bool {
        self.newest.is_some_and(|newest| newest.standstill) && now_us < self.hold_ends_us(limits)
    }

    /// Send time of the newest accepted setpoint, 0 before the first.
    pub(crate) fn newest_us(&self) -> u64 {
        self.newest.map_or(0, |newest| newest.sent_at_us)
    }

    /// The goal before the ramp, within `most_mps`.
    pub(crate) fn target(&self, most_mps: f32) -> Wheels {
        self.live.map_or(Wheels::STILL, |live| live.goal.within(most_mps))
    }

    pub(crate) fn ramp(&self) -> Wheels {
        self.ramp
    }

    /// Moves the ramp on to now.
    pub(crate) fn step(&mut self, now_us: u64, limits: &Limits, most_mps: f32) {
        let step_us = self.stepped_at_us.map_or(0, |last| now_us.saturating_sub(last));
        self.stepped_at_us = Some(now_us);
        if self.halt_ends_us.is_some_and(|end| end <= now_us) {
            self.ramp = Wheels::STILL;
            return;
        }
        // A late step slows by all the time that passed, but never jumps ahead.
        let late = if step_us > STEP_US_MAX { STEP_US_MAX as f32 / step_us as f32 } else { 1.0 };
        let acceleration = limits.acceleration_mps2 * late;
        let deceleration = match self.live {
            Some(_) => limits.acceleration_mps2,
            None => limits.emergency_mps2,
        };
        let target = self.target(most_mps);
        let next = |speed, goal| ramp_mps(speed, goal, acceleration, deceleration, step_us);
        self.ramp = Wheels {
            left_mps: next(self.ramp.left_mps, target.left_mps),
            right_mps: next(self.ramp.right_mps, target.right_mps),
        };
    }
}
