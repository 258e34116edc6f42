//! `/api/devices`: the paired robots of a town, and the codes by which new ones come in.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use cloud_sync_api::access::{Guards, Principal};
use cloud_sync_api::json::{Body, answer};
use cloud_sync_api::openapi::ApiRouter;
use cloud_sync_api::params::InPath;
use cloud_sync_api::problem::{Answer, Problem};
use cloud_sync_api::secrets::{hash_of, new_code};
use cloud_sync_protocol::town::RobotId;
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::refusal::{check_name, no_randomness, parse_name, problem};
use super::{Admin, READ, WRITE, timestamp, town_of};
use crate::clock::now_ms;
use crate::store::registry::{CODE_MS, Device, DeviceWish, NewCode};

/// The devices' routes.
pub(super) fn routes(guards: &Guards, admin: Admin) -> ApiRouter {
    ApiRouter::new(guards)
        .route(READ, routes!(list))
        .route(WRITE, routes!(add))
        .route(WRITE, routes!(revoke))
        .with_state(admin)
}

/// A paired robot.
#[derive(Debug, Serialize, ToSchema)]
struct DeviceAnswer {
    /// The robot.
    id: RobotId,
    /// Whose it is.
    user_id: String,
    /// Its program when it was paired.
    version: String,
    /// When it was paired.
    #[schema(value_type = String, format = DateTime)]
    paired_at: Timestamp,
    /// When it was revoked; null while it may come in.
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
}

/// A robot to be paired.
#[derive(Debug, Deserialize, ToSchema)]
struct DeviceBody {
    /// The name that it shall have, `[a-z0-9-]{1,32}`. A robot that has this name now comes in no longer once the code is used.
    robot: Option<String>,
    /// Whose it shall be; whoever asks, where nobody is named.
    user_id: Option<String>,
}

/// A code by which a robot becomes a device.
#[derive(Debug, Serialize, ToSchema)]
struct CodeAnswer {
    /// The code: `robbie-agent pair CODE --cloud URL` on the robot. Good once.
    code: String,
    /// Seconds that it can be used.
    expires_in_s: u64,
}

impl From<Device> for DeviceAnswer {
    fn from(device: Device) -> Self {
        Self {
            id: device.id,
            user_id: device.user_id,
            version: device.version,
            paired_at: timestamp(device.paired_ms),
            revoked_at: device.revoked_ms.map(timestamp),
        }
    }
}

/// The robots of the town, those revoked included.
#[utoipa::path(get, path = "/api/devices", tag = "admin", responses((status = 200, body = Vec<DeviceAnswer>)))]
async fn list(State(admin): State<Admin>, principal: Principal) -> Answer<Response> {
    let devices = admin.registry.devices(&town_of(&principal)?).await.map_err(problem)?;
    Ok(answer(StatusCode::OK, &devices.into_iter().map(DeviceAnswer::from).collect::<Vec<_>>()))
}

/// Make a pairing code, good once and for ten minutes.
#[utoipa::path(post, path = "/api/devices", tag = "admin", request_body = DeviceBody,
    responses((status = 201, body = CodeAnswer),
              (status = 404, description = "No such user here.", body = Problem, content_type = "application/problem+json"),
              (status = 422, description = "There are too many.", body = Problem, content_type = "application/problem+json")))]
async fn add(
    State(admin): State<Admin>,
    principal: Principal,
    Body(body): Body<DeviceBody>,
) -> Answer<Response> {
    let town = town_of(&principal)?;
    let robot = body.robot.as_deref().map(|robot| parse_name("robot", robot)).transpose()?;
    let user_id = body.user_id.unwrap_or_else(|| principal.user_id().to_owned());
    check_name("user_id", &user_id)?;
    let code = new_code().map_err(no_randomness)?;
    let new = NewCode { hash: hash_of(code.as_bytes()), now_ms: now_ms() };
    admin.registry.add_code(&town, &DeviceWish { user_id, robot }, &new).await.map_err(problem)?;
    let expires_in_s = CODE_MS.unsigned_abs() / 1000;
    Ok(answer(StatusCode::CREATED, &CodeAnswer { code, expires_in_s }))
}

/// Revoke a robot: it is refused within a second. What it wrote stays.
#[utoipa::path(delete, path = "/api/devices/{id}", tag = "admin", params(("id" = String, Path, description = "Id of the robot")),
    responses((status = 204, description = "Revoked."),
              (status = 404, description = "No such robot here.", body = Problem, content_type = "application/problem+json")))]
async fn revoke(
    State(admin): State<Admin>,
    principal: Principal,
    InPath(id): InPath<String>,
) -> Answer<Response> {
    let town = town_of(&principal)?;
    let robot: RobotId =
        id.parse().map_err(|_no_name| Problem::not_found("There is no such device here."))?;
    admin.registry.revoke_device(&town, &robot, now_ms()).await.map_err(problem)?;
    admin.changed().await;
    Ok(StatusCode::NO_CONTENT.into_response())
}
