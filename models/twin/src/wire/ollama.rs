//! Ollama's own chat.

use hyper::body::Bytes;
use models_mind::tier::Message;
use serde_json::{Value, json};

use super::{End, called, frame, list_of, options, string, text_in, tools};
use crate::kind::Kind;
use crate::script::Reply;
use crate::seen::Seen;

const AT: &str = "2026-01-01T00:00:00Z";

pub(super) fn seen(raw: &Value) -> Option<Seen> {
    Some(Seen {
        model: string(&raw["model"]),
        messages: raw["messages"].as_array()?.iter().map(message).collect::<Option<_>>()?,
        tools: tools(raw),
        options: options(&raw["options"], ["num_predict", "temperature", "top_p", "stop"]),
        // It streams unless it is told not to.
        stream: raw["stream"] != false,
        ..Seen::default()
    })
}

fn message(raw: &Value) -> Option<Message> {
    let text = text_in(&raw["content"]);
    Some(match raw["role"].as_str()? {
        "system" => Message::System(text),
        "user" => Message::User(text),
        "assistant" => {
            let call = |call: &Value| {
                called(&Value::Null, &call["function"]["name"], call["function"]["arguments"].clone())
            };
            Message::Assistant { text, calls: list_of(&raw["tool_calls"]).iter().map(call).collect() }
        }
        "tool" => Message::Result { id: String::new(), name: string(&raw["tool_name"]), content: text },
        _ => return None,
    })
}

fn line(message: &Value) -> Bytes {
    frame(Kind::Ollama, &json!({"model": "stand-in", "created_at": AT, "message": message, "done": false}))
}

pub(super) const fn opening(_: &End) -> Bytes {
    Bytes::new()
}

pub(super) fn text(text: &str) -> Bytes {
    line(&json!({"role": "assistant", "content": text}))
}

fn made(reply: &Reply) -> Value {
    let call =
        |call: &crate::script::Call| json!({"function": {"name": call.name, "arguments": call.arguments}});
    reply.calls.iter().map(call).collect()
}

/// All in one line.
pub(super) fn calls(reply: &Reply, _: &End) -> Vec<Bytes> {
    if reply.calls.is_empty() {
        return Vec::new();
    }
    vec![line(&json!({"role": "assistant", "content": "", "tool_calls": made(reply)}))]
}

fn last(message: &Value, reason: &str, end: Option<&End>) -> Value {
    json!({
        "model": "stand-in", "created_at": AT, "message": message, "done": true, "done_reason": reason,
        "total_duration": 0, "prompt_eval_count": end.map(|end| end.input_tokens),
        "eval_count": end.map(|end| end.output_tokens),
    })
}

pub(super) fn closing(_: &Reply, end: &End) -> Bytes {
    frame(Kind::Ollama, &last(&json!({"role": "assistant", "content": ""}), "stop", Some(end)))
}

pub(super) fn wrong_finish(reason: Option<&str>) -> Bytes {
    let message = json!({"role": "assistant", "content": ""});
    frame(Kind::Ollama, &last(&message, reason.unwrap_or("unload"), None))
}

pub(super) fn error(said: &str) -> Value {
    json!({"error": said})
}

pub(super) fn whole(reply: &Reply, end: &End) -> Value {
    let mut message = json!({"role": "assistant", "content": reply.text});
    if !reply.calls.is_empty() {
        message["tool_calls"] = made(reply);
    }
    last(&message, "stop", Some(end))
}
