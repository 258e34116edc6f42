//! The newest measurements, as telemetry shows them.

use firmware_bridge_link::message::{RANGES_MAX, RangeReading, Senses};

use crate::Inputs;

/// Time constant of the measured wheel speeds: encoders count in steps, and a control step sees few of them.
const SPEED_FILTER_US: f32 = 20_000.0;
const NEVER_READ: RangeReading = RangeReading { mm: u16::MAX, age_ms: u16::MAX };

#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) t_us: u64,
    pub(crate) inputs: Inputs,
    pub(crate) left_mps: f32,
    pub(crate) right_mps: f32,
}

impl Sample {
    pub(crate) fn first(now_us: u64, inputs: &Inputs) -> Self {
        Self { t_us: now_us, inputs: *inputs, left_mps: 0.0, right_mps: 0.0 }
    }

    /// The sample after this one.
    pub(crate) fn followed_by(&self, now_us: u64, inputs: &Inputs) -> Self {
        let step_us = now_us.saturating_sub(self.t_us) as f32;
        if step_us == 0.0 {
            return Self { inputs: *inputs, ..*self };
        }
        let share = step_us / (step_us + SPEED_FILTER_US);
        let speed = |old_mps: f32, old_um: i64, new_um: i64| {
            old_mps + (new_um.wrapping_sub(old_um) as f32 / step_us - old_mps) * share
        };
        Self {
            t_us: now_us,
            inputs: *inputs,
            left_mps: speed(self.left_mps, self.inputs.left_um, inputs.left_um),
            right_mps: speed(self.right_mps, self.inputs.right_um, inputs.right_um),
        }
    }

    pub(crate) fn senses(&self, ranges: u8) -> Senses {
        let mut readings = [NEVER_READ; RANGES_MAX];
        for (reading, measured) in readings.iter_mut().zip(self.inputs.ranges).take(usize::from(ranges)) {
            *reading = measured;
        }
        Senses {
            t_us: self.t_us,
            ranges: readings,
            gyro_radps: self.inputs.gyro_radps,
            acceleration_mps2: self.inputs.acceleration_mps2,
            battery_mv: self.inputs.battery_mv,
            battery_percent: self.inputs.battery_percent,
            pan_rad: self.inputs.pan_rad,
            tilt_rad: self.inputs.tilt_rad,
        }
    }
}
