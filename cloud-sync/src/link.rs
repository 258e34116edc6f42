//! The connection to the broker that robots are reached over: what they show and tell, commands to them and what becomes of those,
//! and frames of sync both ways.
//!
//! Every replica hears every robot's state and results, and takes those that it asked for; frames of sync go to one of them. For now
//! one town's robots are served, because the broker tells nobody apart yet.

mod known;
mod mqtt;
pub mod sync;
mod topics;

use cloud_sync_api::mqtt::Bytes;
use tokio::sync::mpsc;

use crate::sync::Robot;

pub use known::{Newest, Watching};
pub(crate) use mqtt::random_id;
pub use mqtt::{Away, Link, Refusals, Socket};

/// A frame of sync from a robot.
#[derive(Clone, Debug)]
pub struct FrameUp {
    /// The robot, whose secret was valid when it came.
    pub robot: Robot,
    /// The frame, unread.
    pub frame: Bytes,
}

/// Frames of sync, in the order in which they came. One that finds the queue full is dropped and counted: the robot says it again.
pub type FramesUp = mpsc::Receiver<FrameUp>;
