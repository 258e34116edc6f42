//! What the gate thread shows of itself: the gate's snapshot, and what its link session counted.

use std::ops::Deref;

use agent_core::snapshot::Snapshot;
use firmware_bridge_host::{Losses, SessionFault};

/// A snapshot with the link behind it. Reads like the snapshot.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The gate.
    pub gate: Snapshot,
    /// What got lost on the link.
    pub losses: Losses,
    /// Why the body can be heard and yet not be driven.
    pub fault: Option<SessionFault>,
}

impl Deref for Shown {
    type Target = Snapshot;

    fn deref(&self) -> &Snapshot {
        &self.gate
    }
}
