//! The topics of a town's robots. The only place that builds or reads one.

use cloud_sync_protocol::command::Kind;
use cloud_sync_protocol::town::{RobotId, TownId};

/// Those who share frames of sync among themselves.
const GROUP: &str = "robbie-cloud";

/// The topics of one town.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Topics(String);

/// What a message is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Incoming {
    /// Whether a robot is there.
    Status(RobotId),
    /// How it is.
    State(RobotId),
    /// What became of a command to it.
    Result(RobotId),
    /// A frame of sync from it.
    SyncUp(RobotId),
}

impl Topics {
    pub(super) fn of(town: &TownId) -> Self {
        Self(format!("robbie/v1/{town}/"))
    }

    /// A command to a robot.
    pub(super) fn command(&self, robot: &RobotId, kind: Kind) -> String {
        format!("{}{robot}/command/{}", self.0, kind.as_str())
    }

    /// A frame of sync to a robot.
    pub(super) fn sync_down(&self, robot: &RobotId) -> String {
        format!("{}{robot}/sync/down", self.0)
    }

    /// What every replica hears.
    pub(super) fn filters(&self) -> [String; 3] {
        ["status", "state", "command-result"].map(|name| format!("{}+/{name}", self.0))
    }

    /// What one of the replicas hears.
    pub(super) fn shared_filter(&self) -> String {
        format!("$share/{GROUP}/{}+/sync/up", self.0)
    }

    /// What a topic is about; `None` where it is none of ours.
    pub(super) fn read(&self, topic: &str) -> Option<Incoming> {
        let (robot, rest) = topic.strip_prefix(&self.0)?.split_once('/')?;
        let robot = robot.parse().ok()?;
        match rest {
            "status" => Some(Incoming::Status(robot)),
            "state" => Some(Incoming::State(robot)),
            "command-result" => Some(Incoming::Result(robot)),
            "sync/up" => Some(Incoming::SyncUp(robot)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_names_a_robot_of_this_town() {
        let topics = Topics::of(&"home".parse().unwrap());
        let robbie: RobotId = "robbie".parse().unwrap();
        assert_eq!(topics.command(&robbie, Kind::EStop), "robbie/v1/home/robbie/command/estop");
        assert_eq!(topics.shared_filter(), "$share/robbie-cloud/robbie/v1/home/+/sync/up");
        let check = |topic: &str, wanted: Option<Incoming>| assert_eq!(topics.read(topic), wanted, "{topic}");
        check("robbie/v1/home/robbie/state", Some(Incoming::State(robbie.clone())));
        check("robbie/v1/home/robbie/status", Some(Incoming::Status(robbie.clone())));
        check("robbie/v1/home/robbie/command-result", Some(Incoming::Result(robbie.clone())));
        check("robbie/v1/home/robbie/sync/up", Some(Incoming::SyncUp(robbie)));
        for other in [
            "robbie/v1/elsewhere/robbie/state",
            "robbie/v1/home/Not A Robot/state",
            "robbie/v1/home/robbie/sync/down",
            "robbie/v1/home/robbie/command/stop",
            "robbie/v1/home/state",
        ] {
            check(other, None);
        }
    }
}
