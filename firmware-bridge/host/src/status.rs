//! What a session knows of the MCU and of the wire, for the gate, for people and for `doctor`. It changes nothing.

use firmware_bridge_link::limits::SYNC_FRESH_MS;
use firmware_bridge_link::message::{Log, Motion, Reason, Senses, State};

use crate::handshake::{Phase, SessionFault};
use crate::losses::Losses;
use crate::session::Session;
use crate::sync::BURST;

impl Session {
    /// When the newest valid frame came.
    #[must_use]
    pub fn last_frame_us(&self) -> Option<u64> {
        self.last_frame_us
    }

    /// Orders can be given: versions match, limits and subscriptions are acknowledged.
    #[must_use]
    pub fn ready(&self) -> bool {
        self.phase == Phase::Ready
    }

    /// Why orders cannot be given although an MCU answers.
    #[must_use]
    pub fn fault(&self) -> Option<SessionFault> {
        match self.phase {
            Phase::Misfit(fault) => Some(fault),
            _ => None,
        }
    }

    /// The first sync is complete and an exchange came back within the time that the MCU calls fresh.
    #[must_use]
    pub fn clock_synced(&self, now_us: u64) -> bool {
        let fresh_us = u64::from(SYNC_FRESH_MS) * 1_000;
        self.clock.kept() >= BURST && self.synced_at_us.is_some_and(|at| now_us.saturating_sub(at) < fresh_us)
    }

    /// The MCU's clock now, as estimated; `None` before the first exchange with this boot.
    #[must_use]
    pub fn mcu_clock_us(&self, now_us: u64) -> Option<u64> {
        self.clock.estimate_us(now_us)
    }

    /// The MCU's boot id, once known; kept while it is away.
    #[must_use]
    pub fn boot_id(&self) -> Option<u32> {
        self.boot_id
    }

    /// State and reason, once read in this connection and boot.
    #[must_use]
    pub fn state(&self) -> Option<(State, Reason)> {
        self.state
    }

    /// Newest motion telemetry and when it came; kept while the MCU is away.
    #[must_use]
    pub fn motion(&self) -> Option<(u64, Motion)> {
        self.motion
    }

    /// The newest stop or e-stop that had reached the MCU when it made [`motion`](Self::motion), by the time at which that
    /// went out, host us. When telemetry comes does not tell that: it may have been on its way for long.
    #[must_use]
    pub fn reflects_us(&self) -> Option<u64> {
        self.reflects_us
    }

    /// Newest senses telemetry and when it came; kept while the MCU is away.
    #[must_use]
    pub fn senses(&self) -> Option<(u64, Senses)> {
        self.senses
    }

    /// Firmware version, zeros before the Hello.
    #[must_use]
    pub fn firmware(&self) -> [u8; 3] {
        self.hello.map_or([0; 3], |hello| hello.firmware)
    }

    /// The newest log line of the firmware, once.
    pub fn take_log(&mut self) -> Option<Log> {
        self.log.take()
    }

    /// Median of the last 64 round trips, us.
    #[must_use]
    pub fn rtt_p50_us(&self) -> Option<u32> {
        self.rtt.percentile_us(50)
    }

    /// 95th percentile of the last 64 round trips, us.
    #[must_use]
    pub fn rtt_p95_us(&self) -> Option<u32> {
        self.rtt.percentile_us(95)
    }

    /// Everything that got lost, by kind.
    #[must_use]
    pub fn losses(&self) -> Losses {
        Losses {
            mcu_frames: self.lost_by_mcu.total(),
            setpoints_refused: self.refused_by_mcu.total(),
            exchanges: self.sync.lost(),
            ..self.losses
        }
    }

    /// Frames lost in either direction: telemetry missing here, and frames the MCU could not read.
    #[must_use]
    pub fn frames_lost(&self) -> u32 {
        let missing = self.losses.motion_frames.saturating_add(self.losses.senses_frames);
        missing.saturating_add(self.lost_by_mcu.total())
    }
}
