//! What a robot answered, as HTTP answers it.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use cloud_sync_api::problem::{MEDIA_TYPE, Problem};
use cloud_sync_protocol::command::CommandResult;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde_json::Value;

/// The very answer that the robot's own route gives.
pub(super) fn answer(result: CommandResult) -> Response {
    let Ok(status) = StatusCode::from_u16(result.status) else {
        return Problem::link_down("The robot answered something that nobody understands.").into_response();
    };
    let is_problem = result.r#type.is_some();
    let retry_after_ms =
        result.body.as_ref().and_then(|body| body.get("retry_after_ms")).and_then(Value::as_u64);
    let body = result.body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let mut response = (status, body).into_response();
    let media = if is_problem { MEDIA_TYPE } else { "application/json" };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status != StatusCode::NO_CONTENT {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    }
    if status == StatusCode::TOO_MANY_REQUESTS {
        let wait_ms = retry_after_ms.unwrap_or(1000);
        headers.insert(RETRY_AFTER, HeaderValue::from(wait_ms.div_ceil(1000).max(1)));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_refusal_stays_a_problem_with_its_headers() {
        let check = |status: u16, kind: Option<&str>, body: Option<Value>, media: Option<&str>| {
            let result = CommandResult {
                id: "1".to_owned(),
                status,
                r#type: kind.map(str::to_owned),
                detail: None,
                body,
            };
            let response = answer(result);
            assert_eq!(response.status().as_u16(), status);
            assert_eq!(response.headers().get(CONTENT_TYPE).and_then(|media| media.to_str().ok()), media);
            response
        };
        check(202, None, Some(json!({"lease": "l-1"})), Some("application/json"));
        check(204, None, None, None);
        check(409, Some("/problems/lease-held"), Some(json!({"holder": "ann"})), Some(MEDIA_TYPE));
        let limited = check(
            429,
            Some("/problems/rate-limited"),
            Some(json!({"retry_after_ms": 1500})),
            Some(MEDIA_TYPE),
        );
        assert_eq!(limited.headers()[RETRY_AFTER], "2");
    }
}
