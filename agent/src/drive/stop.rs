//! Stop and e-stop: open to everyone who reaches the robot's own listener. They act before anything is checked, and a
//! broken body never keeps them from it.

use std::pin::pin;
use std::time::Duration;

use agent_core::caller::{Caller, Class, TokenId, label};
use agent_core::request::Request;
use agent_core::snapshot::Snapshot;
use axum::body::Body;
use axum::extract::State as Shared;
use axum::response::Response;
use cloud_sync_api::access::Principal;
use cloud_sync_api::json::{answer, read_leniently};
use cloud_sync_api::peer::Peer;
use cloud_sync_api::rate::{Left, StopVerdict};
use futures_util::FutureExt;
use http::StatusCode;

use super::robot::{Robot, caller};
use super::wire::answers::{EStopState, StopState};
use super::wire::bodies::EStopBody;
use crate::os;

/// A stop is answered within 250 ms, confirmed by the MCU or not.
const STOP_ANSWER: Duration = Duration::from_millis(240);

/// An e-stop's answer waits so long for the disk.
const DURABLE_ANSWER: Duration = Duration::from_millis(200);

/// So long an e-stop's answer waits for a body that may name its reason.
const REASON_WAIT: Duration = Duration::from_millis(50);

/// The longest body in which a reason is looked for.
const REASON_BYTES: usize = 4096;

/// Whoever has no token acts as this one; stops need none.
const NOBODY: TokenId = TokenId(u32::MAX);

/// Stop: ends all motion, and closes base and head until a person takes them again. Needs no token.
#[utoipa::path(post, path = "/api/robot/stop", tag = "stop", responses((status = 200, body = StopState)))]
pub async fn stop(Shared(robot): Shared<Robot>, peer: Peer, principal: Option<Principal>) -> Response {
    answer(StatusCode::OK, &press_stop(&robot, &peer, principal.as_ref()).await)
}

/// Stops, whoever asks and by whatever way, and says within 250 ms how that went.
pub async fn press_stop(robot: &Robot, peer: &Peer, principal: Option<&Principal>) -> StopState {
    let left = left(robot.drive.snapshot().is_anything_to_stop);
    let stopping = async {
        if verdict(robot, peer, left) == StopVerdict::Act {
            act(robot, presser(peer, principal), Request::Stop).await;
        }
        robot.drive.until(|now| stopped(now) && now.stop_confirmed).await;
    };
    // Late or silent, the gate's newest word is the answer.
    tokio::time::timeout(STOP_ANSWER, stopping).await.ok();
    let after = robot.drive.snapshot();
    StopState { stopped: stopped(&after), confirmed_by_mcu: after.stop_confirmed }
}

/// E-stop: like stop, and latched over restarts and power cuts until an admin beside the robot resets it. Needs no token.
#[utoipa::path(post, path = "/api/robot/estop", tag = "stop", request_body = Option<EStopBody>,
    responses((status = 200, body = EStopState)))]
pub async fn estop(
    Shared(robot): Shared<Robot>,
    peer: Peer,
    principal: Option<Principal>,
    body: Body,
) -> Response {
    let before = robot.drive.snapshot();
    let left = left(!(before.estop.latched && before.estop.durable));
    if verdict(&robot, &peer, left) == StopVerdict::Act {
        press(&robot, presser(&peer, principal.as_ref()), body).await;
    }
    let durable = robot.drive.until(|now| now.estop.latched && now.estop.durable);
    tokio::time::timeout(DURABLE_ANSWER, durable).await.ok();
    answer(StatusCode::OK, &EStopState::of(&robot.drive.snapshot()))
}

/// Acts at once, with the reason if it came with the head; one that comes later is added to the same e-stop.
async fn press(robot: &Robot, presser: Caller, body: Body) {
    let mut reading = pin!(read_leniently::<EStopBody>(body, REASON_BYTES, REASON_WAIT));
    let at_once = reading.as_mut().now_or_never();
    let reason_of =
        |body: Option<EStopBody>| label(body.and_then(|body| body.reason).as_deref().unwrap_or_default());
    let is_complete = at_once.is_some();
    act(robot, presser, Request::EStop { reason: reason_of(at_once.flatten()) }).await;
    if is_complete {
        return;
    }
    let late = reason_of(reading.await);
    if !late.is_empty() {
        act(robot, presser, Request::EStop { reason: late }).await;
    }
}

fn left(is_anything: bool) -> Left {
    if is_anything { Left::Something } else { Left::Nothing }
}

fn verdict(robot: &Robot, peer: &Peer, left: Left) -> StopVerdict {
    robot.stops.decide(peer.counted(), left, os::boot_time().as_us() * 1000)
}

async fn act(robot: &Robot, presser: Caller, request: Request) {
    // A full queue holds as many of the same already, and a gate that does not answer stops by its hold: the answer shows it.
    if let Err(error) = robot.drive.ask(presser, request).await {
        tracing::error!("a stop found the gate silent, the body stops by its hold: {error}");
    }
}

fn stopped(snapshot: &Snapshot) -> bool {
    snapshot.base_closed.is_some() && snapshot.head_closed.is_some() && snapshot.setpoint.is_none()
}

/// Who pressed it, for the record.
fn presser(peer: &Peer, principal: Option<&Principal>) -> Caller {
    match principal {
        Some(principal) => caller(principal),
        None => Caller {
            token: NOBODY,
            class: Class::Remote,
            name: label(&peer.counted().to_string()),
            must_show_seen: false,
            turn: None,
        },
    }
}
