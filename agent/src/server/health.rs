//! Looks after what `/health` says of gate, body, latch and memory. Never moves anything.

use std::time::Duration;

use cloud_sync_api::health::Faults;

use super::Watched;
use crate::drive::handle::DriveHandle;

/// How often it looks.
const PERIOD: Duration = Duration::from_millis(250);

/// The gate's first tick is a matter of milliseconds, and whoever waits for the start waits for it.
const FIRST_TICK_WITHIN: Duration = Duration::from_millis(200);
const FIRST_LOOKS: u32 = 40;

/// Keeps the faults of the body up to date for ever.
pub(super) async fn watch(watched: Watched, drive: DriveHandle) {
    for _ in 0..FIRST_LOOKS {
        if watched.pulse.ticks() > 0 {
            break;
        }
        tokio::time::sleep(FIRST_TICK_WITHIN / FIRST_LOOKS).await;
    }
    let mut periods = tokio::time::interval(PERIOD);
    let mut ticks = 0;
    loop {
        periods.tick().await;
        let body = body_fault(&watched, &drive);
        report(&watched.faults, "body", body);
        let newest = watched.pulse.ticks();
        let gate = (newest == ticks).then(|| "The gate does not tick; the body stops by itself.".to_owned());
        ticks = newest;
        if gate.is_none() {
            watched.faults.has_started();
        }
        report(&watched.faults, "gate", gate);
        report(&watched.faults, "latch", latch_fault(&drive));
        report(&watched.faults, "memory", watched.memory.health());
        report(&watched.faults, "sync", watched.in_step.pulse.shown().fault);
    }
}

fn body_fault(watched: &Watched, drive: &DriveHandle) -> Option<String> {
    if let Some(problem) = watched.ports.problem() {
        return Some(problem);
    }
    let snapshot = drive.snapshot();
    if let Some(fault) = snapshot.fault {
        return Some(format!("The body cannot be driven: {fault}."));
    }
    if !snapshot.is_heard {
        return Some(
            "The microcontroller does not answer; `robbie-agent doctor` looks for the reason.".to_owned(),
        );
    }
    if !snapshot.link_up {
        return Some("The microcontroller answers, but the handshake is not finished.".to_owned());
    }
    None
}

/// For the moment that a healthy disk needs this may come up between two looks; it is no false alarm.
fn latch_fault(drive: &DriveHandle) -> Option<String> {
    let estop = drive.snapshot().estop;
    (estop.latched && !estop.durable)
        .then(|| "The e-stop is latched but not on the disk yet; is the disk full? It would not survive a power cut.".to_owned())
}

fn report(faults: &Faults, part: &'static str, fault: Option<String>) {
    match fault {
        Some(detail) => faults.set(part, detail),
        None => faults.clear(part),
    }
}
