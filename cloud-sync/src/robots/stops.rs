//! Stop and e-stop through the cloud: any live token of the robot's town will do, and nothing else keeps them back.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use cloud_sync_api::access::Principal;
use cloud_sync_api::json::read_leniently;
use cloud_sync_api::params::InPath;
use cloud_sync_api::problem::{Answer, Problem};
use cloud_sync_protocol::command::Kind;
use serde_json::{Map, Value};

use super::Robots;
use super::answers::answer;

/// So long an e-stop waits for a body that may name its reason.
const REASON_WAIT: Duration = Duration::from_millis(50);
/// The longest body in which a reason is looked for.
const REASON_BYTES: usize = 4096;

/// Stop: ends all motion, and closes base and head until a person takes them again. Any token of the town may.
#[utoipa::path(post, path = "/api/robots/{robot}/stop", tag = "stop", params(("robot" = String, Path, description = "Robot id")),
    responses((status = 200, description = "As the robot answers it", body = Value)))]
pub(super) async fn stop(
    State(robots): State<Robots>,
    principal: Option<Principal>,
    InPath(robot): InPath<String>,
) -> Answer<Response> {
    press(&robots, principal, &robot, Kind::Stop, Map::new()).await
}

/// E-stop: like stop, and latched over restarts and power cuts until an admin beside the robot resets it. Any token of the town may.
#[utoipa::path(post, path = "/api/robots/{robot}/estop", tag = "stop", params(("robot" = String, Path, description = "Robot id")),
    request_body(content = Option<Value>, description = "Perhaps a `reason`"),
    responses((status = 200, description = "As the robot answers it", body = Value)))]
pub(super) async fn estop(
    State(robots): State<Robots>,
    principal: Option<Principal>,
    InPath(robot): InPath<String>,
    body: axum::body::Body,
) -> Answer<Response> {
    let said: Option<Map<String, Value>> = read_leniently(body, REASON_BYTES, REASON_WAIT).await;
    let reason = said.and_then(|mut said| said.remove("reason")).filter(Value::is_string);
    let body = reason.map(|reason| ("reason".to_owned(), reason)).into_iter().collect();
    press(&robots, principal, &robot, Kind::EStop, body).await
}

async fn press(
    robots: &Robots,
    principal: Option<Principal>,
    robot: &str,
    kind: Kind,
    body: Map<String, Value>,
) -> Answer<Response> {
    let Some(principal) = principal.filter(|principal| principal.device().is_none()) else {
        return Err(Problem::no_token("Through the cloud a stop needs any token of the robot's town."));
    };
    robots.ask(&principal, robot, kind, body).await.map(answer)
}
