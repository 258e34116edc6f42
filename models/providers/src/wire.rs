//! The four wire formats. What differs between providers differs in here, and nowhere else.

mod claude;
mod gemini;
mod ollama;
mod openai;

use std::borrow::Cow;

use models_mind::tier::Asked;
use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::config::Kind;
use crate::failure::Wrong;
use crate::frames::Shape;
use crate::heard::Heard;

/// Reads an answer frame by frame.
pub(crate) trait Reader: Send {
    /// Takes a frame. What it says goes into `heard`, also when it says in the end that something is wrong.
    fn read(&mut self, frame: &str, heard: &mut Heard) -> Result<(), Wrong>;
}

pub(crate) fn reader(kind: Kind) -> Box<dyn Reader> {
    match kind {
        Kind::Ollama => Box::<ollama::Lines>::default(),
        Kind::OpenAi | Kind::Cloud => Box::<openai::Chunks>::default(),
        Kind::Claude => Box::<claude::Events>::default(),
        Kind::Gemini => Box::<gemini::Chunks>::default(),
    }
}

pub(crate) const fn shape(kind: Kind) -> Shape {
    match kind {
        Kind::Ollama => Shape::Lines,
        Kind::OpenAi | Kind::Claude | Kind::Gemini | Kind::Cloud => Shape::Events,
    }
}

/// Where it is asked. `None` if the model's name cannot be part of it.
pub(crate) fn url(kind: Kind, base: &Url, model: &str) -> Option<Url> {
    let path = match kind {
        Kind::Ollama => "api/chat".to_owned(),
        Kind::OpenAi | Kind::Cloud => "chat/completions".to_owned(),
        Kind::Claude => "messages".to_owned(),
        Kind::Gemini => gemini::path(model)?,
    };
    base.join(&path).ok()
}

pub(crate) const fn headers(kind: Kind) -> &'static [(&'static str, &'static str)] {
    match kind {
        Kind::Claude => &[("anthropic-version", "2023-06-01")],
        Kind::Ollama | Kind::OpenAi | Kind::Gemini | Kind::Cloud => &[],
    }
}

/// The header that takes the key, and what stands before it.
pub(crate) const fn key_header(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Ollama | Kind::OpenAi | Kind::Cloud => ("authorization", "Bearer "),
        Kind::Claude => ("x-api-key", ""),
        Kind::Gemini => ("x-goog-api-key", ""),
    }
}

pub(crate) fn body(kind: Kind, model: &str, asked: &Asked) -> Vec<u8> {
    match kind {
        Kind::Ollama => bytes(&ollama::body(model, asked)),
        Kind::OpenAi | Kind::Cloud => bytes(&openai::body(model, asked)),
        Kind::Claude => bytes(&claude::body(model, asked)),
        Kind::Gemini => bytes(&gemini::body(model, asked)),
    }
}

/// Texts, numbers and JSON values under names that are texts cannot fail to be JSON.
fn bytes(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).unwrap_or_default()
}

fn parsed<'a, T: Deserialize<'a>>(frame: &'a str) -> Result<T, Wrong> {
    match serde_json::from_str(frame) {
        Ok(frame) => Ok(frame),
        Err(_) => Err(Wrong::malformed("sends what is no answer")),
    }
}

/// Three of the four want objects as arguments, and may be shown a call that another model got wrong.
fn object(arguments: &Value) -> Cow<'_, Value> {
    if arguments.is_object() { Cow::Borrowed(arguments) } else { Cow::Owned(json!({ "value": arguments })) }
}

/// A function, as OpenAI and Ollama write it.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Offer<'a> {
    Function { function: Function<'a> },
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    description: &'a str,
    parameters: &'a Value,
}

fn offers(asked: &Asked) -> Vec<Offer<'_>> {
    asked
        .tools
        .iter()
        .map(|tool| Offer::Function {
            function: Function {
                name: &tool.name,
                description: &tool.description,
                parameters: &tool.parameters,
            },
        })
        .collect()
}
