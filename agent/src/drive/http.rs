//! The robot's routes that read or move the body. Handlers parse, ask the gate and answer; they decide nothing.

use agent_core::caller::Caller;
use agent_core::refusal::Refusal;
use agent_core::request::{Accepted, Request};
use axum::extract::State as Shared;
use axum::response::Response;
use cloud_sync_api::access::Principal;
use cloud_sync_api::json::{Body, answer};
use cloud_sync_api::params::InPath;
use cloud_sync_api::problem::Problem;
use cloud_sync_api::scope::Scopes;
use http::StatusCode;

use super::refusals;
use super::robot::{Robot, caller};
use super::wire::answers::{BudgetState, Driving, EStopState, LeaseBody, Moving, RobotBody, TaskBody, Why};
use super::wire::bodies::{HeadBody, LightsBody, MoveBody, RenewBody, ResetBody, TakeBody, VelocityBody};
use super::wire::ids::{SeenBody, lease_name, parse_lease, parse_task, task_name};
use super::wire::state::{State, ms};
use crate::os;

/// The robots that answer here: this one. Its routes answer under `/api/robots/{id}/` as well.
#[utoipa::path(get, path = "/api/robots", tag = "robot", responses((status = 200, body = Vec<RobotBody>)))]
pub async fn robots(Shared(robot): Shared<Robot>) -> Response {
    let this = RobotBody {
        id: robot.identity.robot.now().to_string(),
        online: true,
        run: format!("{:016x}", robot.identity.run),
        version: env!("CARGO_PKG_VERSION"),
    };
    answer(StatusCode::OK, &[this])
}

/// The robot now.
#[utoipa::path(get, path = "/api/robot/state", tag = "robot", responses((status = 200, body = State)))]
pub async fn state(Shared(robot): Shared<Robot>) -> Response {
    answer(StatusCode::OK, &State::of(&robot.drive.snapshot(), &robot.identity))
}

/// Drive at a speed until its time to live is over; send again before that to go on.
#[utoipa::path(post, path = "/api/robot/velocity", tag = "drive", request_body = VelocityBody,
    responses((status = 202, body = Driving)))]
pub async fn velocity(
    Shared(robot): Shared<Robot>,
    principal: Principal,
    Body(body): Body<VelocityBody>,
) -> Result<Response, Problem> {
    check_seen(&principal, body.seen.as_ref())?;
    match robot.ask(caller(&principal), body.request()?).await? {
        Accepted::Driving { lease, expires_in, limited } => {
            let driving = Driving {
                lease: lease_name(lease),
                expires_in_ms: ms(expires_in),
                limited: limited.map(Into::into),
            };
            Ok(answer(StatusCode::ACCEPTED, &driving))
        }
        other => Err(unexpected(&other)),
    }
}

/// Drive a distance, or turn by an angle.
#[utoipa::path(post, path = "/api/robot/move", tag = "drive", request_body = MoveBody, responses((status = 202, body = Moving)))]
pub async fn travel(
    Shared(robot): Shared<Robot>,
    principal: Principal,
    Body(body): Body<MoveBody>,
) -> Result<Response, Problem> {
    check_seen(&principal, body.seen.as_ref())?;
    match robot.ask(caller(&principal), body.request()?).await? {
        Accepted::Moving { task, lease, deadline } => {
            let moving =
                Moving { task: task_name(task), lease: lease_name(lease), deadline_ms: ms(deadline) };
            Ok(answer(StatusCode::ACCEPTED, &moving))
        }
        other => Err(unexpected(&other)),
    }
}

/// A task: the last 16 can be asked for.
#[utoipa::path(get, path = "/api/robot/tasks/{task}", tag = "drive", params(("task" = String, Path, description = "Task id")),
    responses((status = 200, body = TaskBody)))]
pub async fn task(Shared(robot): Shared<Robot>, InPath(task): InPath<String>) -> Result<Response, Problem> {
    show_task(&robot, &task)
}

/// Ends a task; the robot brakes.
#[utoipa::path(delete, path = "/api/robot/tasks/{task}", tag = "drive", params(("task" = String, Path, description = "Task id")),
    responses((status = 200, body = TaskBody)))]
pub async fn cancel_task(
    Shared(robot): Shared<Robot>,
    principal: Principal,
    InPath(task): InPath<String>,
) -> Result<Response, Problem> {
    robot.ask(caller(&principal), Request::CancelTask(parse_task(&task))).await?;
    show_task(&robot, &task)
}

fn show_task(robot: &Robot, name: &str) -> Result<Response, Problem> {
    let snapshot = robot.drive.snapshot();
    let id = parse_task(name);
    let Some(task) = snapshot.tasks.iter().find(|task| task.id == id) else {
        return Err(refusals::problem(&Refusal::NotFound, snapshot.at));
    };
    Ok(answer(StatusCode::OK, &TaskBody::from(task)))
}

/// Point the head.
#[utoipa::path(post, path = "/api/robot/head", tag = "drive", request_body = HeadBody, responses((status = 202, body = State)))]
pub async fn head(
    Shared(robot): Shared<Robot>,
    principal: Principal,
    Body(body): Body<HeadBody>,
) -> Result<Response, Problem> {
    check_seen(&principal, body.seen.as_ref())?;
    robot.ask(caller(&principal), body.request()?).await?;
    Ok(answer(StatusCode::ACCEPTED, &State::of(&robot.drive.snapshot(), &robot.identity)))
}

/// Set the lights; what is absent stays as it is.
#[utoipa::path(post, path = "/api/robot/lights", tag = "drive", request_body = LightsBody, responses((status = 200, body = State)))]
pub async fn lights(
    Shared(robot): Shared<Robot>,
    principal: Principal,
    Body(body): Body<LightsBody>,
) -> Result<Response, Problem> {
    robot.ask(caller(&principal), body.request()?).await?;
    Ok(answer(StatusCode::OK, &State::of(&robot.drive.snapshot(), &robot.identity)))
}

/// The e-stop.
#[utoipa::path(get, path = "/api/robot/estop", tag = "stop", responses((status = 200, body = EStopState)))]
pub async fn estop_state(Shared(robot): Shared<Robot>) -> Response {
    answer(StatusCode::OK, &EStopState::of(&robot.drive.snapshot()))
}

/// Take the e-stop back: an admin beside the robot, naming the epoch that they saw. Moves and opens nothing.
#[utoipa::path(post, path = "/api/robot/estop/reset", tag = "stop", request_body = ResetBody,
    responses((status = 200, body = EStopState)))]
pub async fn reset(
    Shared(robot): Shared<Robot>,
    principal: Principal,
    Body(body): Body<ResetBody>,
) -> Result<Response, Problem> {
    robot.ask(caller(&principal), Request::Reset { epoch: body.epoch }).await?;
    Ok(answer(StatusCode::OK, &EStopState::of(&robot.drive.snapshot())))
}

/// Take a lease. A person opens with it what a stop has closed.
#[utoipa::path(post, path = "/api/robot/leases", tag = "leases", request_body = TakeBody,
    responses((status = 201, body = LeaseBody)))]
pub async fn take(
    Shared(robot): Shared<Robot>,
    principal: Principal,
    Body(body): Body<TakeBody>,
) -> Result<Response, Problem> {
    principal.check_scope(Scopes::of(&[body.resource.scope()]))?;
    check_seen(&principal, body.seen.as_ref())?;
    lease_answer(&robot, caller(&principal), body.request()?, StatusCode::CREATED).await
}

/// Renew a lease. Never takes one.
#[utoipa::path(put, path = "/api/robot/leases/{lease}", tag = "leases", request_body = RenewBody,
    params(("lease" = String, Path, description = "Lease id")), responses((status = 200, body = LeaseBody)))]
pub async fn renew(
    Shared(robot): Shared<Robot>,
    principal: Principal,
    InPath(lease): InPath<String>,
    Body(body): Body<RenewBody>,
) -> Result<Response, Problem> {
    lease_answer(&robot, caller(&principal), body.request(&lease)?, StatusCode::OK).await
}

async fn lease_answer(
    robot: &Robot,
    caller: Caller,
    request: Request,
    status: StatusCode,
) -> Result<Response, Problem> {
    match robot.ask(caller, request).await? {
        Accepted::Lease(lease) => Ok(answer(status, &LeaseBody::from(&lease))),
        other => Err(unexpected(&other)),
    }
}

/// Give a lease back; its motion ends.
#[utoipa::path(delete, path = "/api/robot/leases/{lease}", tag = "leases",
    params(("lease" = String, Path, description = "Lease id")), responses((status = 204)))]
pub async fn release(
    Shared(robot): Shared<Robot>,
    principal: Principal,
    InPath(lease): InPath<String>,
) -> Result<StatusCode, Problem> {
    robot.ask(caller(&principal), Request::Release(parse_lease(&lease))).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Every live lease.
#[utoipa::path(get, path = "/api/robot/leases", tag = "leases", responses((status = 200, body = Vec<LeaseBody>)))]
pub async fn leases(Shared(robot): Shared<Robot>) -> Response {
    let snapshot = robot.drive.snapshot();
    let leases: Vec<LeaseBody> = snapshot.leases.iter().flatten().map(LeaseBody::from).collect();
    answer(StatusCode::OK, &leases)
}

/// Who drives, what closed the base, and why the last 50 commands were refused.
#[utoipa::path(get, path = "/api/robot/control/why", tag = "robot", responses((status = 200, body = Why)))]
pub async fn why(Shared(robot): Shared<Robot>) -> Response {
    answer(StatusCode::OK, &Why::of(&robot.drive.snapshot()))
}

/// How long the body may go on after each of three failures, as computed and checked at start.
#[utoipa::path(get, path = "/api/robot/safety/budget", tag = "robot", responses((status = 200, body = BudgetState)))]
pub async fn budget(Shared(robot): Shared<Robot>) -> Response {
    answer(StatusCode::OK, &BudgetState::from(&robot.budget))
}

/// 400 comes before any 422: a command from afar must show what its sender saw. The gate checks it again.
fn check_seen(principal: &Principal, seen: Option<&SeenBody>) -> Result<(), Problem> {
    if caller(principal).must_show_seen && seen.is_none() {
        return Err(refusals::problem(&Refusal::SeenMissing, os::boot_time()));
    }
    Ok(())
}

/// The gate answers each request with its own kind; anything else is our mistake, and never moves anything.
fn unexpected(accepted: &Accepted) -> Problem {
    tracing::error!(?accepted, "the gate gave an answer of another kind");
    refusals::no_answer(super::handle::DriveError::Silent)
}
