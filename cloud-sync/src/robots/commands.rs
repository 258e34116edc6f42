//! What changes something on a robot: handed to it as it came.

use axum::extract::State;
use axum::response::Response;
use cloud_sync_api::access::Principal;
use cloud_sync_api::json::Body;
use cloud_sync_api::params::InPath;
use cloud_sync_api::problem::{Answer, Problem};
use cloud_sync_protocol::command::Kind;
use serde_json::{Map, Value};

use super::Robots;
use super::answers::answer;

/// A body for the robot, which reads it.
type Fields = Body<Map<String, Value>>;

/// Drive at a speed until its time to live is over; send again before that to go on. `seen` is needed.
#[utoipa::path(post, path = "/api/robots/{robot}/velocity", tag = "drive", params(("robot" = String, Path, description = "Robot id")),
    request_body(content = Value, description = "As the robot's own POST /api/robot/velocity takes it",
        example = json!({"linear_mps": 0.2, "angular_radps": 0.0, "ttl_ms": 250, "seen": {"run": "9f3c21d07ab4e658", "mono_ms": 81_225}})),
    responses((status = 202, description = "As the robot answers it", body = Value)))]
pub(super) async fn velocity(
    State(robots): State<Robots>,
    principal: Principal,
    InPath(robot): InPath<String>,
    Body(body): Fields,
) -> Answer<Response> {
    hand_on(&robots, &principal, &robot, Kind::Velocity, body).await
}

/// Drive a distance, or turn by an angle. `seen` is needed.
#[utoipa::path(post, path = "/api/robots/{robot}/move", tag = "drive", params(("robot" = String, Path, description = "Robot id")),
    request_body(content = Value, description = "As the robot's own POST /api/robot/move takes it",
        example = json!({"distance_m": 0.5, "speed_mps": 0.2, "seen": {"run": "9f3c21d07ab4e658", "mono_ms": 81_225}})),
    responses((status = 202, description = "As the robot answers it", body = Value)))]
pub(super) async fn travel(
    State(robots): State<Robots>,
    principal: Principal,
    InPath(robot): InPath<String>,
    Body(body): Fields,
) -> Answer<Response> {
    hand_on(&robots, &principal, &robot, Kind::Move, body).await
}

/// Point the head. `seen` is needed.
#[utoipa::path(post, path = "/api/robots/{robot}/head", tag = "drive", params(("robot" = String, Path, description = "Robot id")),
    request_body(content = Value, description = "As the robot's own POST /api/robot/head takes it",
        example = json!({"pan_rad": 0.3, "tilt_rad": 0.0, "seen": {"run": "9f3c21d07ab4e658", "mono_ms": 81_225}})),
    responses((status = 202, description = "As the robot answers it", body = Value)))]
pub(super) async fn head(
    State(robots): State<Robots>,
    principal: Principal,
    InPath(robot): InPath<String>,
    Body(body): Fields,
) -> Answer<Response> {
    hand_on(&robots, &principal, &robot, Kind::Head, body).await
}

/// Set the lights; what is absent stays as it is.
#[utoipa::path(post, path = "/api/robots/{robot}/lights", tag = "drive", params(("robot" = String, Path, description = "Robot id")),
    request_body(content = Value, description = "As the robot's own POST /api/robot/lights takes it",
        example = json!({"on": true, "color": "#ff8800", "brightness": 0.5})),
    responses((status = 200, description = "As the robot answers it", body = Value)))]
pub(super) async fn lights(
    State(robots): State<Robots>,
    principal: Principal,
    InPath(robot): InPath<String>,
    Body(body): Fields,
) -> Answer<Response> {
    hand_on(&robots, &principal, &robot, Kind::Lights, body).await
}

/// Take a lease. A person opens with it what a stop has closed. `seen` is needed.
#[utoipa::path(post, path = "/api/robots/{robot}/leases", tag = "leases", params(("robot" = String, Path, description = "Robot id")),
    request_body(content = Value, description = "As the robot's own POST /api/robot/leases takes it",
        example = json!({"resource": "base", "ttl_ms": 3_000, "seen": {"run": "9f3c21d07ab4e658", "mono_ms": 81_225}})),
    responses((status = 201, description = "As the robot answers it", body = Value)))]
pub(super) async fn take(
    State(robots): State<Robots>,
    principal: Principal,
    InPath(robot): InPath<String>,
    Body(body): Fields,
) -> Answer<Response> {
    hand_on(&robots, &principal, &robot, Kind::LeaseTake, body).await
}

/// Renew a lease. Never takes one.
#[utoipa::path(put, path = "/api/robots/{robot}/leases/{lease}", tag = "leases",
    params(("robot" = String, Path, description = "Robot id"), ("lease" = String, Path, description = "Lease id")),
    request_body(content = Value, description = "As the robot's own PUT /api/robot/leases/{lease} takes it",
        example = json!({"ttl_ms": 3_000})),
    responses((status = 200, description = "As the robot answers it", body = Value)))]
pub(super) async fn renew(
    State(robots): State<Robots>,
    principal: Principal,
    InPath((robot, lease)): InPath<(String, String)>,
    Body(mut body): Fields,
) -> Answer<Response> {
    name(&mut body, "lease", lease)?;
    hand_on(&robots, &principal, &robot, Kind::LeaseRenew, body).await
}

/// Give a lease back; its motion ends.
#[utoipa::path(delete, path = "/api/robots/{robot}/leases/{lease}", tag = "leases",
    params(("robot" = String, Path, description = "Robot id"), ("lease" = String, Path, description = "Lease id")),
    responses((status = 204, description = "It is over.")))]
pub(super) async fn release(
    State(robots): State<Robots>,
    principal: Principal,
    InPath((robot, lease)): InPath<(String, String)>,
) -> Answer<Response> {
    let mut body = Map::new();
    name(&mut body, "lease", lease)?;
    hand_on(&robots, &principal, &robot, Kind::LeaseRelease, body).await
}

/// Ends a task; the robot brakes.
#[utoipa::path(delete, path = "/api/robots/{robot}/tasks/{task}", tag = "drive",
    params(("robot" = String, Path, description = "Robot id"), ("task" = String, Path, description = "Task id")),
    responses((status = 200, description = "As the robot answers it", body = Value)))]
pub(super) async fn cancel_task(
    State(robots): State<Robots>,
    principal: Principal,
    InPath((robot, task)): InPath<(String, String)>,
) -> Answer<Response> {
    let mut body = Map::new();
    name(&mut body, "task", task)?;
    hand_on(&robots, &principal, &robot, Kind::TaskCancel, body).await
}

/// What stands in the path goes with the body, which must not say it, too.
fn name(body: &mut Map<String, Value>, field: &'static str, value: String) -> Result<(), Problem> {
    match body.insert(field.to_owned(), value.into()) {
        None => Ok(()),
        Some(_) => Err(unknown(field)),
    }
}

/// Who asks, nobody says for another.
async fn hand_on(
    robots: &Robots,
    principal: &Principal,
    robot: &str,
    kind: Kind,
    body: Map<String, Value>,
) -> Answer<Response> {
    for field in ["id", "by"] {
        if body.contains_key(field) {
            return Err(unknown(field));
        }
    }
    robots.ask(principal, robot, kind, body).await.map(answer)
}

fn unknown(field: &'static str) -> Problem {
    Problem::bad_request(format!("The JSON does not fit: unknown field `{field}`.")).field(field)
}
