//! When a row was written, by every clock there is: a board without a battery-backed clock starts in 1970, or where it was
//! switched off.

use jiff::Timestamp;

/// How far the wall clock can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockState {
    /// Set by a time server since this boot.
    Synced,
    /// Was set once, and has been running on by itself since.
    Holdover,
    /// Never set since this boot.
    Unknown,
}

impl ClockState {
    /// As stored.
    #[must_use]
    pub const fn as_u8(self) -> u8 {
        match self {
            Self::Synced => 0,
            Self::Holdover => 1,
            Self::Unknown => 2,
        }
    }

    /// As stored; whatever is not known is not trusted.
    #[must_use]
    pub const fn from_u8(stored: u8) -> Self {
        match stored {
            0 => Self::Synced,
            1 => Self::Holdover,
            _ => Self::Unknown,
        }
    }
}

/// When something was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The kernel's boot id.
    pub boot_id: u128,
    /// CLOCK_BOOTTIME, ms.
    pub mono_ms: u64,
    /// Wall clock.
    pub wall: Timestamp,
    /// What the wall clock was worth.
    pub clock: ClockState,
}
