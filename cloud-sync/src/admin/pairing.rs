//! `POST /api/devices/pair`, by which a robot with a code becomes a device; and what a device is told about itself.

use axum::extract::State;
use axum::response::Response;
use cloud_sync_api::access::{Guards, Principal, Rule};
use cloud_sync_api::json::{Body, answer};
use cloud_sync_api::openapi::ApiRouter;
use cloud_sync_api::peer::Peer;
use cloud_sync_api::problem::{Answer, Problem};
use cloud_sync_api::rate::Rate;
use cloud_sync_api::secrets::{hash_of, new_device_secret, typed_code};
use cloud_sync_protocol::town::{RobotId, TownId};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::refusal::{no_randomness, parse_name, problem};
use super::{Admin, town_of};
use crate::clock::now_ms;
use crate::store::RegistryError;
use crate::store::registry::{PairWish, VERSION_BYTES_MAX};

/// The robots' own routes.
pub(super) fn routes(guards: &Guards, admin: Admin) -> ApiRouter {
    ApiRouter::new(guards)
        .route(Rule::Open, routes!(pair))
        .route(Rule::Device(Rate::Read), routes!(me))
        .with_state(admin)
}

/// A robot that wants to be paired.
#[derive(Debug, Deserialize, ToSchema)]
struct PairBody {
    /// The code, as `robbie-cloud device add` printed it; small letters, blanks and hyphens do not matter.
    code: String,
    /// The name that it would like, `[a-z0-9-]{1,32}`. It gets another where the code says so, or where that is taken.
    robot: Option<String>,
    /// Its program's version.
    version: String,
    /// The secret of its earlier pairing, by which it is known again and keeps its name.
    secret: Option<String>,
    /// The town that it belongs to already: a code of another one is refused.
    town: Option<String>,
    /// The owner that it belongs to already: a code of another one is refused.
    user_id: Option<String>,
}

/// A robot that was paired.
#[derive(Debug, Serialize, ToSchema)]
struct PairAnswer {
    /// Its town.
    town: TownId,
    /// Its name there.
    robot: RobotId,
    /// Whose it is.
    user_id: String,
    /// Its secret, for `Authorization: Bearer`. It is shown here once and kept nowhere.
    secret: String,
}

/// What a device is told about itself.
#[derive(Debug, Serialize, ToSchema)]
struct MeAnswer {
    /// Its town.
    town: TownId,
    /// Its name there.
    robot: RobotId,
    /// Whose it is.
    user_id: String,
    /// The broker; null: there is none, and everything goes over HTTP.
    mqtt: Option<BrokerAnswer>,
}

/// A broker, and how to come in.
#[derive(Debug, Serialize, ToSchema)]
struct BrokerAnswer {
    /// Its URL.
    url: String,
    /// With this name.
    username: Option<String>,
    /// And this password.
    password: Option<String>,
}

/// Pair a robot by a code. After five wrong codes in ten minutes an address is not listened to for a while.
#[utoipa::path(post, path = "/api/devices/pair", tag = "robots", request_body = PairBody,
    responses((status = 200, body = PairAnswer),
              (status = 404, description = "The code is not valid: unknown, used, or too old.", body = Problem, content_type = "application/problem+json"),
              (status = 409, description = "The robot belongs to another town or user.", body = Problem, content_type = "application/problem+json"),
              (status = 503, description = "The database does not answer.", body = Problem, content_type = "application/problem+json")))]
async fn pair(State(admin): State<Admin>, peer: Peer, Body(body): Body<PairBody>) -> Answer<Response> {
    let robot = body.robot.as_deref().map(|robot| parse_name("robot", robot)).transpose()?;
    if body.version.len() > VERSION_BYTES_MAX {
        return Err(Problem::too_long(VERSION_BYTES_MAX).field("version"));
    }
    if body.version.chars().any(char::is_control) {
        return Err(Problem::bad_request("version holds a control character.").field("version"));
    }
    let secret = new_device_secret().map_err(no_randomness)?;
    // What cannot be a code is a wrong one like any other: it counts.
    let code = typed_code(&body.code).unwrap_or_default();
    let wish = PairWish {
        code: hash_of(code.as_bytes()),
        address: peer.counted().to_string(),
        robot,
        version: body.version,
        belongs: body.town.zip(body.user_id),
        known: body.secret.map(|secret| hash_of(secret.as_bytes())),
        secret: hash_of(secret.as_bytes()),
        now_ms: now_ms(),
    };
    let paired = match admin.registry.pair(&wish).await {
        Ok(paired) => paired,
        Err(error) => {
            if matches!(error, RegistryError::WrongCode | RegistryError::TooManyTries { .. }) {
                tracing::warn!(address = wish.address, "a wrong pairing code");
            }
            return Err(problem(error));
        }
    };
    admin.changed().await;
    tracing::info!(town = %paired.town, robot = %paired.robot, "a robot was paired");
    let answered = PairAnswer { town: paired.town, robot: paired.robot, user_id: paired.user_id, secret };
    Ok(answer(StatusCode::OK, &answered))
}

/// Who this robot is, and where the broker is. By the secret of its pairing.
#[utoipa::path(get, path = "/api/devices/me", tag = "robots", responses((status = 200, body = MeAnswer)))]
async fn me(State(admin): State<Admin>, principal: Principal) -> Answer<Response> {
    let Some(robot) = principal.device().cloned() else {
        return Err(Problem::no_right("This is for paired robots."));
    };
    let town = town_of(&principal)?;
    // The broker tells nobody apart yet, so it serves one town.
    let broker = admin.broker.filter(|(served, _)| *served == town);
    let mqtt = broker.map(|(_, broker)| {
        let (username, password) = broker.login().unzip();
        let owned = |text: Option<&str>| text.map(str::to_owned);
        BrokerAnswer { url: broker.to_string(), username: owned(username), password: owned(password) }
    });
    let me = MeAnswer { town, robot, user_id: principal.user_id().to_owned(), mqtt };
    Ok(answer(StatusCode::OK, &me))
}
