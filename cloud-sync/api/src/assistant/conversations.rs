//! Conversations and their turns: `/api/conversations`. They belong to their user; for others they do not exist.

use axum::extract::State;
use axum::response::Response;
use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::store::{ConversationStore, StoreError};
use cloud_sync_protocol::turn::{Conversation, Turn};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;

use crate::access::{Guards, Principal};
use crate::openapi::ApiRouter;
use crate::params::{InPath, InQuery};
use crate::problem::{Answer, Problem};

use super::whose::Assistant;
use super::{READ, asked, pages};

/// The conversations' routes.
pub(super) fn routes<S: ConversationStore>(guards: &Guards, assistant: Assistant<S>) -> ApiRouter {
    let (conversations, turns) = (conversations::<S>, turns::<S>);
    ApiRouter::new(guards)
        .route(READ, routes!(conversations))
        .route(READ, routes!(turns))
        .with_state(assistant)
}

/// Which page, and whose.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ConversationQuery {
    /// Rows at most.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500, default = 50)]
    limit: Option<String>,
    /// `X-Next-Cursor` of the page before.
    cursor: Option<String>,
    /// Another user than the token's; needs the scope admin.
    user_id: Option<String>,
}

/// The user's conversations, newest first. The header `X-Next-Cursor` leads to the next page.
#[utoipa::path(get, path = "/api/conversations", tag = "memory", params(ConversationQuery),
    responses(
        (status = 200, body = Vec<Conversation>, headers(("X-Next-Cursor" = String, description = "`cursor` of the next page; absent at the end"))),
        (status = 400, description = "A value cannot be read, or the cursor is of another list.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "limit is out of range.", body = Problem, content_type = "application/problem+json")))]
async fn conversations<S: ConversationStore>(
    State(assistant): State<Assistant<S>>,
    principal: Principal,
    InQuery(query): InQuery<ConversationQuery>,
) -> Answer<Response> {
    let at = pages::asked(query.limit.as_deref(), query.cursor)?;
    let whose = assistant.whose(&principal, asked::given(query.user_id).as_deref())?;
    pages::answer(&assistant.store.conversations(&whose, &at).await?)
}

/// The turns of a conversation, oldest first. The header `X-Next-Cursor` leads to the next page.
#[utoipa::path(get, path = "/api/conversations/{id}", tag = "memory",
    params(("id" = String, Path, description = "Id of the conversation, a UUID"), ConversationQuery),
    responses(
        (status = 200, body = Vec<Turn>, headers(("X-Next-Cursor" = String, description = "`cursor` of the next page; absent at the end"))),
        (status = 400, description = "A value cannot be read, or the cursor is of another list.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such conversation, or another's.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "limit is out of range.", body = Problem, content_type = "application/problem+json")))]
async fn turns<S: ConversationStore>(
    State(assistant): State<Assistant<S>>,
    principal: Principal,
    InPath(id): InPath<String>,
    InQuery(query): InQuery<ConversationQuery>,
) -> Answer<Response> {
    let at = pages::asked(query.limit.as_deref(), query.cursor)?;
    let whose = assistant.whose(&principal, asked::given(query.user_id).as_deref())?;
    let id: RowId = id.parse().map_err(|_no_id| StoreError::NotFound)?;
    pages::answer(&assistant.store.turns(&whose, id, &at).await?)
}
