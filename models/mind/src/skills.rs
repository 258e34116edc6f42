//! What Robbie can be told to do, defined once: the calls with their slots, what each is for, the words of a prompt and the
//! schemas of function tools. It understands no sentence and carries nothing out.

use cloud_sync_protocol::persona::Mood;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

mod called;
mod colors;

pub use called::{BadCall, offered, read};
pub use colors::rgb;

/// One thing to do, or one of the three answers that do nothing.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(tag = "skill", rename_all = "snake_case")]
pub enum Call {
    /// Drive straight.
    Drive {
        /// Metres; backwards is negative.
        distance_m: f64,
    },
    /// Turn on the spot.
    Turn {
        /// Degrees; left (counter-clockwise) is positive, right is negative.
        angle_deg: f64,
    },
    /// Stop all motion.
    Stop,
    /// Turn the head: either a direction or degrees.
    Look {
        /// Where to, when no degrees are given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        direction: Option<Direction>,
        /// Degrees to the side, left is positive, -90 to 90.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pan_deg: Option<f64>,
        /// Degrees up, -45 to 45.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tilt_deg: Option<f64>,
    },
    /// Switch or colour the lights.
    Lights {
        /// Whether they shine.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on: Option<bool>,
        /// An English colour name, or #rrggbb.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        color: Option<String>,
    },
    /// Speak.
    Say {
        /// The words to speak.
        text: String,
    },
    /// Take a picture with the camera.
    TakePicture,
    /// Keep a note.
    Remember {
        /// What to keep, as the person said it.
        text: String,
    },
    /// Search the memory.
    Recall {
        /// The question, as the person asked it.
        query: String,
    },
    /// Tell the charge of the battery.
    Battery,
    /// Tell how the body is.
    Status,
    /// Change the mood.
    SetMood {
        /// The mood to be in.
        #[schemars(schema_with = "mood_schema")]
        mood: Mood,
    },
    /// Nothing to do.
    None,
    /// Something is missing or unclear.
    Clarify,
    /// Outside of what a chat may do.
    Refuse,
}

/// Where the head can look.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Direction {
    /// To its left.
    Left,
    /// To its right.
    Right,
    /// To the ceiling.
    Up,
    /// To the floor.
    Down,
    /// Straight ahead.
    Center,
}

fn mood_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": Mood::ALL.map(Mood::as_str) })
}

/// The kind of a call, without its slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Skill {
    /// See [`Call::Drive`].
    Drive,
    /// See [`Call::Turn`].
    Turn,
    /// See [`Call::Stop`].
    Stop,
    /// See [`Call::Look`].
    Look,
    /// See [`Call::Lights`].
    Lights,
    /// See [`Call::Say`].
    Say,
    /// See [`Call::TakePicture`].
    TakePicture,
    /// See [`Call::Remember`].
    Remember,
    /// See [`Call::Recall`].
    Recall,
    /// See [`Call::Battery`].
    Battery,
    /// See [`Call::Status`].
    Status,
    /// See [`Call::SetMood`].
    SetMood,
    /// See [`Call::None`].
    None,
    /// See [`Call::Clarify`].
    Clarify,
    /// See [`Call::Refuse`].
    Refuse,
}

/// What a skill does to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It moves wheels or head.
    Moves,
    /// It does something else.
    Acts,
    /// It only answers, there is nothing to carry out.
    Answers,
}

const TABLE: [(Skill, &str, Effect, &str); 15] = [
    (Skill::Drive, "drive", Effect::Moves, "Drive straight by some metres, backwards negative."),
    (Skill::Turn, "turn", Effect::Moves, "Turn on the spot by some degrees, left positive, right negative."),
    (Skill::Stop, "stop", Effect::Acts, "Stop all motion at once."),
    (Skill::Look, "look", Effect::Moves, "Turn the head in a direction, or by degrees of pan or tilt."),
    (Skill::Lights, "lights", Effect::Acts, "Switch the lights on or off, or give them a colour."),
    (Skill::Say, "say", Effect::Acts, "Speak the given words."),
    (Skill::TakePicture, "take_picture", Effect::Acts, "Take a picture with the camera."),
    (Skill::Remember, "remember", Effect::Acts, "Keep a note of something the person wants kept."),
    (Skill::Recall, "recall", Effect::Acts, "Search the memory for what the person may have told before."),
    (Skill::Battery, "battery", Effect::Acts, "Tell the charge of the battery."),
    (Skill::Status, "status", Effect::Acts, "Tell how the body is: position, speed, head, lights, faults."),
    (Skill::SetMood, "set_mood", Effect::Acts, "Change the mood."),
    (Skill::None, "none", Effect::Answers, "Nothing to do: small talk, or a question that needs no skill."),
    (Skill::Clarify, "clarify", Effect::Answers, "Ask back, because something is missing or unclear."),
    (Skill::Refuse, "refuse", Effect::Answers, "Decline what is outside of what a chat may do."),
];

impl Skill {
    /// All of them, in the order in which they are told.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.0)
    }

    /// The skill of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// As on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        TABLE[self as usize].1
    }

    /// What it does, in one sentence.
    #[must_use]
    pub const fn about(self) -> &'static str {
        TABLE[self as usize].3
    }

    /// What it does to the world.
    #[must_use]
    pub const fn effect(self) -> Effect {
        TABLE[self as usize].2
    }
}

impl Call {
    /// Its kind.
    #[must_use]
    pub const fn skill(&self) -> Skill {
        match self {
            Self::Drive { .. } => Skill::Drive,
            Self::Turn { .. } => Skill::Turn,
            Self::Stop => Skill::Stop,
            Self::Look { .. } => Skill::Look,
            Self::Lights { .. } => Skill::Lights,
            Self::Say { .. } => Skill::Say,
            Self::TakePicture => Skill::TakePicture,
            Self::Remember { .. } => Skill::Remember,
            Self::Recall { .. } => Skill::Recall,
            Self::Battery => Skill::Battery,
            Self::Status => Skill::Status,
            Self::SetMood { .. } => Skill::SetMood,
            Self::None => Skill::None,
            Self::Clarify => Skill::Clarify,
            Self::Refuse => Skill::Refuse,
        }
    }
}

/// The lines of a prompt that tell a model the skills that are built: one a line, with its slots.
#[must_use]
pub fn prompt(built: &[Skill]) -> String {
    let mut text = String::new();
    for (skill, parameters) in parameters_of(built) {
        let slots = slots(&parameters);
        text.push_str(skill.name());
        if !slots.is_empty() {
            text.push('{');
            text.push_str(&slots.join(", "));
            text.push('}');
        }
        text.push_str(" - ");
        text.push_str(skill.about());
        text.push('\n');
    }
    text
}

/// The schema of the slots of each skill that is built, without the tag.
fn parameters_of(built: &[Skill]) -> impl Iterator<Item = (Skill, Value)> {
    let whole = schemars::schema_for!(Call);
    let variants = whole.get("oneOf").and_then(Value::as_array).cloned().unwrap_or_default();
    Skill::all().filter(|skill| built.contains(skill)).map(move |skill| {
        let of_skill =
            |variant: &&Value| variant.pointer("/properties/skill/const") == Some(&json!(skill.name()));
        let mut parameters = json!({ "type": "object", "properties": {}, "additionalProperties": false });
        let Some(variant) = variants.iter().find(of_skill) else {
            return (skill, parameters);
        };
        if let Some(slots) = variant.get("properties").and_then(Value::as_object) {
            let slots = slots.iter().filter(|(name, _)| *name != "skill");
            parameters["properties"] = slots.map(|(name, schema)| (name.clone(), schema.clone())).collect();
        }
        if let Some(required) = variant.get("required").and_then(Value::as_array) {
            let required: Vec<&Value> = required.iter().filter(|name| *name != "skill").collect();
            parameters["required"] = json!(required);
        }
        (skill, parameters)
    })
}

/// Names of the slots with their choices, the optional ones with a question mark.
fn slots(parameters: &Value) -> Vec<String> {
    let empty = serde_json::Map::new();
    let required = parameters["required"].as_array();
    let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|one| one == name));
    let properties = parameters["properties"].as_object().unwrap_or(&empty);
    let slot = |(name, schema): (&String, &Value)| {
        let mark = if is_required(name) { "" } else { "?" };
        let choices: Vec<&str> = choices(schema).collect();
        if choices.is_empty() {
            format!("{name}{mark}")
        } else {
            format!("{name}{mark}: {}", choices.join("|"))
        }
    };
    properties.iter().map(slot).collect()
}

/// The values that a schema allows, where it lists them: as an `enum`, or as a `oneOf` of constants inside an `anyOf`.
fn choices(schema: &Value) -> impl Iterator<Item = &str> {
    let listed = schema["enum"].as_array();
    let inner = schema["anyOf"].as_array().into_iter().flatten().find_map(|part| part["oneOf"].as_array());
    let constants = inner.into_iter().flatten().filter_map(|one| one["const"].as_str());
    listed.into_iter().flatten().filter_map(Value::as_str).chain(constants)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_wire(call: &Call, expected: &str) {
        let written = serde_json::to_string(call).expect("a call");
        assert_eq!(written, expected);
        assert_eq!(&serde_json::from_str::<Call>(&written).expect("a call"), call);
    }

    #[test]
    fn a_call_is_written_with_its_slots_only() {
        check_wire(&Call::Drive { distance_m: 0.5 }, r#"{"skill":"drive","distance_m":0.5}"#);
        check_wire(
            &Call::Look { direction: Some(Direction::Center), pan_deg: None, tilt_deg: None },
            r#"{"skill":"look","direction":"center"}"#,
        );
        check_wire(&Call::Lights { on: Some(false), color: None }, r#"{"skill":"lights","on":false}"#);
        check_wire(&Call::SetMood { mood: Mood::Playful }, r#"{"skill":"set_mood","mood":"playful"}"#);
        check_wire(&Call::TakePicture, r#"{"skill":"take_picture"}"#);
        check_wire(&Call::None, r#"{"skill":"none"}"#);
    }

    #[test]
    fn the_table_stands_in_the_order_of_the_kinds() {
        for (at, row) in TABLE.iter().enumerate() {
            assert_eq!(row.0 as usize, at, "{}", row.1);
            assert_eq!(Skill::named(row.0.name()), Some(row.0));
        }
    }

    #[test]
    fn only_what_is_built_is_offered() {
        let built = [Skill::Stop, Skill::Drive, Skill::Look, Skill::SetMood];
        assert_eq!(
            prompt(&built),
            "drive{distance_m} - Drive straight by some metres, backwards negative.\n\
             stop - Stop all motion at once.\n\
             look{direction?: left|right|up|down|center, pan_deg?, tilt_deg?} - Turn the head in a direction, or by \
             degrees of pan or tilt.\n\
             set_mood{mood: friendly|focused|playful|bossy|surprised|blushing} - Change the mood.\n"
        );
        let tools = offered(&built);
        assert_eq!(tools.len(), 4);
        assert_eq!(tools[0].name, "drive");
        assert_eq!(tools[0].parameters["required"], json!(["distance_m"]));
        assert_eq!(tools[1].parameters["properties"], json!({}));
    }
}
