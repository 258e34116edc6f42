//! Values in a path or behind its question mark, with refusals that are problems like all others.

use axum::extract::{FromRequestParts, Path, Query};
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::json::shortened;
use crate::problem::Problem;

/// The values in the path. One that cannot be read names nothing: 404.
#[derive(Debug)]
pub struct InPath<T>(pub T);

/// The values behind the question mark. Whether unknown ones are refused is up to `T`.
#[derive(Debug)]
pub struct InQuery<T>(pub T);

impl<T, S> FromRequestParts<S> for InPath<T>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(values)) => Ok(Self(values)),
            Err(_unreadable) => Err(Problem::not_found("There is nothing of that name.")),
        }
    }
}

impl<T, S> FromRequestParts<S> for InQuery<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(values)) => Ok(Self(values)),
            Err(error) => {
                let reason =
                    std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
                Err(Problem::bad_request(format!(
                    "The part behind the question mark does not fit: {}.",
                    shortened(&reason)
                )))
            }
        }
    }
}
