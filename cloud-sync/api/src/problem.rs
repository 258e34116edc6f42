//! What a refusal looks like on the wire: `application/problem+json` (RFC 9457), one constructor a type.
//!
//! It never decides whether something is refused. What each type means is told in [`crate::catalogue`].

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, Type};
use utoipa::openapi::{KnownFormat, RefOr, SchemaFormat};

use crate::catalogue::{self, Kind};

/// Media type of every refusal.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// One refusal: its type, what a person reads, and the facts a program reads.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    kind: &'static Kind,
    detail: Cow<'static, str>,
    field: Option<Cow<'static, str>>,
    facts: Map<String, Value>,
}

/// Result of a handler.
pub type Answer<T> = Result<T, Problem>;

impl Problem {
    fn new(kind: &'static Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, detail: detail.into(), field: None, facts: Map::new() }
    }

    /// 400: not JSON, a wrong type, a missing or unknown field.
    pub fn bad_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(&catalogue::BAD_REQUEST, detail)
    }

    /// 413: the body, or a text in it, has more than `limit_bytes`.
    pub fn too_long(limit_bytes: usize) -> Self {
        let detail = format!("This is longer than allowed: at most {limit_bytes} bytes.");
        Self::new(&catalogue::TOO_LONG, detail).fact("limit_bytes", limit_bytes)
    }

    /// 413: the list in `field` has more than `max` entries.
    pub fn too_many(field: &'static str, max: usize) -> Self {
        let detail = format!("{field} has too many entries: at most {max}.");
        Self::new(&catalogue::TOO_LONG, detail).field(field).fact("max", max)
    }

    /// 422: what `field` asks for does not fit the person, or what is so far.
    pub fn unfitting(field: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(&catalogue::OUT_OF_RANGE, detail).field(field)
    }

    /// 422: the number in `field` is outside `min..=max`.
    pub fn out_of_range(field: &'static str, min: f64, max: f64) -> Self {
        let detail = format!("{field} must be between {min} and {max}.");
        Self::new(&catalogue::OUT_OF_RANGE, detail).field(field).fact("min", min).fact("max", max)
    }

    /// 401: no token, or one that is unknown or revoked.
    pub fn no_token(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(&catalogue::NO_TOKEN, detail)
    }

    /// 403: scope, class, another's user, foreign `Origin` or wrong `Host`.
    pub fn no_right(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(&catalogue::NO_RIGHT, detail)
    }

    /// 404: no such route or thing, or not yours.
    pub fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(&catalogue::NOT_FOUND, detail)
    }

    /// 405: the route exists, this method on it does not.
    pub fn wrong_method(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(&catalogue::WRONG_METHOD, detail)
    }

    /// 409: `holder`, of `class`, has the lease.
    pub fn lease_held(holder: &str, class: &str) -> Self {
        let detail = format!(
            "\"{holder}\" ({class}) drives now. POST /api/robot/leases takes it over where your class allows it."
        );
        Self::new(&catalogue::LEASE_HELD, detail).fact("holder", holder).fact("class", class)
    }

    /// 409: this token must take a lease first.
    pub fn lease_needed(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(&catalogue::LEASE_NEEDED, detail)
    }

    /// 409: base or head is closed, by `by`, since `since_ms` ms.
    pub fn closed(resource: &str, by: &str, since_ms: u64) -> Self {
        let detail = format!(
            "The {resource} is closed by {by}. A person opens it with POST /api/robot/leases {{\"resource\":\"{resource}\"}}."
        );
        Self::new(&catalogue::CLOSED, detail)
            .fact("resource", resource)
            .fact("by", by)
            .fact("since_ms", since_ms)
    }

    /// 409: a model moves nothing without a person there.
    pub fn nobody_present() -> Self {
        Self::new(
            &catalogue::NOBODY_PRESENT,
            "A model moves the body only while somebody is there: write it a message, or hold the lease on presence.",
        )
    }

    /// 409: the stick must be let go once.
    pub fn neutral_first() -> Self {
        Self::new(
            &catalogue::NEUTRAL_FIRST,
            "Let go of the stick first: send one frame with linear_mps 0 and angular_radps 0.",
        )
    }

    /// 409: a newer e-stop than the one named; `epoch` is the one now.
    pub fn newer_estop(epoch: u32) -> Self {
        let detail =
            format!("The e-stop was pressed again: its epoch is {epoch} now. Look, then reset that one.");
        Self::new(&catalogue::NEWER_ESTOP, detail).fact("epoch", epoch)
    }

    /// 409: somebody wrote in between; `version` is the one now.
    pub fn version_conflict(version: u64) -> Self {
        let detail = format!("Somebody changed this meanwhile: its version is {version} now. Read it again.");
        Self::new(&catalogue::VERSION_CONFLICT, detail).fact("version", version)
    }

    /// 410: what the sender saw is too old, of another run, or from the future.
    pub fn stale(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(&catalogue::STALE, detail)
    }

    /// 410: the lease has ended.
    pub fn lease_gone() -> Self {
        Self::new(&catalogue::LEASE_GONE, "This lease has ended. POST /api/robot/leases takes a new one.")
    }

    /// 410: `seq` is not above `newest`.
    pub fn not_rising(newest: u64) -> Self {
        let detail = format!("seq must rise: {newest} was accepted already.");
        Self::new(&catalogue::NOT_RISING, detail).field("seq").fact("newest", newest)
    }

    /// 423: the e-stop is latched under `epoch`.
    pub fn estop_latched(epoch: u32) -> Self {
        let detail = format!(
            "The e-stop is latched. An admin beside the robot resets it with POST /api/robot/estop/reset {{\"epoch\":{epoch}}}."
        );
        Self::new(&catalogue::ESTOP_LATCHED, detail).fact("epoch", epoch)
    }

    /// 429: wait `retry_after_ms`.
    pub fn rate_limited(retry_after_ms: u64) -> Self {
        let detail = format!("Too many requests: try again in {retry_after_ms} ms.");
        Self::new(&catalogue::RATE_LIMITED, detail).fact("retry_after_ms", retry_after_ms)
    }

    /// 503: the program has just started.
    pub fn starting(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(&catalogue::STARTING, detail)
    }

    /// 503: the microcontroller does not answer.
    pub fn link_down(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(&catalogue::LINK_DOWN, detail)
    }

    /// 503: the robot is not connected to the cloud.
    pub fn robot_away(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(&catalogue::ROBOT_AWAY, detail)
    }

    /// 426: these frames are newer than this program.
    pub fn too_new(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(&catalogue::TOO_NEW, detail)
    }

    /// 503: there is no room to remember more.
    pub fn memory_full(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(&catalogue::MEMORY_FULL, detail)
    }

    /// 503: the memory cannot be read or written.
    pub fn memory_down(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(&catalogue::MEMORY_DOWN, detail)
    }

    /// 503: no model tier can answer.
    pub fn tier_down(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(&catalogue::TIER_DOWN, detail)
    }

    /// Names the field at fault.
    #[must_use]
    pub fn field(mut self, field: impl Into<Cow<'static, str>>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Adds one fact, or replaces it. The members of RFC 9457 are not facts.
    #[must_use]
    pub fn fact(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.facts.insert(name.to_owned(), value.into());
        self
    }

    /// Replaces the sentence a person reads.
    #[must_use]
    pub fn detail_is(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = detail.into();
        self
    }

    /// HTTP status.
    pub fn status(&self) -> StatusCode {
        self.kind.status_code()
    }

    /// HTTP status as text, for metrics.
    pub fn status_text(&self) -> &'static str {
        self.kind.status_text
    }

    /// The stable `type`, such as `/problems/lease-held`.
    pub fn type_uri(&self) -> &'static str {
        self.kind.uri
    }

    /// Its type as one word, such as `lease-held`.
    pub fn word(&self) -> &'static str {
        self.kind.slug
    }

    /// The sentence a person reads.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// A fact by name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.facts.get(name)
    }
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", self.kind.uri)?;
        map.serialize_entry("title", self.kind.title)?;
        map.serialize_entry("status", &self.kind.status)?;
        map.serialize_entry("detail", &self.detail)?;
        if let Some(field) = &self.field {
            map.serialize_entry("field", field)?;
        }
        for (name, value) in &self.facts {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        // Strings, numbers and maps with string keys: this cannot fail.
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response =
            (self.status(), [(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))], body).into_response();
        let headers = response.headers_mut();
        headers.insert(http::header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some((name, value)) = self.extra_header() {
            headers.insert(name, value);
        }
        response
    }
}

impl Problem {
    /// The header that HTTP asks for beside some statuses.
    fn extra_header(&self) -> Option<(HeaderName, HeaderValue)> {
        match self.status() {
            StatusCode::UNAUTHORIZED => {
                Some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"robbie\"")))
            }
            StatusCode::TOO_MANY_REQUESTS => {
                // Whole seconds, rounded up: a client that obeys is never early.
                let wait_ms = self.get("retry_after_ms").and_then(Value::as_u64).unwrap_or(1000);
                Some((RETRY_AFTER, HeaderValue::from(wait_ms.div_ceil(1000).max(1))))
            }
            // What is left of the body is not read: a client must not send its next request behind it.
            StatusCode::PAYLOAD_TOO_LARGE => Some((CONNECTION, HeaderValue::from_static("close"))),
            StatusCode::METHOD_NOT_ALLOWED => {
                let allow = self.get("allow").and_then(Value::as_str)?;
                Some((ALLOW, HeaderValue::from_str(allow).ok()?))
            }
            _ => None,
        }
    }
}

impl utoipa::PartialSchema for Problem {
    fn schema() -> RefOr<Schema> {
        let text =
            |description: &str| ObjectBuilder::new().schema_type(Type::String).description(Some(description));
        let object = ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some("Why a request was refused (RFC 9457). Facts such as min, max, holder or retry_after_ms stand beside these members."))
            .property("type", text("Stable; /problems/<name> leads to a page about it."))
            .property("title", text("The type in a few words."))
            .property(
                "status",
                ObjectBuilder::new()
                    .schema_type(Type::Integer)
                    .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32))),
            )
            .property("detail", text("What happened and what helps, for a person."))
            .property("field", text("The field at fault, where one is."))
            .required("type")
            .required("title")
            .required("status")
            .required("detail")
            .additional_properties(Some(AdditionalProperties::FreeForm(true)));
        RefOr::T(Schema::Object(object.build()))
    }
}

impl utoipa::ToSchema for Problem {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Problem")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(problem: Problem, status: u16, uri: &str, wanted: &[(&str, Value)]) {
        let value = serde_json::to_value(&problem).unwrap();
        assert_eq!(problem.status().as_u16(), status);
        assert_eq!(value["status"], status);
        assert_eq!(value["type"], uri);
        assert!(value["detail"].as_str().is_some_and(|text| text.len() > 10), "{value}");
        for (name, fact) in wanted {
            assert_eq!(&value[*name], fact, "{name}");
        }
    }

    #[test]
    fn each_type_carries_its_status_and_facts() {
        // A program reads type and facts; a person reads detail.
        check(Problem::too_long(65_536), 413, "/problems/too-long", &[("limit_bytes", 65_536.into())]);
        check(
            Problem::out_of_range("linear_mps", -0.6, 0.6),
            422,
            "/problems/out-of-range",
            &[("field", "linear_mps".into()), ("min", (-0.6).into()), ("max", 0.6.into())],
        );
        check(
            Problem::lease_held("Ann", "local"),
            409,
            "/problems/lease-held",
            &[("holder", "Ann".into()), ("class", "local".into())],
        );
        check(Problem::closed("base", "stop", 12), 409, "/problems/closed", &[("by", "stop".into())]);
        check(Problem::not_rising(7), 410, "/problems/not-rising", &[("newest", 7.into())]);
        check(Problem::estop_latched(3), 423, "/problems/estop-latched", &[("epoch", 3.into())]);
        check(Problem::rate_limited(1500), 429, "/problems/rate-limited", &[("retry_after_ms", 1500.into())]);
    }

    #[test]
    fn retry_after_is_never_early() {
        // 1.5 s become 2 whole seconds.
        let response = Problem::rate_limited(1500).into_response();
        assert_eq!(response.headers()[RETRY_AFTER], "2");
        assert_eq!(response.headers()[CONTENT_TYPE], MEDIA_TYPE);
    }
}
