//! What the gate shows of itself: everything that `state`, `leases`, `estop` and `control/why` answer from. Plain data of fixed size.

use std::time::Duration;

use arrayvec::ArrayVec;

use crate::caller::{Class, Label};
use crate::refusal::{ClosedBy, Refusal};
use crate::report::BodyReport;
use crate::request::{LeaseView, LimitReason, TaskId, Twist};
use crate::time::BootTime;

/// Refusals that `control/why` shows.
pub const REFUSALS_KEPT: usize = 50;

/// Finished and running tasks that can still be asked for.
pub const TASKS_KEPT: usize = 16;

/// The gate at the end of a step.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// When.
    pub at: BootTime,
    /// Pose from wheel odometry since the agent started.
    pub pose: Pose,
    /// Measured speed.
    pub linear_mps: f32,
    /// Measured turn rate.
    pub angular_radps: f32,
    /// The setpoint in force, after clamping; its `ttl` is what is left of it.
    pub setpoint: Option<Twist>,
    /// Why the base is closed.
    pub base_closed: Option<Closed>,
    /// Why the head is closed.
    pub head_closed: Option<Closed>,
    /// Leases: base, head, lights, presence.
    pub leases: [Option<LeaseView>; 4],
    /// Lights as ordered.
    pub lights: Lights,
    /// E-stop.
    pub estop: EStopView,
    /// The last stop was shown by the MCU's state (or there was none).
    pub stop_confirmed: bool,
    /// Speed limits now, and what sets them.
    pub envelope: Envelope,
    /// Recent tasks.
    pub tasks: ArrayVec<TaskView, TASKS_KEPT>,
    /// Recent refusals, oldest first.
    pub refusals: ArrayVec<RefusalRecord, REFUSALS_KEPT>,
    /// A valid frame came from the MCU within the last 100 ms.
    pub is_heard: bool,
    /// The MCU is heard and the handshake is done, so that it can be driven.
    pub link_up: bool,
    /// A stop would change something: a setpoint, a lease of base or head, something open, opening or about to open at the
    /// start, an armed MCU, or a stop or e-stop that is not confirmed yet.
    pub is_anything_to_stop: bool,
    /// The body.
    pub body: BodyReport,
}

/// Where the robot is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pose {
    /// Forward at start, m.
    pub x_m: f64,
    /// Left at start, m.
    pub y_m: f64,
    /// Counter-clockwise, -pi ..= pi, rad.
    pub heading_rad: f64,
}

/// Why something is closed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Closed {
    /// What closed it.
    pub by: ClosedBy,
    /// In words: who pressed, which fault.
    pub reason: Label,
    /// When.
    pub since: BootTime,
}

/// Lights as ordered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lights {
    /// On or off.
    pub on: bool,
    /// Red, green, blue.
    pub rgb: [u8; 3],
    /// 0.0 ..= 1.0.
    pub brightness: f32,
}

/// The e-stop as `GET estop` shows it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EStopView {
    /// Latched.
    pub latched: bool,
    /// Rises with every new e-stop; durable.
    pub epoch: u32,
    /// How far the newest e-stop has come.
    pub stage: EStopStage,
    /// The latch file shows it.
    pub durable: bool,
    /// In the words of whoever pressed it.
    pub reason: Label,
    /// Who: a token's name, an address, `mcu`, `file`.
    pub source: Label,
    /// When it was requested (in this run; `None` for a latch found at start).
    pub requested_at: Option<BootTime>,
    /// When the frame went to the MCU.
    pub sent_at: Option<BootTime>,
    /// When the MCU's state showed it.
    pub confirmed_at: Option<BootTime>,
}

/// How far an e-stop has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EStopStage {
    /// Not latched.
    Clear,
    /// Latched in the gate.
    Requested,
    /// Sent to the MCU.
    Sent,
    /// The MCU shows it.
    Confirmed,
}

/// Speed limits now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Envelope {
    /// Forward, for the class of whoever holds the base (local when nobody does), m/s. Backward only the rear sensor differs.
    pub linear_mps: f32,
    /// Turn rate, rad/s.
    pub angular_radps: f32,
    /// What sets them.
    pub reason: LimitReason,
}

/// A task.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TaskView {
    /// Number.
    pub id: TaskId,
    /// Running or how it ended.
    pub state: TaskState,
    /// In words.
    pub reason: &'static str,
    /// 0.0 ..= 1.0.
    pub progress: f32,
}

/// Running or how a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskState {
    /// Under way.
    Running,
    /// Arrived.
    Done,
    /// Ended by someone: cancelled, replaced, stopped, lease gone.
    Cancelled,
    /// Ended by something: deadline, blocked, link.
    Failed,
}

/// A refusal as `control/why` shows it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RefusalRecord {
    /// When.
    pub at: BootTime,
    /// Why.
    pub refusal: Refusal,
    /// Who asked: the token's name.
    pub source: Label,
    /// With which class.
    pub class: Class,
}

impl Snapshot {
    /// A gate that has not been stepped: all closed, nothing known.
    pub fn new(now: BootTime) -> Self {
        Self {
            at: now,
            pose: Pose::default(),
            linear_mps: 0.0,
            angular_radps: 0.0,
            setpoint: None,
            base_closed: None,
            head_closed: None,
            leases: [None; 4],
            lights: Lights { on: false, rgb: [255; 3], brightness: 1.0 },
            estop: EStopView {
                latched: false,
                epoch: 0,
                stage: EStopStage::Clear,
                durable: false,
                reason: Label::new_const(),
                source: Label::new_const(),
                requested_at: None,
                sent_at: None,
                confirmed_at: None,
            },
            stop_confirmed: true,
            envelope: Envelope { linear_mps: 0.0, angular_radps: 0.0, reason: LimitReason::None },
            tasks: ArrayVec::new_const(),
            refusals: ArrayVec::new_const(),
            is_heard: false,
            link_up: false,
            is_anything_to_stop: true,
            body: BodyReport::default(),
        }
    }

    /// How long ago the snapshot was taken.
    pub fn age(&self, now: BootTime) -> Duration {
        now.since(self.at)
    }
}
