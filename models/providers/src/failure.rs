//! What went wrong, in words without a key. A provider's own words go into a detail only with every piece of the key taken
//! out, and not at all where they are about the key.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use models_mind::tier::{Failure, FailureKind};
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde_json::Value;

use crate::config::Secret;

/// Longest detail, bytes.
const DETAIL_BYTES_MAX: usize = 300;
/// As many characters of a key are a piece of it.
const PIECE_BYTES: usize = 6;
/// Nobody is told to stay away for longer.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// A failure before the provider's name and care for its key have been added.
#[derive(Debug)]
pub(crate) struct Wrong {
    pub(crate) kind: FailureKind,
    pub(crate) what: String,
}

impl Wrong {
    pub(crate) fn new(kind: FailureKind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into() }
    }

    pub(crate) fn malformed(what: impl Into<String>) -> Self {
        Self::new(FailureKind::Malformed, what)
    }

    /// An error that came where a piece of the answer should have been.
    pub(crate) fn in_band(error: &Value) -> Self {
        let said = said(error).unwrap_or("it gave no reason");
        Self::new(FailureKind::InBand, format!("broke the answer off with an error: {said}"))
    }

    pub(crate) fn finish(reason: &str) -> Self {
        Self::new(FailureKind::WrongFinish, format!("ended the answer with {reason:?}"))
    }

    /// With the provider's name before it, nothing of the key in it, and short.
    pub(crate) fn failure(self, name: &str, key: Option<&Secret>, retry_after: Option<Duration>) -> Failure {
        let detail = without(&format!("{name} {}", self.what), key);
        let detail = detail.split_whitespace().collect::<Vec<_>>().join(" ");
        let end = detail.floor_char_boundary(DETAIL_BYTES_MAX);
        Failure { kind: self.kind, detail: detail[..end].to_owned(), retry_after }
    }
}

/// What a status that is not success means. `body` is as much of the answer as had come with it.
pub(crate) fn refusal(status: StatusCode, body: &[u8]) -> Wrong {
    let code = status.as_u16();
    // What is said about a key may hold a part of it in another form, or with stars in it.
    if code == 401 || code == 403 {
        return Wrong::new(FailureKind::Unauthorized, format!("does not take the key ({code})"));
    }
    let (kind, what) = match code {
        429 => (FailureKind::RateLimited, "is asked too much"),
        400..=499 => (FailureKind::Rejected, "does not take the question"),
        500..=599 => (FailureKind::Server, "has a fault"),
        _ => (FailureKind::Malformed, "answers with a status that is no answer"),
    };
    let error = serde_json::from_slice::<Value>(body).ok();
    match error.as_ref().and_then(said) {
        Some(said) => Wrong::new(kind, format!("{what} ({code}): {said}")),
        None => Wrong::new(kind, format!("{what} ({code})")),
    }
}

/// The sentence in an error, as each of the four writes it. Gemini may put the whole into a list.
fn said(error: &Value) -> Option<&str> {
    let error = error.get(0).unwrap_or(error);
    let error = error.get("error").unwrap_or(error);
    error.as_str().or_else(|| error.get("message")?.as_str()).filter(|said| !said.trim().is_empty())
}

/// When it may be asked again: `retry-after-ms`, else `Retry-After` in seconds or as a date.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let ms = text("retry-after-ms").and_then(|text| seconds(text, 1e-3));
    let wait = ms.or_else(|| {
        let text = text(RETRY_AFTER.as_str())?;
        seconds(text, 1.0).or_else(|| until(text, now))
    })?;
    Some(wait.min(RETRY_AFTER_MAX))
}

fn seconds(text: &str, unit: f64) -> Option<Duration> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| seconds.is_finite())? * unit;
    Duration::try_from_secs_f64(seconds.min(RETRY_AFTER_MAX.as_secs_f64())).ok()
}

/// A date that has passed is now.
fn until(text: &str, now: SystemTime) -> Option<Duration> {
    let at: Timestamp = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(SystemTime::from(at).duration_since(now).unwrap_or_default())
}

/// `text` with stars for whatever is also in the key.
fn without(text: &str, key: Option<&Secret>) -> String {
    let Some(key) = key.map(|key| key.reveal().as_bytes()).filter(|key| !key.is_empty()) else {
        return text.to_owned();
    };
    let length = PIECE_BYTES.min(key.len());
    let bytes = text.as_bytes();
    let mut hidden = vec![false; bytes.len()];
    for (at, piece) in bytes.windows(length).enumerate() {
        if key.windows(length).any(|of_key| of_key == piece) {
            hidden[at..at + length].fill(true);
        }
    }
    // Keys are ASCII, so that what is hidden are whole characters.
    text.char_indices().map(|(at, letter)| if hidden[at] { '*' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reqwest::header::HeaderValue;

    use super::*;

    fn check_wait(name: &'static str, value: &'static str, wait_s: Option<f64>) {
        let headers = HeaderMap::from_iter([(name.parse().unwrap(), HeaderValue::from_static(value))]);
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
        assert_eq!(retry_after(&headers, now), wait_s.map(Duration::from_secs_f64), "{name}: {value}");
    }

    #[test]
    fn retry_after_is_seconds_milliseconds_or_a_date() {
        check_wait("retry-after", "7", Some(7.0));
        check_wait("retry-after", " 1.5", Some(1.5));
        check_wait("retry-after-ms", "250", Some(0.25));
        // 1,790,000,000 s are Mon, 21 Sep 2026 14:13:20 GMT.
        check_wait("retry-after", "Mon, 21 Sep 2026 14:14:20 GMT", Some(60.0));
        check_wait("retry-after", "Mon, 21 Sep 2026 14:13:00 GMT", Some(0.0));
        check_wait("retry-after", "999999999999999999999", Some(86_400.0));
        check_wait("retry-after", "Fri, 21 Sep 2029 14:14:20 GMT", Some(86_400.0));
        check_wait("retry-after", "soon", None);
        check_wait("retry-after", "-3", None);
        check_wait("retry-after", "NaN", None);
        check_wait("date", "7", None);
    }

    fn check_status(status: u16, body: &str, kind: FailureKind, detail: &str) {
        let failure = refusal(StatusCode::from_u16(status).unwrap(), body.as_bytes()).failure(
            "OpenAI",
            Some(&Secret::new("sk-0123456789")),
            None,
        );
        assert_eq!((failure.kind, failure.detail.as_str()), (kind, detail));
    }

    #[test]
    fn a_status_says_whose_fault_it_is_and_never_the_key() {
        let echo = r#"{"error":{"message":"Incorrect key sk-0123456789"}}"#;
        check_status(401, echo, FailureKind::Unauthorized, "OpenAI does not take the key (401)");
        check_status(403, "", FailureKind::Unauthorized, "OpenAI does not take the key (403)");
        let detail = "OpenAI does not take the question (400): Incorrect key *************";
        check_status(400, echo, FailureKind::Rejected, detail);
        let part = r#"[{"error":{"message":"of 123456…\n and more"}}]"#;
        check_status(
            429,
            part,
            FailureKind::RateLimited,
            "OpenAI is asked too much (429): of ******… and more",
        );
        check_status(529, r#"{"error":"busy"}"#, FailureKind::Server, "OpenAI has a fault (529): busy");
        check_status(
            302,
            "<html>",
            FailureKind::Malformed,
            "OpenAI answers with a status that is no answer (302)",
        );
    }

    proptest! {
        #[test]
        fn no_detail_holds_a_piece_of_the_key_or_is_too_long(
            key in "[a-zA-Z0-9_-]{8,40}",
            before in "\\PC{0,400}",
            from in 0_usize..8,
        ) {
            let key_part = &key[from.min(key.len() - 6)..];
            let wrong = Wrong::malformed(format!("{before}{key_part}{before}"));
            let failure = wrong.failure("Claude", Some(&Secret::new(&key)), None);
            prop_assert!(failure.detail.len() <= DETAIL_BYTES_MAX);
            let held = key.as_bytes().windows(6).any(|piece| {
                failure.detail.as_bytes().windows(6).any(|found| found == piece)
            });
            prop_assert!(!held, "{}", failure.detail);
        }
    }
}
