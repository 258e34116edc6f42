//! The documentation in a browser: the API at `/docs`, a page a problem type, the document itself.
//!
//! Everything comes from the binary; no page loads anything from elsewhere, and none needs an inline script.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use http::{HeaderValue, StatusCode, header};
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::Config;

use crate::catalogue::{self, Kind};
use crate::openapi::{ApiRouter, DOCUMENT_PATH};
use crate::params::InPath;
use crate::problem::Problem;

/// Swagger UI with absolute paths, so that `/docs` and `/docs/` are the same page.
const INDEX: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/swagger-ui-standalone-preset.js"></script>
<script src="/docs/swagger-initializer.js"></script>
</body>
</html>
"#;

/// Swagger UI sets style attributes and uses pictures inside its style sheet.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// How long a browser keeps the files of one version.
const FILE_CACHE: HeaderValue = HeaderValue::from_static("max-age=3600");

/// Adds the documentation's routes.
pub(crate) fn routes(router: ApiRouter, document: &OpenApi) -> ApiRouter {
    // Strings and maps with string keys: this cannot fail.
    let document = Bytes::from(document.to_json().unwrap_or_default());
    let config = Arc::new(Config::from(DOCUMENT_PATH).validator_url("none"));
    let serve_document = move || {
        let document = document.clone();
        async move { ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], document) }
    };
    router
        .page(DOCUMENT_PATH, get(serve_document))
        .page("/docs", get(index))
        .page("/docs/problems", get(problem_list))
        .page("/docs/problems/{slug}", get(problem_page))
        .page("/docs/{file}", get(move |InPath(name): InPath<String>| async move { file(&name, config) }))
        .page("/problems/{slug}", get(problem_link))
}

async fn index() -> Response {
    let policy = [(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(DOCS_POLICY))];
    (policy, Html(INDEX)).into_response()
}

fn file(name: &str, config: Arc<Config<'static>>) -> Response {
    let found = match utoipa_swagger_ui::serve(name, config) {
        Ok(Some(found)) => found,
        Ok(None) => return nothing_there().into_response(),
        Err(error) => {
            tracing::error!(%error, name, "a file of the documentation cannot be served");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let bytes = match found.bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    };
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    if let Ok(kind) = HeaderValue::from_str(&found.content_type) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    if found.gzpipped {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    headers.insert(header::CACHE_CONTROL, FILE_CACHE);
    response
}

/// The `type` of an answer is a path of this program; it leads to the page.
async fn problem_link(InPath(slug): InPath<String>) -> Response {
    match catalogue::find(&slug) {
        Some(kind) => Redirect::permanent(&format!("/docs/problems/{}", kind.slug)).into_response(),
        None => nothing_there().into_response(),
    }
}

async fn problem_page(InPath(slug): InPath<String>) -> Response {
    match catalogue::find(&slug) {
        Some(kind) => Html(page(kind.title, &section(kind))).into_response(),
        None => nothing_there().into_response(),
    }
}

async fn problem_list() -> Html<String> {
    let line = |kind: &&Kind| {
        let Kind { slug, status, title, .. } = kind;
        format!("<p>{status} <a href=\"/docs/problems/{slug}\">{slug}</a>: {title}</p>\n")
    };
    let body: String = catalogue::ALL.iter().map(line).collect();
    Html(page("Problems", &body))
}

fn nothing_there() -> Problem {
    Problem::not_found("There is no such page; /docs/problems lists the problem types.")
}

fn section(kind: &Kind) -> String {
    let Kind { slug, status, meaning, remedy, .. } = kind;
    format!(
        "<p>Status {status}, type <code>/problems/{slug}</code></p>\n<p>{}</p>\n<h2>What helps</h2>\n<p>{}</p>",
        escape(meaning),
        escape(remedy)
    )
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title></head>\n\
         <body>\n<h1>{title}</h1>\n{body}\n<p><a href=\"/docs/problems\">All problems</a> &middot; \
         <a href=\"/docs\">API</a></p>\n</body>\n</html>\n"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
