//! `/metrics` for Prometheus, read when somebody asks.

use axum::extract::State;
use axum::response::Response;
use cloud_sync_api::access::{Guards, Rule};
use cloud_sync_api::metrics_text;
use cloud_sync_api::openapi::ApiRouter;
use metrics::gauge;
use utoipa_axum::routes;

use crate::store::Database;

/// The route.
pub(super) fn routes(guards: &Guards, database: Database) -> ApiRouter {
    metrics_text::start();
    ApiRouter::new(guards).route(Rule::Loopback, routes!(metrics)).with_state(database)
}

/// What is measured, in Prometheus's text format. For programs on this machine only.
#[utoipa::path(get, path = "/metrics", tag = "program",
    responses((status = 200, description = "Prometheus text format", body = String, content_type = "text/plain")))]
async fn metrics(State(database): State<Database>) -> Response {
    let (open, idle) = database.connections();
    gauge!("robbie_database_connections").set(f64::from(open));
    gauge!("robbie_database_connections_idle").set(f64::from(u32::try_from(idle).unwrap_or(u32::MAX)));
    metrics_text::answer()
}
