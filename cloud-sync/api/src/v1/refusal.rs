//! Refusals as OpenAI's clients read them: beside the members of a problem stands `error`, with its words.

use axum::body::{Body, to_bytes};
use axum::response::Response;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use serde_json::{Value, json};

use crate::problem::{MEDIA_TYPE, Problem};

/// Longer than any problem.
const PROBLEM_BYTES_MAX: usize = 64 * 1024;

/// Adds `error` to a problem; any other answer stays as it is.
pub(super) async fn as_openai_does(response: Response) -> Response {
    let is_problem = response.headers().get(CONTENT_TYPE).is_some_and(|media| media == MEDIA_TYPE);
    if !is_problem {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, PROBLEM_BYTES_MAX).await else {
        return Response::from_parts(parts, Body::empty());
    };
    let mut problem: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let word = problem["type"].as_str().and_then(|uri| uri.rsplit('/').next()).unwrap_or_default();
    problem["error"] = error(problem["detail"].as_str().unwrap_or_default(), word, &problem["field"]);
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(problem.to_string()))
}

/// The same for a stream that has begun.
pub(super) fn in_stream(problem: &Problem) -> Value {
    json!({ "error": error(problem.detail(), problem.word(), &Value::Null) })
}

fn error(message: &str, code: &str, param: &Value) -> Value {
    json!({ "message": message, "type": code, "code": code, "param": param })
}
