//! JSON in and out: [`Body`] reads and checks a request's body, [`answer`] writes a response.
//!
//! A bad body never reaches a handler, and never becomes a 500: it is 400 or 413 with the reason.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// Bytes of a body where the route does not say otherwise.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// Time that a body may take to arrive once somebody waits for it.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// How much of what a client sent an answer repeats.
const REPEATED_BYTES_MAX: usize = 200;

/// A body of at most `LIMIT` bytes, parsed as JSON into `T`.
///
/// Whether unknown fields are refused is up to `T` (`deny_unknown_fields`). The content type does not matter.
#[derive(Debug)]
pub struct Body<T, const LIMIT: usize = BODY_BYTES_MAX>(pub T);

impl<T, S, const LIMIT: usize> FromRequest<S> for Body<T, LIMIT>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        if announced_bytes(request.headers()).is_some_and(|length| length > LIMIT as u64) {
            return Err(Problem::too_long(LIMIT));
        }
        let bytes = read(request.into_body(), LIMIT, BODY_TIMEOUT).await?;
        parse(&bytes).map(Self)
    }
}

/// Reads a body that nobody insists on: at most `limit` bytes within `wait`; anything wrong with it gives `None`.
///
/// For routes that act whatever the body says.
pub async fn read_leniently<T: DeserializeOwned>(
    body: axum::body::Body,
    limit: usize,
    wait: Duration,
) -> Option<T> {
    let bytes = read(body, limit, wait).await.ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Parses `bytes`; the refusal names the field at fault where it is known.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // serde would also read a struct from a list of its values, which nobody means.
    let is_object = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    if !is_object {
        return Err(explain_other(bytes));
    }
    // Checked for the whole body: the parser does not look into the texts of fields that it ignores.
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Err(Problem::bad_request("The body is not UTF-8."));
    };
    // The plain parser is the quick one; the path to a fault is found only when there is one.
    serde_json::from_str(text).map_err(|_fast| explain::<T>(text))
}

/// A JSON response that no cache keeps.
pub fn answer<T: Serialize>(status: StatusCode, value: &T) -> Response {
    let mut body = Vec::with_capacity(256);
    if let Err(error) = serde_json::to_writer(&mut body, value) {
        // Only a map with keys that are no strings gets here, which is a mistake in our own types.
        tracing::error!(%error, "an answer could not be written as JSON");
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, body).into_response()
}

pub(crate) fn announced_bytes(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

pub(crate) async fn read(body: axum::body::Body, limit: usize, wait: Duration) -> Result<Bytes, Problem> {
    let collected = match tokio::time::timeout(wait, Limited::new(body, limit).collect()).await {
        Err(_elapsed) => return Err(Problem::bad_request("The body did not arrive in time.")),
        Ok(collected) => collected,
    };
    match collected {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Problem::too_long(limit)),
        Err(_broken) => Err(Problem::bad_request("The body broke off before its end.")),
    }
}

/// Says what is wrong with a body that does not begin like a JSON object.
fn explain_other(bytes: &[u8]) -> Problem {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Problem::bad_request("The body is empty; send a JSON object.");
    }
    match serde_json::from_slice::<serde_json::Value>(bytes) {
        Ok(_) => Problem::bad_request("The body must be a JSON object, {...}."),
        Err(error) => Problem::bad_request(format!("This is not JSON: {error}.")),
    }
}

/// Parses once more, slowly, to say where it fails.
fn explain<T: DeserializeOwned>(text: &str) -> Problem {
    let mut parser = serde_json::Deserializer::from_str(text);
    let error = match serde_path_to_error::deserialize::<_, T>(&mut parser) {
        Ok(_) => return Problem::bad_request("There is more after the end of the JSON value."),
        Err(error) => error,
    };
    let path = error.path().to_string();
    let cause = error.into_inner();
    let whole_message = cause.to_string();
    let message = shortened(&whole_message);
    let problem = if cause.is_data() {
        Problem::bad_request(format!("The JSON does not fit: {message}."))
    } else {
        Problem::bad_request(format!("This is not JSON: {message}."))
    };
    match field_at_fault(&path, message, cause.is_data()) {
        Some(field) => problem.field(shortened(&field).to_owned()),
        None => problem,
    }
}

/// The beginning of a text that repeats what a client sent, which may be long.
pub(crate) fn shortened(text: &str) -> &str {
    &text[..text.floor_char_boundary(REPEATED_BYTES_MAX)]
}

/// The field's path. For a missing or unknown field the path ends at its parent and serde's message holds the name.
fn field_at_fault(path: &str, message: &str, is_data: bool) -> Option<String> {
    let parent = if path == "." { "" } else { path };
    let named = ["missing field `", "unknown field `", "duplicate field `"]
        .iter()
        .find_map(|start| message.strip_prefix(start))
        .and_then(|rest| rest.split('`').next());
    match named {
        Some(name) if parent.is_empty() || parent.rsplit('.').next() == Some(name) => {
            Some(if parent.is_empty() { name.to_owned() } else { parent.to_owned() })
        }
        Some(name) => Some(format!("{parent}.{name}")),
        // Broken syntax is a fault of the whole body, unless it broke inside a known field.
        None if parent.is_empty() || (!is_data && parent.contains('?')) => None,
        None => Some(parent.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only whether it parses matters")]
    struct Drive {
        linear_mps: f64,
        ttl_ms: Option<u16>,
        seen: Option<Seen>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only whether it parses matters")]
    struct Seen {
        mono_ms: u64,
    }

    fn check(body: &[u8], field: Option<&str>) {
        let problem = parse::<Drive>(body).unwrap_err();
        let value = serde_json::to_value(&problem).unwrap();
        assert_eq!(value["status"], 400);
        assert_eq!(value.get("field").and_then(|field| field.as_str()), field, "{value}");
    }

    #[test]
    fn the_field_at_fault_is_named() {
        // Every bad body is 400, and says which field where there is one.
        check(b"", None);
        check(b"  \n", None);
        check(b"{\"linear_mps\":\"\xff\"}", None);
        check(b"{", None);
        check(b"{} {}", Some("linear_mps"));
        check(b"{\"linear_mps\":1} {}", None);
        check(b"{}", Some("linear_mps"));
        check(b"[]", None);
        check(b"[0.1, 100, null]", None);
        check(b"null", None);
        check(b"{\"linear_mps\":1,\"seen\":3}", Some("seen"));
        check(b"{\"linear_mps\":\"fast\"}", Some("linear_mps"));
        check(b"{\"linear_mps\":null}", Some("linear_mps"));
        check(b"{\"linear_mps\":NaN}", Some("linear_mps"));
        check(b"{\"linear_mps\":Infinity}", Some("linear_mps"));
        check(b"{\"linear_mps\":1e999}", Some("linear_mps"));
        check(b"{\"linear_mps\":1,\"ttl_ms\":-1}", Some("ttl_ms"));
        check(b"{\"linear_mps\":1,\"ttl_ms\":2.5}", Some("ttl_ms"));
        check(b"{\"linear_mps\":1,\"warp\":9}", Some("warp"));
        check(b"{\"linear_mps\":1,\"linear_mps\":2}", Some("linear_mps"));
        check(b"{\"linear_mps\":1,\"seen\":{}}", Some("seen.mono_ms"));
        check(b"{\"linear_mps\":1,\"seen\":{\"mono_ms\":1,\"x\":2}}", Some("seen.x"));
    }

    #[test]
    fn an_answer_repeats_little() {
        // An unknown field with a long name does not come back whole.
        let body = format!("{{\"linear_mps\":1,\"{}\":1}}", "ä".repeat(20_000));
        let problem = parse::<Drive>(body.as_bytes()).unwrap_err();
        assert!(serde_json::to_vec(&problem).unwrap().len() < 1000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_given_up() {
        // A client that holds its body back gets 400, and a lenient reader goes on without it.
        let endless = || {
            axum::body::Body::from_stream(futures_util::stream::pending::<Result<Bytes, std::io::Error>>())
        };
        let request = Request::builder().body(endless()).unwrap();
        let begun = tokio::time::Instant::now();
        let problem = Body::<Drive>::from_request(request, &()).await.unwrap_err();
        assert_eq!(problem.status(), StatusCode::BAD_REQUEST);
        assert_eq!(begun.elapsed(), BODY_TIMEOUT);
        assert!(read_leniently::<Seen>(endless(), 100, Duration::from_millis(50)).await.is_none());
    }

    #[test]
    fn broken_utf8_is_told_wherever_it_stands() {
        // Also in a field that nobody reads.
        #[derive(Debug, serde::Deserialize)]
        struct Nothing {}
        assert!(parse::<Nothing>(b"{\"unread\":\"fine\"}").is_ok());
        let problem = parse::<Nothing>(b"{\"unread\":\"\xc3\x28\"}").unwrap_err();
        assert!(problem.detail().contains("UTF-8"), "{problem:?}");
    }

    #[test]
    fn a_good_body_is_read() {
        // What fits the schema passes.
        assert!(parse::<Drive>(b" {\"linear_mps\":0.1,\"ttl_ms\":100} ").is_ok());
    }
}
