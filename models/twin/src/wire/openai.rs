//! OpenAI's chat completions.

use hyper::body::Bytes;
use models_mind::tier::{Message, Options};
use serde_json::{Value, json};

use super::{End, called, frame, list_of, options, string, text_in, tools};
use crate::kind::Kind;
use crate::script::Reply;
use crate::seen::Seen;

pub(super) fn seen(raw: &Value) -> Option<Seen> {
    let messages = raw["messages"].as_array()?.iter().map(message).collect::<Option<_>>()?;
    let mut options: Options = options(raw, ["max_tokens", "temperature", "top_p", "stop"]);
    if let Some(tokens) = raw["max_completion_tokens"].as_u64() {
        options.max_tokens = u32::try_from(tokens).ok();
    }
    Some(Seen {
        model: string(&raw["model"]),
        messages,
        tools: tools(raw),
        options,
        stream: raw["stream"] == true,
        ..Seen::default()
    })
}

fn message(raw: &Value) -> Option<Message> {
    let text = text_in(&raw["content"]);
    Some(match raw["role"].as_str()? {
        "system" | "developer" => Message::System(text),
        "user" => Message::User(text),
        "assistant" => {
            let call = |call: &Value| {
                let arguments = call["function"]["arguments"].as_str()?;
                Some(called(&call["id"], &call["function"]["name"], serde_json::from_str(arguments).ok()?))
            };
            let calls = list_of(&raw["tool_calls"]).iter().map(call).collect::<Option<_>>()?;
            Message::Assistant { text, calls }
        }
        "tool" => Message::Result { id: string(&raw["tool_call_id"]), name: String::new(), content: text },
        _ => return None,
    })
}

fn chunk(delta: &Value, finish_reason: Option<&str>) -> Bytes {
    let choice = json!({"index": 0, "delta": delta, "finish_reason": finish_reason});
    let id = "chatcmpl-twin";
    frame(
        Kind::OpenAi,
        &json!({"id": id, "object": "chat.completion.chunk", "created": 0, "model": "stand-in", "choices": [choice]}),
    )
}

pub(super) fn opening(_: &End) -> Bytes {
    chunk(&json!({"role": "assistant", "content": ""}), None)
}

pub(super) fn text(text: &str) -> Bytes {
    chunk(&json!({"content": text}), None)
}

/// Each in three pieces, as a model makes them.
pub(super) fn calls(reply: &Reply, end: &End) -> Vec<Bytes> {
    let mut pieces = Vec::new();
    for (index, call) in reply.calls.iter().enumerate() {
        let id = format!("call_twin_{}_{index}", end.number);
        let function = json!({"name": call.name, "arguments": ""});
        let opened = json!({"index": index, "id": id, "type": "function", "function": function});
        pieces.push(chunk(&json!({"tool_calls": [opened]}), None));
        let arguments = call.arguments.to_string();
        let (first, second) = arguments.split_at(arguments.floor_char_boundary(arguments.len() / 2));
        for part in [first, second] {
            let more = json!({"index": index, "function": {"arguments": part}});
            pieces.push(chunk(&json!({"tool_calls": [more]}), None));
        }
    }
    pieces
}

fn reason(reply: &Reply) -> &'static str {
    if reply.calls.is_empty() { "stop" } else { "tool_calls" }
}

fn usage(end: &End) -> Value {
    let (input, output) = (end.input_tokens, end.output_tokens);
    json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output})
}

pub(super) fn closing(reply: &Reply, end: &End) -> Bytes {
    let id = "chatcmpl-twin";
    let last = json!({"id": id, "object": "chat.completion.chunk", "created": 0, "model": "stand-in", "choices": [], "usage": usage(end)});
    let last = frame(Kind::OpenAi, &last);
    [chunk(&json!({}), Some(reason(reply))), last, Bytes::from_static(b"data: [DONE]\n\n")].concat().into()
}

pub(super) fn wrong_finish(reason: Option<&str>) -> Bytes {
    let finish = chunk(&json!({}), Some(reason.unwrap_or("content_filter")));
    [finish, Bytes::from_static(b"data: [DONE]\n\n")].concat().into()
}

pub(super) fn error(said: &str) -> Value {
    json!({"error": {"message": said, "type": "server_error", "param": null, "code": null}})
}

pub(super) fn whole(reply: &Reply, end: &End) -> Value {
    let call = |(index, call): (usize, &crate::script::Call)| {
        let id = format!("call_twin_{}_{index}", end.number);
        json!({"id": id, "type": "function", "function": {"name": call.name, "arguments": call.arguments.to_string()}})
    };
    let mut message = json!({"role": "assistant", "content": reply.text});
    if !reply.calls.is_empty() {
        message["tool_calls"] = reply.calls.iter().enumerate().map(call).collect();
    }
    json!({
        "id": "chatcmpl-twin", "object": "chat.completion", "created": 0, "model": end.model,
        "choices": [{"index": 0, "message": message, "finish_reason": reason(reply)}],
        "usage": usage(end),
    })
}
