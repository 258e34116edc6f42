//! Head and lights: what they were last told.

use firmware_bridge_link::limits::clamp_to;
use firmware_bridge_link::message::Limits;

#[derive(Debug)]
pub(crate) struct Fittings {
    head: Option<Head>,
    pub(crate) rgb: [u8; 3],
    pub(crate) brightness: u8,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Head {
    pub(crate) pan_rad: f32,
    pub(crate) tilt_rad: f32,
}

impl Fittings {
    pub(crate) fn new() -> Self {
        Self { head: None, rgb: [0; 3], brightness: 0 }
    }

    pub(crate) fn point(&mut self, head: Head) {
        self.head = Some(head);
    }

    /// The head stays where it is, wherever it was going.
    pub(crate) fn freeze_head(&mut self) {
        self.head = None;
    }

    /// Where the head shall look, within the limits. Without an order it keeps the place it was found at.
    pub(crate) fn head(&mut self, measured: Head, limits: &Limits) -> Head {
        let head = *self.head.get_or_insert(measured);
        Head {
            pan_rad: clamp_to(head.pan_rad, limits.pan_rad_max),
            tilt_rad: clamp_to(head.tilt_rad, limits.tilt_rad_max),
        }
    }
}
