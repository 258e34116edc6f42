//! Pages of a list: a bare array, and `X-Next-Cursor` where it goes on. What a cursor means is the store's business.

use axum::response::Response;
use cloud_sync_protocol::store::{Page, PageAt};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;

use crate::json;
use crate::problem::{Answer, Problem};

use super::asked;
use super::refusal::bad_cursor;

/// Where a list says how it goes on.
const NEXT: HeaderName = HeaderName::from_static("x-next-cursor");

/// Rows of a page where nobody says, and at most.
const ROWS: (u32, u32) = (50, 500);

/// Longest cursor of a store, bytes.
const CURSOR_BYTES_MAX: usize = 256;

/// The page that a request asks for.
///
/// # Errors
/// 400 where a value cannot be read or the cursor is none of ours, 422 where the limit is out of range.
pub(super) fn asked(limit: Option<&str>, cursor: Option<String>) -> Answer<PageAt> {
    let cursor = asked::given(cursor);
    let is_ours =
        |text: &String| text.len() <= CURSOR_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !cursor.as_ref().is_none_or(is_ours) {
        return Err(bad_cursor());
    }
    Ok(PageAt { limit: asked::limit(limit, ROWS.0, ROWS.1)?, cursor })
}

/// The rows as a bare array; where more follow, `X-Next-Cursor` leads to them.
///
/// # Errors
/// 503 where the store gave a cursor that no header can carry.
pub(super) fn answer<T: Serialize>(page: &Page<T>) -> Answer<Response> {
    let mut response = json::answer(StatusCode::OK, &page.rows);
    if let Some(next) = &page.next {
        let next = HeaderValue::from_str(next);
        let next =
            next.map_err(|_unprintable| Problem::memory_down("The memory gave an unusable cursor."))?;
        response.headers_mut().insert(NEXT, next);
    }
    Ok(response)
}
