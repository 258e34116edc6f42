//! Answers of the robot's routes besides State: e-stop, stop, driving, moving, tasks, leases, why.

use agent_core::budget::Budget;
use agent_core::refusal::Refusal;
use agent_core::request::{LeaseView, Limited};
use agent_core::resource::Resource;
use agent_core::snapshot::{Snapshot, TaskState, TaskView};
use agent_core::time::BootTime;
use serde::Serialize;
use utoipa::ToSchema;

use super::bodies::ResourceName;
use super::ids::{lease_name, task_name};
use super::state::{ClosedState, Holder, ms, round, since_ms, stage};
use crate::drive::refusals;

/// A robot in a list of robots.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RobotBody {
    /// Robot id.
    pub id: String,
    /// It answers.
    pub online: bool,
    /// Random for each start of the agent.
    pub run: String,
    /// Version of the agent.
    pub version: &'static str,
}

/// Answer of `GET`, `POST estop` and of a reset.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EStopState {
    /// Latched.
    pub latched: bool,
    /// Rises with every new e-stop; durable.
    pub epoch: u32,
    /// `clear`, `requested`, `sent` or `confirmed` by the MCU.
    pub stage: &'static str,
    /// The latch file shows it: it survives a power cut.
    pub durable: bool,
    /// In the words of whoever pressed it.
    pub reason: String,
    /// Who: a token's name, an address, `mcu`, `file`.
    pub source: String,
    /// How long ago, ms; null while clear or when it was latched before this run.
    pub since_ms: Option<u64>,
    /// The agent's clock when it was requested, ms.
    pub requested_ms: Option<u64>,
    /// The agent's clock when the frame went to the MCU, ms.
    pub sent_ms: Option<u64>,
    /// The agent's clock when the MCU's state showed it, ms.
    pub confirmed_ms: Option<u64>,
}

impl EStopState {
    /// The e-stop that `snapshot` shows.
    pub fn of(snapshot: &Snapshot) -> Self {
        let estop = &snapshot.estop;
        Self {
            latched: estop.latched,
            epoch: estop.epoch,
            stage: stage(estop.stage),
            durable: estop.durable,
            reason: estop.reason.to_string(),
            source: estop.source.to_string(),
            since_ms: since_ms(estop, snapshot.at),
            requested_ms: estop.requested_at.map(BootTime::as_ms),
            sent_ms: estop.sent_at.map(BootTime::as_ms),
            confirmed_ms: estop.confirmed_at.map(BootTime::as_ms),
        }
    }
}

/// Answer of `POST stop`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StopState {
    /// The gate has ended setpoint and tasks, and closed base and head.
    pub stopped: bool,
    /// The MCU's state shows it.
    pub confirmed_by_mcu: bool,
}

/// Answer of `GET safety/budget`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BudgetState {
    /// Standstill after a client fell silent, ms.
    pub client_silent_ms: u32,
    /// Standstill after the agent died, ms.
    pub agent_dead_ms: u32,
    /// Standstill after the MCU died, ms.
    pub mcu_dead_ms: u32,
    /// What all three stay within, ms.
    pub promise_ms: u32,
    /// What they are made of.
    pub parts: BudgetParts,
}

/// The parts of the budget.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BudgetParts {
    /// Longest time to live of a setpoint, ms.
    pub ttl_ms: u32,
    /// One frame at the profile's baud, ms.
    pub wire_ms: u32,
    /// From the fastest wheel speed to zero, motor lag included, ms.
    pub ramp_ms: u32,
    /// One tick of the gate, ms.
    pub tick_ms: u32,
    /// The MCU's hold, ms.
    pub hold_ms: u32,
    /// The MCU's hardware watchdog, ms.
    pub watchdog_ms: u32,
    /// From full speed to zero with unpowered motors, ms.
    pub coast_ms: u32,
}

impl From<&Budget> for BudgetState {
    fn from(budget: &Budget) -> Self {
        Self {
            client_silent_ms: budget.client_silent_ms,
            agent_dead_ms: budget.agent_dead_ms,
            mcu_dead_ms: budget.mcu_dead_ms,
            promise_ms: budget.promise_ms,
            parts: BudgetParts {
                ttl_ms: budget.parts.ttl_ms,
                wire_ms: budget.parts.wire_ms,
                ramp_ms: budget.parts.ramp_ms,
                tick_ms: budget.parts.tick_ms,
                hold_ms: budget.parts.hold_ms,
                watchdog_ms: budget.parts.watchdog_ms,
                coast_ms: budget.parts.coast_ms,
            },
        }
    }
}

/// Answer of `POST velocity`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Driving {
    /// Lease in use.
    pub lease: String,
    /// The setpoint ends in, ms.
    pub expires_in_ms: u64,
    /// What the envelope made of it, when it was clamped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limited: Option<LimitedState>,
}

/// What the envelope made of a command.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LimitedState {
    /// m/s.
    pub linear_mps: f64,
    /// rad/s.
    pub angular_radps: f64,
    /// What limits it.
    pub reason: &'static str,
}

impl From<Limited> for LimitedState {
    fn from(limited: Limited) -> Self {
        Self {
            linear_mps: round(f64::from(limited.linear_mps), 3),
            angular_radps: round(f64::from(limited.angular_radps), 3),
            reason: limited.reason.as_str(),
        }
    }
}

/// Answer of `POST move`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Moving {
    /// Task id.
    pub task: String,
    /// Lease in use.
    pub lease: String,
    /// It ends at the latest in, ms.
    pub deadline_ms: u64,
}

/// A task.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TaskBody {
    /// Task id.
    pub id: String,
    /// `running`, `done`, `cancelled` or `failed`.
    pub state: &'static str,
    /// In words.
    pub reason: &'static str,
    /// 0 ..= 1.
    pub progress: f64,
}

impl From<&TaskView> for TaskBody {
    fn from(task: &TaskView) -> Self {
        Self {
            id: task_name(task.id),
            state: match task.state {
                TaskState::Running => "running",
                TaskState::Done => "done",
                TaskState::Cancelled => "cancelled",
                TaskState::Failed => "failed",
            },
            reason: task.reason,
            progress: round(f64::from(task.progress), 3),
        }
    }
}

/// A lease, as its taker gets it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LeaseBody {
    /// Lease id.
    pub id: String,
    /// What is held.
    pub resource: ResourceName,
    /// Rises with every take of the resource within a run.
    pub epoch: u32,
    /// Name of the token.
    pub holder: String,
    /// `local`, `remote`, `autonomy` or `ai`.
    pub class: &'static str,
    /// Ends in, ms.
    pub expires_in_ms: u64,
}

impl From<&LeaseView> for LeaseBody {
    fn from(lease: &LeaseView) -> Self {
        Self {
            id: lease_name(lease.id),
            resource: lease.resource.into(),
            epoch: lease.epoch,
            holder: lease.holder.to_string(),
            class: lease.class.as_str(),
            expires_in_ms: ms(lease.expires_in),
        }
    }
}

/// Answer of `GET control/why`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Why {
    /// Who drives; null: nobody.
    pub holder: Option<Holder>,
    /// What closed the base; null while open.
    pub closed: Option<ClosedState>,
    /// The last 50 refusals, oldest first.
    pub refusals: Vec<RefusalState>,
}

/// A refusal.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RefusalState {
    /// The agent's clock, ms.
    pub mono_ms: u64,
    /// HTTP status.
    pub status: u16,
    /// Problem type.
    pub r#type: String,
    /// In words.
    pub detail: String,
    /// Who asked.
    pub source: String,
}

impl Why {
    /// Who drives, what closed the base, and what was refused.
    pub fn of(snapshot: &Snapshot) -> Self {
        Self {
            holder: snapshot.leases[Resource::Base as usize].map(|lease| Holder::of(&lease)),
            closed: snapshot.base_closed.map(|closed| ClosedState::of(closed, snapshot.at)),
            refusals: snapshot
                .refusals
                .iter()
                .map(|record| {
                    RefusalState::of(record.at, &record.refusal, record.source.to_string(), snapshot.at)
                })
                .collect(),
        }
    }
}

impl RefusalState {
    fn of(at: BootTime, refusal: &Refusal, source: String, now: BootTime) -> Self {
        let problem = refusals::problem(refusal, now);
        Self {
            mono_ms: at.as_ms(),
            status: problem.status().as_u16(),
            r#type: problem.type_uri().to_owned(),
            detail: problem.detail().to_owned(),
            source,
        }
    }
}
