//! Claude's messages. The two sides speak in turns, a system prompt stands apart, and results of calls are the user's.

use std::borrow::Cow;
use std::collections::BTreeSet;

use models_mind::tier::{Asked, Finish, Message, Tool};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Reader, object, parsed};
use crate::failure::Wrong;
use crate::frames::FRAME_BYTES_MAX;
use crate::heard::{Heard, arguments};

/// It wants to be told how many tokens an answer may have.
const MAX_TOKENS: u32 = 4096;
/// A conversation must begin with the user.
const BEGINNING: &str = "(What came before is left out.)";

#[derive(Serialize)]
pub(super) struct Body<'a> {
    model: &'a str,
    max_tokens: u32,
    #[serde(skip_serializing_if = "String::is_empty")]
    system: String,
    messages: Vec<Turn<'a>>,
    stream: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Offer<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<Choice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    stop_sequences: &'a [String],
}

#[derive(Serialize)]
struct Turn<'a> {
    role: Side,
    content: Vec<Block<'a>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Side {
    User,
    Assistant,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block<'a> {
    Text { text: &'a str },
    ToolUse { id: Cow<'a, str>, name: &'a str, input: Cow<'a, Value> },
    ToolResult { tool_use_id: Cow<'a, str>, content: &'a str },
}

#[derive(Serialize)]
struct Offer<'a> {
    name: &'a str,
    description: &'a str,
    input_schema: Cow<'a, Value>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Choice {
    None,
}

pub(super) fn body<'a>(model: &'a str, asked: &'a Asked) -> Body<'a> {
    let options = &asked.options;
    let (system, messages) = conversation(&asked.messages);
    let tools = offers(asked);
    Body {
        model,
        max_tokens: options.max_tokens.unwrap_or(MAX_TOKENS),
        system,
        messages,
        stream: true,
        tool_choice: (asked.tools.is_empty() && !tools.is_empty()).then_some(Choice::None),
        tools,
        temperature: options.temperature.map(|temperature| temperature.min(1.0)),
        // From 4.1 on it takes one of the two only.
        top_p: options.top_p.filter(|_| options.temperature.is_none()),
        stop_sequences: &options.stop,
    }
}

/// The functions that may be called. A conversation with calls in it is refused where none is defined: then those that were
/// called are, and may not be called.
fn offers(asked: &Asked) -> Vec<Offer<'_>> {
    if !asked.tools.is_empty() {
        fn offer(tool: &Tool) -> Offer<'_> {
            Offer {
                name: &tool.name,
                description: &tool.description,
                input_schema: Cow::Borrowed(&tool.parameters),
            }
        }
        return asked.tools.iter().map(offer).collect();
    }
    let calls = asked.messages.iter().flat_map(|message| match message {
        Message::Assistant { calls, .. } => calls.as_slice(),
        _ => &[],
    });
    let names: BTreeSet<&str> = calls.map(|call| call.name.as_str()).collect();
    let offer = |name| Offer {
        name,
        description: "Not offered any more.",
        input_schema: Cow::Owned(serde_json::json!({ "type": "object" })),
    };
    names.into_iter().map(offer).collect()
}

fn conversation(messages: &[Message]) -> (String, Vec<Turn<'_>>) {
    let mut system = Vec::new();
    let mut turns: Vec<Turn<'_>> = Vec::new();
    for message in messages {
        match message {
            Message::System(text) => system.push(text.as_str()),
            Message::User(text) => add(&mut turns, Side::User, text_block(text)),
            Message::Assistant { text, calls } => {
                add(&mut turns, Side::Assistant, text_block(text));
                for call in calls {
                    let (id, input) = (id(&call.id), object(&call.arguments));
                    add(&mut turns, Side::Assistant, Some(Block::ToolUse { id, name: &call.name, input }));
                }
            }
            Message::Result { id: of, content, .. } => {
                add(&mut turns, Side::User, Some(Block::ToolResult { tool_use_id: id(of), content }));
            }
        }
    }
    if turns.first().is_some_and(|turn| turn.role == Side::Assistant) {
        turns.insert(0, Turn { role: Side::User, content: vec![Block::Text { text: BEGINNING }] });
    }
    (system.join("\n\n"), turns)
}

/// Blocks without text are refused.
fn text_block(text: &str) -> Option<Block<'_>> {
    (!text.trim().is_empty()).then_some(Block::Text { text })
}

/// To the last turn if it is of that side; else to a new one.
fn add<'a>(turns: &mut Vec<Turn<'a>>, role: Side, block: Option<Block<'a>>) {
    let Some(block) = block else { return };
    match turns.last_mut() {
        Some(turn) if turn.role == role => turn.content.push(block),
        _ => turns.push(Turn { role, content: vec![block] }),
    }
}

/// Ids of other providers may have characters that it refuses.
fn id(id: &str) -> Cow<'_, str> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    if !id.is_empty() && id.chars().all(fits) {
        return Cow::Borrowed(id);
    }
    let id: String = id.chars().map(|letter| if fits(letter) { letter } else { '_' }).collect();
    Cow::Owned(if id.is_empty() { "_".to_owned() } else { id })
}

/// The block that is open.
#[derive(Default)]
pub(super) struct Events {
    call: Option<Growing>,
    bytes: usize,
    /// A call whose arguments are no JSON. That is well only if the tokens ran out in it: half a call is none.
    broken: Option<Wrong>,
}

struct Growing {
    id: String,
    name: String,
    arguments: String,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    MessageStart {
        message: Start,
    },
    ContentBlockStart {
        content_block: Opened,
    },
    ContentBlockDelta {
        delta: Piece,
    },
    ContentBlockStop,
    MessageDelta {
        delta: End,
        usage: Option<Usage>,
    },
    MessageStop,
    Error {
        error: Value,
    },
    /// Pings, and what is yet to come.
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Start {
    usage: Option<Usage>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Opened {
    Text {
        #[serde(default)]
        text: String,
    },
    ToolUse {
        id: String,
        name: String,
    },
    /// Thoughts are not shown.
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Piece {
    TextDelta {
        text: String,
    },
    InputJsonDelta {
        partial_json: String,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct End {
    stop_reason: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    input_tokens: Option<u32>,
    /// Not part of `input_tokens`.
    cache_creation_input_tokens: Option<u32>,
    cache_read_input_tokens: Option<u32>,
    output_tokens: Option<u32>,
}

impl Usage {
    fn tell(&self, heard: &mut Heard) {
        let cached = [self.cache_creation_input_tokens, self.cache_read_input_tokens].into_iter().flatten();
        let input = self.input_tokens.map(|tokens| cached.fold(tokens, u32::saturating_add));
        heard.usage(input, self.output_tokens);
    }
}

impl Reader for Events {
    fn read(&mut self, frame: &str, heard: &mut Heard) -> Result<(), Wrong> {
        match parsed(frame)? {
            Event::MessageStart { message } => {
                if let Some(usage) = message.usage {
                    usage.tell(heard);
                }
            }
            Event::ContentBlockStart { content_block: Opened::Text { text } }
            | Event::ContentBlockDelta { delta: Piece::TextDelta { text } } => heard.text(text),
            Event::ContentBlockStart { content_block: Opened::ToolUse { id, name } } => {
                self.call = Some(Growing { id, name, arguments: String::new() });
            }
            Event::ContentBlockDelta { delta: Piece::InputJsonDelta { partial_json } } => {
                self.grow(&partial_json)?;
            }
            Event::ContentBlockStop => {
                if let Some(call) = self.call.take() {
                    match arguments(&call.arguments) {
                        Ok(arguments) => heard.call(&call.id, call.name, arguments)?,
                        Err(wrong) => self.broken = Some(wrong),
                    }
                }
            }
            Event::MessageDelta { delta, usage } => {
                if let Some(usage) = usage {
                    usage.tell(heard);
                }
                if let Some(reason) = delta.stop_reason {
                    let finish = finish(&reason)?;
                    if let Some(wrong) = self.broken.take().filter(|_| finish != Finish::Length) {
                        return Err(wrong);
                    }
                    heard.finish(finish);
                }
            }
            // A call that is still open ran out of tokens too.
            Event::MessageStop => return heard.complete(),
            Event::Error { error } => return Err(Wrong::in_band(&error)),
            Event::ContentBlockStart { .. } | Event::ContentBlockDelta { .. } | Event::Other => {}
        }
        Ok(())
    }
}

impl Events {
    fn grow(&mut self, piece: &str) -> Result<(), Wrong> {
        self.bytes += piece.len();
        if self.bytes > FRAME_BYTES_MAX {
            return Err(Wrong::malformed("makes calls of more than 1 MiB"));
        }
        if let Some(call) = &mut self.call {
            call.arguments.push_str(piece);
        }
        Ok(())
    }
}

fn finish(reason: &str) -> Result<Finish, Wrong> {
    match reason {
        "end_turn" | "stop_sequence" => Ok(Finish::Stop),
        "max_tokens" | "model_context_window_exceeded" => Ok(Finish::Length),
        "tool_use" => Ok(Finish::Calls),
        other => Err(Wrong::finish(other)),
    }
}
