//! Where the robot is, from the distance its wheels have turned.
//!
//! The MCU counts micrometres since its own start. A new boot id, or a jump no wheel can make, starts a new baseline: the
//! pose stays where it was.

use std::f64::consts::{PI, TAU};

use firmware_bridge_link::message::Motion;

use crate::snapshot::Pose;

/// A wheel cannot have gone further between two telemetry frames, um: it would be a broken counter.
const STEP_UM_MAX: u64 = 5_000_000;

/// Adds up wheel distances.
#[derive(Clone, Copy, Debug)]
pub struct Odometry {
    track_m: f64,
    baseline: Option<Baseline>,
    pose: Pose,
    distance_m: f64,
    turned_rad: f64,
}

#[derive(Clone, Copy, Debug)]
struct Baseline {
    boot_id: u32,
    left_um: i64,
    right_um: i64,
}

impl Odometry {
    /// At the origin. `track_m`: distance between the wheels.
    pub fn new(track_m: f32) -> Self {
        Self {
            track_m: f64::from(track_m),
            baseline: None,
            pose: Pose::default(),
            distance_m: 0.0,
            turned_rad: 0.0,
        }
    }

    /// Takes the newest telemetry; the same frame twice changes nothing.
    pub fn update(&mut self, motion: &Motion) {
        let newest = Baseline { boot_id: motion.boot_id, left_um: motion.left_um, right_um: motion.right_um };
        let Some(before) = self.baseline.replace(newest).filter(|before| before.boot_id == newest.boot_id)
        else {
            return;
        };
        let left_um = newest.left_um.wrapping_sub(before.left_um);
        let right_um = newest.right_um.wrapping_sub(before.right_um);
        if left_um.unsigned_abs() > STEP_UM_MAX || right_um.unsigned_abs() > STEP_UM_MAX {
            return;
        }
        self.advance(metres(left_um), metres(right_um));
    }

    /// One step along an arc: the chord points along the mean heading (second order Runge-Kutta).
    fn advance(&mut self, left_m: f64, right_m: f64) {
        let forward_m = f64::midpoint(left_m, right_m);
        let turn_rad = (right_m - left_m) / self.track_m;
        let mean_rad = self.pose.heading_rad + turn_rad / 2.0;
        self.pose.x_m += forward_m * mean_rad.cos();
        self.pose.y_m += forward_m * mean_rad.sin();
        self.pose.heading_rad = wrapped(self.pose.heading_rad + turn_rad);
        self.distance_m += forward_m;
        self.turned_rad += turn_rad;
    }

    /// Where the robot is.
    pub const fn pose(&self) -> Pose {
        self.pose
    }

    /// Path length so far, backwards counted negative, m.
    pub const fn distance_m(&self) -> f64 {
        self.distance_m
    }

    /// Sum of all turns so far, counter-clockwise positive, not wrapped, rad.
    pub const fn turned_rad(&self) -> f64 {
        self.turned_rad
    }
}

/// Micrometres to metres; the step limit keeps it exact.
fn metres(um: i64) -> f64 {
    um as f64 / 1e6
}

/// Into -pi ..= pi.
fn wrapped(angle_rad: f64) -> f64 {
    let wrapped = (angle_rad + PI).rem_euclid(TAU) - PI;
    wrapped.clamp(-PI, PI)
}

#[cfg(test)]
mod tests {
    use super::*;
    use firmware_bridge_link::message::{Reason, State};

    fn motion(boot_id: u32, left_um: i64, right_um: i64) -> Motion {
        Motion {
            t_us: 0,
            boot_id,
            state: State::Armed,
            reason: Reason::None,
            left_mps: 0.0,
            right_mps: 0.0,
            left_um,
            right_um,
            setpoint_us: 0,
            setpoints_refused: 0,
            frames_lost: 0,
        }
    }

    fn check(frames: &[(u32, i64, i64)], x_m: f64, y_m: f64, heading_rad: f64) {
        let mut odometry = Odometry::new(0.2);
        for (boot_id, left_um, right_um) in frames {
            odometry.update(&motion(*boot_id, *left_um, *right_um));
        }
        let pose = odometry.pose();
        let near = |a: f64, b: f64| (a - b).abs() < 1e-6;
        assert!(
            near(pose.x_m, x_m) && near(pose.y_m, y_m) && near(pose.heading_rad, heading_rad),
            "{pose:?}"
        );
    }

    #[test]
    fn goes_straight() {
        check(&[(1, 0, 0), (1, 1_000_000, 1_000_000)], 1.0, 0.0, 0.0);
    }
    #[test]
    fn starts_where_the_counters_stand() {
        check(&[(1, 77_000_000, -5), (1, 77_500_000, 499_995)], 0.5, 0.0, 0.0);
    }
    #[test]
    fn turns_left_with_the_right_wheel_ahead() {
        check(&[(1, 0, 0), (1, -100_000, 100_000)], 0.0, 0.0, 1.0);
    }
    #[test]
    fn wraps_the_heading() {
        check(&[(1, 0, 0), (1, -200_000, 200_000), (1, -400_000, 400_000)], 0.0, 0.0, 4.0 - TAU);
    }
    #[test]
    fn stays_where_it_was_over_an_mcu_reset() {
        check(&[(1, 0, 0), (1, 1_000_000, 1_000_000), (2, 0, 0), (2, 500_000, 500_000)], 1.5, 0.0, 0.0);
    }
    #[test]
    fn ignores_a_counter_that_jumps() {
        check(&[(1, 0, 0), (1, i64::MAX, i64::MIN), (1, 0, 0), (1, 10, 10)], 0.00001, 0.0, 0.0);
    }
    #[test]
    fn counters_may_wrap() {
        check(&[(1, i64::MAX, i64::MAX), (1, i64::MIN + 999_999, i64::MIN + 999_999)], 1.0, 0.0, 0.0);
    }
}
