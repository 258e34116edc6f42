//! What one kind of robot may do: the numbers of `[motion]`, `[head]`, `[safety]` and the AI's bounds, checked once at start.

use firmware_bridge_link::message::RANGES_MAX;

use crate::ai::AiBounds;

/// Limits and constants of one body. Built and checked by the program's configuration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Profile {
    /// Hard limit of forward and backward speed, m/s.
    pub linear_mps_max: f32,
    /// Hard limit of turn rate, rad/s.
    pub angular_radps_max: f32,
    /// Normal acceleration of a wheel, m/s².
    pub acceleration_mps2: f32,
    /// Emergency deceleration of a wheel, m/s².
    pub emergency_mps2: f32,
    /// Distance between the wheels, m.
    pub track_m: f32,
    /// Time constant of the motors, ms.
    pub motor_lag_ms: u32,
    /// MCU's hold: longest time without a setpoint, ms (60..=500).
    pub hold_ms: u32,
    /// MCU's hardware watchdog, ms.
    pub watchdog_ms: u32,
    /// Time to standstill with unpowered motors from full speed, ms.
    pub coast_ms: u32,
    /// Rate of the serial line, baud.
    pub baud: u32,
    /// What every computed standstill time must stay under, ms.
    pub standstill_promise_ms: u32,
    /// Head limits.
    pub head: HeadLimits,
    /// How the body sees obstacles.
    pub range: RangePolicy,
    /// What a model may do in one turn.
    pub ai: AiBounds,
}

/// Limits of the head, rad to either side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeadLimits {
    /// Largest pan to the left or right, rad.
    pub pan_rad_max: f32,
    /// Largest tilt up or down, rad.
    pub tilt_rad_max: f32,
}

/// How the body sees obstacles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RangePolicy {
    /// Declared sensors, in the order of the telemetry. Their age and distance limit the speed.
    Sensors([Option<RangeDirection>; RANGES_MAX]),
    /// An explicit choice to drive without: speed is limited instead.
    None {
        /// Speed limit without range sensors, m/s.
        linear_mps_max: f32,
    },
}

/// Where a range sensor looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeDirection {
    /// Ahead.
    Front,
    /// Behind.
    Rear,
}
