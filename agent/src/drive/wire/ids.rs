//! Names of leases, tasks and runs on the wire, and the robot's own stamp.

use agent_core::request::{LeaseId, Seen, TaskId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The robot's own stamp; a sender echoes the newest it saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SeenBody {
    /// Random for each start of the agent.
    #[schema(example = "9f3c21d07ab4e658")]
    pub run: String,
    /// The agent's clock, ms.
    pub mono_ms: u64,
}

impl SeenBody {
    /// The stamp of run `run` at `mono_ms`.
    pub fn new(run: u64, mono_ms: u64) -> Self {
        Self { run: format!("{run:016x}"), mono_ms }
    }

    /// The stamp as the gate compares it. What is not a run of this agent is simply another run.
    pub fn parse(&self) -> Seen {
        Seen { run: hex_u64(&self.run).unwrap_or(0), mono_ms: self.mono_ms }
    }
}

fn hex_u64(text: &str) -> Option<u64> {
    (text.len() == 16).then(|| u64::from_str_radix(text, 16).ok()).flatten()
}

/// `l-17`.
pub fn lease_name(id: LeaseId) -> String {
    format!("l-{}", id.0)
}

/// The lease of a name. No lease has the number 0, so an unknown name is a lease that is gone.
pub fn parse_lease(name: &str) -> LeaseId {
    LeaseId(name.strip_prefix("l-").and_then(|number| number.parse().ok()).unwrap_or(0))
}

/// `t-4`.
pub fn task_name(id: TaskId) -> String {
    format!("t-{}", id.0)
}

/// The task of a name; an unknown name is task 0, which never exists.
pub fn parse_task(name: &str) -> TaskId {
    TaskId(name.strip_prefix("t-").and_then(|number| number.parse().ok()).unwrap_or(0))
}
