//! What the controller is told about its body, and what it tells the body to do.

use firmware_bridge_link::message::{Limits, RANGES_MAX, RangeReading, Reason, State};

/// What is compiled into a board's firmware.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Config {
    /// Board name, ASCII, zero padded.
    pub board: [u8; 16],
    /// Firmware version, major.minor.patch.
    pub firmware: [u8; 3],
    /// A head with pan and tilt servos.
    pub head: bool,
    /// Lights.
    pub lights: bool,
    /// Number of range sensors, at most [`RANGES_MAX`].
    pub ranges: u8,
    /// The loosest limits this board allows. If they are not valid the body never moves.
    pub limits: Limits,
    /// Below this voltage the wheels get slower, mV.
    pub battery_soft_mv: u16,
    /// Below this voltage for 50 ms the wheels stop, mV.
    pub battery_cut_mv: u16,
}

/// What the board measured just before a control step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Inputs {
    /// Distance the left wheel has turned since start, um, forward positive.
    pub left_um: i64,
    /// Distance the right wheel has turned since start, um, forward positive.
    pub right_um: i64,
    /// Turn rate about the vertical axis, rad/s, counter-clockwise positive.
    pub gyro_radps: f32,
    /// Acceleration forward, m/s².
    pub acceleration_mps2: f32,
    /// Range sensors; those the body lacks are ignored.
    pub ranges: [RangeReading; RANGES_MAX],
    /// Battery voltage, mV.
    pub battery_mv: u16,
    /// Battery charge, percent.
    pub battery_percent: u8,
    /// Head pan as measured, rad.
    pub pan_rad: f32,
    /// Head tilt as measured, rad.
    pub tilt_rad: f32,
    /// The body's e-stop input: true while it is pressed or its wire is broken.
    pub estop_pressed: bool,
}

/// What the board shall do until the next control step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outputs {
    /// Power to the motors.
    pub enabled: bool,
    /// Speed of the left wheel after the ramp, m/s.
    pub left_mps: f32,
    /// Speed of the right wheel after the ramp, m/s.
    pub right_mps: f32,
    /// Hold the wheels where they are.
    pub brake: bool,
    /// Where the head shall look, rad.
    pub pan_rad: f32,
    /// Where the head shall look, rad.
    pub tilt_rad: f32,
    /// Colour of the lights.
    pub rgb: [u8; 3],
    /// 0 off .. 255 full.
    pub brightness: u8,
}

/// The controller's inside, for a trace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// Where the state machine stands.
    pub state: State,
    /// Why.
    pub reason: Reason,
    /// Whether setpoints move the body.
    pub armed: bool,
    /// Goal of the left wheel before the ramp, m/s.
    pub left_target_mps: f32,
    /// Goal of the right wheel before the ramp, m/s.
    pub right_target_mps: f32,
    /// Left wheel after the ramp, m/s.
    pub left_ramp_mps: f32,
    /// Right wheel after the ramp, m/s.
    pub right_ramp_mps: f32,
}
