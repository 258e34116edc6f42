//! How both sides stand, and the edits that did not see each other: `/api/sync/...`. It carries no frames.

use axum::extract::State;
use axum::response::Response;
use cloud_sync_protocol::conflict::{Conflict, Keep, SyncStatus};
use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::store::{StoreError, SyncStore};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::access::{Guards, Principal};
use crate::json::{Body, answer};
use crate::openapi::ApiRouter;
use crate::params::InPath;
use crate::problem::{Answer, Problem};

use super::whose::Assistant;
use super::{READ, WRITE};

/// The routes.
pub(super) fn routes<S: SyncStore>(guards: &Guards, assistant: Assistant<S>) -> ApiRouter {
    let (status, conflicts, resolve) = (status::<S>, conflicts::<S>, resolve::<S>);
    ApiRouter::new(guards)
        .route(READ, routes!(status))
        .route(READ, routes!(conflicts))
        .route(WRITE, routes!(resolve))
        .with_state(assistant)
}

/// How this side stands with the other one.
#[utoipa::path(get, path = "/api/sync/status", tag = "sync", responses((status = 200, body = SyncStatus)))]
async fn status<S: SyncStore>(
    State(assistant): State<Assistant<S>>,
    principal: Principal,
) -> Answer<Response> {
    let whose = assistant.whose(&principal, None)?;
    Ok(answer(StatusCode::OK, &assistant.store.sync_status(&whose).await?))
}

/// Edits that did not see each other, the newest first: what stands, and what lost.
#[utoipa::path(get, path = "/api/sync/conflicts", tag = "sync", responses((status = 200, body = Vec<Conflict>)))]
async fn conflicts<S: SyncStore>(
    State(assistant): State<Assistant<S>>,
    principal: Principal,
) -> Answer<Response> {
    let whose = assistant.whose(&principal, None)?;
    Ok(answer(StatusCode::OK, &assistant.store.conflicts(&whose).await?))
}

/// A choice.
#[derive(Debug, Deserialize, ToSchema)]
struct ResolveBody {
    /// `current` leaves what stands, `other` writes what lost.
    keep: Keep,
}

/// What was chosen.
#[derive(Debug, Serialize, ToSchema)]
struct Resolved {
    /// The conflict.
    id: RowId,
    /// The choice.
    keep: Keep,
}

/// Choose one of two versions. It is settled on both sides, as any other edit is.
#[utoipa::path(post, path = "/api/sync/conflicts/{id}/resolve", tag = "sync",
    params(("id" = String, Path, description = "Id of the conflict, a UUID")), request_body = ResolveBody,
    responses((status = 200, body = Resolved),
              (status = 404, description = "No such conflict, not yours, or resolved already.", body = Problem, content_type = "application/problem+json")))]
async fn resolve<S: SyncStore>(
    State(assistant): State<Assistant<S>>,
    principal: Principal,
    InPath(id): InPath<String>,
    Body(body): Body<ResolveBody>,
) -> Answer<Response> {
    let whose = assistant.whose(&principal, None)?;
    // What is no id names no conflict.
    let id: RowId = id.parse().map_err(|_no_id| StoreError::NotFound)?;
    assistant.store.resolve(&whose, id, body.keep).await?;
    Ok(answer(StatusCode::OK, &Resolved { id, keep: body.keep }))
}
