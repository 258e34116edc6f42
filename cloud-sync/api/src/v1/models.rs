//! `GET /v1/models`: the chain, and the model behind the vectors.

use axum::extract::State;
use axum::response::Response;
use cloud_sync_protocol::store::MemoryStore;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::{LOOK, MODEL, V1};
use crate::access::Guards;
use crate::json;
use crate::openapi::ApiRouter;
use crate::params::InPath;
use crate::problem::{Answer, Problem};

pub(super) fn routes<M: MemoryStore>(guards: &Guards, v1: V1<M>) -> ApiRouter {
    let (list, one) = (list::<M>, one::<M>);
    ApiRouter::new(guards).route(LOOK, routes!(list)).route(LOOK, routes!(one)).with_state(v1)
}

/// A model.
#[derive(Debug, Serialize, ToSchema)]
struct Model {
    /// Its name: `robbie`, `minilm-l6-v2` or `lexical`.
    id: String,
    /// Always `model`.
    object: &'static str,
    /// Always 0.
    created: u32,
    /// Always `robbie`.
    owned_by: &'static str,
}

/// All of them.
#[derive(Debug, Serialize, ToSchema)]
struct Models {
    /// Always `list`.
    object: &'static str,
    /// They.
    data: Vec<Model>,
}

fn model(id: &str) -> Model {
    Model { id: id.to_owned(), object: "model", created: 0, owned_by: MODEL }
}

fn known<M: MemoryStore>(v1: &V1<M>) -> [Model; 2] {
    [model(MODEL), model(&v1.memory.embedding_model())]
}

/// The models: `robbie`, which is the whole chain, and that of the vectors.
#[utoipa::path(get, path = "/v1/models", tag = "openai", responses((status = 200, body = Models)))]
async fn list<M: MemoryStore>(State(v1): State<V1<M>>) -> Response {
    json::answer(StatusCode::OK, &Models { object: "list", data: known(&v1).into() })
}

/// One model, by its name.
#[utoipa::path(get, path = "/v1/models/{id}", tag = "openai", params(("id" = String, Path, description = "Its name")),
    responses((status = 200, body = Model),
              (status = 404, description = "There is no such model.", body = Problem, content_type = "application/problem+json")))]
async fn one<M: MemoryStore>(State(v1): State<V1<M>>, InPath(id): InPath<String>) -> Answer<Response> {
    match known(&v1).into_iter().find(|model| model.id == id) {
        Some(model) => Ok(json::answer(StatusCode::OK, &model)),
        None => Err(Problem::not_found("There is no such model; GET /v1/models lists them.")),
    }
}
