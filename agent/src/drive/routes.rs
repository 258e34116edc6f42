//! The table of the robot's routes: path, handler, and who may. Nothing is reachable that does not stand here.

use ::http::HeaderMap;
use agent_core::caller::Class;
use axum::extract::rejection::QueryRejection;
use axum::extract::ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection};
use axum::extract::{Query, State as Shared};
use axum::response::sse::{KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use cloud_sync_api::access::{Guards, Principal, Rule};
use cloud_sync_api::credentials::chosen_subprotocol;
use cloud_sync_api::openapi::ApiRouter;
use cloud_sync_api::problem::Problem;
use cloud_sync_api::rate::Rate;
use cloud_sync_api::scope::Scope;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::robot::{Robot, caller};
use super::wire::state::State;
use super::{http, stop, stream, teleop};

/// The largest message of a WebSocket.
const MESSAGE_BYTES: usize = 16 * 1024;

/// Who may drive. A model moves nothing by itself.
pub(super) const DRIVE: Rule = Rule::ranked(Scope::Drive, Class::Autonomy, Rate::Motion);

/// The robot's routes.
pub fn robot_routes(guards: &Guards) -> ApiRouter<Robot> {
    let read = Rule::scope(Scope::Read, Rate::Read);
    let end = Rule::scope(Scope::Drive, Rate::Write);
    // Which of the two a lease needs, its resource says.
    let hold = Rule::either(&[Scope::Drive, Scope::Speak], Rate::Write);
    let speak = Rule::scope(Scope::Speak, Rate::Write);
    let reset = Rule::ranked(Scope::Admin, Class::Local, Rate::Write);
    ApiRouter::new(guards)
        .route(read, routes!(http::robots))
        .route(read, routes!(http::state))
        .route(read, routes!(show_stream))
        .route(read, routes!(http::why))
        .route(read, routes!(http::budget))
        .route(read, routes!(http::task))
        .route(read, routes!(http::leases))
        .route(read, routes!(http::estop_state))
        .route(DRIVE, routes!(http::velocity))
        .route(DRIVE, routes!(http::travel))
        .route(DRIVE, routes!(http::head))
        .route(DRIVE, routes!(open_teleop))
        .route(end, routes!(http::cancel_task))
        .route(hold, routes!(http::take))
        .route(hold, routes!(http::renew))
        .route(hold, routes!(http::release))
        .route(speak, routes!(http::lights))
        .route(reset, routes!(http::reset))
        .route(Rule::Always, routes!(stop::stop))
        .route(Rule::Always, routes!(stop::estop))
}

/// How often a stream shows the state.
#[derive(Debug, Deserialize, IntoParams)]
struct StreamQuery {
    /// States a second, 1 ..= 50.
    #[param(minimum = 1, maximum = 50, default = 10)]
    hz: Option<u32>,
}

/// The state as a stream: a WebSocket, or server-sent events for a plain `GET`. A slow reader skips to the newest.
#[utoipa::path(get, path = "/api/robot/stream", tag = "robot", params(StreamQuery),
    responses((status = 101, description = "WebSocket, one State a message"),
              (status = 200, description = "Server-sent events, one State an event", body = State, content_type = "text/event-stream")))]
async fn show_stream(
    Shared(robot): Shared<Robot>,
    principal: Principal,
    query: Result<Query<StreamQuery>, QueryRejection>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let Ok(Query(StreamQuery { hz })) = query else {
        return Err(Problem::bad_request("hz is a whole number from 1 to 50").field("hz"));
    };
    let hz = hz.unwrap_or(10);
    if !(1..=50).contains(&hz) {
        return Err(Problem::out_of_range("hz", 1.0, 50.0));
    }
    let revoked = robot.revoked(caller(&principal));
    Ok(match upgrade {
        Ok(upgrade) => upgrade
            .protocols(chosen_subprotocol(&headers))
            .max_message_size(MESSAGE_BYTES)
            .on_upgrade(move |socket| stream::serve_socket(socket, robot, hz, revoked))
            .into_response(),
        Err(_plain) => {
            Sse::new(stream::events(robot, hz, revoked)).keep_alive(KeepAlive::default()).into_response()
        }
    })
}

/// Drive over a WebSocket: frames `{seq, linear_mps, angular_radps, ttl_ms?, seen}` in, `{seen}`, `{state}` and
/// `{refused}` out. `{stop: true}` and `{estop: true}` act whatever else a frame holds. The first frame must be zero.
#[utoipa::path(get, path = "/api/robot/teleop", tag = "drive", responses((status = 101, description = "WebSocket")))]
async fn open_teleop(
    Shared(robot): Shared<Robot>,
    principal: Principal,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let Ok(upgrade) = upgrade else {
        return Err(Problem::bad_request("this route is a WebSocket: send the headers that open one"));
    };
    Ok(upgrade
        .protocols(chosen_subprotocol(&headers))
        .max_message_size(MESSAGE_BYTES)
        .on_upgrade(move |socket| teleop::serve(socket, robot, principal)))
}
