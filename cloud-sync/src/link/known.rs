//! What is known of each robot: whether it is there, its newest state, and who reads it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cloud_sync_api::mqtt::Bytes;
use cloud_sync_protocol::command::{Status, WATCH_EVERY_MS};
use cloud_sync_protocol::town::RobotId;
use tokio::sync::watch;
use tokio::time::Instant;

/// Robots that are known. One more than a town may have devices is none of its own.
const ROBOTS_MAX: usize = 4096;
/// How often a robot that is read is told so.
const WATCH_EVERY: Duration = Duration::from_millis(WATCH_EVERY_MS);

/// A robot's newest state.
#[derive(Clone, Debug)]
pub struct Newest {
    /// As it came.
    pub body: Bytes,
    /// When.
    pub at: Instant,
}

/// One robot.
#[derive(Debug)]
pub(super) struct Robot {
    pub(super) status: watch::Sender<Option<Status>>,
    pub(super) state: watch::Sender<Option<Newest>>,
    readers: watch::Sender<usize>,
    told: Mutex<Option<Instant>>,
}

impl Default for Robot {
    fn default() -> Self {
        Self {
            status: watch::Sender::new(None),
            state: watch::Sender::new(None),
            readers: watch::Sender::new(0),
            told: Mutex::default(),
        }
    }
}

impl Robot {
    /// Whether it says that it is there.
    pub(super) fn is_online(&self) -> bool {
        self.status.borrow().as_ref().is_some_and(|status| status.online)
    }

    /// Somebody reads it, once or still: whether it must be told now.
    pub(super) fn must_be_told(&self, now: Instant) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        // A little early rather than late.
        let is_due = told.is_none_or(|at| now - at >= WATCH_EVERY / 2);
        if is_due {
            *told = Some(now);
        }
        is_due
    }
}

/// Somebody who reads a robot, until dropped.
#[derive(Debug)]
pub struct Watching(Arc<Robot>);

impl Watching {
    pub(super) fn new(robot: Arc<Robot>) -> Self {
        robot.readers.send_modify(|readers| *readers += 1);
        Self(robot)
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.readers.send_modify(|readers| *readers -= 1);
    }
}

/// All robots of the town that ever said something.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<HashMap<RobotId, Arc<Robot>>>);

impl Known {
    fn robots(&self) -> MutexGuard<'_, HashMap<RobotId, Arc<Robot>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The robot of that name. A table that is full is begun anew: whoever is there says so again.
    pub(super) fn robot(&self, id: &RobotId) -> Arc<Robot> {
        let mut robots = self.robots();
        if let Some(robot) = robots.get(id) {
            return Arc::clone(robot);
        }
        if robots.len() >= ROBOTS_MAX {
            robots.clear();
        }
        Arc::clone(robots.entry(id.clone()).or_default())
    }

    /// Those who say that they are there.
    pub(super) fn online(&self) -> Vec<RobotId> {
        self.robots().iter().filter(|(_, robot)| robot.is_online()).map(|(id, _)| id.clone()).collect()
    }

    /// Those whom somebody reads now.
    pub(super) fn read(&self) -> Vec<(RobotId, Arc<Robot>)> {
        let robots = self.robots();
        let read = robots.iter().filter(|(_, robot)| *robot.readers.borrow() > 0);
        read.map(|(id, robot)| (id.clone(), Arc::clone(robot))).collect()
    }

    /// The broker is gone, and with it what was known of who is there.
    pub(super) fn forget_who_is_there(&self) {
        for robot in self.robots().values() {
            robot.status.send_replace(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_robot_is_told_as_long_as_somebody_reads() {
        let known = Known::default();
        let id: RobotId = "robbie".parse().unwrap();
        let robot = known.robot(&id);
        assert!(robot.must_be_told(Instant::now()));
        assert!(!robot.must_be_told(Instant::now()));
        assert!(known.read().is_empty());
        let (one, other) = (Watching::new(known.robot(&id)), Watching::new(robot));
        drop(one);
        assert_eq!(known.read().len(), 1);
        drop(other);
        assert!(known.read().is_empty());
        tokio::time::advance(WATCH_EVERY / 2).await;
        assert!(known.robot(&id).must_be_told(Instant::now()));
    }
}
