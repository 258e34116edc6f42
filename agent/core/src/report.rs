//! What the host end of the link reports to the gate before every step.

use std::time::Duration;

use firmware_bridge_link::message::{Motion, Reason, Senses, State};

use crate::time::BootTime;

/// The body as last seen. Built by the host session; plain data.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct BodyReport {
    /// When the newest valid frame came; `None` before the first.
    pub last_frame_at: Option<BootTime>,
    /// Handshake finished and protocol majors match: orders can be given.
    pub ready: bool,
    /// The MCU's boot id, once known.
    pub boot_id: Option<u32>,
    /// State and reason, once read in this connection.
    pub state: Option<(State, Reason)>,
    /// Newest motion telemetry and when it came.
    pub motion: Option<(BootTime, Motion)>,
    /// The newest stop or e-stop that had reached the MCU when it made `motion`, by the time at which that went out. When
    /// `motion` came does not tell that: it may have been on its way for long.
    pub reflects: Option<BootTime>,
    /// Newest senses and when they came.
    pub senses: Option<(BootTime, Senses)>,
    /// 95th percentile of recent round trips to the MCU.
    pub rtt_p95: Option<Duration>,
    /// Median of recent round trips to the MCU.
    pub rtt_p50: Option<Duration>,
    /// Frames lost in either direction since start.
    pub frames_lost: u32,
    /// Firmware version.
    pub firmware: [u8; 3],
}

impl BodyReport {
    /// A stop ordered at `at`, or its repetition, had reached the MCU when it reported its state.
    pub(crate) fn reflects_stop_of(&self, at: BootTime) -> bool {
        self.reflects.is_some_and(|reflects| reflects >= at)
    }
}
