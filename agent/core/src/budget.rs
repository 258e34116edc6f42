//! The safety budget: how long the body can go on after each of three failures, computed and checked before anything moves.
//!
//! Client silent = ttl + wire + ramp + one gate tick; agent dead = hold + ramp; MCU dead = watchdog + coast.

use firmware_bridge_link::frame::FRAME_MAX;
use firmware_bridge_link::limits;
use firmware_bridge_link::message::RANGES_MAX;

use crate::gate::TICK_MS;
use crate::profile::{Profile, RangePolicy};

/// Longest time to live of a setpoint, ms.
pub const TTL_MS_MAX: u32 = limits::TTL_MS_MAX as u32;
/// Shortest time to live of a setpoint, ms.
pub const TTL_MS_MIN: u32 = limits::TTL_MS_MIN as u32;
/// Shortest MCU hold, ms.
pub const HOLD_MS_MIN: u32 = limits::HOLD_MS_MIN as u32;
/// Longest MCU hold, ms.
pub const HOLD_MS_MAX: u32 = limits::HOLD_MS_MAX as u32;

/// Largest frame on the wire, bytes.
const FRAME_BYTES: u32 = FRAME_MAX as u32;
/// Start bit, eight data bits, stop bit.
const BITS_A_BYTE: u32 = 10;

/// What a robot promises, and what it is made of. All in ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Standstill after a client fell silent.
    pub client_silent_ms: u32,
    /// Standstill after the agent died.
    pub agent_dead_ms: u32,
    /// Standstill after the MCU died.
    pub mcu_dead_ms: u32,
    /// What all three must stay within.
    pub promise_ms: u32,
    /// The parts.
    pub parts: Parts,
}

/// The parts of a budget. All in ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// Longest time to live of a setpoint.
    pub ttl_ms: u32,
    /// One frame at the profile's baud.
    pub wire_ms: u32,
    /// From the fastest wheel speed to zero with the emergency deceleration, motor lag included.
    pub ramp_ms: u32,
    /// One tick of the gate.
    pub tick_ms: u32,
    /// The MCU's hold.
    pub hold_ms: u32,
    /// The MCU's hardware watchdog.
    pub watchdog_ms: u32,
    /// From full speed to zero with unpowered motors.
    pub coast_ms: u32,
}

/// Why a profile cannot be driven. The program does not start with it.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum BudgetError {
    /// A number is not finite or not above zero.
    #[error("`{field}` is {value}, but must be a number above 0")]
    NotPositive {
        /// Name of the field.
        field: &'static str,
        /// Its value.
        value: f32,
    },
    /// A number is not finite or below zero.
    #[error("`{field}` is {value}, but must be a number, 0 or above")]
    Negative {
        /// Name of the field.
        field: &'static str,
        /// Its value.
        value: f32,
    },
    /// The MCU's hold is outside its range.
    #[error("`hold_ms` is {hold_ms}, but must be {min} to {max}", min = HOLD_MS_MIN, max = HOLD_MS_MAX)]
    HoldOutOfRange {
        /// Configured.
        hold_ms: u32,
    },
    /// The emergency deceleration is weaker than the normal one.
    #[error(
        "`emergency_mps2` is {emergency_mps2}, but must be at least `acceleration_mps2`, {acceleration_mps2}"
    )]
    EmergencyTooWeak {
        /// Configured.
        emergency_mps2: f32,
        /// Configured.
        acceleration_mps2: f32,
    },
    /// The emergency deceleration is above what the MCU takes from a host.
    #[error(
        "`emergency_mps2` is {emergency_mps2}, but must be at most {max}: the microcontroller takes no more",
        max = limits::EMERGENCY_MPS2_MAX
    )]
    EmergencyTooStrong {
        /// Configured.
        emergency_mps2: f32,
    },
    /// `[safety] range` declares sensors, but names none.
    #[error("`[safety] range` names no sensor; `range = \"none\"` is the explicit choice to drive without")]
    NoRangeSensor,
    /// A computed time is above the promise.
    #[error("{which} would take {computed_ms} ms to standstill, but `standstill_promise_ms` is {promise_ms}")]
    PromiseBroken {
        /// Which failure.
        which: &'static str,
        /// Computed.
        computed_ms: u32,
        /// Promised.
        promise_ms: u32,
    },
}

// The shortest hold must outlive two lost ticks.
const _: () = assert!(HOLD_MS_MIN as u64 >= 3 * TICK_MS);

impl Budget {
    /// Computes and checks the budget of a profile.
    ///
    /// # Errors
    /// What makes the profile unfit to drive, by field.
    pub fn check(profile: &Profile) -> Result<Self, BudgetError> {
        check_numbers(profile)?;
        if !(HOLD_MS_MIN..=HOLD_MS_MAX).contains(&profile.hold_ms) {
            return Err(BudgetError::HoldOutOfRange { hold_ms: profile.hold_ms });
        }
        let budget = Self::compute(profile);
        for (which, computed_ms) in [
            ("a silent client", budget.client_silent_ms),
            ("a dead agent", budget.agent_dead_ms),
            ("a dead microcontroller", budget.mcu_dead_ms),
        ] {
            if computed_ms > budget.promise_ms {
                return Err(BudgetError::PromiseBroken { which, computed_ms, promise_ms: budget.promise_ms });
            }
        }
        Ok(budget)
    }

    fn compute(profile: &Profile) -> Self {
        let wheel_mps_max = profile.linear_mps_max + profile.angular_radps_max * profile.track_m / 2.0;
        let ramp_ms = whole_ms(wheel_mps_max / profile.emergency_mps2).saturating_add(profile.motor_lag_ms);
        let wire_ms = (FRAME_BYTES * BITS_A_BYTE * 1000).div_ceil(profile.baud);
        let tick_ms = u32::try_from(TICK_MS).unwrap_or(u32::MAX);
        Self {
            client_silent_ms: TTL_MS_MAX
                .saturating_add(wire_ms)
                .saturating_add(ramp_ms)
                .saturating_add(tick_ms),
            agent_dead_ms: profile.hold_ms.saturating_add(ramp_ms),
            mcu_dead_ms: profile.watchdog_ms.saturating_add(profile.coast_ms),
            promise_ms: profile.standstill_promise_ms,
            parts: Parts {
                ttl_ms: TTL_MS_MAX,
                wire_ms,
                ramp_ms,
                tick_ms,
                hold_ms: profile.hold_ms,
                watchdog_ms: profile.watchdog_ms,
                coast_ms: profile.coast_ms,
            },
        }
    }
}

fn check_numbers(profile: &Profile) -> Result<(), BudgetError> {
    let range_mps_max = match profile.range {
        RangePolicy::Sensors(sensors) if sensors == [None; RANGES_MAX] => {
            return Err(BudgetError::NoRangeSensor);
        }
        RangePolicy::Sensors(_) => None,
        RangePolicy::None { linear_mps_max } => Some(("range.linear_mps_max", linear_mps_max)),
    };
    // Bauds above 2^24 are not exact in f32; here only zero matters.
    let numbers = [
        ("linear_mps_max", profile.linear_mps_max),
        ("angular_radps_max", profile.angular_radps_max),
        ("acceleration_mps2", profile.acceleration_mps2),
        ("emergency_mps2", profile.emergency_mps2),
        ("track_m", profile.track_m),
        ("baud", profile.baud as f32),
        ("ai.linear_mps", profile.ai.linear_mps),
    ];
    for (field, value) in numbers.into_iter().chain(range_mps_max) {
        if !(value.is_finite() && value > 0.0) {
            return Err(BudgetError::NotPositive { field, value });
        }
    }
    // None of these at all is a way to keep a model from driving.
    let sums = [
        ("ai.distance_m", profile.ai.distance_m),
        ("ai.angle_rad", profile.ai.angle_rad),
        ("ai.seconds", profile.ai.seconds),
    ];
    for (field, value) in sums {
        if !(value.is_finite() && value >= 0.0) {
            return Err(BudgetError::Negative { field, value });
        }
    }
    if profile.emergency_mps2 < profile.acceleration_mps2 {
        return Err(BudgetError::EmergencyTooWeak {
            emergency_mps2: profile.emergency_mps2,
            acceleration_mps2: profile.acceleration_mps2,
        });
    }
    if profile.emergency_mps2 > limits::EMERGENCY_MPS2_MAX {
        return Err(BudgetError::EmergencyTooStrong { emergency_mps2: profile.emergency_mps2 });
    }
    Ok(())
}

/// Seconds to milliseconds, rounded up; the cast saturates.
fn whole_ms(seconds: f32) -> u32 {
    (f64::from(seconds) * 1000.0).ceil() as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ai::AiBounds;
    use crate::testing::SIM;

    fn check(change: impl FnOnce(&mut Profile), expected: Result<(u32, u32, u32), &str>) {
        let mut profile = SIM;
        change(&mut profile);
        let computed = Budget::check(&profile);
        let computed =
            computed.map(|budget| (budget.client_silent_ms, budget.agent_dead_ms, budget.mcu_dead_ms));
        assert_eq!(computed.map_err(|error| error.to_string()), expected.map_err(str::to_owned));
    }

    #[test]
    fn adds_up() {
        // 500 ttl + 3 wire + (267 + 40) ramp + 20 tick; 100 hold + ramp; 50 watchdog + 400 coast.
        check(|_| {}, Ok((830, 407, 450)));
    }
    #[test]
    fn a_slow_wire_counts() {
        check(|profile| profile.baud = 115_200, Ok((849, 407, 450)));
    }
    #[test]
    fn refuses_a_broken_promise() {
        check(
            |profile| profile.emergency_mps2 = 1.5,
            Err("a silent client would take 1097 ms to standstill, but `standstill_promise_ms` is 1000"),
        );
    }
    #[test]
    fn refuses_what_the_mcu_would_refuse() {
        check(|profile| profile.emergency_mps2 = limits::EMERGENCY_MPS2_MAX, Ok((643, 220, 450)));
        check(
            |profile| profile.emergency_mps2 = 10.1,
            Err("`emergency_mps2` is 10.1, but must be at most 10: the microcontroller takes no more"),
        );
    }
    #[test]
    fn refuses_a_long_coast() {
        check(
            |profile| profile.coast_ms = 951,
            Err(
                "a dead microcontroller would take 1001 ms to standstill, but `standstill_promise_ms` is 1000",
            ),
        );
    }
    #[test]
    fn refuses_a_short_hold() {
        check(|profile| profile.hold_ms = 59, Err("`hold_ms` is 59, but must be 60 to 500"));
    }
    #[test]
    fn refuses_a_long_hold() {
        check(|profile| profile.hold_ms = 501, Err("`hold_ms` is 501, but must be 60 to 500"));
    }
    #[test]
    fn refuses_what_is_no_number() {
        check(|profile| profile.track_m = f32::NAN, Err("`track_m` is NaN, but must be a number above 0"));
        check(
            |profile| profile.ai.seconds = f32::INFINITY,
            Err("`ai.seconds` is inf, but must be a number, 0 or above"),
        );
        check(
            |profile| profile.ai.linear_mps = 0.0,
            Err("`ai.linear_mps` is 0, but must be a number above 0"),
        );
        check(|profile| profile.baud = 0, Err("`baud` is 0, but must be a number above 0"));
        check(
            |profile| profile.emergency_mps2 = 0.0,
            Err("`emergency_mps2` is 0, but must be a number above 0"),
        );
    }
    #[test]
    fn a_model_may_be_kept_from_driving() {
        let none = AiBounds { distance_m: 0.0, angle_rad: 0.0, seconds: 0.0, ..AiBounds::DEFAULT };
        check(|profile| profile.ai = none, Ok((830, 407, 450)));
    }
    #[test]
    fn driving_blind_is_an_explicit_choice() {
        check(
            |profile| profile.range = RangePolicy::Sensors([None; RANGES_MAX]),
            Err(
                "`[safety] range` names no sensor; `range = \"none\"` is the explicit choice to drive without",
            ),
        );
        check(|profile| profile.range = RangePolicy::None { linear_mps_max: 0.2 }, Ok((830, 407, 450)));
    }
}
