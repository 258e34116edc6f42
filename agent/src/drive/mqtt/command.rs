//! What a command carries, which route it asks, and what is said of it afterwards.

use agent_core::freshness::Judge;
use cloud_sync_api::access::{Class, Principal};
use cloud_sync_api::json;
use cloud_sync_api::problem::Problem;
use cloud_sync_api::scope::{Scope, Scopes};
use cloud_sync_protocol::command::{By, COMMAND_BYTES_MAX, CommandResult, Kind, MAX_AGE_MS, NAME_BYTES_MAX};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::drive::refusals;
use crate::drive::robot::Robot;
use crate::drive::wire::bodies::freshness;
use crate::drive::wire::ids::SeenBody;
use crate::os;

/// A command without what only its topic says.
#[derive(Clone, Debug, Default)]
pub(super) struct Envelope {
    /// By which its result is found again.
    pub(super) id: Option<String>,
    /// For whom.
    pub(super) by: Option<By>,
    /// The route's body, with what else would stand in its path.
    pub(super) rest: Map<String, Value>,
}

/// What became of a command.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The route's answer, a refusal included.
    Answered {
        /// HTTP status.
        status: StatusCode,
        /// The body, where there is one.
        body: Option<Value>,
    },
    /// Done.
    Done,
    /// Nothing is to be said.
    Silent,
}

impl Envelope {
    /// Reads one.
    pub(super) fn read(payload: &[u8]) -> Result<Self, Problem> {
        if payload.len() > COMMAND_BYTES_MAX {
            return Err(Problem::too_long(COMMAND_BYTES_MAX));
        }
        let mut rest: Map<String, Value> = json::parse(payload)?;
        let id = match rest.remove("id") {
            None => None,
            Some(Value::String(id)) if is_name(&id) => Some(id),
            Some(_) => return Err(Problem::bad_request("`id` is a short text.").field("id")),
        };
        let mut envelope = Self { id, by: None, rest };
        if let Some(by) = envelope.rest.remove("by") {
            let by = serde_json::from_value(by)
                .map_err(|error| Problem::bad_request(format!("`by` does not fit: {error}.")).field("by"))?;
            envelope.by = Some(by);
        }
        Ok(envelope)
    }
}

/// A text that may be kept.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= NAME_BYTES_MAX
}

impl Outcome {
    /// What is told.
    pub(super) fn result(outcome: Result<Self, Problem>, id: String) -> Option<CommandResult> {
        let (status, body) = match outcome {
            Ok(Self::Silent) => return None,
            Ok(Self::Done) => (StatusCode::NO_CONTENT, None),
            Ok(Self::Answered { status, body }) => (status, body),
            Err(problem) => (problem.status(), serde_json::to_value(&problem).ok()),
        };
        let is_problem = status.is_client_error() || status.is_server_error();
        let of_problem = |name: &str| {
            let text = body.as_ref().filter(|_| is_problem)?.get(name)?.as_str()?;
            Some(text.to_owned())
        };
        let (r#type, detail) = (of_problem("type"), of_problem("detail"));
        Some(CommandResult { id, status: status.as_u16(), r#type, detail, body })
    }
}

/// The request that a route gets for a command.
pub(super) fn request(
    kind: Kind,
    mut rest: Map<String, Value>,
) -> Result<(Method, String, Vec<u8>), Problem> {
    let (method, path) = match kind {
        Kind::Velocity => (Method::POST, "velocity".to_owned()),
        Kind::Move => (Method::POST, "move".to_owned()),
        Kind::Head => (Method::POST, "head".to_owned()),
        Kind::Lights => (Method::POST, "lights".to_owned()),
        Kind::LeaseTake => (Method::POST, "leases".to_owned()),
        Kind::LeaseRenew => (Method::PUT, format!("leases/{}", named(&mut rest, "lease")?)),
        Kind::LeaseRelease => (Method::DELETE, format!("leases/{}", named(&mut rest, "lease")?)),
        Kind::TaskCancel => (Method::DELETE, format!("tasks/{}", named(&mut rest, "task")?)),
        Kind::Read => (Method::GET, readable(&mut rest)?),
        Kind::Teleop
        | Kind::Stop
        | Kind::EStop
        | Kind::TurnBegin
        | Kind::TurnEnd
        | Kind::Revoke
        | Kind::Watch => return Err(Problem::not_found("There is no such command.")),
    };
    if matches!(kind, Kind::Velocity | Kind::Move | Kind::Head) {
        // A state takes longer to get here and back than on this machine.
        rest.entry("max_age_ms").or_insert(MAX_AGE_MS.into());
    }
    let body = if method == Method::GET { Vec::new() } else { Value::Object(rest).to_string().into_bytes() };
    Ok((method, format!("/api/robot/{path}"), body))
}

/// What would stand in the path.
fn named(rest: &mut Map<String, Value>, field: &'static str) -> Result<String, Problem> {
    match rest.remove(field) {
        Some(Value::String(name)) if is_segment(&name) => Ok(name),
        Some(Value::String(_)) => Err(Problem::not_found("There is nothing of that name.")),
        _ => Err(Problem::bad_request(format!("{field} is missing.")).field(field)),
    }
}

fn is_segment(name: &str) -> bool {
    is_name(name) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// What can be read besides the state.
fn readable(rest: &mut Map<String, Value>) -> Result<String, Problem> {
    let what = match rest.remove("what") {
        Some(Value::String(what)) => what,
        _ => return Err(Problem::bad_request("what is missing.").field("what")),
    };
    let is_task = what.strip_prefix("tasks/").is_some_and(is_segment);
    match what.as_str() {
        "control/why" | "safety/budget" | "leases" | "estop" | "state" => Ok(what),
        _ if is_task => Ok(what),
        _ => Err(Problem::not_found("There is nothing of that name.")),
    }
}

/// A person's message begins a turn.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TurnBegin {
    /// The message.
    pub(super) turn: String,
    seen: SeenBody,
    max_age_ms: Option<i64>,
}

impl TurnBegin {
    /// Reads one, and sees that it comes from a person who may drive, and fresh.
    pub(super) fn read(envelope: &Envelope, person: &Principal, robot: &Robot) -> Result<Self, Problem> {
        person.check_scope(Scopes::of(&[Scope::Drive]))?;
        if person.class < Class::Remote || person.turn.is_some() {
            return Err(Problem::no_right("Only a person's message begins a turn."));
        }
        let begin: Self = json::parse(Value::Object(envelope.rest.clone()).to_string().as_bytes())?;
        if !is_name(&begin.turn) {
            return Err(Problem::bad_request("turn is a short text.").field("turn"));
        }
        let now = os::boot_time();
        let wanted = freshness(Some(&begin.seen), begin.max_age_ms.or(Some(MAX_AGE_MS)))?;
        let judged = Judge::new(robot.identity.run).judge(&wanted, now, now);
        judged.map_err(|refusal| refusals::problem(&refusal, now))?;
        Ok(begin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(kind: Kind, rest: Value, wanted: Result<(&str, &str), u16>) {
        let Value::Object(rest) = rest else { panic!("an object") };
        let found = request(kind, rest);
        match (found, wanted) {
            (Ok((method, path, _)), Ok(wanted)) => assert_eq!((method.as_str(), path.as_str()), wanted),
            (Err(problem), Err(status)) => assert_eq!(problem.status().as_u16(), status),
            (found, _) => panic!("{kind:?}: {found:?}"),
        }
    }

    #[test]
    fn a_command_asks_its_route_and_no_other() {
        // A name cannot lead to another path, and nothing leads to a reset.
        check(Kind::Velocity, json!({}), Ok(("POST", "/api/robot/velocity")));
        check(Kind::LeaseRenew, json!({"lease": "l-3"}), Ok(("PUT", "/api/robot/leases/l-3")));
        check(Kind::LeaseRelease, json!({"lease": "../stop"}), Err(404));
        check(Kind::LeaseRelease, json!({}), Err(400));
        check(Kind::TaskCancel, json!({"task": "t-1?x"}), Err(404));
        check(Kind::Read, json!({"what": "control/why"}), Ok(("GET", "/api/robot/control/why")));
        check(Kind::Read, json!({"what": "tasks/t-4"}), Ok(("GET", "/api/robot/tasks/t-4")));
        for what in ["estop/reset", "tasks/../estop", "", "teleop", "/health"] {
            check(Kind::Read, json!({ "what": what }), Err(404));
        }
    }

    #[test]
    fn through_the_cloud_a_stamp_may_be_older() {
        let body = |rest: Value| {
            let Value::Object(rest) = rest else { panic!("an object") };
            serde_json::from_slice::<Value>(&request(Kind::Head, rest).unwrap().2).unwrap()
        };
        assert_eq!(body(json!({}))["max_age_ms"], 700);
        assert_eq!(body(json!({"max_age_ms": 200}))["max_age_ms"], 200);
    }

    #[test]
    fn an_envelope_is_read_or_says_what_is_wrong() {
        let field = |payload: &[u8]| {
            let problem = Envelope::read(payload).unwrap_err();
            assert_eq!(problem.status(), StatusCode::BAD_REQUEST);
            serde_json::to_value(problem).unwrap()["field"].as_str().map(str::to_owned)
        };
        assert_eq!(field(b"{"), None);
        assert_eq!(field(b"[]"), None);
        assert_eq!(field(br#"{"id": 3}"#).as_deref(), Some("id"));
        assert_eq!(field(br#"{"id": "1", "by": {"token": "t"}}"#).as_deref(), Some("by"));
        let long = format!("{{\"id\":\"{}\"}}", "x".repeat(65));
        assert_eq!(field(long.as_bytes()).as_deref(), Some("id"));
        let huge = vec![b' '; COMMAND_BYTES_MAX + 1];
        assert_eq!(Envelope::read(&huge).unwrap_err().status(), StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[test]
    fn a_refusal_is_told_with_its_type() {
        let result = Outcome::result(Err(Problem::lease_gone()), "7".to_owned()).unwrap();
        assert_eq!((result.status, result.r#type.as_deref()), (410, Some("/problems/lease-gone")));
        assert!(result.detail.is_some_and(|detail| detail.len() > 10));
        assert!(Outcome::result(Ok(Outcome::Silent), "7".to_owned()).is_none());
    }
}
