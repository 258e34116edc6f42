//! What a session is told once.

use firmware_bridge_link::message::Limits;

/// Telemetry rate of motion that the gate is built for, Hz: one frame a tick.
const MOTION_HZ: u8 = 50;
/// Telemetry rate of the slower senses, Hz.
const SENSES_HZ: u8 = 20;

/// What a session is told once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SessionConfig {
    /// Limits of the body's profile. The MCU takes them where they are tighter than its own.
    pub limits: Limits,
    /// Rate of motion telemetry, 1..=100 Hz.
    pub motion_hz: u8,
    /// Rate of senses telemetry, 1..=100 Hz.
    pub senses_hz: u8,
    /// Bits a second on the wire, ten for each byte. Used to know how long a frame takes, never to configure a port.
    pub baud: u32,
}

impl SessionConfig {
    /// The usual telemetry rates: motion 50 Hz, senses 20 Hz.
    #[must_use]
    pub const fn new(limits: Limits, baud: u32) -> Self {
        Self { limits, motion_hz: MOTION_HZ, senses_hz: SENSES_HZ, baud }
    }
}
