//! The moods' pictures, drawn for this project: `/moods/{mood}.svg`, open to everybody.

use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cloud_sync_protocol::persona::Mood;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};

use crate::access::Guards;
use crate::openapi::ApiRouter;

/// A picture changes with the program only.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=3600");
const SVG: HeaderValue = HeaderValue::from_static("image/svg+xml");
/// Opened by itself a picture is a page; it may be drawn, and nothing else.
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'");

/// A route a mood.
pub(super) fn routes(guards: &Guards) -> ApiRouter {
    Mood::ALL.into_iter().fold(ApiRouter::new(guards), |routes, mood| {
        routes.page(&mood.data().main_image_url, get(move || async move { serve(mood) }))
    })
}

fn serve(mood: Mood) -> Response {
    let headers = [(CONTENT_TYPE, SVG), (CACHE_CONTROL, CACHE), (CONTENT_SECURITY_POLICY, POLICY)];
    (headers, picture(mood)).into_response()
}

fn picture(mood: Mood) -> &'static str {
    match mood {
        Mood::Friendly => include_str!("../moods/friendly.svg"),
        Mood::Focused => include_str!("../moods/focused.svg"),
        Mood::Playful => include_str!("../moods/playful.svg"),
        Mood::Bossy => include_str!("../moods/bossy.svg"),
        Mood::Surprised => include_str!("../moods/surprised.svg"),
        Mood::Blushing => include_str!("../moods/blushing.svg"),
    }
}
