//! One request: what it asks, and what is sent for it.

use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use serde_json::{Value, json};

use crate::fault::Faulty;
use crate::kind::Kind;
use crate::reply;
use crate::script;
use crate::seen::Seen;
use crate::server::Shared;
use crate::settings::Settings;
use crate::state::UnderWay;
use crate::steps::{self, Body};
use crate::wire::{self, End};

/// Longest body, bytes.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// An error closes the connection without an answer.
pub(crate) async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> io::Result<Response<Body>> {
    let kind = shared.state.kind;
    let path = request.uri().path().to_owned();
    if path == "/twin" {
        return Ok(control(&shared, request).await);
    }
    if request.method() == Method::GET {
        return Ok(match wire::list(kind, &path) {
            Some(list) => json_response(StatusCode::OK, &list),
            None => json_response(StatusCode::NOT_FOUND, &wire::error_json(kind, "no such path")),
        });
    }
    let Some(asked) = wire::asked(kind, &path) else {
        return Ok(json_response(StatusCode::NOT_FOUND, &wire::error_json(kind, "no such path")));
    };
    model(&shared, &asked, request).await
}

async fn model(
    shared: &Shared,
    asked: &wire::Path,
    request: Request<Incoming>,
) -> io::Result<Response<Body>> {
    let state = &shared.state;
    let kind = state.kind;
    let mut under_way = UnderWay::new(Arc::clone(state));
    let key = key(kind, &request);
    let body = body(request).await?;
    let Some(mut seen) = serde_json::from_slice(&body).ok().and_then(|raw| wire::seen(kind, asked, raw))
    else {
        under_way.over();
        return Ok(json_response(StatusCode::BAD_REQUEST, &wire::error_json(kind, "this is no question")));
    };
    let (settings, fault) = {
        let mut settings = state.settings();
        let fault = settings.take_fault();
        (settings.clone(), fault.map(|fault| fault.what))
    };
    seen.key_was_right = settings.key.as_ref().is_none_or(|right| *right == key);
    let right = seen.key_was_right;
    let answer = made(kind, &settings, fault.as_ref(), &seen, &key, under_way.number, shared);
    *state.last() = Some(seen);
    match fault {
        Some(Faulty::HangUp) => {
            under_way.over();
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Some(Faulty::StallHead) => return pending().await,
        Some(Faulty::Status { status, retry_after, retry_after_ms }) => {
            under_way.over();
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let said = format!("this is status {status}, asked with the key {key}");
            let mut response = json_response(status, &wire::error_json(kind, &said));
            for (name, value) in [("retry-after", retry_after), ("retry-after-ms", retry_after_ms)] {
                if let Some(value) = value.and_then(|value| value.parse().ok()) {
                    response.headers_mut().insert(name, value);
                }
            }
            return Ok(response);
        }
        _ if !right => {
            under_way.over();
            let said = format!("wrong key: {key}");
            return Ok(json_response(StatusCode::UNAUTHORIZED, &wire::error_json(kind, &said)));
        }
        _ => {}
    }
    Ok(match answer {
        Made::Whole(whole) => {
            under_way.over();
            json_response(StatusCode::OK, &whole)
        }
        Made::Steps(steps) => {
            let mut response = Response::new(steps::body(steps, under_way));
            response.headers_mut().insert(CONTENT_TYPE, wire::content_type(kind));
            response
        }
    })
}

enum Made {
    Whole(Value),
    Steps(std::collections::VecDeque<steps::Step>),
}

fn made(
    kind: Kind,
    settings: &Settings,
    fault: Option<&Faulty>,
    seen: &Seen,
    key: &str,
    number: u64,
    shared: &Shared,
) -> Made {
    let reply = script::answer(kind, settings, seen);
    let end = End::of(&reply, seen, number);
    if !seen.stream {
        return Made::Whole(wire::whole(kind, &reply, &end));
    }
    let make = || wire::prepared(kind, &reply, &end, settings.chunk_words);
    if reply.calls.is_empty() {
        let prepared = shared.state.prepared(&reply, &end, settings.chunk_words, make);
        return Made::Steps(reply::steps(kind, settings, &prepared, fault, key));
    }
    Made::Steps(reply::steps(kind, settings, &make(), fault, key))
}

fn key(kind: Kind, request: &Request<Incoming>) -> String {
    let (name, prefix) = kind.key_header();
    let value = request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.strip_prefix(prefix).unwrap_or(value).to_owned()
}

async fn body(request: Request<Incoming>) -> io::Result<Bytes> {
    let limited = http_body_util::Limited::new(request.into_body(), BODY_BYTES_MAX);
    match limited.collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) => Err(io::Error::other(error)),
    }
}

/// `PUT /twin` changes it, `GET /twin` reports.
async fn control(shared: &Shared, request: Request<Incoming>) -> Response<Body> {
    if request.method() == Method::GET {
        return json_response(StatusCode::OK, &shared.state.report());
    }
    let (status, said) = changed(shared, request, true).await;
    json_response(status, &said)
}

/// Carries out a change that came over HTTP; `inside` if over one of the twin's own connections.
pub(crate) async fn changed(
    shared: &Shared,
    request: Request<Incoming>,
    inside: bool,
) -> (StatusCode, Value) {
    if request.method() != Method::PUT {
        return (StatusCode::METHOD_NOT_ALLOWED, json!({"error": "GET or PUT"}));
    }
    let Ok(body) = body(request).await else {
        return (StatusCode::PAYLOAD_TOO_LARGE, json!({"error": "at most 16 MiB"}));
    };
    match serde_json::from_slice(&body) {
        Ok(change) => {
            if inside {
                shared.change_from_inside(change).await;
            } else {
                shared.change(change, std::time::Duration::ZERO).await;
            }
            (StatusCode::OK, json!({"changed": true}))
        }
        Err(error) => (StatusCode::BAD_REQUEST, json!({"error": error.to_string()})),
    }
}

pub(crate) fn json_response(status: StatusCode, body: &Value) -> Response<Body> {
    let body = Full::new(Bytes::from(body.to_string())).map_err(|never: Infallible| match never {});
    let mut response = Response::new(body.boxed_unsync());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    response
}
