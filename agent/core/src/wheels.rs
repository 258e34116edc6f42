//! Turns a speed of the body into speeds of its two wheels.

use firmware_bridge_link::message::WheelGoal;

/// Most a command may ask for now. All at least zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpeedLimits {
    /// Forward, m/s.
    pub forward_mps: f32,
    /// Backward, m/s.
    pub backward_mps: f32,
    /// Turn rate to either side, rad/s.
    pub angular_radps: f32,
}

/// A speed of the body.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BodySpeed {
    /// Forward, m/s.
    pub linear_mps: f32,
    /// Counter-clockwise, rad/s.
    pub angular_radps: f32,
}

impl BodySpeed {
    /// The limit of the direction it goes in, m/s.
    pub const fn linear_limit(self, limits: &SpeedLimits) -> f32 {
        if self.linear_mps < 0.0 { limits.backward_mps } else { limits.forward_mps }
    }

    /// The same curve, slow enough for `limits`: both parts shrink by one factor, so that a robot that is slowed down still
    /// drives where it was steered.
    pub fn clamped(self, limits: &SpeedLimits) -> Self {
        let factor = share(self.linear_mps, self.linear_limit(limits))
            .min(share(self.angular_radps, limits.angular_radps));
        if factor >= 1.0 {
            return self;
        }
        Self { linear_mps: self.linear_mps * factor, angular_radps: self.angular_radps * factor }
    }

    /// What the wheels do then. Anything that is not a finite number is a halt.
    pub fn to_wheels(self, track_m: f32) -> WheelGoal {
        let spin_mps = self.angular_radps * track_m / 2.0;
        let (left_mps, right_mps) = (self.linear_mps - spin_mps, self.linear_mps + spin_mps);
        if left_mps.is_finite() && right_mps.is_finite() {
            WheelGoal::Follow { left_mps, right_mps }
        } else {
            WheelGoal::Halt
        }
    }
}

/// The part of `wanted` that `max` allows, 0 to 1.
pub(crate) fn share(wanted: f32, max: f32) -> f32 {
    if wanted.abs() <= max { 1.0 } else { (max / wanted.abs()).max(0.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: SpeedLimits = SpeedLimits { forward_mps: 0.5, backward_mps: 0.2, angular_radps: 1.0 };

    fn check(wanted: (f32, f32), expected: (f32, f32)) {
        let speed = BodySpeed { linear_mps: wanted.0, angular_radps: wanted.1 }.clamped(&LIMITS);
        assert!((speed.linear_mps - expected.0).abs() < 1e-6, "{speed:?}");
        assert!((speed.angular_radps - expected.1).abs() < 1e-6, "{speed:?}");
    }

    #[test]
    fn leaves_what_is_within() {
        check((0.5, -1.0), (0.5, -1.0));
    }
    #[test]
    fn keeps_the_curve_when_too_fast() {
        check((1.0, 1.0), (0.5, 0.5));
    }
    #[test]
    fn keeps_the_curve_when_turning_too_fast() {
        check((0.4, 2.0), (0.2, 1.0));
    }
    #[test]
    fn has_its_own_limit_backwards() {
        check((-0.4, 0.5), (-0.2, 0.25));
    }
    #[test]
    fn a_zero_limit_halts_the_curve_but_not_a_turn_on_the_spot() {
        let limits = SpeedLimits { forward_mps: 0.0, ..LIMITS };
        let curve = BodySpeed { linear_mps: 0.3, angular_radps: 0.5 }.clamped(&limits);
        assert_eq!(curve, BodySpeed { linear_mps: 0.0, angular_radps: 0.0 });
        let spot = BodySpeed { linear_mps: 0.0, angular_radps: 0.5 };
        assert_eq!(spot.clamped(&limits), spot);
    }

    #[test]
    fn turning_left_drives_the_right_wheel() {
        let wheels = BodySpeed { linear_mps: 0.2, angular_radps: 1.0 }.to_wheels(0.2);
        assert_eq!(wheels, WheelGoal::Follow { left_mps: 0.1, right_mps: 0.3 });
    }
    #[test]
    fn what_is_no_number_is_a_halt() {
        assert_eq!(BodySpeed { linear_mps: f32::NAN, angular_radps: 0.0 }.to_wheels(0.2), WheelGoal::Halt);
    }
}
