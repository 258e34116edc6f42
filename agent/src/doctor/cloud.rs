//! The cloud that the robot belongs to, as its folder says while no agent runs.

use super::report::Check;
use crate::data_dir::DataPaths;
use crate::sync::CloudFile;

/// The check's name.
pub const SYNC: &str = "cloud.sync";

/// Whether there is one, and which.
pub(super) fn pairing(paths: &DataPaths) -> Check {
    match CloudFile::read(&paths.cloud()) {
        Ok(None) => Check::ok(SYNC, "belongs to no cloud; `robbie-agent pair CODE --cloud URL` changes that"),
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
