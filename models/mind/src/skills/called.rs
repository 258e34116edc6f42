//! Calls as models make them, read strictly: of a skill that was offered, with its slots and no others. It judges no number;
//! bounds do.

use serde_json::Value;

use super::{Call, Skill, parameters_of};
use crate::tier::{Called, Tool};

/// Why a model's call is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCall {
    /// There is no such skill, or it was not offered.
    #[error("there is no function {0:?} here")]
    NotOffered(String),
    /// The arguments are no object.
    #[error("the arguments of {0} must be a JSON object")]
    NoObject(&'static str),
    /// One that the skill does not have.
    #[error("{skill} has no argument {name:?}")]
    Unknown {
        /// The skill.
        skill: &'static str,
        /// The argument, cut.
        name: String,
    },
    /// Something is missing, or of another type.
    #[error("the arguments of {skill} do not fit: {why}")]
    Unfit {
        /// The skill.
        skill: &'static str,
        /// What does not fit.
        why: String,
    },
}

/// What of a model's words an answer repeats, bytes.
const REPEATED_BYTES_MAX: usize = 64;

/// One function for each of these skills.
#[must_use]
pub fn offered(built: &[Skill]) -> Vec<Tool> {
    let tool = |(skill, parameters): (Skill, Value)| Tool {
        name: skill.name().to_owned(),
        description: skill.about().to_owned(),
        parameters,
    };
    parameters_of(built).map(tool).collect()
}

/// The call that a model made, where it is one of those that were offered.
///
/// # Errors
/// What is wrong with it, in words that a model can mend it by.
pub fn read(called: &Called, built: &[Skill]) -> Result<Call, BadCall> {
    let skill = Skill::named(&called.name).filter(|skill| built.contains(skill));
    let Some((skill, parameters)) = skill.and_then(|skill| parameters_of(&[skill]).next()) else {
        return Err(BadCall::NotOffered(short(&called.name)));
    };
    let name = skill.name();
    // Some models write nothing where there is nothing to say.
    let mut slots = match &called.arguments {
        Value::Object(slots) => slots.clone(),
        Value::Null => serde_json::Map::new(),
        _ => return Err(BadCall::NoObject(name)),
    };
    if let Some(odd) = slots.keys().find(|slot| parameters["properties"].get(slot.as_str()).is_none()) {
        return Err(BadCall::Unknown { skill: name, name: short(odd) });
    }
    slots.insert("skill".to_owned(), Value::from(name));
    let call: Call = serde_json::from_value(Value::Object(slots))
        .map_err(|error| BadCall::Unfit { skill: name, why: short(&error.to_string()) })?;
    match &call {
        Call::Look { direction: None, pan_deg: None, tilt_deg: None }
        | Call::Lights { on: None, color: None } => {
            Err(BadCall::Unfit { skill: name, why: "it needs at least one argument".to_owned() })
        }
        Call::Remember { text: words } | Call::Recall { query: words } if words.trim().is_empty() => {
            Err(BadCall::Unfit { skill: name, why: "the words are empty".to_owned() })
        }
        // Not every store keeps one.
        Call::Remember { text: words } | Call::Recall { query: words } | Call::Say { text: words }
            if words.contains('\0') =>
        {
            Err(BadCall::Unfit { skill: name, why: "the words hold a NUL".to_owned() })
        }
        _ => Ok(call),
    }
}

fn short(text: &str) -> String {
    text[..text.floor_char_boundary(REPEATED_BYTES_MAX)].to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const BUILT: [Skill; 5] = [Skill::Drive, Skill::Look, Skill::Stop, Skill::Remember, Skill::SetMood];

    fn check(name: &str, arguments: Value, expected: Result<Call, &str>) {
        let called = Called { id: "1".to_owned(), name: name.to_owned(), arguments };
        let read = read(&called, &BUILT).map_err(|error| error.to_string());
        assert_eq!(read, expected.map_err(str::to_owned), "{called:?}");
    }

    #[test]
    fn a_call_is_read_strictly() {
        // Only what was offered, with its own slots, of their types, and all that it needs.
        check("drive", json!({ "distance_m": 0.5 }), Ok(Call::Drive { distance_m: 0.5 }));
        check("stop", Value::Null, Ok(Call::Stop));
        check("stop", json!({}), Ok(Call::Stop));
        check("stop", json!([]), Err("the arguments of stop must be a JSON object"));
        check("turn", json!({ "angle_deg": 3 }), Err("there is no function \"turn\" here"));
        check("reset_estop", json!({}), Err("there is no function \"reset_estop\" here"));
        check("drive", json!({ "distance_m": 1, "speed": 9 }), Err("drive has no argument \"speed\""));
        check("drive", json!({ "distance_m": 1, "skill": "turn" }), Err("drive has no argument \"skill\""));
        check(
            "drive",
            json!({ "distance_m": "far" }),
            Err("the arguments of drive do not fit: invalid type: string \"far\", expected f64"),
        );
        check("drive", json!({}), Err("the arguments of drive do not fit: missing field `distance_m`"));
        check("look", json!({}), Err("the arguments of look do not fit: it needs at least one argument"));
        check(
            "remember",
            json!({ "text": " " }),
            Err("the arguments of remember do not fit: the words are empty"),
        );
        check(
            "remember",
            json!({ "text": "a\0" }),
            Err("the arguments of remember do not fit: the words hold a NUL"),
        );
    }

    #[test]
    fn every_skill_has_a_tool_whose_slots_are_its_own() {
        let all: Vec<Skill> = Skill::all().collect();
        let tools = offered(&all);
        assert_eq!(tools.len(), all.len());
        for tool in tools {
            assert!(tool.parameters["properties"].get("skill").is_none(), "{tool:?}");
            assert_eq!(tool.parameters["additionalProperties"], json!(false));
        }
    }
}
