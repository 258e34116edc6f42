//! `POST /v1/embeddings`: vectors of texts, made on this machine by the model that the memory uses.

use axum::extract::State;
use axum::response::Response;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use cloud_sync_protocol::store::MemoryStore;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::{ASK, MODEL, V1};
use crate::access::Guards;
use crate::json::{self, Body};
use crate::openapi::ApiRouter;
use crate::problem::{Answer, Problem};

/// Texts of one request.
const TEXTS_MAX: usize = 64;
/// Bytes of one text; a model reads less of it.
const TEXT_BYTES_MAX: usize = 32 * 1024;
/// Bytes of a body.
const BODY_BYTES_MAX: usize = 256 * 1024;

pub(super) fn routes<M: MemoryStore>(guards: &Guards, v1: V1<M>) -> ApiRouter {
    let embed = embed::<M>;
    ApiRouter::new(guards).route(ASK, routes!(embed)).with_state(v1)
}

/// What is asked.
#[derive(Debug, Deserialize, ToSchema)]
struct EmbeddingBody {
    /// A text, or up to 64 of them, each of 1 byte to 32 KiB.
    input: Input,
    /// `robbie`: whichever the memory uses; or its name.
    model: String,
    /// `float` (the default) or `base64`: little-endian 32-bit numbers.
    encoding_format: Option<String>,
    /// 384, where it is given.
    dimensions: Option<usize>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
enum Input {
    One(String),
    Many(Vec<String>),
}

/// Vectors.
#[derive(Debug, Serialize, ToSchema)]
struct Embeddings {
    /// Always `list`.
    object: &'static str,
    /// `{object: "embedding", index, embedding}`, in the order of the texts.
    data: Vec<Value>,
    /// The model that made them: `minilm-l6-v2`, or `lexical` where its weights are missing. Only vectors of one model compare.
    model: String,
    /// `{prompt_tokens, total_tokens}`: always 0, nothing is paid for.
    usage: Value,
}

/// Vectors of texts: 384 numbers each, of length 1.
#[utoipa::path(post, path = "/v1/embeddings", tag = "openai", request_body = EmbeddingBody,
    responses((status = 200, body = Embeddings),
              (status = 404, description = "There is no such model.", body = Problem, content_type = "application/problem+json"),
              (status = 503, description = "The embedder cannot do it now.", body = Problem, content_type = "application/problem+json")))]
async fn embed<M: MemoryStore>(
    State(v1): State<V1<M>>,
    Body(body): Body<EmbeddingBody, BODY_BYTES_MAX>,
) -> Answer<Response> {
    let texts = match body.input {
        Input::One(text) => vec![text],
        Input::Many(texts) => texts,
    };
    if texts.is_empty() || texts.iter().any(String::is_empty) {
        return Err(Problem::bad_request("input is empty: what shall become a vector?").field("input"));
    }
    if texts.len() > TEXTS_MAX {
        return Err(Problem::too_many("input", TEXTS_MAX));
    }
    if texts.iter().any(|text| text.len() > TEXT_BYTES_MAX) {
        return Err(Problem::too_long(TEXT_BYTES_MAX).field("input"));
    }
    let is_base64 = match body.encoding_format.as_deref() {
        None | Some("float") => false,
        Some("base64") => true,
        Some(_) => {
            return Err(Problem::bad_request("encoding_format is float or base64.").field("encoding_format"));
        }
    };
    if body.model != MODEL && body.model != v1.memory.embedding_model() {
        return Err(Problem::not_found("There is no such model; GET /v1/models lists them.").field("model"));
    }
    let made = v1.memory.embed(texts).await?;
    if let Some(wanted) = body.dimensions
        && made.vectors.iter().any(|vector| vector.len() != wanted)
    {
        let has = made.vectors.first().map_or(0, Vec::len) as f64;
        return Err(Problem::out_of_range("dimensions", has, has));
    }
    let shown = |(index, vector): (usize, &Vec<f32>)| {
        let embedding = if is_base64 { json!(packed(vector)) } else { json!(vector) };
        json!({ "object": "embedding", "index": index, "embedding": embedding })
    };
    let answer = Embeddings {
        object: "list",
        data: made.vectors.iter().enumerate().map(shown).collect(),
        model: made.model,
        usage: json!({ "prompt_tokens": 0, "total_tokens": 0 }),
    };
    Ok(json::answer(StatusCode::OK, &answer))
}

fn packed(vector: &[f32]) -> String {
    let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
    BASE64_STANDARD.encode(bytes)
}
