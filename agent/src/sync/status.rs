//! How the robot stands with its cloud: what its memory knows, and what whoever talks with the cloud knows.

use agent_store::Store;
use cloud_sync_protocol::conflict::{Conflict, Keep, SyncStatus};
use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::store::{Stored, SyncStore, Whose};
use jiff::Timestamp;

use super::pulse::Pulse;

/// Both together.
#[derive(Clone, Debug)]
pub struct InStep {
    /// The memory.
    pub store: Store,
    /// How sync is doing.
    pub pulse: Pulse,
}

impl SyncStore for InStep {
    async fn sync_status(&self, whose: &Whose) -> Stored<SyncStatus> {
        let of_store = self.store.sync_status(whose).await?;
        let shown = self.pulse.shown();
        Ok(SyncStatus {
            cloud: shown.cloud,
            connected: shown.is_connected,
            over_broker: shown.is_over_broker,
            last_converged_at: shown.converged_ms.and_then(|ms| Timestamp::from_millisecond(ms).ok()),
            fault: shown.fault,
            ..of_store
        })
    }

    async fn conflicts(&self, whose: &Whose) -> Stored<Vec<Conflict>> {
        self.store.conflicts(whose).await
    }

    async fn resolve(&self, whose: &Whose, id: RowId, keep: Keep) -> Stored<()> {
        self.store.resolve(whose, id, keep).await
    }
}
