//! `GET /`: logs a browser in with the URL that the service prints at its start, and leads to the documentation.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use cloud_sync_api::access::Guards;
use cloud_sync_api::credentials::login;
use cloud_sync_api::openapi::ApiRouter;
use cloud_sync_api::params::InQuery;
use cloud_sync_api::peer::Peer;
use cloud_sync_api::problem::Answer;
use serde::Deserialize;

/// The route; open to everybody.
pub(super) fn routes(guards: &Guards) -> ApiRouter {
    ApiRouter::new(guards).page("/", get(enter)).with_state(guards.clone())
}

#[derive(Debug, Deserialize)]
struct Login {
    token: Option<String>,
}

async fn enter(State(guards): State<Guards>, peer: Peer, InQuery(query): InQuery<Login>) -> Answer<Response> {
    match query.token {
        Some(token) => login(&guards, &peer, &token),
        None => Ok(Redirect::to("/docs").into_response()),
    }
}
