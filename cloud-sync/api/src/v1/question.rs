//! A request of an OpenAI client as a question to the chain: read, bounded, and refused where the chain cannot do it.

use models_mind::tier::{Asked, Called, Message, Options, Tool};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use utoipa::ToSchema;

use super::MODEL;
use crate::problem::{Answer, Problem};

/// Messages of one request.
const MESSAGES_MAX: usize = 256;
/// Functions of one request.
const TOOLS_MAX: usize = 64;
/// Calls of one message.
const CALLS_MAX: usize = 64;
/// Words that end an answer.
const STOPS_MAX: usize = 4;
/// Bytes of a name or an id.
const NAME_BYTES_MAX: usize = 64;
/// Tokens of an answer.
const TOKENS_MAX: u32 = 8192;

/// What is asked. Other fields are ignored.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct CompletionBody {
    /// `robbie`.
    model: String,
    /// The conversation, oldest first: `{role: system|developer|user|assistant|tool, content, tool_calls?, tool_call_id?}`.
    #[schema(value_type = Vec<Object>)]
    messages: Vec<MessageBody>,
    /// Whether the answer comes piece by piece, as server-sent events.
    #[serde(default, deserialize_with = "or_none")]
    pub(super) stream: bool,
    /// `{include_usage}`: whether a last event says what the answer took.
    #[schema(value_type = Option<Object>)]
    stream_options: Option<StreamOptions>,
    /// Functions that the model may call: `{type: "function", function: {name, description?, parameters?}}`.
    #[serde(default, deserialize_with = "or_none")]
    #[schema(value_type = Vec<Object>)]
    tools: Vec<ToolBody>,
    /// `auto` (the default) or `none`.
    #[schema(value_type = Option<String>)]
    tool_choice: Option<Value>,
    /// Tokens of the answer at most, 1 to 8192.
    max_tokens: Option<u32>,
    /// The same.
    max_completion_tokens: Option<u32>,
    /// 0 to 2.
    temperature: Option<f64>,
    /// 0 to 1.
    top_p: Option<f64>,
    /// A text that ends the answer, or up to 4.
    stop: Option<Stops>,
    /// Answers: 1.
    n: Option<u32>,
    /// `{type: "text"}`.
    #[schema(value_type = Option<Object>)]
    response_format: Option<Value>,
    /// Whoever asks, in the app's words: keeps the answers of its users apart.
    user: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
struct StreamOptions {
    #[serde(default, deserialize_with = "or_none")]
    include_usage: bool,
}

#[derive(Debug, Deserialize)]
struct MessageBody {
    role: String,
    content: Option<Content>,
    #[serde(default, deserialize_with = "or_none")]
    tool_calls: Vec<CallBody>,
    tool_call_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Debug, Deserialize)]
struct Part {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
}

#[derive(Debug, Deserialize)]
struct CallBody {
    id: String,
    function: FunctionCall,
}

#[derive(Debug, Deserialize)]
struct FunctionCall {
    name: String,
    arguments: String,
}

#[derive(Debug, Deserialize)]
struct ToolBody {
    function: Function,
}

#[derive(Debug, Deserialize)]
struct Function {
    name: String,
    #[serde(default, deserialize_with = "or_none")]
    description: String,
    parameters: Option<Value>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
enum Stops {
    One(String),
    Many(Vec<String>),
}

/// Clients write null where there is nothing.
fn or_none<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

impl CompletionBody {
    /// Whether a stream says at its end what the answer took.
    pub(super) fn wants_usage(&self) -> bool {
        self.stream_options.unwrap_or_default().include_usage
    }

    /// Whoever asks, in the app's words.
    pub(super) fn user(&self) -> &str {
        self.user.as_deref().unwrap_or_default()
    }

    /// What the chain is asked.
    ///
    /// # Errors
    /// What the chain cannot do, or what does not fit.
    pub(super) fn asked(self) -> Answer<Asked> {
        if self.model != MODEL {
            return Err(Problem::not_found(format!(
                "There is no such model; the whole chain is called \"{MODEL}\"."
            ))
            .field("model"));
        }
        self.check()?;
        let no_tools = match self.tool_choice.as_ref().map(|choice| choice.as_str()) {
            None | Some(Some("auto")) => false,
            Some(Some("none")) => true,
            Some(_) => return Err(unable("tool_choice", "tool_choice is auto or none.")),
        };
        let tools = if no_tools { Vec::new() } else { self.tools };
        let options = Options {
            max_tokens: self.max_tokens.or(self.max_completion_tokens),
            temperature: self.temperature,
            top_p: self.top_p,
            stop: match self.stop {
                None => Vec::new(),
                Some(Stops::One(stop)) => vec![stop],
                Some(Stops::Many(stops)) => stops,
            },
        };
        let messages = messages(self.messages)?;
        let tools = tools.into_iter().map(tool).collect::<Answer<_>>()?;
        Ok(Asked { messages, tools, options })
    }

    fn check(&self) -> Answer<()> {
        if self.messages.is_empty() {
            return Err(unable("messages", "messages is empty: what is asked?"));
        }
        if self.messages.len() > MESSAGES_MAX {
            return Err(Problem::too_many("messages", MESSAGES_MAX));
        }
        if self.tools.len() > TOOLS_MAX {
            return Err(Problem::too_many("tools", TOOLS_MAX));
        }
        if matches!(&self.stop, Some(Stops::Many(stops)) if stops.len() > STOPS_MAX) {
            return Err(Problem::too_many("stop", STOPS_MAX));
        }
        if self.user().len() > NAME_BYTES_MAX {
            return Err(Problem::too_long(NAME_BYTES_MAX).field("user"));
        }
        within("temperature", self.temperature, 2.0)?;
        within("top_p", self.top_p, 1.0)?;
        for (field, tokens) in
            [("max_tokens", self.max_tokens), ("max_completion_tokens", self.max_completion_tokens)]
        {
            if tokens.is_some_and(|tokens| !(1..=TOKENS_MAX).contains(&tokens)) {
                return Err(Problem::out_of_range(field, 1.0, f64::from(TOKENS_MAX)));
            }
        }
        if self.n.is_some_and(|n| n != 1) {
            return Err(Problem::out_of_range("n", 1.0, 1.0));
        }
        if self.response_format.as_ref().is_some_and(|format| format["type"] != "text") {
            return Err(unable("response_format", "The chain answers in plain text only."));
        }
        Ok(())
    }
}

fn within(field: &'static str, value: Option<f64>, max: f64) -> Answer<()> {
    match value {
        Some(value) if !(0.0..=max).contains(&value) => Err(Problem::out_of_range(field, 0.0, max)),
        _ => Ok(()),
    }
}

fn messages(bodies: Vec<MessageBody>) -> Answer<Vec<Message>> {
    let mut messages: Vec<Message> = Vec::with_capacity(bodies.len());
    for body in bodies {
        let text = body.content.map(text).transpose()?.unwrap_or_default();
        let message = match body.role.as_str() {
            "system" | "developer" => Message::System(text),
            "user" => Message::User(text),
            "assistant" => Message::Assistant { text, calls: calls(body.tool_calls)? },
            "tool" => {
                let id = body.tool_call_id.unwrap_or_default();
                let Some(name) = name_of(&messages, &id) else {
                    return Err(unable("messages", "tool_call_id names no call that was made before."));
                };
                Message::Result { id, name, content: text }
            }
            _ => return Err(unable("messages", "role is system, developer, user, assistant or tool.")),
        };
        messages.push(message);
    }
    Ok(messages)
}

/// The function that a call was for.
fn name_of(messages: &[Message], id: &str) -> Option<String> {
    let calls = messages.iter().rev().filter_map(|message| match message {
        Message::Assistant { calls, .. } => Some(calls),
        _ => None,
    });
    calls.flatten().find(|call| call.id == id).map(|call| call.name.clone())
}

fn text(content: Content) -> Answer<String> {
    match content {
        Content::Text(text) => Ok(text),
        Content::Parts(parts) => {
            let text = |part: Part| part.text.filter(|_| part.kind == "text");
            let texts: Option<Vec<String>> = parts.into_iter().map(text).collect();
            let texts = texts.ok_or_else(|| {
                unable("messages", "content is text: the chain reads no pictures and hears no sound.")
            })?;
            Ok(texts.join("\n"))
        }
    }
}

fn calls(bodies: Vec<CallBody>) -> Answer<Vec<Called>> {
    if bodies.len() > CALLS_MAX {
        return Err(Problem::too_many("tool_calls", CALLS_MAX));
    }
    let call = |body: CallBody| {
        let written = body.function.arguments.trim();
        let arguments = serde_json::from_str(if written.is_empty() { "{}" } else { written })
            .map_err(|error| unable("messages", format!("The arguments of a call are not JSON: {error}.")))?;
        check_name(&body.function.name)?;
        if body.id.is_empty() || body.id.len() > NAME_BYTES_MAX {
            return Err(unable("messages", "The id of a call has 1 to 64 bytes."));
        }
        Ok(Called { id: body.id, name: body.function.name, arguments })
    };
    bodies.into_iter().map(call).collect()
}

fn tool(body: ToolBody) -> Answer<Tool> {
    let Function { name, description, parameters } = body.function;
    check_name(&name)?;
    let parameters = parameters.unwrap_or_else(|| serde_json::json!({ "type": "object", "properties": {} }));
    if !parameters.is_object() {
        return Err(unable("tools", "parameters is a JSON schema, an object."));
    }
    Ok(Tool { name, description, parameters })
}

fn check_name(name: &str) -> Answer<()> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(fits) {
        return Ok(());
    }
    Err(unable("tools", "The name of a function has 1 to 64 letters, digits, _ or -."))
}

fn unable(field: &'static str, detail: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    Problem::bad_request(detail).field(field)
}
