//! Sticky notes: `/api/sticky-notes/`. They belong to the town.

mod bodies;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::note::{Changed, StickyNote};
use cloud_sync_protocol::store::{NoteStore, StoreError, Whose};
use http::header::LOCATION;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;

use crate::access::{Guards, Principal};
use crate::json::{self, Body};
use crate::openapi::ApiRouter;
use crate::params::{InPath, InQuery};
use crate::problem::{Answer, Problem};

use super::etag::{self, Wanted};
use super::whose::Assistant;
use super::{READ, WRITE, asked, pages};
use bodies::{ListQuery, NoteBody, NoteChangeBody};

/// The notes' routes.
pub(super) fn routes<S: NoteStore>(guards: &Guards, assistant: Assistant<S>) -> ApiRouter {
    // Named again with their store, so that `routes!` finds handlers that are no longer generic.
    let (list, add, show) = (list::<S>, add::<S>, show::<S>);
    let (change, remove) = (change::<S>, remove::<S>);
    ApiRouter::new(guards)
        .route(READ, routes!(list))
        .route(WRITE, routes!(add))
        .route(READ, routes!(show))
        .route(WRITE, routes!(change))
        .route(WRITE, routes!(remove))
        .with_state(assistant)
}

/// Whom a request that names one note is for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ForUser {
    /// Another user than the token's; needs the scope admin.
    user_id: Option<String>,
}

/// The town's sticky notes: highest priority first, then newest. The header `X-Next-Cursor` leads to the next page.
#[utoipa::path(get, path = "/api/sticky-notes", tag = "memory", params(ListQuery),
    responses(
        (status = 200, body = Vec<StickyNote>, headers(("X-Next-Cursor" = String, description = "`cursor` of the next page; absent at the end"))),
        (status = 400, description = "A value cannot be read, or the cursor is of another list.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "limit is out of range.", body = Problem, content_type = "application/problem+json")))]
async fn list<S: NoteStore>(
    State(assistant): State<Assistant<S>>,
    principal: Principal,
    InQuery(query): InQuery<ListQuery>,
) -> Answer<Response> {
    let (filter, at, user_id) = query.filter()?;
    let whose = assistant.whose(&principal, user_id.as_deref())?;
    pages::answer(&assistant.store.notes(&whose, &filter, &at).await?)
}

/// Write a note. With an `id` of the client's own, sending it again is safe: it is written once.
#[utoipa::path(post, path = "/api/sticky-notes", tag = "memory", request_body = NoteBody,
    responses(
        (status = 201, body = StickyNote, headers(("ETag" = String, description = "Its version, for If-Match"))),
        (status = 409, description = "Another note has this id.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "priority is out of range.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "No room, or the memory does not answer.", body = Problem, content_type = "application/problem+json")))]
async fn add<S: NoteStore>(
    State(assistant): State<Assistant<S>>,
    principal: Principal,
    Body(body): Body<NoteBody>,
) -> Answer<Response> {
    let (note, whose) = body.note(&assistant, &principal)?;
    let id = note.id;
    let written = assistant.store.add_note(&whose, note).await.map_err(|error| match error {
        StoreError::Conflict { version } => Problem::version_conflict(version)
            .detail_is("Another note has this id already; a new note needs an id of its own.")
            .field("id"),
        other => other.into(),
    })?;
    let mut response = shown(StatusCode::CREATED, &written);
    if let Ok(location) = HeaderValue::from_str(&format!("/api/sticky-notes/{id}")) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// One note, with its version in the ETag.
#[utoipa::path(get, path = "/api/sticky-notes/{id}", tag = "memory",
    params(("id" = String, Path, description = "Id of the note, a UUID"), ForUser),
    responses(
        (status = 200, body = StickyNote, headers(("ETag" = String, description = "Its version, for If-Match"))),
        (status = 404, description = "No such note here.", body = Problem, content_type = "application/problem+json")))]
async fn show<S: NoteStore>(
    State(assistant): State<Assistant<S>>,
    principal: Principal,
    InPath(id): InPath<String>,
    InQuery(query): InQuery<ForUser>,
) -> Answer<Response> {
    let whose = assistant.whose(&principal, asked::given(query.user_id).as_deref())?;
    let note = assistant.store.note(&whose, parse_id(&id)?).await?;
    Ok(shown(StatusCode::OK, &note))
}

/// Change a note; what is absent stays. With `If-Match` only at that version.
#[utoipa::path(patch, path = "/api/sticky-notes/{id}", tag = "memory", request_body = NoteChangeBody,
    params(("id" = String, Path, description = "Id of the note, a UUID"),
           ("If-Match" = Option<String>, Header, description = "The ETag that was read; `*` or absent: whatever is there")),
    responses(
        (status = 200, body = StickyNote, headers(("ETag" = String, description = "Its new version"))),
        (status = 404, description = "No such note here.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Somebody wrote in between.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "priority is out of range.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "No room, or the memory does not answer.", body = Problem, content_type = "application/problem+json")))]
async fn change<S: NoteStore>(
    State(assistant): State<Assistant<S>>,
    principal: Principal,
    InPath(id): InPath<String>,
    headers: HeaderMap,
    Body(body): Body<NoteChangeBody>,
) -> Answer<Response> {
    let wanted = etag::wanted(&headers)?;
    let (patch, user_id) = body.patch()?;
    let whose = assistant.whose(&principal, user_id.as_deref())?;
    let id = parse_id(&id)?;
    let expected = expected(&assistant.store, &whose, id, wanted).await?;
    let note = assistant.store.change_note(&whose, id, patch, expected).await?;
    Ok(shown(StatusCode::OK, &note))
}

/// Delete a note. With `If-Match` only at that version. It is gone from every search at once.
#[utoipa::path(delete, path = "/api/sticky-notes/{id}", tag = "memory",
    params(("id" = String, Path, description = "Id of the note, a UUID"),
           ("If-Match" = Option<String>, Header, description = "The ETag that was read; `*` or absent: whatever is there"), ForUser),
    responses(
        (status = 204, description = "Gone."),
        (status = 404, description = "No such note here.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Somebody wrote in between.", body = Problem, content_type = "application/problem+json")))]
async fn remove<S: NoteStore>(
    State(assistant): State<Assistant<S>>,
    principal: Principal,
    InPath(id): InPath<String>,
    InQuery(query): InQuery<ForUser>,
    headers: HeaderMap,
) -> Answer<Response> {
    let wanted = etag::wanted(&headers)?;
    let whose = assistant.whose(&principal, asked::given(query.user_id).as_deref())?;
    let id = parse_id(&id)?;
    let expected = expected(&assistant.store, &whose, id, wanted).await?;
    assistant.store.delete_note(&whose, id, expected).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// What is no id names nothing.
fn parse_id(text: &str) -> Answer<RowId> {
    text.parse().map_err(|_no_id| StoreError::NotFound.into())
}

/// The one version at which the store shall write; it checks that again where it writes.
async fn expected<S: NoteStore>(store: &S, whose: &Whose, id: RowId, wanted: Wanted) -> Answer<Option<u64>> {
    let versions = match wanted {
        Wanted::Any => return Ok(None),
        Wanted::OneOf(versions) => versions,
    };
    if let [version] = versions[..] {
        return Ok(Some(version));
    }
    // Several, or none that can be: only the version that the note has can match.
    let version = store.note(whose, id).await?.version;
    if versions.contains(&version) { Ok(Some(version)) } else { Err(Problem::version_conflict(version)) }
}

fn shown(status: StatusCode, note: &Changed<StickyNote>) -> Response {
    let mut response = json::answer(status, &note.row);
    etag::tag(response.headers_mut(), note.version);
    response
}
