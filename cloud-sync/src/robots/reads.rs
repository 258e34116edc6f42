//! What can be read of robots: from the newest state where it says so, else the robot is asked.

use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use cloud_sync_api::access::Principal;
use cloud_sync_api::json::answer as json_answer;
use cloud_sync_api::mqtt::Bytes;
use cloud_sync_api::params::InPath;
use cloud_sync_api::problem::Answer;
use cloud_sync_protocol::command::{AWAY_AFTER_MS, Kind};
use cloud_sync_protocol::town::RobotId;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::time::timeout;
use utoipa::ToSchema;

use super::answers::answer;
use super::{Robots, away};

/// A state as old as this is as good as a new one: its stamp will be accepted.
const FRESH: Duration = Duration::from_millis(250);
/// How long a newer one is waited for.
const FRESH_WITHIN: Duration = Duration::from_millis(AWAY_AFTER_MS);
/// A robot that showed nothing for so long is away.
pub(super) const SHOWN_WITHIN: Duration = Duration::from_millis(2500);

/// A robot of the town.
#[derive(Debug, Serialize, ToSchema)]
struct RobotAnswer {
    /// Robot id.
    id: RobotId,
    /// It is connected.
    online: bool,
    /// Random for each start of its program; null before it was ever seen.
    run: Option<String>,
    /// Version of its program.
    version: Option<String>,
}

/// The robots of the town.
#[utoipa::path(get, path = "/api/robots", tag = "robot", responses((status = 200, body = Vec<RobotAnswer>)))]
pub(super) async fn robots(State(robots): State<Robots>, principal: Principal) -> Response {
    let town = principal.entry.home.as_ref().map(|home| home.town.clone()).unwrap_or_default();
    let mut ids = robots.tokens().robots(&town);
    ids.sort();
    let is_served = town == robots.link.town().as_str();
    let rows: Vec<RobotAnswer> = ids
        .into_iter()
        .map(|id| {
            let status = robots.link.status(&id).filter(|_| is_served);
            let online = status.as_ref().is_some_and(|status| status.online);
            let (run, version) = status.map(|status| (status.run, status.version)).unzip();
            RobotAnswer { id, online, run, version }
        })
        .collect();
    json_answer(StatusCode::OK, &rows)
}

/// The robot now. Its `seen` is the robot's newest; echo it with commands.
#[utoipa::path(get, path = "/api/robots/{robot}/state", tag = "robot", params(("robot" = String, Path, description = "Robot id")),
    responses((status = 200, description = "As the robot shows it", body = Value)))]
pub(super) async fn state(
    State(robots): State<Robots>,
    principal: Principal,
    InPath(robot): InPath<String>,
) -> Answer<Response> {
    let robot = robots.find(&principal, &robot)?;
    let body = newest(&robots, &robot).await.ok_or_else(away)?;
    Ok(([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")], body).into_response())
}

/// A state that is as new as can be had within a second.
pub(super) async fn newest(robots: &Robots, robot: &RobotId) -> Option<Bytes> {
    if !robots.link.status(robot)?.online {
        return None;
    }
    let mut states = robots.link.states(robot);
    let _reading = robots.link.watch(robot);
    let fresh = states.wait_for(|newest| newest.as_ref().is_some_and(|newest| newest.at.elapsed() <= FRESH));
    if let Ok(Ok(newest)) = timeout(FRESH_WITHIN, fresh).await {
        return newest.as_ref().map(|newest| newest.body.clone());
    }
    let newest = robots.link.states(robot).borrow().clone()?;
    (newest.at.elapsed() <= SHOWN_WITHIN).then_some(newest.body)
}

/// Who drives, what closed the base, and why the last 50 commands were refused.
#[utoipa::path(get, path = "/api/robots/{robot}/control/why", tag = "robot", params(("robot" = String, Path, description = "Robot id")),
    responses((status = 200, description = "As the robot answers it", body = Value)))]
pub(super) async fn why(
    State(robots): State<Robots>,
    principal: Principal,
    InPath(robot): InPath<String>,
) -> Answer<Response> {
    read(&robots, &principal, &robot, "control/why").await
}

/// How long the body may go on after each of three failures.
#[utoipa::path(get, path = "/api/robots/{robot}/safety/budget", tag = "robot", params(("robot" = String, Path, description = "Robot id")),
    responses((status = 200, description = "As the robot answers it", body = Value)))]
pub(super) async fn budget(
    State(robots): State<Robots>,
    principal: Principal,
    InPath(robot): InPath<String>,
) -> Answer<Response> {
    read(&robots, &principal, &robot, "safety/budget").await
}

/// Every live lease.
#[utoipa::path(get, path = "/api/robots/{robot}/leases", tag = "leases", params(("robot" = String, Path, description = "Robot id")),
    responses((status = 200, description = "As the robot answers it", body = Value)))]
pub(super) async fn leases(
    State(robots): State<Robots>,
    principal: Principal,
    InPath(robot): InPath<String>,
) -> Answer<Response> {
    read(&robots, &principal, &robot, "leases").await
}

/// The e-stop.
#[utoipa::path(get, path = "/api/robots/{robot}/estop", tag = "stop", params(("robot" = String, Path, description = "Robot id")),
    responses((status = 200, description = "As the robot answers it", body = Value)))]
pub(super) async fn estop(
    State(robots): State<Robots>,
    principal: Principal,
    InPath(robot): InPath<String>,
) -> Answer<Response> {
    read(&robots, &principal, &robot, "estop").await
}

/// A task: the last 16 can be asked for.
#[utoipa::path(get, path = "/api/robots/{robot}/tasks/{task}", tag = "drive",
    params(("robot" = String, Path, description = "Robot id"), ("task" = String, Path, description = "Task id")),
    responses((status = 200, description = "As the robot answers it", body = Value)))]
pub(super) async fn task(
    State(robots): State<Robots>,
    principal: Principal,
    InPath((robot, task)): InPath<(String, String)>,
) -> Answer<Response> {
    read(&robots, &principal, &robot, &format!("tasks/{task}")).await
}

async fn read(robots: &Robots, principal: &Principal, robot: &str, what: &str) -> Answer<Response> {
    let body = Map::from_iter([("what".to_owned(), Value::from(what))]);
    robots.ask(principal, robot, Kind::Read, body).await.map(answer)
}
