//! A `move` that was asked for over the broker ends with it: whoever watches it could not stop it any more.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use agent_core::caller::Caller;
use agent_core::request::{Request, TaskId};
use agent_core::snapshot::TaskState;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::Station;
use super::command::Outcome;
use crate::drive::wire::ids::parse_task;

/// A broker that said nothing for so long is lost.
const LOST_AFTER: Duration = Duration::from_secs(2);
/// How often it is asked whether it is there, while something moves.
const BEAT_EVERY: Duration = Duration::from_millis(400);
/// How often is looked whether it is lost.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Moves that may run: one does, and the others have just ended.
const MOVES_MAX: usize = 8;

/// Moves that run.
#[derive(Debug, Default)]
pub(super) struct Moves {
    running: Mutex<Vec<(Caller, TaskId)>>,
    begun: Notify,
}

impl Moves {
    fn running(&self) -> MutexGuard<'_, Vec<(Caller, TaskId)>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A `move` was accepted, if it was.
    pub(super) fn begun(&self, caller: Caller, outcome: &Outcome) {
        let Outcome::Answered { body: Some(body), .. } = outcome else { return };
        let Some(task) = body.get("task").and_then(|task| task.as_str()) else { return };
        let mut running = self.running();
        if running.len() >= MOVES_MAX {
            running.remove(0);
        }
        running.push((caller, parse_task(task)));
        self.begun.notify_one();
    }
}

/// Looks after the moves for ever.
pub(super) async fn keep(station: &Station) {
    loop {
        station.moves.begun.notified().await;
        let mut beaten: Option<Instant> = None;
        while forget_ended(station) {
            if beaten.is_none_or(|at| at.elapsed() >= BEAT_EVERY) {
                beaten = Some(Instant::now());
                station.link.beat();
            }
            if station.link.heard().is_none_or(|heard| heard.elapsed() >= LOST_AFTER) {
                end_all(station).await;
            }
            sleep(LOOK_EVERY).await;
        }
    }
}

/// Whether any still runs.
fn forget_ended(station: &Station) -> bool {
    let snapshot = station.robot.drive.snapshot();
    let runs =
        |task: TaskId| snapshot.tasks.iter().any(|view| view.id == task && view.state == TaskState::Running);
    let mut running = station.moves.running();
    running.retain(|(_, task)| runs(*task));
    !running.is_empty()
}

async fn end_all(station: &Station) {
    let running = std::mem::take(&mut *station.moves.running());
    for (caller, task) in running {
        tracing::warn!("the broker is lost: what was driven over it ends");
        if let Err(problem) = station.robot.ask(caller, Request::CancelTask(task)).await {
            // It has ended meanwhile, or is somebody else's by now.
            tracing::debug!("nothing was left to end: {}", problem.detail());
        }
    }
}
