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
        if !parts.uri.query().is_none_or(is_utf8) {
            return Err(Problem::bad_request("The part behind the question mark is not UTF-8."));
        }
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

/// Whether the text is UTF-8 once its `%` are undone: the parser would put signs of replacement where it is not, and look
/// for those.
fn is_utf8(query: &str) -> bool {
    let mut bytes = Vec::with_capacity(query.len());
    let mut rest = query.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = (*first == b'%').then(|| after.get(..2)).flatten().and_then(byte_of);
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    std::str::from_utf8(&bytes).is_ok()
}

fn byte_of(digits: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let [high, low] = digits else { return None };
    Some(digit(*high)? * 16 + digit(*low)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_utf8_behind_the_question_mark_is_seen() {
        // Escaped or not; a lone percent sign stands for itself.
        for fine in ["", "q=a+b", "q=%C3%A4", "q=%f0%9f%92%9a", "q=100%", "q=%zz", "q=%e", "q=\u{e4}"] {
            assert!(is_utf8(fine), "{fine}");
        }
        for broken in ["q=%ff", "q=%C3", "q=%C3%28", "q=%ED%A0%80", "%80=1"] {
            assert!(!is_utf8(broken), "{broken}");
        }
    }
}
