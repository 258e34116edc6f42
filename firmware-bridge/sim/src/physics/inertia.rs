//! A gyroscope and an accelerometer with the faults of cheap ones: a bias that stays, and noise.

use super::noise::Noise;

const GYRO_BIAS_RADPS: f64 = 0.002;
const GYRO_NOISE_RADPS: f64 = 0.003;
const ACCELEROMETER_BIAS_MPS2: f64 = 0.02;
const ACCELEROMETER_NOISE_MPS2: f64 = 0.05;

#[derive(Clone, Debug)]
pub(crate) struct Inertia {
    gyro_bias_radps: f64,
    accelerometer_bias_mps2: f64,
}

/// What really happened since the last measurement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moved {
    pub(crate) dt_s: f64,
    pub(crate) speed_change_mps: f64,
    pub(crate) turn_rad: f64,
}

impl Inertia {
    pub(crate) fn new(noise: &mut Noise) -> Self {
        Self {
            gyro_bias_radps: noise.normal(GYRO_BIAS_RADPS),
            accelerometer_bias_mps2: noise.normal(ACCELEROMETER_BIAS_MPS2),
        }
    }

    /// Turn rate, rad/s, and acceleration forward, m/s².
    pub(crate) fn measure(&self, moved: Moved, noise: &mut Noise) -> (f32, f32) {
        let (turn_radps, acceleration_mps2) = if moved.dt_s > 0.0 {
            (moved.turn_rad / moved.dt_s, moved.speed_change_mps / moved.dt_s)
        } else {
            (0.0, 0.0)
        };
        let gyro_radps = turn_radps + self.gyro_bias_radps + noise.normal(GYRO_NOISE_RADPS);
        let measured_mps2 =
            acceleration_mps2 + self.accelerometer_bias_mps2 + noise.normal(ACCELEROMETER_NOISE_MPS2);
        (gyro_radps as f32, measured_mps2 as f32)
    }
}
