//! Gemini's generated content, as server-sent events. The two sides speak in turns, and calls have no ids.

use std::borrow::Cow;

use models_mind::tier::{Asked, Finish, Message};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Reader, object, parsed};
use crate::failure::Wrong;
use crate::heard::Heard;

/// A conversation must begin with the user.
const BEGINNING: &str = "(What came before is left out.)";
/// From version 3 on it wants its own signature on every call that it is shown again. This one is documented for calls that
/// other models made; a conversation here may hold such calls, so all of them have it.
const SIGNATURE: &str = "skip_thought_signature_validator";

/// Below the base URL. Tuned models have their own folder.
pub(super) fn path(model: &str) -> Option<String> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-' | '/');
    if !model.chars().all(fits) || model.split('/').any(|part| part.is_empty() || part.starts_with('.')) {
        return None;
    }
    let folder = if model.contains('/') { "" } else { "models/" };
    Some(format!("{folder}{model}:streamGenerateContent?alt=sse"))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Body<'a> {
    contents: Vec<Turn<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system_instruction: Option<System>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Offers<'a>>,
    generation_config: Options<'a>,
}

#[derive(Serialize)]
struct System {
    parts: [SystemPart; 1],
}

#[derive(Serialize)]
struct SystemPart {
    text: String,
}

#[derive(Serialize)]
struct Turn<'a> {
    role: Side,
    parts: Vec<Part<'a>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Side {
    User,
    Model,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Part<'a> {
    Text {
        text: &'a str,
    },
    #[serde(rename_all = "camelCase")]
    Call {
        function_call: Call<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        thought_signature: Option<&'static str>,
    },
    #[serde(rename_all = "camelCase")]
    Result {
        function_response: Response<'a>,
    },
}

#[derive(Serialize)]
struct Call<'a> {
    name: &'a str,
    args: Cow<'a, Value>,
}

#[derive(Serialize)]
struct Response<'a> {
    name: &'a str,
    response: Outcome<'a>,
}

#[derive(Serialize)]
struct Outcome<'a> {
    result: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Offers<'a> {
    function_declarations: Vec<Offer<'a>>,
}

/// `parameters` would take a part of JSON schema only.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Offer<'a> {
    name: &'a str,
    description: &'a str,
    parameters_json_schema: &'a Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Options<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    max_output_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    stop_sequences: &'a [String],
}

pub(super) fn body<'a>(model: &str, asked: &'a Asked) -> Body<'a> {
    let options = &asked.options;
    let (system, contents) = conversation(&asked.messages, signature(model));
    let offer = |tool: &'a models_mind::tier::Tool| Offer {
        name: &tool.name,
        description: &tool.description,
        parameters_json_schema: &tool.parameters,
    };
    let offers = Offers { function_declarations: asked.tools.iter().map(offer).collect() };
    Body {
        contents,
        system_instruction: (!system.is_empty()).then_some(System { parts: [SystemPart { text: system }] }),
        tools: if asked.tools.is_empty() { Vec::new() } else { vec![offers] },
        generation_config: Options {
            max_output_tokens: options.max_tokens,
            temperature: options.temperature,
            top_p: options.top_p,
            stop_sequences: &options.stop,
        },
    }
}

fn signature(model: &str) -> Option<&'static str> {
    let older = ["gemini-1", "gemini-2"].iter().any(|start| model.contains(start));
    (!older).then_some(SIGNATURE)
}

fn conversation<'a>(
    messages: &'a [Message],
    thought_signature: Option<&'static str>,
) -> (String, Vec<Turn<'a>>) {
    let mut system = Vec::new();
    let mut turns: Vec<Turn<'a>> = Vec::new();
    for message in messages {
        match message {
            Message::System(text) => system.push(text.as_str()),
            Message::User(text) => add(&mut turns, Side::User, text_part(text)),
            Message::Assistant { text, calls } => {
                add(&mut turns, Side::Model, text_part(text));
                for call in calls {
                    let function_call = Call { name: &call.name, args: object(&call.arguments) };
                    add(&mut turns, Side::Model, Some(Part::Call { function_call, thought_signature }));
                }
            }
            Message::Result { name, content, .. } => {
                let function_response = Response { name, response: Outcome { result: content } };
                add(&mut turns, Side::User, Some(Part::Result { function_response }));
            }
        }
    }
    if turns.first().is_some_and(|turn| turn.role == Side::Model) {
        turns.insert(0, Turn { role: Side::User, parts: vec![Part::Text { text: BEGINNING }] });
    }
    (system.join("\n\n"), turns)
}

fn text_part(text: &str) -> Option<Part<'_>> {
    (!text.is_empty()).then_some(Part::Text { text })
}

/// To the last turn if it is of that side; else to a new one.
fn add<'a>(turns: &mut Vec<Turn<'a>>, role: Side, part: Option<Part<'a>>) {
    let Some(part) = part else { return };
    match turns.last_mut() {
        Some(turn) if turn.role == role => turn.parts.push(part),
        _ => turns.push(Turn { role, parts: vec![part] }),
    }
}

/// Every chunk stands for itself.
#[derive(Default)]
pub(super) struct Chunks;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chunk {
    #[serde(default)]
    candidates: Vec<Candidate>,
    usage_metadata: Option<Usage>,
    prompt_feedback: Option<Feedback>,
    error: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    content: Option<Content>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Content {
    #[serde(default)]
    parts: Vec<Piece>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Piece {
    text: Option<String>,
    #[serde(default)]
    thought: bool,
    function_call: Option<Made>,
}

#[derive(Deserialize)]
struct Made {
    id: Option<String>,
    name: String,
    args: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Usage {
    prompt_token_count: Option<u32>,
    candidates_token_count: Option<u32>,
    /// Paid as part of the answer.
    thoughts_token_count: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feedback {
    block_reason: Option<String>,
}

impl Reader for Chunks {
    fn read(&mut self, frame: &str, heard: &mut Heard) -> Result<(), Wrong> {
        let chunk: Chunk = parsed(frame)?;
        if let Some(error) = chunk.error {
            return Err(Wrong::in_band(&error));
        }
        if let Some(usage) = chunk.usage_metadata {
            let thoughts = usage.thoughts_token_count.unwrap_or_default();
            let output = usage.candidates_token_count.or(usage.thoughts_token_count.and(Some(0)));
            heard.usage(usage.prompt_token_count, output.map(|tokens| tokens.saturating_add(thoughts)));
        }
        if let Some(reason) = chunk.prompt_feedback.and_then(|feedback| feedback.block_reason) {
            return Err(Wrong::finish(&reason));
        }
        let Some(candidate) = chunk.candidates.into_iter().next() else { return Ok(()) };
        for piece in candidate.content.into_iter().flat_map(|content| content.parts) {
            take(piece, heard)?;
        }
        // It writes no other end.
        match candidate.finish_reason.as_deref() {
            None | Some("") => return Ok(()),
            Some("STOP") => heard.finish(Finish::Stop),
            Some("MAX_TOKENS") => heard.finish(Finish::Length),
            Some(other) => return Err(Wrong::finish(other)),
        }
        heard.complete()
    }
}

fn take(piece: Piece, heard: &mut Heard) -> Result<(), Wrong> {
    if !piece.thought {
        heard.text(piece.text.unwrap_or_default());
    }
    let Some(made) = piece.function_call else { return Ok(()) };
    let arguments = made.args.filter(|args| !args.is_null()).unwrap_or_else(|| Value::Object(Map::new()));
    heard.call(made.id.as_deref().unwrap_or_default(), made.name, arguments)
}
