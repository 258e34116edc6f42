//! Motors, wheels and encoders of both sides.
//!
//! A driven wheel follows its order as a first-order lag, so it never accelerates harder than the ramp it follows; a
//! braked one is short-circuited; an unpowered one rolls out. Wheels slip on the ground by a small share that changes
//! ten times a second, so that odometry drifts as it does on a floor. Encoders count whole ticks of the rim.

use firmware_bridge_controller::Outputs;

use super::Defects;
use super::noise::Noise;
use crate::profile::BodyProfile;

/// Slip is drawn anew this often, us.
const SLIP_US: u64 = 100_000;
/// Below this an undriven wheel stands: friction holds it. m/s.
const STICK_MPS: f64 = 1e-4;
/// Friction in gears and bearings while braked, m/s².
const BRAKE_FRICTION_MPS2: f64 = 1.0;

/// What the motor bridges do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Power {
    /// Each wheel is held at a speed, m/s.
    Driven {
        /// Left.
        left_mps: f64,
        /// Right.
        right_mps: f64,
    },
    /// Motors short-circuited.
    Braked,
    /// Motors unpowered.
    Rolling,
}

impl Power {
    pub(crate) fn of(outputs: &Outputs) -> Self {
        if outputs.brake {
            return Self::Braked;
        }
        if !outputs.enabled {
            return Self::Rolling;
        }
        Self::Driven { left_mps: f64::from(outputs.left_mps), right_mps: f64::from(outputs.right_mps) }
    }
}

/// Way over the ground.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Turned {
    pub(crate) forward_m: f64,
    pub(crate) turn_rad: f64,
}

/// Both sides.
#[derive(Clone, Debug)]
pub(crate) struct DriveTrain {
    left: Side,
    right: Side,
    track_m: f64,
    lag_s: f64,
    rolling_mps2: f64,
    slip_max: f64,
    next_slip_us: u64,
    tick_um: f64,
    /// Speed and emergency deceleration at which the motors draw their full current.
    full: (f64, f64),
}

#[derive(Clone, Debug, Default)]
struct Side {
    speed_mps: f64,
    /// Change of speed in the last piece, m/s².
    acceleration_mps2: f64,
    powered: bool,
    slip: f64,
    /// Way of the rim since the start, um.
    way_um: f64,
    /// Way that the encoder missed while it was stuck, or that was before the counter's restart, um.
    uncounted_um: f64,
}

impl DriveTrain {
    pub(crate) fn new(profile: &BodyProfile, noise: &mut Noise) -> Self {
        let wheels = &profile.wheels;
        let slip_max = f64::from(wheels.slip_max);
        Self {
            left: Side { slip: slip_max * noise.share(), ..Side::default() },
            right: Side { slip: slip_max * noise.share(), ..Side::default() },
            track_m: f64::from(profile.track_m),
            lag_s: f64::from(wheels.motor_lag_ms) * 1e-3,
            rolling_mps2: f64::from(wheels.mps_max) / (f64::from(wheels.coast_ms) * 1e-3),
            slip_max,
            next_slip_us: SLIP_US,
            tick_um: f64::from(wheels.encoder_tick_um),
            full: (f64::from(wheels.mps_max), f64::from(wheels.emergency_mps2)),
        }
    }

    /// Lets `dt_s` pass and says how far that took the body.
    pub(crate) fn pass(
        &mut self,
        dt_s: f64,
        now_us: u64,
        power: Power,
        defects: &Defects,
        noise: &mut Noise,
    ) -> Turned {
        if now_us >= self.next_slip_us {
            self.next_slip_us = now_us + SLIP_US;
            self.left.slip = self.slip_max * noise.share();
            self.right.slip = self.slip_max * noise.share();
        }
        let (lag_s, rolling_mps2) = (self.lag_s, self.rolling_mps2);
        let next = |speed_mps: f64, goal_mps: Option<f64>| match (power, goal_mps) {
            (Power::Driven { .. }, Some(goal_mps)) => driven(speed_mps, goal_mps, lag_s, dt_s),
            (Power::Braked, _) => braked(speed_mps, lag_s / 2.0, dt_s),
            _ => rolling(speed_mps, rolling_mps2, dt_s),
        };
        let (left_goal, right_goal) = match power {
            Power::Driven { left_mps, right_mps } => (Some(left_mps), Some(right_mps)),
            _ => (None, None),
        };
        let left_mps = next(self.left.speed_mps, left_goal);
        let right_mps = next(self.right.speed_mps, right_goal);
        let left_m = self.left.turn(left_mps, dt_s, left_goal.is_some(), defects.left_encoder_stuck);
        let right_m = self.right.turn(right_mps, dt_s, right_goal.is_some(), defects.right_encoder_stuck);
        Turned { forward_m: (left_m + right_m) / 2.0, turn_rad: (right_m - left_m) / self.track_m }
    }

    /// What the encoders have counted, um, left and right.
    pub(crate) fn counted_um(&self) -> (i64, i64) {
        (self.left.counted_um(self.tick_um), self.right.counted_um(self.tick_um))
    }

    pub(crate) fn restart_counters(&mut self) {
        self.left.uncounted_um = self.left.way_um;
        self.right.uncounted_um = self.right.way_um;
    }

    /// Speeds of the rims, m/s, left and right.
    pub(crate) fn speeds_mps(&self) -> (f64, f64) {
        (self.left.speed_mps, self.right.speed_mps)
    }

    pub(crate) fn forward_mps(&self) -> f64 {
        (self.left.speed_mps + self.right.speed_mps) / 2.0
    }

    /// How hard the motors work: shares of full speed, and of full acceleration away from standstill, both sides
    /// together (0 to 2 each). Slowing down costs nothing.
    pub(crate) fn effort(&self) -> (f64, f64) {
        let (left, right) = (self.left.effort(self.full), self.right.effort(self.full));
        (left.0 + right.0, left.1 + right.1)
    }
}

impl Side {
    /// Takes on a new speed and returns the way over the ground, m.
    fn turn(&mut self, speed_mps: f64, dt_s: f64, powered: bool, encoder_stuck: bool) -> f64 {
        let rim_m = (self.speed_mps + speed_mps) / 2.0 * dt_s;
        self.acceleration_mps2 = (speed_mps - self.speed_mps) / dt_s;
        self.speed_mps = speed_mps;
        self.powered = powered;
        self.way_um += rim_m * 1e6;
        if encoder_stuck {
            self.uncounted_um += rim_m * 1e6;
        }
        rim_m * (1.0 - self.slip)
    }

    fn counted_um(&self, tick_um: f64) -> i64 {
        // A millionth of a tick against rounding: a stuck encoder must not tremble between two counts.
        let ticks = ((self.way_um - self.uncounted_um) / tick_um + 1e-6).floor();
        (ticks * tick_um) as i64
    }

    fn effort(&self, (full_mps, full_mps2): (f64, f64)) -> (f64, f64) {
        if !self.powered {
            return (0.0, 0.0);
        }
        let push_mps2 = self.acceleration_mps2 * self.speed_mps.signum();
        (self.speed_mps.abs() / full_mps, push_mps2.max(0.0) / full_mps2)
    }
}

/// Exact solution of the lag for a goal that stays the same.
fn driven(speed_mps: f64, goal_mps: f64, lag_s: f64, dt_s: f64) -> f64 {
    let next_mps = goal_mps + (speed_mps - goal_mps) * (-dt_s / lag_s).exp();
    if goal_mps == 0.0 && next_mps.abs() < STICK_MPS { 0.0 } else { next_mps }
}

/// Back EMF into a short circuit, and friction.
fn braked(speed_mps: f64, lag_s: f64, dt_s: f64) -> f64 {
    rolling(speed_mps * (-dt_s / lag_s).exp(), BRAKE_FRICTION_MPS2, dt_s)
}

/// Friction alone.
fn rolling(speed_mps: f64, friction_mps2: f64, dt_s: f64) -> f64 {
    let left_mps = speed_mps.abs() - friction_mps2 * dt_s;
    if left_mps < STICK_MPS { 0.0 } else { left_mps.copysign(speed_mps) }
}
