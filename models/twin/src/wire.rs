//! The four wire formats, from the server's side.

mod claude;
mod gemini;
mod ollama;
mod openai;

use http::HeaderValue;
use hyper::body::Bytes;
use models_mind::tier::{Called, Options, Tool};
use serde_json::{Value, json};

use crate::kind::Kind;
use crate::reply::Prepared;
use crate::script::Reply;
use crate::seen::{Seen, words};

/// What a path asks for.
#[derive(Debug, Default)]
pub(crate) struct Path {
    /// Where the path says it.
    pub(crate) model: Option<String>,
    pub(crate) stream: Option<bool>,
}

/// How an answer ends, and what is counted of it.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) model: String,
    pub(crate) input_tokens: usize,
    pub(crate) output_tokens: usize,
    /// Tells the ids of this answer's calls from those of others.
    pub(crate) number: u64,
}

impl End {
    pub(crate) fn of(reply: &Reply, seen: &Seen, number: u64) -> Self {
        Self {
            model: seen.model.clone(),
            input_tokens: seen.tokens(),
            output_tokens: words(&reply.text) + reply.calls.len(),
            number,
        }
    }
}

macro_rules! by_kind {
    ($kind:expr, $function:ident ( $($argument:expr),* )) => {
        match $kind {
            Kind::Ollama => ollama::$function($($argument),*),
            Kind::OpenAi => openai::$function($($argument),*),
            Kind::Claude => claude::$function($($argument),*),
            Kind::Gemini => gemini::$function($($argument),*),
        }
    };
}

pub(crate) fn asked(kind: Kind, path: &str) -> Option<Path> {
    match (kind, path) {
        (Kind::Ollama, "/api/chat")
        | (Kind::OpenAi, "/v1/chat/completions")
        | (Kind::Claude, "/v1/messages") => Some(Path::default()),
        (Kind::Gemini, path) => {
            let (model, what) = path.strip_prefix("/v1beta/models/")?.split_once(':')?;
            let stream = match what {
                "streamGenerateContent" => true,
                "generateContent" => false,
                _ => return None,
            };
            Some(Path { model: Some(model.to_owned()), stream: Some(stream) })
        }
        _ => None,
    }
}

/// The models that it has.
pub(crate) fn list(kind: Kind, path: &str) -> Option<Value> {
    match (kind, path) {
        (Kind::Ollama, "/") => Some(json!("Ollama is running")),
        (Kind::Ollama, "/api/tags") => Some(json!({"models": [{"name": "stand-in"}]})),
        (Kind::OpenAi | Kind::Claude, "/v1/models") => {
            Some(json!({"object": "list", "data": [{"id": "stand-in", "object": "model"}]}))
        }
        (Kind::Gemini, "/v1beta/models") => Some(json!({"models": [{"name": "models/stand-in"}]})),
        _ => None,
    }
}

pub(crate) const fn content_type(kind: Kind) -> HeaderValue {
    match kind {
        Kind::Ollama => HeaderValue::from_static("application/x-ndjson"),
        Kind::OpenAi | Kind::Claude | Kind::Gemini => HeaderValue::from_static("text/event-stream"),
    }
}

/// `None` if it is not a question in that format.
pub(crate) fn seen(kind: Kind, path: &Path, raw: Value) -> Option<Seen> {
    let seen = by_kind!(kind, seen(&raw))?;
    Some(Seen {
        model: path.model.clone().unwrap_or(seen.model),
        stream: path.stream.unwrap_or(seen.stream),
        raw,
        ..seen
    })
}

/// An answer in one piece.
pub(crate) fn whole(kind: Kind, reply: &Reply, end: &End) -> Value {
    by_kind!(kind, whole(reply, end))
}

pub(crate) fn prepared(kind: Kind, reply: &Reply, end: &End, chunk_words: usize) -> Prepared {
    let mut pieces: Vec<Bytes> = pieces(&reply.text, chunk_words).map(|piece| text(kind, &piece)).collect();
    pieces.extend(by_kind!(kind, calls(reply, end)));
    Prepared { opening: by_kind!(kind, opening(end)), pieces, closing: by_kind!(kind, closing(reply, end)) }
}

/// One piece of text.
pub(crate) fn text(kind: Kind, text: &str) -> Bytes {
    by_kind!(kind, text(text))
}

pub(crate) fn word(kind: Kind) -> Bytes {
    text(kind, "and ")
}

/// An error that is an answer's whole body.
pub(crate) fn error_json(kind: Kind, said: &str) -> Value {
    by_kind!(kind, error(said))
}

/// An error in the middle of a stream.
pub(crate) fn error(kind: Kind, key: &str) -> Bytes {
    let error = error_json(kind, &format!("the model fell over, asked with the key {key}"));
    match kind {
        Kind::Claude => event("error", &error),
        _ => frame(kind, &error),
    }
}

pub(crate) fn wrong_finish(kind: Kind, reason: Option<&str>) -> Bytes {
    by_kind!(kind, wrong_finish(reason))
}

pub(crate) fn malformed(kind: Kind) -> Bytes {
    Bytes::from_static(match kind {
        Kind::Ollama => b"{\"message\": {\"content\": \"no en\n",
        _ => b"data: {\"choices\": [{\"delta\": no\n\n",
    })
}

/// A frame whose text is cut within a character that does not go on; in two parts.
pub(crate) fn broken(kind: Kind) -> [Bytes; 2] {
    let whole = text(kind, "\u{e4}");
    // JSON leaves the character as its two bytes.
    let at = whole.windows(2).position(|pair| pair == "\u{e4}".as_bytes()).unwrap_or(whole.len() - 2);
    [whole.slice(..=at), whole.slice(at + 2..)]
}

/// Every `words` words, with the white space behind them.
fn pieces(text: &str, words: usize) -> impl Iterator<Item = String> {
    let all: Vec<&str> = text.split_inclusive(char::is_whitespace).collect();
    all.chunks(words).map(<[&str]>::concat).collect::<Vec<_>>().into_iter()
}

fn frame(kind: Kind, value: &Value) -> Bytes {
    Bytes::from(match kind {
        Kind::Ollama => format!("{value}\n"),
        _ => format!("data: {value}\n\n"),
    })
}

fn event(name: &str, value: &Value) -> Bytes {
    Bytes::from(format!("event: {name}\ndata: {value}\n\n"))
}

/// A text that stands alone or in a list of parts.
fn text_in(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => String::new(),
    }
}

fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Tools as OpenAI and Ollama write them.
fn tools(raw: &Value) -> Vec<Tool> {
    let tool = |tool: &Value| Tool {
        name: string(&tool["function"]["name"]),
        description: string(&tool["function"]["description"]),
        parameters: tool["function"]["parameters"].clone(),
    };
    list_of(&raw["tools"]).iter().map(tool).collect()
}

fn list_of(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn options(from: &Value, names: [&str; 4]) -> Options {
    let [max_tokens, temperature, top_p, stop] = names.map(|name| &from[name]);
    Options {
        max_tokens: max_tokens.as_u64().and_then(|tokens| u32::try_from(tokens).ok()),
        temperature: temperature.as_f64(),
        top_p: top_p.as_f64(),
        stop: list_of(stop).iter().map(string).collect(),
    }
}

fn called(id: &Value, name: &Value, arguments: Value) -> Called {
    Called { id: string(id), name: string(name), arguments }
}
