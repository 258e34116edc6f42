//! Claude's messages, block by block, as their server reads and writes them.

use hyper::body::Bytes;
use models_mind::tier::{Message, Tool};
use serde_json::{Value, json};

use super::{End, called, event, list_of, options, string, text_in};
use crate::script::Reply;
use crate::seen::Seen;

pub(super) fn seen(raw: &Value) -> Option<Seen> {
    let mut messages = Vec::new();
    let system = text_in(&raw["system"]);
    if !system.is_empty() {
        messages.push(Message::System(system));
    }
    for turn in raw["messages"].as_array()? {
        take(turn, &mut messages)?;
    }
    let tool = |tool: &Value| Tool {
        name: string(&tool["name"]),
        description: string(&tool["description"]),
        parameters: tool["input_schema"].clone(),
    };
    Some(Seen {
        model: string(&raw["model"]),
        messages,
        tools: list_of(&raw["tools"]).iter().map(tool).collect(),
        options: options(raw, ["max_tokens", "temperature", "top_p", "stop_sequences"]),
        stream: raw["stream"] == true,
        ..Seen::default()
    })
}

/// A turn may hold results and text, or text and calls. Blocks of text are one text, a line each.
fn take(turn: &Value, messages: &mut Vec<Message>) -> Option<()> {
    let (mut texts, mut calls) = (Vec::new(), Vec::new());
    match &turn["content"] {
        Value::String(text) => texts.push(text.clone()),
        content => {
            for block in content.as_array()? {
                match block["type"].as_str()? {
                    "text" => texts.push(string(&block["text"])),
                    "tool_use" => calls.push(called(&block["id"], &block["name"], block["input"].clone())),
                    "tool_result" => messages.push(Message::Result {
                        id: string(&block["tool_use_id"]),
                        name: String::new(),
                        content: text_in(&block["content"]),
                    }),
                    _ => return None,
                }
            }
        }
    }
    let text = texts.join("\n");
    match turn["role"].as_str()? {
        "user" if text.is_empty() => {}
        "user" => messages.push(Message::User(text)),
        "assistant" => messages.push(Message::Assistant { text, calls }),
        _ => return None,
    }
    Some(())
}

fn said(value: &Value) -> Bytes {
    event(value["type"].as_str().unwrap_or_default(), value)
}

/// The message, and the block of its text.
pub(super) fn opening(end: &End) -> Bytes {
    let message = json!({
        "id": "msg_twin", "type": "message", "role": "assistant", "model": "stand-in", "content": [],
        "stop_reason": null, "usage": {"input_tokens": end.input_tokens, "output_tokens": 1},
    });
    let start = said(&json!({"type": "message_start", "message": message}));
    let ping = said(&json!({"type": "ping"}));
    let block =
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}});
    [start, said(&block), ping].concat().into()
}

pub(super) fn text(text: &str) -> Bytes {
    let delta = json!({"type": "text_delta", "text": text});
    said(&json!({"type": "content_block_delta", "index": 0, "delta": delta}))
}

fn stopped(index: usize) -> Bytes {
    said(&json!({"type": "content_block_stop", "index": index}))
}

fn id(end: &End, index: usize) -> String {
    format!("toolu_twin_{}_{index}", end.number)
}

/// Each a block of its own, behind that of the text.
pub(super) fn calls(reply: &Reply, end: &End) -> Vec<Bytes> {
    let call = |(at, call): (usize, &crate::script::Call)| -> Bytes {
        let index = at + 1;
        let block = json!({"type": "tool_use", "id": id(end, at), "name": call.name, "input": {}});
        let arguments = call.arguments.to_string();
        let (first, second) = arguments.split_at(arguments.floor_char_boundary(arguments.len() / 2));
        let mut bytes =
            said(&json!({"type": "content_block_start", "index": index, "content_block": block})).to_vec();
        for part in ["", first, second] {
            let delta = json!({"type": "input_json_delta", "partial_json": part});
            bytes.extend(said(&json!({"type": "content_block_delta", "index": index, "delta": delta})));
        }
        bytes.extend(stopped(index));
        bytes.into()
    };
    let calls = reply.calls.iter().enumerate().map(call);
    if reply.calls.is_empty() { Vec::new() } else { [stopped(0)].into_iter().chain(calls).collect() }
}

fn reason(reply: &Reply) -> &'static str {
    if reply.calls.is_empty() { "end_turn" } else { "tool_use" }
}

fn last(reason: &str, output_tokens: usize) -> Vec<u8> {
    let delta = json!({"stop_reason": reason, "stop_sequence": null});
    let usage = json!({"output_tokens": output_tokens});
    let delta = said(&json!({"type": "message_delta", "delta": delta, "usage": usage}));
    [delta, said(&json!({"type": "message_stop"}))].concat()
}

pub(super) fn closing(reply: &Reply, end: &End) -> Bytes {
    let mut bytes = if reply.calls.is_empty() { stopped(0).to_vec() } else { Vec::new() };
    bytes.extend(last(reason(reply), end.output_tokens));
    bytes.into()
}

pub(super) fn wrong_finish(reason: Option<&str>) -> Bytes {
    [stopped(0).to_vec(), last(reason.unwrap_or("refusal"), 0)].concat().into()
}

pub(super) fn error(said: &str) -> Value {
    json!({"type": "error", "error": {"type": "overloaded_error", "message": said}, "request_id": "req_twin"})
}

pub(super) fn whole(reply: &Reply, end: &End) -> Value {
    let mut content = Vec::new();
    if !reply.text.is_empty() {
        content.push(json!({"type": "text", "text": reply.text}));
    }
    for (index, call) in reply.calls.iter().enumerate() {
        let id = id(end, index);
        content.push(json!({"type": "tool_use", "id": id, "name": call.name, "input": call.arguments}));
    }
    json!({
        "id": "msg_twin", "type": "message", "role": "assistant", "model": end.model, "content": content,
        "stop_reason": reason(reply), "stop_sequence": null,
        "usage": {"input_tokens": end.input_tokens, "output_tokens": end.output_tokens},
    })
}
