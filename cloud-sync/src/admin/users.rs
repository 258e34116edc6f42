//! `/api/users`: the people of a town.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use cloud_sync_api::access::{Guards, Principal};
use cloud_sync_api::json::{Body, answer};
use cloud_sync_api::openapi::ApiRouter;
use cloud_sync_api::params::InPath;
use cloud_sync_api::problem::{Answer, Problem};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::refusal::{check_name, problem};
use super::{Admin, READ, WRITE, timestamp, town_of};
use crate::clock::now_ms;
use crate::store::registry::UserRow;

/// The users' routes.
pub(super) fn routes(guards: &Guards, admin: Admin) -> ApiRouter {
    ApiRouter::new(guards)
        .route(READ, routes!(list))
        .route(WRITE, routes!(add))
        .route(WRITE, routes!(remove))
        .with_state(admin)
}

/// A user of the town.
#[derive(Debug, Serialize, ToSchema)]
struct User {
    /// Their id.
    id: String,
    /// When they were added.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// A user to be added.
#[derive(Debug, Deserialize, ToSchema)]
struct UserBody {
    /// Their id; at most 96 bytes.
    id: String,
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        Self { id: row.id, created_at: timestamp(row.created_ms) }
    }
}

/// The users of the town.
#[utoipa::path(get, path = "/api/users", tag = "admin", responses((status = 200, body = Vec<User>)))]
async fn list(State(admin): State<Admin>, principal: Principal) -> Answer<Response> {
    let users = admin.registry.users(&town_of(&principal)?).await.map_err(problem)?;
    Ok(answer(StatusCode::OK, &users.into_iter().map(User::from).collect::<Vec<_>>()))
}

/// Add a user. They come in by a token of theirs.
#[utoipa::path(post, path = "/api/users", tag = "admin", request_body = UserBody,
    responses((status = 201, body = User),
              (status = 409, description = "There is one of that id.", body = Problem, content_type = "application/problem+json"),
              (status = 422, description = "There are too many.", body = Problem, content_type = "application/problem+json")))]
async fn add(
    State(admin): State<Admin>,
    principal: Principal,
    Body(body): Body<UserBody>,
) -> Answer<Response> {
    check_name("id", &body.id)?;
    let row = UserRow { id: body.id, created_ms: now_ms() };
    admin.registry.add_user(&town_of(&principal)?, &row).await.map_err(problem)?;
    Ok(answer(StatusCode::CREATED, &User::from(row)))
}

/// Take a user away, with their tokens and devices. What they wrote stays.
#[utoipa::path(delete, path = "/api/users/{id}", tag = "admin", params(("id" = String, Path, description = "Id of the user")),
    responses((status = 204, description = "Gone."),
              (status = 404, description = "No such user here.", body = Problem, content_type = "application/problem+json"),
              (status = 422, description = "It is the owner.", body = Problem, content_type = "application/problem+json")))]
async fn remove(
    State(admin): State<Admin>,
    principal: Principal,
    InPath(id): InPath<String>,
) -> Answer<Response> {
    let town = town_of(&principal)?;
    if check_name("id", &id).is_err() {
        return Err(Problem::not_found("There is no such user here."));
    }
    admin.registry.remove_user(&town, &id).await.map_err(problem)?;
    admin.changed().await;
    Ok(StatusCode::NO_CONTENT.into_response())
}
