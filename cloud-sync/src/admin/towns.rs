//! `/api/towns`: each has its own people, robots and memory.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use cloud_sync_api::access::{Guards, Principal};
use cloud_sync_api::json::{Body, answer};
use cloud_sync_api::openapi::ApiRouter;
use cloud_sync_api::params::InPath;
use cloud_sync_api::problem::{Answer, Problem};
use cloud_sync_api::scope::Scopes;
use cloud_sync_api::token_file::OWNER;
use cloud_sync_protocol::town::TownId;
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::refusal::{check_name, parse_name, problem};
use super::tokens::{Wish, make_token};
use super::{Admin, READ, WRITE, timestamp, town_of};
use crate::clock::now_ms;
use crate::store::registry::TownRow;

/// The towns' routes.
pub(super) fn routes(guards: &Guards, admin: Admin) -> ApiRouter {
    ApiRouter::new(guards)
        .route(READ, routes!(list))
        .route(WRITE, routes!(add))
        .route(WRITE, routes!(remove))
        .with_state(admin)
}

/// A town.
#[derive(Debug, Serialize, ToSchema)]
struct Town {
    /// Its id.
    id: TownId,
    /// The user whom the assistant belongs to.
    owner: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// A town that was made just now.
#[derive(Debug, Serialize, ToSchema)]
struct NewTown {
    #[serde(flatten)]
    town: Town,
    /// Its owner's token, all scopes. It is shown here once and kept nowhere.
    token: String,
}

/// A town to be made.
#[derive(Debug, Deserialize, ToSchema)]
struct TownBody {
    /// Its id, `[a-z0-9-]{1,32}`.
    id: String,
    /// The user whom the assistant shall belong to; `owner` where nobody is named.
    owner: Option<String>,
}

impl From<TownRow> for Town {
    fn from(row: TownRow) -> Self {
        Self { id: row.id, owner: row.owner, created_at: timestamp(row.created_ms) }
    }
}

/// The towns: for the owner of the first one all, for everybody else their own.
#[utoipa::path(get, path = "/api/towns", tag = "admin", responses((status = 200, body = Vec<Town>)))]
async fn list(State(admin): State<Admin>, principal: Principal) -> Answer<Response> {
    let own = town_of(&principal)?;
    let runs_all = runs_all(&admin, &principal, &own).await?;
    let only = (!runs_all).then_some(&own);
    let towns = admin.registry.towns(only).await.map_err(problem)?;
    Ok(answer(StatusCode::OK, &towns.into_iter().map(Town::from).collect::<Vec<_>>()))
}

/// Make a town, with its owner and their token. Only the owner of the first town may.
#[utoipa::path(post, path = "/api/towns", tag = "admin", request_body = TownBody,
    responses((status = 201, body = NewTown),
              (status = 409, description = "There is one of that id.", body = Problem, content_type = "application/problem+json"),
              (status = 422, description = "There are too many.", body = Problem, content_type = "application/problem+json")))]
async fn add(
    State(admin): State<Admin>,
    principal: Principal,
    Body(body): Body<TownBody>,
) -> Answer<Response> {
    let id: TownId = parse_name("id", &body.id)?;
    let owner = body.owner.unwrap_or_else(|| OWNER.to_owned());
    check_name("owner", &owner)?;
    let own = town_of(&principal)?;
    if !runs_all(&admin, &principal, &own).await? {
        return Err(Problem::no_right("Only the owner of the first town may make towns."));
    }
    let row = TownRow { id, owner, created_ms: now_ms() };
    let wish = Wish::of_owner(&row.owner, Scopes::ALL);
    let made = make_token(&wish, row.created_ms)?;
    admin.registry.add_town(&row, &made.token).await.map_err(problem)?;
    admin.changed().await;
    Ok(answer(StatusCode::CREATED, &NewTown { town: row.into(), token: made.secret }))
}

/// Take a town away, with everything that was ever written in it. Only the owner of the first town may; that one stays.
#[utoipa::path(delete, path = "/api/towns/{id}", tag = "admin", params(("id" = String, Path, description = "Id of the town")),
    responses((status = 204, description = "Gone."),
              (status = 404, description = "No such town here.", body = Problem, content_type = "application/problem+json"),
              (status = 422, description = "It is the first one.", body = Problem, content_type = "application/problem+json")))]
async fn remove(
    State(admin): State<Admin>,
    principal: Principal,
    InPath(id): InPath<String>,
) -> Answer<Response> {
    let own = town_of(&principal)?;
    let unknown = || Problem::not_found("There is no such town here.");
    let town: TownId = id.parse().map_err(|_no_name| unknown())?;
    if !runs_all(&admin, &principal, &own).await? {
        // Of another's town nobody hears whether it is there.
        return Err(if town == own {
            Problem::no_right("Only the owner of the first town may take towns away.")
        } else {
            unknown()
        });
    }
    admin.registry.remove_town(&town).await.map_err(problem)?;
    admin.changed().await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Whether it is the owner of the first town who asks.
async fn runs_all(admin: &Admin, principal: &Principal, own: &TownId) -> Answer<bool> {
    admin.registry.is_first_owner(own, principal.user_id()).await.map_err(problem)
}
