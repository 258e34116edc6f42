//! Why a request did not move anything. One variant a problem type of the contract.

use crate::caller::{Class, Label};
use crate::resource::Resource;
use crate::time::BootTime;

/// Why a request was refused. The edge maps each to its status and text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Refusal {
    /// 422 `out-of-range`: above the body's hard limit.
    OutOfRange {
        /// Name of the field.
        field: &'static str,
        /// Smallest accepted.
        min: f64,
        /// Largest accepted.
        max: f64,
    },
    /// 422 `out-of-range`: more than what is left of the bounds of a model's turn.
    OutsideBounds {
        /// Which: `distance_m`, `angle_rad` or `seconds`.
        bound: &'static str,
        /// What it would have come to.
        asked: f64,
        /// What is left.
        allowed: f64,
    },
    /// 400 `bad-request`: `seen` is needed here.
    SeenMissing,
    /// 404 `not-found`: no such task, lease or socket, or another token's.
    NotFound,
    /// 423 `estop-latched`.
    EStopLatched {
        /// Epoch of the latch, for the reset call.
        epoch: u32,
    },
    /// 503 `starting`: the MCU's state has not been read yet.
    Starting,
    /// 503 `link-down`: the MCU does not answer, or cannot be given orders.
    LinkDown,
    /// 503 `link-down`: the latch file cannot be written, so an e-stop cannot be taken back.
    NotDurable,
    /// 409 `lease-held`: another token, or another turn of the same one, holds the resource.
    LeaseHeld {
        /// Its token's name.
        holder: Label,
        /// Its class.
        class: Class,
    },
    /// 409 `lease-needed`: classes autonomy and ai take explicitly; also the echo of an earlier refusal.
    LeaseNeeded,
    /// 409 `closed`.
    Closed {
        /// What is closed: base or head.
        resource: Resource,
        /// What closed it.
        by: ClosedBy,
        /// When.
        since: BootTime,
    },
    /// 409 `nobody-present`: a model moves nothing without a person there.
    NobodyPresent,
    /// 409 `neutral-first`: the stick must be let go once.
    NeutralFirst,
    /// 409 `newer-estop`.
    NewerEStop {
        /// The epoch now.
        epoch: u32,
    },
    /// 410 `stale`: `seen` is too old, of another run, or from the future; or none came after a tick gap.
    Stale {
        /// Age of the stamp in ms, where it has one.
        age_ms: Option<u64>,
        /// Accepted age in ms.
        max_age_ms: u64,
    },
    /// 410 `lease-gone`; also whatever is asked in a turn that is over or never began.
    LeaseGone,
    /// 410 `not-rising`: `seq`.
    NotRising {
        /// The newest accepted.
        newest: u64,
    },
    /// 401 `no-token`: the token was revoked while the request was under way.
    TokenRevoked,
    /// 403 `no-right`: a class that may not do this (ai moves nothing by itself, only `move`, `head` and lights within a turn).
    ClassTooLow,
}

/// What closed base or head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClosedBy {
    /// The MCU's state has not been read yet.
    Starting,
    /// The run before did not end in order, or ended closed.
    Restart,
    /// The gate did not tick for more than 100 ms.
    TickGap,
    /// The MCU stopped by itself: no setpoint for its hold time.
    Hold,
    /// No valid frame from the MCU for 100 ms.
    LinkLost,
    /// The MCU restarted.
    McuReset,
    /// The MCU reports a fault.
    McuFault,
    /// Someone pressed stop.
    Stop,
    /// E-stop.
    EStop,
}

impl ClosedBy {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Restart => "restart",
            Self::TickGap => "tick-gap",
            Self::Hold => "hold",
            Self::LinkLost => "link-lost",
            Self::McuReset => "mcu-reset",
            Self::McuFault => "mcu-fault",
            Self::Stop => "stop",
            Self::EStop => "estop",
        }
    }
}
