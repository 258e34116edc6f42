//! The robot's own page: plain HTML, CSS and JavaScript modules in the binary, no build step. It drives through the same
//! routes as everybody else.

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cloud_sync_api::access::Guards;
use cloud_sync_api::credentials::login;
use cloud_sync_api::openapi::ApiRouter;
use cloud_sync_api::params::InQuery;
use cloud_sync_api::peer::Peer;
use cloud_sync_api::problem::Problem;
use serde::Deserialize;

/// Nothing but our own files, and no connection but to ourselves.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
);

/// Browsers ask each time, and mostly get 304: after an update nobody drives with an old page.
const ASK_EACH_TIME: HeaderValue = HeaderValue::from_static("no-cache");

/// One file of the page.
#[derive(Clone, Copy, Debug)]
struct File {
    path: &'static str,
    kind: &'static str,
    text: &'static str,
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

macro_rules! files {
    ($($name:literal $kind:ident),* $(,)?) => {
        [$(File { path: concat!("/page/", $name), kind: $kind, text: include_str!(concat!("page/", $name)) }),*]
    };
}

const INDEX: File = File { path: "/", kind: HTML, text: include_str!("page/index.html") };

const FILES: [File; 15] = files![
    "style.css" CSS,
    "api.js" JS,
    "drive.js" JS,
    "extras.js" JS,
    "gamepad.js" JS,
    "halt.js" JS,
    "keys.js" JS,
    "lease.js" JS,
    "main.js" JS,
    "pad.js" JS,
    "panel.js" JS,
    "room.js" JS,
    "state.js" JS,
    "teleop.js" JS,
    "words.js" JS,
];

/// The page's files, open to everybody: without a token they show nothing but the question for one.
pub fn routes(guards: &Guards) -> ApiRouter {
    let mut routes = ApiRouter::new(guards).page("/", get(index)).with_state(guards.clone());
    for file in FILES {
        routes = routes.page(file.path, get(move |headers: HeaderMap| async move { serve(file, &headers) }));
    }
    routes
}

#[derive(Debug, Deserialize)]
struct Login {
    token: Option<String>,
}

async fn index(
    State(guards): State<Guards>,
    peer: Peer,
    InQuery(query): InQuery<Login>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    match query.token {
        Some(token) => login(&guards, &peer, &token),
        None => Ok(serve(INDEX, &headers)),
    }
}

fn serve(file: File, headers: &HeaderMap) -> Response {
    let tag = tag_of(file.text);
    let known = headers.get(IF_NONE_MATCH).and_then(|known| known.to_str().ok()).unwrap_or_default();
    let fixed = [(CACHE_CONTROL, ASK_EACH_TIME), (CONTENT_SECURITY_POLICY, POLICY)];
    let tagged = [(ETAG, tag.clone())];
    if known.split(',').any(|known| known.trim() == tag) {
        return (StatusCode::NOT_MODIFIED, fixed, tagged).into_response();
    }
    (fixed, tagged, [(CONTENT_TYPE, file.kind)], file.text).into_response()
}

/// FNV-1a of the text: changes when the file does.
fn tag_of(text: &str) -> String {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("\"{hash:016x}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_stays_small() {
        // A phone on a bad network loads it at once.
        let bytes: usize = FILES.iter().chain([&INDEX]).map(|file| file.text.len()).sum();
        assert!(bytes <= 60 * 1024, "the page has {bytes} bytes");
    }

    #[test]
    fn every_module_that_is_imported_is_served() {
        // A file that is forgotten in the list would be a blank page.
        let mut imports = 0;
        for file in FILES.iter().filter(|file| file.kind == JS) {
            for import in file.text.split("from './").skip(1) {
                let name = import.split('\'').next().unwrap();
                imports += 1;
                assert!(
                    FILES.iter().any(|file| file.path == format!("/page/{name}")),
                    "{} imports {name}",
                    file.path
                );
            }
        }
        assert!(imports > FILES.len(), "the modules import each other, and so they are found: {imports}");
    }
}
