//! The one connection to the cloud's broker: what the robot shows and tells, the commands that come, and frames of sync both ways.
//!
//! It decides nothing and moves nothing: `drive::mqtt` does with commands what they ask for. Which broker it is, pairing says, and
//! may say differently while the program runs; without one nothing is sent, and nothing comes.

mod mqtt;
mod topics;

use std::fmt;

use cloud_sync_api::mqtt::Bytes;
use cloud_sync_protocol::command::Kind;
use cloud_sync_protocol::town::{RobotId, TownId};
use tokio::sync::{mpsc, watch};

pub use mqtt::{Link, start};

/// The broker, and who the robot is there.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkConfig {
    /// `mqtt://` or `mqtts://`.
    pub url: String,
    /// Where it asks for one.
    pub username: Option<String>,
    /// Where it asks for one.
    pub password: Option<String>,
    /// The town.
    pub town: TownId,
    /// The robot's name there.
    pub robot: RobotId,
}

impl fmt::Debug for LinkConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LinkConfig { town, robot, .. } = self;
        formatter.debug_struct("LinkConfig").field("town", town).field("robot", robot).finish_non_exhaustive()
    }
}

/// A command as it came.
#[derive(Clone, Debug)]
pub struct Command {
    /// What it asks for; `None` for a word that nobody here knows.
    pub kind: Option<Kind>,
    /// What it says, unread.
    pub payload: Bytes,
    /// The broker had kept it for whoever comes later.
    pub retained: bool,
}

/// Where commands come out. Two queues, so that a stop never waits behind others; a command that finds its queue full is dropped
/// and counted, and whoever sent it hears nothing.
#[derive(Debug)]
pub struct Commands {
    /// What only ends something.
    pub urgent: mpsc::Receiver<Command>,
    /// Everything else.
    pub others: mpsc::Receiver<Command>,
}

/// The broker's end of sync. Both queues are bounded: the sender of a frame upwards finds out that there is no room, and a frame
/// downwards that finds none is dropped and counted, for the replica asks again.
#[derive(Debug)]
pub struct SyncFrames {
    /// To the cloud. A frame that waits when the connection breaks is dropped.
    pub up: mpsc::Sender<Vec<u8>>,
    /// From the cloud.
    pub down: mpsc::Receiver<Vec<u8>>,
    /// Whether there is a connection.
    pub is_connected: watch::Receiver<bool>,
}
