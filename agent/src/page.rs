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

/// What is needed to drive and to stop: loaded at once.
const DRIVING: [File; 15] = files![
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

/// What is loaded when a person opens it.
const LATER: [File; 18] = files![
    "ask.js" JS,
    "chat.js" JS,
    "chat-bubble.js" JS,
    "chat-thread.js" JS,
    "chat-tiers.js" JS,
    "live.js" JS,
    "memory.js" JS,
    "memory-find.js" JS,
    "memory-form.js" JS,
    "memory-mood.js" JS,
    "memory-note.js" JS,
    "memory-notes.js" JS,
    "memory-now.js" JS,
    "memory-sync.js" JS,
    "parts.js" JS,
    "view.js" JS,
    "views.css" CSS,
    "why.js" JS,
];

/// The page's files, open to everybody: without a token they show nothing but the question for one.
pub fn routes(guards: &Guards) -> ApiRouter {
    let mut routes = ApiRouter::new(guards).page("/", get(index)).with_state(guards.clone());
    for file in DRIVING.into_iter().chain(LATER) {
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

    /// Names that `file` loads by what stands before them.
    fn named(file: &File, before: &str) -> Vec<String> {
        let names = file.text.split(before).skip(1);
        names.map(|rest| rest.split('\'').next().unwrap().to_owned()).collect()
    }

    #[test]
    fn the_page_stays_small() {
        // A phone on a bad network loads what drives and stops at once, and the rest when somebody wants it.
        let check = |what: &str, files: &mut dyn Iterator<Item = &File>, bytes_max: usize| {
            let bytes: usize = files.map(|file| file.text.len()).sum();
            assert!(bytes <= bytes_max, "{what} has {bytes} bytes");
        };
        check("the driving page", &mut DRIVING.iter().chain([&INDEX]), 60 * 1024);
        check("what is loaded later", &mut LATER.iter(), 72 * 1024);
    }

    #[test]
    fn every_module_that_is_imported_is_served() {
        // A file that is forgotten in the list would be a blank page; what drives waits for nothing that comes later.
        let served =
            |files: &[File], name: &str| files.iter().any(|file| file.path == format!("/page/{name}"));
        let mut imports = 0;
        for file in DRIVING.iter().filter(|file| file.kind == JS) {
            for name in named(file, "from './") {
                imports += 1;
                assert!(served(&DRIVING, &name), "{} imports {name}", file.path);
            }
            for name in named(file, "import('./") {
                assert!(served(&LATER, &name), "{} loads {name}", file.path);
            }
        }
        assert!(imports > DRIVING.len(), "the modules import each other, and so they are found: {imports}");
        for file in LATER.iter().filter(|file| file.kind == JS) {
            for name in named(file, "from './") {
                assert!(served(&DRIVING, &name) || served(&LATER, &name), "{} imports {name}", file.path);
            }
        }
    }

    #[test]
    fn nothing_is_read_as_html() {
        // What people write is shown as text: no module has a way to turn it into elements.
        for file in DRIVING.iter().chain(&LATER).filter(|file| file.kind == JS) {
            for way in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "DOMParser",
                "eval(",
                "setHTML",
            ] {
                assert!(!file.text.contains(way), "{} uses {way}", file.path);
            }
        }
    }
}
