//! OpenAI's chat completions, which many others speak too.

use models_mind::tier::{Asked, Called, Finish, Message};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Offer, Reader, offers, parsed};
use crate::failure::Wrong;
use crate::frames::FRAME_BYTES_MAX;
use crate::heard::{CALLS_MAX, Heard, arguments};

#[derive(Serialize)]
pub(super) struct Body<'a> {
    model: &'a str,
    messages: Vec<Said<'a>>,
    stream: bool,
    stream_options: StreamOptions,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Offer<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    stop: &'a [String],
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Serialize)]
#[serde(tag = "role", rename_all = "lowercase")]
enum Said<'a> {
    System {
        content: &'a str,
    },
    User {
        content: &'a str,
    },
    Assistant {
        content: Option<&'a str>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        tool_calls: Vec<Call<'a>>,
    },
    Tool {
        tool_call_id: &'a str,
        content: &'a str,
    },
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Call<'a> {
    Function { id: &'a str, function: Made<'a> },
}

#[derive(Serialize)]
struct Made<'a> {
    name: &'a str,
    /// JSON as text.
    arguments: String,
}

pub(super) fn body<'a>(model: &'a str, asked: &'a Asked) -> Body<'a> {
    let options = &asked.options;
    let (max_tokens, max_completion_tokens) =
        if reasons(model) { (None, options.max_tokens) } else { (options.max_tokens, None) };
    Body {
        model,
        messages: asked.messages.iter().map(said).collect(),
        stream: true,
        stream_options: StreamOptions { include_usage: true },
        tools: offers(asked),
        max_tokens,
        max_completion_tokens,
        temperature: options.temperature,
        top_p: options.top_p,
        stop: &options.stop,
    }
}

/// Models of OpenAI's own that refuse `max_tokens`. Others who speak as it does may know no other name.
fn reasons(model: &str) -> bool {
    ["gpt-5", "gpt-6", "o1", "o3", "o4"].iter().any(|start| model.starts_with(start))
}

fn said(message: &Message) -> Said<'_> {
    match message {
        Message::System(content) => Said::System { content },
        Message::User(content) => Said::User { content },
        Message::Assistant { text, calls } => Said::Assistant {
            content: Some(text.as_str()).filter(|text| !text.is_empty() || calls.is_empty()),
            tool_calls: calls.iter().map(call).collect(),
        },
        Message::Result { id, content, .. } => Said::Tool { tool_call_id: id, content },
    }
}

fn call(called: &Called) -> Call<'_> {
    let arguments = called.arguments.to_string();
    Call::Function { id: &called.id, function: Made { name: &called.name, arguments } }
}

/// The answer so far: calls come in pieces, and are whole when the answer ends.
#[derive(Default)]
pub(super) struct Chunks {
    calls: Vec<Growing>,
    bytes: usize,
    refused: bool,
}

struct Growing {
    index: Option<u64>,
    id: String,
    name: String,
    arguments: String,
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<Usage>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    index: u64,
    delta: Option<Piece>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Piece {
    content: Option<Content>,
    refusal: Option<String>,
    tool_calls: Option<Vec<CallPiece>>,
}

/// Text, or with some models parts of which only the text is an answer.
#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
struct Part {
    text: Option<String>,
}

#[derive(Deserialize)]
struct CallPiece {
    index: Option<u64>,
    id: Option<String>,
    function: Option<FunctionPiece>,
}

#[derive(Deserialize)]
struct FunctionPiece {
    name: Option<String>,
    /// JSON as text, a piece of it; with some servers the whole of it as it is.
    arguments: Option<Value>,
}

#[derive(Deserialize)]
struct Usage {
    prompt_tokens: Option<u32>,
    completion_tokens: Option<u32>,
}

impl Reader for Chunks {
    fn read(&mut self, frame: &str, heard: &mut Heard) -> Result<(), Wrong> {
        if frame.trim() == "[DONE]" {
            return heard.complete();
        }
        let chunk: Chunk = parsed(frame)?;
        if let Some(error) = chunk.error {
            return Err(Wrong::in_band(&error));
        }
        if let Some(usage) = chunk.usage {
            heard.usage(usage.prompt_tokens, usage.completion_tokens);
        }
        // One answer was asked for; who sends more is read as if it had not.
        for choice in chunk.choices.into_iter().filter(|choice| choice.index == 0) {
            if let Some(piece) = choice.delta {
                self.piece(piece, heard)?;
            }
            if let Some(reason) = choice.finish_reason.filter(|reason| !reason.is_empty()) {
                self.finish(&reason, heard)?;
            }
        }
        Ok(())
    }
}

impl Chunks {
    fn piece(&mut self, piece: Piece, heard: &mut Heard) -> Result<(), Wrong> {
        self.refused |= piece.refusal.is_some_and(|refusal| !refusal.is_empty());
        match piece.content {
            Some(Content::Text(text)) => heard.text(text),
            Some(Content::Parts(parts)) => {
                heard.text(parts.into_iter().filter_map(|part| part.text).collect())
            }
            None => {}
        }
        for piece in piece.tool_calls.into_iter().flatten() {
            self.call(piece)?;
        }
        Ok(())
    }

    fn call(&mut self, piece: CallPiece) -> Result<(), Wrong> {
        let id = piece.id.unwrap_or_default();
        let (name, arguments) = piece.function.map_or((None, None), |made| (made.name, made.arguments));
        let name = name.unwrap_or_default();
        let arguments = match arguments {
            Some(Value::String(text)) => text,
            None | Some(Value::Null) => String::new(),
            Some(whole) => whole.to_string(),
        };
        self.bytes += id.len() + name.len() + arguments.len();
        if self.bytes > FRAME_BYTES_MAX {
            return Err(Wrong::malformed("makes calls of more than 1 MiB"));
        }
        // Some give every call the same index, or none: an id of its own with a name begins a call, whatever the index.
        let fits = |call: &&mut Growing| {
            let same = piece.index.is_none() || call.index == piece.index;
            same && (id.is_empty() || name.is_empty() || call.id == id)
        };
        let Some(call) = self.calls.iter_mut().rev().find(fits) else {
            if self.calls.len() == CALLS_MAX {
                return Err(Wrong::malformed(format!("makes more than {CALLS_MAX} calls at once")));
            }
            self.calls.push(Growing { index: piece.index, id, name, arguments });
            return Ok(());
        };
        if call.id.is_empty() {
            call.id = id;
        }
        if call.name.is_empty() {
            call.name = name;
        }
        call.arguments.push_str(&arguments);
        Ok(())
    }

    fn finish(&mut self, reason: &str, heard: &mut Heard) -> Result<(), Wrong> {
        let finish = match reason {
            _ if self.refused => return Err(Wrong::finish("refusal")),
            "stop" => Finish::Stop,
            "length" => Finish::Length,
            "tool_calls" | "function_call" => Finish::Calls,
            other => return Err(Wrong::finish(other)),
        };
        for call in self.calls.drain(..) {
            match arguments(&call.arguments) {
                Ok(arguments) => heard.call(&call.id, call.name, arguments)?,
                // The tokens ran out in it: half a call is none.
                Err(_) if finish == Finish::Length => {}
                Err(wrong) => return Err(wrong),
            }
        }
        heard.finish(finish);
        Ok(())
    }
}
