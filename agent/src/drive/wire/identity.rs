//! Who this robot is, for every state. It says nothing of what the robot does.

use agent_core::profile::Profile;

use crate::belongs::RobotName;

/// Who this robot is, for every state.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Robot id.
    pub robot: RobotName,
    /// Random for each start of the agent.
    pub run: u64,
    /// The body's limits.
    pub profile: Profile,
}
