//! A `move`: how fast to go towards its end, and when it has arrived or got stuck.
//!
//! The speed follows the square root law `v = sqrt(2 a rest)`, as planners of machine tools do, with the way that the motors'
//! lag still covers taken off the rest. The MCU's ramps do the accelerating.

use std::time::Duration;

use crate::odometry::Odometry;
use crate::profile::Profile;
use crate::request::Travel;
use crate::time::BootTime;
use crate::wheels::{BodySpeed, SpeedLimits};

/// Longest a `move` may last.
pub const DEADLINE_MAX: Duration = Duration::from_secs(30);
/// Time without progress after which a `move` is blocked.
const BLOCKED_AFTER: Duration = Duration::from_secs(1);
/// Part of the deceleration that the profile plans with: the rest is margin for slip and telemetry delay.
const DECELERATION_SHARE: f64 = 0.7;
/// Time from wheel to report to the wheel again, besides the motors' lag, s.
const REPORT_DELAY_S: f64 = 0.02;

/// Distances and rates of one kind of travel: metres or radians.
#[derive(Clone, Copy, Debug)]
struct Scale {
    tolerance: f64,
    creep_per_s: f64,
    progress: f64,
}

const STRAIGHT: Scale = Scale { tolerance: 0.005, creep_per_s: 0.03, progress: 0.005 };
const SPOT: Scale = Scale { tolerance: 0.01, creep_per_s: 0.1, progress: 0.01 };

/// A `move` under way.
#[derive(Clone, Copy, Debug)]
pub struct Journey {
    is_turn: bool,
    scale: Scale,
    goal: f64,
    start: f64,
    cruise: f64,
    acceleration: f64,
    lag_s: f64,
    nearest: f64,
    nearest_at: BootTime,
}

/// How a `move` stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Progress {
    /// Go on at this speed.
    Going(BodySpeed),
    /// Within tolerance of the end.
    Arrived,
    /// No progress for a second.
    Blocked,
}

impl Journey {
    /// Starts from where the odometry stands now.
    pub fn new(travel: Travel, profile: &Profile, odometry: &Odometry, now: BootTime) -> Self {
        let linear_mps2 = f64::from(profile.acceleration_mps2);
        let (is_turn, scale, goal, cruise, hard_limit, acceleration) = match travel {
            Travel::Distance { distance_m, speed_mps } => {
                (false, STRAIGHT, distance_m, speed_mps, profile.linear_mps_max, linear_mps2)
            }
            Travel::Turn { angle_rad, speed_radps } => {
                let angular_radps2 = linear_mps2 / (f64::from(profile.track_m) / 2.0);
                (true, SPOT, angle_rad, speed_radps, profile.angular_radps_max, angular_radps2)
            }
        };
        let goal = f64::from(goal);
        Self {
            is_turn,
            scale,
            goal,
            start: position(is_turn, odometry),
            cruise: f64::from(cruise.unwrap_or(hard_limit / 2.0)),
            acceleration: acceleration * DECELERATION_SHARE,
            lag_s: f64::from(profile.motor_lag_ms) / 1000.0 + REPORT_DELAY_S,
            nearest: goal.abs(),
            nearest_at: now,
        }
    }

    /// The longest it may take: twice the planned time and a second, at most 30 s. `limits`: the envelope at its start.
    pub fn deadline(&self, limits: &SpeedLimits) -> Duration {
        let limit = if self.is_turn {
            limits.angular_radps
        } else if self.goal < 0.0 {
            limits.backward_mps
        } else {
            limits.forward_mps
        };
        let cruise = self.cruise.min(f64::from(limit));
        let way = self.goal.abs();
        let ramp = cruise * cruise / self.acceleration;
        let planned_s = if way < ramp {
            2.0 * (way / self.acceleration).sqrt()
        } else {
            way / cruise + cruise / self.acceleration
        };
        // Without any speed the plan is endless, or undefined for no way at all.
        Duration::try_from_secs_f64(2.0 * planned_s + 1.0)
            .map_or(DEADLINE_MAX, |deadline| deadline.min(DEADLINE_MAX))
    }

    /// What to do now. `measured`: the body's speed by its encoders.
    pub fn advance(&mut self, odometry: &Odometry, measured: BodySpeed, now: BootTime) -> Progress {
        let rest = self.rest(odometry);
        if rest.abs() <= self.scale.tolerance {
            return Progress::Arrived;
        }
        if rest.abs() < self.nearest - self.scale.progress {
            self.nearest = rest.abs();
            self.nearest_at = now;
        } else if now.since(self.nearest_at) > BLOCKED_AFTER {
            return Progress::Blocked;
        }
        let moving = f64::from(if self.is_turn { measured.angular_radps } else { measured.linear_mps });
        let brakes_over = (rest.abs() - (moving * rest.signum()).max(0.0) * self.lag_s).max(0.0);
        let speed =
            (2.0 * self.acceleration * brakes_over).sqrt().max(self.scale.creep_per_s).min(self.cruise)
                * rest.signum();
        Progress::Going(self.body_speed(speed as f32))
    }

    /// How much of the way is done, 0 to 1.
    pub fn share(&self, odometry: &Odometry) -> f32 {
        if self.goal == 0.0 {
            return 1.0;
        }
        (1.0 - self.rest(odometry) / self.goal).clamp(0.0, 1.0) as f32
    }

    fn rest(&self, odometry: &Odometry) -> f64 {
        self.goal - (position(self.is_turn, odometry) - self.start)
    }

    const fn body_speed(&self, speed: f32) -> BodySpeed {
        if self.is_turn {
            BodySpeed { linear_mps: 0.0, angular_radps: speed }
        } else {
            BodySpeed { linear_mps: speed, angular_radps: 0.0 }
        }
    }
}

const fn position(is_turn: bool, odometry: &Odometry) -> f64 {
    if is_turn { odometry.turned_rad() } else { odometry.distance_m() }
}
