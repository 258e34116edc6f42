//! The cloud that the robot belongs to: as its folder says while no agent runs, else as the agent says.

use cloud_sync_protocol::conflict::SyncStatus;

use super::report::Check;
use crate::data_dir::DataPaths;
use crate::sync::CloudFile;

/// The check's name.
pub const SYNC: &str = "cloud.sync";

/// Of a robot that is not paired.
const NO_CLOUD: &str = "belongs to no cloud; `robbie-agent pair CODE --cloud URL` changes that";

/// Whether there is one, and which.
pub(super) fn pairing(paths: &DataPaths) -> Check {
    match CloudFile::read(&paths.cloud()) {
        Ok(None) => Check::ok(SYNC, NO_CLOUD),
        Ok(Some(CloudFile::Forget)) => {
            Check::warn(SYNC, "the pairing is to be forgotten", "start the agent, which does it")
        }
        Ok(Some(CloudFile::Paired(pairing))) => {
            Check::ok(SYNC, format!("{} of town {} at {}", pairing.robot, pairing.town, pairing.url))
        }
        Err(error) => {
            Check::fail(SYNC, cloud_sync_api::failure::chain(&error), "ask as the agent's user, or pair anew")
        }
    }
}

/// How both sides stand, as a running agent says.
pub fn in_step(status: &SyncStatus) -> Check {
    let Some(cloud) = &status.cloud else { return Check::ok(SYNC, NO_CLOUD) };
    let waiting = match status.oldest_pending_age_ms {
        Some(age_ms) => format!("{} changes wait, the oldest for {} s", status.pending, age_ms / 1000),
        None => "nothing waits".to_owned(),
    };
    if let Some(fault) = &status.fault {
        return Check::fail(SYNC, format!("{cloud}: {fault}; {waiting}"), "mend that, or pair anew");
    }
    if !status.connected {
        let what = format!("{cloud} does not answer; {waiting}");
        let fix = "look whether the cloud runs and the network reaches it; nothing is lost meanwhile";
        return Check::warn(SYNC, what, fix);
    }
    if status.conflicts > 0 {
        let what = format!("{cloud}; {waiting}; {} edits lost to others", status.conflicts);
        return Check::warn(SYNC, what, "choose on the page, or with POST /api/sync/conflicts/{id}/resolve");
    }
    let way = if status.over_broker { "over its broker" } else { "over HTTP" };
    Check::ok(SYNC, format!("{cloud}, {way}; {waiting}"))
}
