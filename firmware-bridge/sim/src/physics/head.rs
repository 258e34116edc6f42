//! A head on two servos that turn at one speed and report where they are.

use firmware_bridge_controller::Outputs;

use crate::profile::HeadProfile;

/// Step of the servos' own sensors, rad.
const STEP_RAD: f64 = 0.001;

#[derive(Clone, Debug)]
pub(crate) struct Head {
    fitted: bool,
    slew_radps: f64,
    limits_rad: (f64, f64),
    pan_rad: f64,
    tilt_rad: f64,
    turns: bool,
}

impl Head {
    pub(crate) fn new(profile: &HeadProfile) -> Self {
        Self {
            fitted: profile.fitted,
            slew_radps: f64::from(profile.slew_radps),
            limits_rad: (f64::from(profile.pan_rad_max), f64::from(profile.tilt_rad_max)),
            pan_rad: 0.0,
            tilt_rad: 0.0,
            turns: false,
        }
    }

    /// Servos are powered with the motors; without power their gears hold them.
    pub(crate) fn pass(&mut self, dt_s: f64, outputs: &Outputs) {
        self.turns = false;
        if !self.fitted || !outputs.enabled {
            return;
        }
        let step_rad = self.slew_radps * dt_s;
        let pan_rad = towards(self.pan_rad, f64::from(outputs.pan_rad), self.limits_rad.0, step_rad);
        let tilt_rad = towards(self.tilt_rad, f64::from(outputs.tilt_rad), self.limits_rad.1, step_rad);
        self.turns = pan_rad != self.pan_rad || tilt_rad != self.tilt_rad;
        (self.pan_rad, self.tilt_rad) = (pan_rad, tilt_rad);
    }

    pub(crate) fn turns(&self) -> bool {
        self.turns
    }

    pub(crate) fn pan_rad(&self) -> f32 {
        measured(self.pan_rad)
    }

    pub(crate) fn tilt_rad(&self) -> f32 {
        measured(self.tilt_rad)
    }
}

fn towards(from_rad: f64, goal_rad: f64, limit_rad: f64, step_rad: f64) -> f64 {
    let goal_rad = goal_rad.clamp(-limit_rad, limit_rad);
    from_rad + (goal_rad - from_rad).clamp(-step_rad, step_rad)
}

fn measured(angle_rad: f64) -> f32 {
    ((angle_rad / STEP_RAD).round() * STEP_RAD) as f32
}
