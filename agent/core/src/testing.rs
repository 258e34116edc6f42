//! What the tests of this crate share: a profile and a healthy body.

use std::time::Duration;

use firmware_bridge_link::message::{Motion, RANGES_MAX, RangeReading, Reason, Senses, State};

use crate::ai::AiBounds;
use crate::profile::{HeadLimits, Profile, RangeDirection, RangePolicy};
use crate::report::BodyReport;
use crate::time::BootTime;

/// The simulated body of the contract.
pub(crate) const SIM: Profile = Profile {
    linear_mps_max: 0.6,
    angular_radps_max: 2.0,
    acceleration_mps2: 1.0,
    emergency_mps2: 3.0,
    track_m: 0.2,
    motor_lag_ms: 40,
    hold_ms: 100,
    watchdog_ms: 50,
    coast_ms: 400,
    baud: 921_600,
    standstill_promise_ms: 1000,
    head: HeadLimits { pan_rad_max: 1.5, tilt_rad_max: 0.7 },
    range: RangePolicy::Sensors([Some(RangeDirection::Front), Some(RangeDirection::Rear), None, None]),
    ai: AiBounds::DEFAULT,
};

/// Armed, near nothing, battery full, everything read just now.
pub(crate) fn healthy_body(now: BootTime) -> BodyReport {
    let far = RangeReading { mm: u16::MAX, age_ms: 10 };
    BodyReport {
        last_frame_at: Some(now),
        ready: true,
        boot_id: Some(1),
        state: Some((State::Armed, Reason::None)),
        motion: Some((now, motion(1, State::Armed))),
        reflects: Some(now),
        senses: Some((
            now,
            Senses {
                t_us: 0,
                ranges: [far; RANGES_MAX],
                gyro_radps: 0.0,
                acceleration_mps2: 0.0,
                battery_mv: 12_000,
                battery_percent: 100,
                pan_rad: 0.0,
                tilt_rad: 0.0,
            },
        )),
        rtt_p95: Some(Duration::from_micros(500)),
        rtt_p50: Some(Duration::from_micros(300)),
        frames_lost: 0,
        firmware: [1, 0, 0],
    }
}

/// A standing body's telemetry.
pub(crate) fn motion(boot_id: u32, state: State) -> Motion {
    Motion {
        t_us: 0,
        boot_id,
        state,
        reason: Reason::None,
        left_mps: 0.0,
        right_mps: 0.0,
        left_um: 0,
        right_um: 0,
        setpoint_us: 0,
        setpoints_refused: 0,
        frames_lost: 0,
    }
}
