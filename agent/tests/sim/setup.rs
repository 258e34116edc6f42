//! The robot of one seed: profile, body, line and machine, each a little different.

use agent_core::ai::AiBounds;
use agent_core::budget::Budget;
use agent_core::profile::{HeadLimits, Profile, RangeDirection, RangePolicy};
use firmware_bridge_link::message::Limits;
use firmware_bridge_sim::BodyProfile;

use crate::chance::Chance;

/// One robot.
pub(crate) struct Setup {
    pub(crate) profile: Profile,
    pub(crate) budget: Budget,
    pub(crate) limits: Limits,
    pub(crate) body: BodyProfile,
    /// Latency of each direction of the line, and its jitter, us.
    pub(crate) latency_us: u64,
    pub(crate) jitter_us: u64,
    /// Latest wake-up of the agent, us.
    pub(crate) late_us: u64,
    /// When the drivers go home and everything heals.
    pub(crate) heals_us: u64,
    /// How many faults come before that.
    pub(crate) faults: u64,
}

/// When a run starts: clocks that start at zero would hide mistakes, us.
pub(crate) const START_US: u64 = 7_000_000;
/// Time for a person to drive again after everything healed, us.
pub(crate) const RESCUE_US: u64 = 3_200_000;

impl Setup {
    pub(crate) fn draw(chance: &mut Chance) -> Self {
        let profile = profile(chance);
        let budget = Budget::check(&profile).expect("every drawn profile keeps its promise");
        let limits = limits(&profile);
        let mut body =
            BodyProfile { track_m: profile.track_m, hold_ms: limits.hold_ms, ..BodyProfile::default() };
        body.wheels.mps_max = limits.wheel_mps_max;
        body.wheels.acceleration_mps2 = limits.acceleration_mps2;
        body.wheels.emergency_mps2 = limits.emergency_mps2;
        body.wheels.motor_lag_ms = profile.motor_lag_ms as f32;
        body.wheels.coast_ms = profile.coast_ms as f32;
        body.head.pan_rad_max = limits.pan_rad_max;
        body.head.tilt_rad_max = limits.tilt_rad_max;
        body.mcu.watchdog_ms = profile.watchdog_ms;
        body.mcu.clock_ppm = chance.between(0, 400) as i32 - 200;
        Self {
            profile,
            budget,
            limits,
            body,
            latency_us: chance.between(20, 800),
            jitter_us: if chance.percent(10) { chance.ms(1, 15) } else { chance.between(0, 300) },
            late_us: if chance.percent(10) { chance.ms(1, 10) } else { chance.between(20, 200) },
            heals_us: START_US + chance.ms(4_000, 8_000),
            faults: chance.pick(&[0, 1, 1, 2, 3, 4, 6, 9]),
        }
    }

    /// The longest a frame is under way from the gate's decision to the MCU while nothing is wrong, us.
    pub(crate) fn wire_us(&self, bytes: usize) -> u64 {
        (bytes as u64 * 10_000_000).div_ceil(u64::from(self.profile.baud))
    }
}

fn profile(chance: &mut Chance) -> Profile {
    Profile {
        linear_mps_max: 0.6,
        angular_radps_max: 2.0,
        acceleration_mps2: 1.0,
        emergency_mps2: 3.0,
        track_m: 0.2,
        motor_lag_ms: 50,
        hold_ms: chance.pick(&[60, 100, 100, 100, 200]),
        watchdog_ms: 50,
        coast_ms: 500,
        baud: chance.pick(&[115_200, 921_600, 921_600, 921_600]),
        standstill_promise_ms: 1000,
        head: HeadLimits { pan_rad_max: 1.5, tilt_rad_max: 0.7 },
        range: RangePolicy::Sensors([Some(RangeDirection::Front), Some(RangeDirection::Rear), None, None]),
        ai: AiBounds::DEFAULT,
    }
}

/// What the agent tells the MCU of its profile.
fn limits(profile: &Profile) -> Limits {
    Limits {
        wheel_mps_max: profile.linear_mps_max + profile.angular_radps_max * profile.track_m / 2.0,
        acceleration_mps2: profile.acceleration_mps2,
        emergency_mps2: profile.emergency_mps2,
        hold_ms: profile.hold_ms as u16,
        pan_rad_max: profile.head.pan_rad_max,
        tilt_rad_max: profile.head.tilt_rad_max,
    }
}
