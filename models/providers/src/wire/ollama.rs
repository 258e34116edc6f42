//! Ollama's own chat: a JSON text a line.

use std::borrow::Cow;

use models_mind::tier::{Asked, Called, Finish, Message};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Offer, Reader, object, offers, parsed};
use crate::failure::Wrong;
use crate::heard::{Heard, arguments};

#[derive(Serialize)]
pub(super) struct Body<'a> {
    model: &'a str,
    messages: Vec<Said<'a>>,
    stream: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Offer<'a>>,
    options: Options<'a>,
}

#[derive(Serialize)]
struct Options<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    num_predict: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    stop: &'a [String],
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
        content: &'a str,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        tool_calls: Vec<Call<'a>>,
    },
    /// It knows no ids: a result belongs to the call of that name.
    Tool {
        tool_name: &'a str,
        content: &'a str,
    },
}

#[derive(Serialize)]
struct Call<'a> {
    function: Made<'a>,
}

#[derive(Serialize)]
struct Made<'a> {
    name: &'a str,
    arguments: Cow<'a, Value>,
}

pub(super) fn body<'a>(model: &'a str, asked: &'a Asked) -> Body<'a> {
    let options = &asked.options;
    Body {
        model,
        messages: asked.messages.iter().map(said).collect(),
        stream: true,
        tools: offers(asked),
        options: Options {
            num_predict: options.max_tokens,
            temperature: options.temperature,
            top_p: options.top_p,
            stop: &options.stop,
        },
    }
}

fn said(message: &Message) -> Said<'_> {
    match message {
        Message::System(content) => Said::System { content },
        Message::User(content) => Said::User { content },
        Message::Assistant { text, calls } => {
            Said::Assistant { content: text, tool_calls: calls.iter().map(call).collect() }
        }
        Message::Result { name, content, .. } => Said::Tool { tool_name: name, content },
    }
}

fn call(called: &Called) -> Call<'_> {
    Call { function: Made { name: &called.name, arguments: object(&called.arguments) } }
}

/// Every line stands for itself.
#[derive(Default)]
pub(super) struct Lines;

#[derive(Deserialize)]
struct Line {
    message: Option<Piece>,
    #[serde(default)]
    done: bool,
    done_reason: Option<String>,
    prompt_eval_count: Option<u32>,
    eval_count: Option<u32>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Piece {
    content: Option<String>,
    tool_calls: Option<Vec<CallMade>>,
}

#[derive(Deserialize)]
struct CallMade {
    id: Option<String>,
    function: FunctionMade,
}

#[derive(Deserialize)]
struct FunctionMade {
    name: String,
    #[serde(default)]
    arguments: Value,
}

impl Reader for Lines {
    fn read(&mut self, frame: &str, heard: &mut Heard) -> Result<(), Wrong> {
        let line: Line = parsed(frame)?;
        if let Some(error) = line.error {
            return Err(Wrong::in_band(&error));
        }
        if let Some(piece) = line.message {
            heard.text(piece.content.unwrap_or_default());
            for made in piece.tool_calls.into_iter().flatten() {
                let arguments = match made.function.arguments {
                    Value::Null => arguments("")?,
                    Value::String(text) => arguments(&text)?,
                    value => value,
                };
                heard.call(made.id.as_deref().unwrap_or_default(), made.function.name, arguments)?;
            }
        }
        if !line.done {
            return Ok(());
        }
        heard.usage(line.prompt_eval_count, line.eval_count);
        heard.finish(match line.done_reason.as_deref() {
            // Servers before 0.1.39 give no reason.
            Some("stop") | None => Finish::Stop,
            Some("length") => Finish::Length,
            Some(other) => return Err(Wrong::finish(other)),
        });
        heard.complete()
    }
}
