//! Bodies that are bytes and nothing else.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};

use crate::json::{announced_bytes, read};
use crate::problem::Problem;

/// Time that such a body may take to arrive.
const WITHIN: Duration = Duration::from_secs(30);

/// A body of at most `LIMIT` bytes, as it came. The content type does not matter.
#[derive(Debug)]
pub struct Octets<const LIMIT: usize>(pub Bytes);

impl<S: Send + Sync, const LIMIT: usize> FromRequest<S> for Octets<LIMIT> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        if announced_bytes(request.headers()).is_some_and(|length| length > LIMIT as u64) {
            return Err(Problem::too_long(LIMIT));
        }
        Ok(Self(read(request.into_body(), LIMIT, WITHIN).await?))
    }
}
