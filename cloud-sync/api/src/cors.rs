//! What a browser is told about pages that are served elsewhere. Who may is decided in [`crate::access`]; this only says so
//! beforehand, and lets such a page read the answers.

use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE, ETAG, IF_MATCH, LOCATION, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Method};
use tower_http::cors::{AllowOrigin, CorsLayer};

/// How long a browser need not ask again.
const MAX_AGE: Duration = Duration::from_secs(600);

/// Pages of these origins, and no others, may use the routes with a token in the header. Cookies stay at home.
pub fn layer(origins: &[String]) -> CorsLayer {
    let named: Vec<HeaderValue> = origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(named))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE, IF_MATCH, HeaderName::from_static("idempotency-key")])
        .expose_headers([ETAG, LOCATION, RETRY_AFTER, HeaderName::from_static("x-next-cursor")])
        .max_age(MAX_AGE)
}
