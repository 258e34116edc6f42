//! Gemini's generated content.

use hyper::body::Bytes;
use models_mind::tier::{Message, Tool};
use serde_json::{Value, json};

use super::{End, called, frame, list_of, options, string, text_in};
use crate::kind::Kind;
use crate::script::Reply;
use crate::seen::Seen;

pub(super) fn seen(raw: &Value) -> Option<Seen> {
    let mut messages = Vec::new();
    let system = text_in(&raw["systemInstruction"]["parts"]);
    if !system.is_empty() {
        messages.push(Message::System(system));
    }
    for turn in raw["contents"].as_array()? {
        take(turn, &mut messages)?;
    }
    let tool = |tool: &Value| Tool {
        name: string(&tool["name"]),
        description: string(&tool["description"]),
        parameters: tool["parametersJsonSchema"].clone(),
    };
    let names = ["maxOutputTokens", "temperature", "topP", "stopSequences"];
    Some(Seen {
        messages,
        tools: list_of(&raw["tools"][0]["functionDeclarations"]).iter().map(tool).collect(),
        options: options(&raw["generationConfig"], names),
        ..Seen::default()
    })
}

/// A turn may hold results and text, or text and calls. Parts of text are one text, a line each.
fn take(turn: &Value, messages: &mut Vec<Message>) -> Option<()> {
    let (mut texts, mut calls) = (Vec::new(), Vec::new());
    for part in turn["parts"].as_array()? {
        let (call, result) = (&part["functionCall"], &part["functionResponse"]);
        if !call.is_null() {
            calls.push(called(&Value::Null, &call["name"], call["args"].clone()));
        } else if result.is_null() {
            texts.push(part["text"].as_str()?);
        } else {
            messages.push(Message::Result {
                id: String::new(),
                name: string(&result["name"]),
                content: outcome(&result["response"]),
            });
        }
    }
    let text = texts.join("\n");
    match turn["role"].as_str()? {
        "user" if text.is_empty() => {}
        "user" => messages.push(Message::User(text)),
        "model" => messages.push(Message::Assistant { text, calls }),
        _ => return None,
    }
    Some(())
}

/// Any object will do; these are the usual ones.
fn outcome(response: &Value) -> String {
    let text = ["result", "content", "output"].iter().find_map(|name| response[name].as_str());
    text.map_or_else(|| response.to_string(), str::to_owned)
}

fn body(parts: &Value, reason: Option<&str>, end: Option<&End>) -> Value {
    let mut candidate = json!({"index": 0, "content": {"role": "model", "parts": parts}});
    if let Some(reason) = reason {
        candidate["finishReason"] = json!(reason);
    }
    let mut body = json!({"candidates": [candidate], "modelVersion": "stand-in"});
    if let Some(end) = end {
        let (input, output) = (end.input_tokens, end.output_tokens);
        body["usageMetadata"] = json!({"promptTokenCount": input, "candidatesTokenCount": output, "totalTokenCount": input + output});
    }
    body
}

pub(super) const fn opening(_: &End) -> Bytes {
    Bytes::new()
}

pub(super) fn text(text: &str) -> Bytes {
    frame(Kind::Gemini, &body(&json!([{"text": text}]), None, None))
}

fn made(reply: &Reply) -> Vec<Value> {
    let call =
        |call: &crate::script::Call| json!({"functionCall": {"name": call.name, "args": call.arguments}});
    reply.calls.iter().map(call).collect()
}

/// All in one piece.
pub(super) fn calls(reply: &Reply, _: &End) -> Vec<Bytes> {
    if reply.calls.is_empty() {
        return Vec::new();
    }
    vec![frame(Kind::Gemini, &body(&json!(made(reply)), None, None))]
}

pub(super) fn closing(_: &Reply, end: &End) -> Bytes {
    frame(Kind::Gemini, &body(&json!([{"text": ""}]), Some("STOP"), Some(end)))
}

pub(super) fn wrong_finish(reason: Option<&str>) -> Bytes {
    frame(Kind::Gemini, &body(&json!([]), Some(reason.unwrap_or("SAFETY")), None))
}

pub(super) fn error(said: &str) -> Value {
    json!({"error": {"code": 503, "message": said, "status": "UNAVAILABLE"}})
}

pub(super) fn whole(reply: &Reply, end: &End) -> Value {
    let mut parts = made(reply);
    if !reply.text.is_empty() {
        parts.insert(0, json!({"text": reply.text}));
    }
    body(&json!(parts), Some("STOP"), Some(end))
}
