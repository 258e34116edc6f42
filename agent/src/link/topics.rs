//! The robot's topics. The only place that builds or reads one.

use cloud_sync_protocol::town::{RobotId, TownId};

/// The topics of one robot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Topics(String);

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Incoming<'a> {
    /// A command, by its word.
    Command(&'a str),
    /// A frame of sync.
    SyncDown,
}

impl Topics {
    pub(super) fn of(town: &TownId, robot: &RobotId) -> Self {
        Self(format!("robbie/v1/{town}/{robot}/"))
    }

    fn below(&self, name: &str) -> String {
        format!("{}{name}", self.0)
    }

    /// Whether the robot is there.
    pub(super) fn status(&self) -> String {
        self.below("status")
    }

    /// How it is.
    pub(super) fn state(&self) -> String {
        self.below("state")
    }

    /// What happened to it.
    pub(super) fn event(&self, kind: &str) -> String {
        format!("{}event/{kind}", self.0)
    }

    /// What became of commands.
    pub(super) fn results(&self) -> String {
        self.below("command-result")
    }

    /// Frames to the cloud.
    pub(super) fn sync_up(&self) -> String {
        self.below("sync/up")
    }

    /// What the robot listens to.
    pub(super) fn filters(&self) -> [String; 2] {
        [self.below("command/+"), self.below("sync/down")]
    }

    /// What a topic is about; `None` where it is none of ours.
    pub(super) fn read<'a>(&self, topic: &'a str) -> Option<Incoming<'a>> {
        let rest = topic.strip_prefix(&self.0)?;
        if rest == "sync/down" {
            return Some(Incoming::SyncDown);
        }
        rest.strip_prefix("command/").filter(|word| !word.contains('/')).map(Incoming::Command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_addressed_to_this_robot_is_read() {
        // Neither another's topics, nor those that it writes itself.
        let topics = Topics::of(&"home".parse().unwrap(), &"robbie".parse().unwrap());
        assert_eq!(topics.event("estop"), "robbie/v1/home/robbie/event/estop");
        let check =
            |topic: &str, wanted: Option<Incoming<'_>>| assert_eq!(topics.read(topic), wanted, "{topic}");
        check("robbie/v1/home/robbie/command/stop", Some(Incoming::Command("stop")));
        check("robbie/v1/home/robbie/command/what", Some(Incoming::Command("what")));
        check("robbie/v1/home/robbie/sync/down", Some(Incoming::SyncDown));
        for other in [
            "robbie/v1/home/robbie2/command/stop",
            "robbie/v1/elsewhere/robbie/command/stop",
            "robbie/v1/home/robbie/command/a/b",
            "robbie/v1/home/robbie/command",
            "robbie/v1/home/robbie/state",
            "robbie/v1/home/robbie/sync/up",
            "",
        ] {
            check(other, None);
        }
    }
}
