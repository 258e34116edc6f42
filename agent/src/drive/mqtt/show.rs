//! Shows the robot's state over the broker: slowly, and quickly while somebody looks or drives from afar.

use std::time::Duration;

use agent_core::caller::Class;
use cloud_sync_protocol::command::WATCHED_FOR_MS;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::Station;
use crate::drive::shown::Shown;
use crate::drive::wire::state::State;

/// Between two states while somebody looks or drives.
const QUICK: Duration = Duration::from_millis(100);
/// Between two states otherwise.
const SLOW: Duration = Duration::from_secs(1);

/// Shows it for ever.
pub(super) async fn keep(station: &Station) {
    let mut turns = interval(QUICK);
    turns.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut shown: Option<Instant> = None;
    loop {
        turns.tick().await;
        if !station.link.is_connected() {
            shown = None;
            continue;
        }
        let snapshot = station.robot.drive.snapshot();
        let is_due = shown.is_none_or(|at| at.elapsed() + QUICK / 2 >= SLOW);
        if !is_due && !is_watched(station) && !is_driven_from_afar(&snapshot) {
            continue;
        }
        shown = Some(Instant::now());
        // Numbers and strings: this cannot fail.
        let state = serde_json::to_vec(&State::of(&snapshot, &station.robot.identity)).unwrap_or_default();
        station.link.show_state(state);
    }
}

fn is_watched(station: &Station) -> bool {
    let watched_for = Duration::from_millis(WATCHED_FOR_MS);
    station.watched.borrow().is_some_and(|at| at.elapsed() < watched_for)
}

fn is_driven_from_afar(snapshot: &Shown) -> bool {
    snapshot.leases.iter().flatten().any(|lease| lease.class == Class::Remote || lease.class == Class::Ai)
}
