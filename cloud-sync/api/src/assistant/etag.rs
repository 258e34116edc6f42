//! Versions of rows as HTTP carries them: `ETag` out, `If-Match` in (RFC 9110, 8.8.3 and 13.1.1).

use http::header::{ETAG, IF_MATCH};
use http::{HeaderMap, HeaderValue};

use crate::problem::{Answer, Problem};

/// At which versions a row may be written.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// At every one: no `If-Match`, or `*`.
    Any,
    /// At one of these; tags that are not ours match none.
    OneOf(Vec<u64>),
}

/// Says which version an answer shows.
pub(super) fn tag(headers: &mut HeaderMap, version: u64) {
    // Digits between quotes: this cannot fail.
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{version}\"")) {
        headers.insert(ETAG, tag);
    }
}

/// What `If-Match` asks for.
///
/// # Errors
/// 400 where it holds no entity tags.
pub(super) fn wanted(headers: &HeaderMap) -> Answer<Wanted> {
    let mut versions = Vec::new();
    let mut lines = headers.get_all(IF_MATCH).iter().peekable();
    if lines.peek().is_none() {
        return Ok(Wanted::Any);
    }
    for line in lines {
        let line = line.to_str().map_err(|_no_text| no_tag())?;
        for tag in line.split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
            if tag == "*" {
                return Ok(Wanted::Any);
            }
            // A weak tag never matches where bytes are to be written over.
            let (is_weak, quoted) = tag.strip_prefix("W/").map_or((false, tag), |quoted| (true, quoted));
            let inner =
                quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).ok_or_else(no_tag)?;
            versions.extend(version_of(inner).filter(|_| !is_weak));
        }
    }
    Ok(Wanted::OneOf(versions))
}

/// The version in a tag of ours, which has one spelling.
fn version_of(inner: &str) -> Option<u64> {
    inner.parse().ok().filter(|version: &u64| version.to_string() == inner)
}

fn no_tag() -> Problem {
    Problem::bad_request("If-Match takes what ETag gave, such as \"3\" with its quotes, or *.")
        .field("If-Match")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: &[&str], expected: Option<Wanted>) {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(IF_MATCH, line.parse().unwrap());
        }
        assert_eq!(wanted(&headers).ok(), expected, "{lines:?}");
    }

    #[test]
    fn if_match_is_read_as_http_says() {
        // Lists, several lines, the star; weak and foreign tags match nothing; anything else is told.
        let one_of = |versions: &[u64]| Some(Wanted::OneOf(versions.to_vec()));
        check(&[], Some(Wanted::Any));
        check(&["*"], Some(Wanted::Any));
        check(&["\"3\""], one_of(&[3]));
        check(&["\"3\", \"4\""], one_of(&[3, 4]));
        check(&["\"3\"", "\"4\""], one_of(&[3, 4]));
        check(&["W/\"3\""], one_of(&[]));
        check(&["\"03\""], one_of(&[]));
        check(&["\"+3\""], one_of(&[]));
        check(&["\"abc\""], one_of(&[]));
        check(&["\"99999999999999999999\""], one_of(&[]));
        check(&["3"], None);
        check(&["\"3"], None);
    }

    #[test]
    fn what_etag_gives_if_match_takes() {
        // A client sends back what it got.
        for version in [1, 10, u64::MAX] {
            let mut headers = HeaderMap::new();
            tag(&mut headers, version);
            let given = headers.remove(ETAG).unwrap();
            headers.insert(IF_MATCH, given);
            assert_eq!(wanted(&headers).unwrap(), Wanted::OneOf(vec![version]));
        }
    }
}
