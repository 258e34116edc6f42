//! `/v1` as OpenAI's clients know it, member by member.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use models_mind::tier::{FailureKind, Finish, Message};
use serde_json::{Value, json};

use super::rig::{QUESTION, Rig, content};
use super::script::{Script, Step, answer, calls, say};

/// The data of each event; the last is no JSON.
fn chunks(text: Vec<(String, String)>) -> (Vec<Value>, String) {
    let mut data: Vec<String> = text
        .into_iter()
        .map(|(name, data)| {
            assert_eq!(name, "", "OpenAI names no events");
            data
        })
        .collect();
    let last = data.pop().unwrap();
    (data.iter().map(|data| serde_json::from_str(data).unwrap()).collect(), last)
}

fn weather() -> Value {
    json!([{ "type": "function", "function": { "name": "weather", "description": "Tells it.",
        "parameters": { "type": "object", "properties": { "town": { "type": "string" } } } } }])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_answer_has_every_member() {
    let script = Script::always(answer("Heat flows. Disorder grows."));
    let rig = Rig::start(&[&script]);
    let mut reply = rig.complete(QUESTION, json!({})).send().await.expect(200).json();
    let (id, created) = (reply["id"].take(), reply["created"].take());
    assert!(id.as_str().is_some_and(|id| id.starts_with("chatcmpl-") && id.len() > 20), "{id}");
    assert!(created.as_i64().is_some_and(|at| at > 1_700_000_000), "{created}");
    let message = json!({ "role": "assistant", "content": "Heat flows. Disorder grows.", "refusal": null });
    assert_eq!(
        reply,
        json!({ "id": null, "created": null, "object": "chat.completion", "model": "robbie", "tier": "ollama",
            "choices": [{ "index": 0, "message": message, "finish_reason": "stop", "logprobs": null }],
            "usage": { "prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18 } })
    );
    assert_eq!(
        script.asked()[0].messages,
        [Message::User(QUESTION.to_owned())],
        "and nothing of ours beside it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_has_its_chunks_in_order() {
    // The role, the words, why it ended, what it took where that was asked, and the end.
    let script = Script::always(answer("Heat flows. Disorder grows."));
    let rig = Rig::start(&[&script]);
    for wants_usage in [false, true] {
        let others = json!({ "stream": true, "stream_options": { "include_usage": wants_usage } });
        let (chunks, last) = chunks(rig.complete(QUESTION, others).send().await.expect(200).events());
        assert_eq!(last, "[DONE]");
        let ids: Vec<&Value> = chunks.iter().map(|chunk| &chunk["id"]).collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        assert!(
            chunks
                .iter()
                .all(|chunk| chunk["object"] == "chat.completion.chunk" && chunk["model"] == "robbie")
        );
        assert!(chunks.iter().all(|chunk| chunk["created"].is_i64()));
        let (usage, words) = chunks.split_at(chunks.len() - usize::from(wants_usage));
        let (words, usage) = (usage, words);
        // Where usage is asked for, every other chunk has it as null; else none has it.
        assert!(
            words.iter().all(|chunk| chunk.get("usage") == wants_usage.then_some(&Value::Null)),
            "{words:?}"
        );
        assert_eq!(
            words[0]["choices"],
            json!([{ "index": 0, "delta": { "role": "assistant", "content": "" }, "finish_reason": null, "logprobs": null }])
        );
        let text: String =
            words.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect();
        assert_eq!(text, "Heat flows. Disorder grows.");
        let end = words.last().unwrap();
        assert_eq!(
            end["choices"],
            json!([{ "index": 0, "delta": {}, "finish_reason": "stop", "logprobs": null }])
        );
        assert!(words[..words.len() - 1].iter().all(|chunk| chunk["choices"][0]["finish_reason"].is_null()));
        if let [usage] = usage {
            let took = json!({ "prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18 });
            assert_eq!((&usage["choices"], &usage["usage"]), (&json!([]), &took));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_go_out_and_their_results_come_in_and_nothing_is_carried_out() {
    let made = [("call_1", "drive", json!({ "distance_m": 0.5 })), ("call_2", "weather", Value::Null)];
    let script = Script::lines(vec![calls(&made), calls(&made), answer("It rains.")]);
    let rig = Rig::start(&[&script]);
    let reply = rig.complete(QUESTION, json!({ "tools": weather() })).send().await.expect(200).json();
    let choice = &reply["choices"][0];
    // A call without arguments has an empty object, which every client can read.
    let called = json!([
        { "id": "call_1", "type": "function", "function": { "name": "drive", "arguments": "{\"distance_m\":0.5}" } },
        { "id": "call_2", "type": "function", "function": { "name": "weather", "arguments": "{}" } }]);
    assert_eq!(
        (&choice["finish_reason"], &choice["message"]["content"]),
        (&json!("tool_calls"), &Value::Null)
    );
    assert_eq!(choice["message"]["tool_calls"], called);
    let others = json!({ "tools": weather(), "stream": true });
    let (chunks, last) = chunks(rig.complete(QUESTION, others).send().await.expect(200).events());
    let delta = chunks
        .iter()
        .find_map(|chunk| chunk["choices"][0]["delta"].get("tool_calls"))
        .expect("calls")
        .clone();
    let (mut first, mut second) = (called[0].clone(), called[1].clone());
    (first["index"], second["index"]) = (json!(0), json!(1));
    assert_eq!((delta, last.as_str()), (json!([first, second]), "[DONE]"));
    assert_eq!(chunks.last().unwrap()["choices"][0]["finish_reason"], "tool_calls");
    // What an app sends back, as OpenAI's own clients write it: nulls where there is nothing.
    let mut message = choice["message"].clone();
    message["function_call"] = Value::Null;
    let messages = json!([{ "role": "system", "content": "Be short." }, { "role": "user", "content": [{ "type": "text", "text": QUESTION }] },
        message, { "role": "tool", "tool_call_id": "call_2", "content": "rain" }, { "role": "tool", "tool_call_id": "call_1", "content": "done" },
        { "role": "assistant", "content": "Hm.", "tool_calls": null }, { "role": "user", "content": "And?" }]);
    let body = json!({ "model": "robbie", "messages": messages, "tools": weather(), "stream": null, "stop": null, "temperature": null, "stream_options": null });
    let reply = rig.ask("POST", "/v1/chat/completions").json(&body).send().await.expect(200);
    assert_eq!(content(&reply), "It rains.");
    let asked = script.asked();
    let asked = &asked[2].messages;
    assert_eq!(asked[0], Message::System("Be short.".to_owned()));
    let result = |id: &str, name: &str, content: &str| Message::Result {
        id: id.to_owned(),
        name: name.to_owned(),
        content: content.to_owned(),
    };
    assert_eq!(asked[3..5], [result("call_2", "weather", "rain"), result("call_1", "drive", "done")]);
    assert_eq!((rig.legs.done(), rig.notes().await), (Vec::new(), Vec::new()));
    let talks = rig.ask("GET", "/api/conversations").send().await.expect(200).json();
    assert_eq!(talks, json!([]), "nothing is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_break_in_the_middle_is_mended_or_told() {
    let broken = || Script::always(vec![say("Heat flows. Dis"), Step::Fail(FailureKind::Cut)]);
    let second = Script::always(answer("Disorder grows."));
    let rig = Rig::start(&[&broken(), &second]);
    let (chunks, last) =
        chunks(rig.complete(QUESTION, json!({ "stream": true })).send().await.expect(200).events());
    let text: String =
        chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect();
    assert_eq!((text.as_str(), last.as_str()), ("Heat flows. Disorder grows.", "[DONE]"));
    let rig = Rig::start(&[&broken()]);
    let events = rig.complete(QUESTION, json!({ "stream": true })).send().await.expect(200).events();
    let last: Value = serde_json::from_str(&events.last().unwrap().1).expect("an error, and no [DONE]");
    assert!(last["error"]["message"].as_str().is_some_and(|message| message.contains("Ollama")), "{last}");
    assert!(
        events.iter().all(|(_, data)| data != "[DONE]" && !data.contains("\"finish_reason\":\"stop\"")),
        "{events:?}"
    );
    let whole = rig.complete(QUESTION, json!({})).send().await;
    assert_eq!(whole.status, 503, "half an answer is none");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_ends_the_work_upstream() {
    let script =
        Script::lines(vec![vec![say("Heat flows. And "), Step::Hang], vec![Step::Hang], answer("Well.")]);
    let rig = Rig::start(&[&script]);
    let mut heard = rig.complete(QUESTION, json!({ "stream": true })).listen().await;
    assert!(heard.head.contains("text/event-stream"), "{}", heard.head);
    heard.next().await.unwrap();
    drop(heard);
    script.until_dropped(1).await;
    let open = rig.complete(QUESTION, json!({})).leave_open().await;
    script.until_asked(2).await;
    drop(open);
    script.until_dropped(2).await;
    assert_eq!(content(&rig.complete(QUESTION, json!({})).send().await.expect(200)), "Well.");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_cut_says_so() {
    let script = Script::always(vec![say("Heat fl"), Step::End(Finish::Length)]);
    let rig = Rig::start(&[&script]);
    let ask = json!({ "max_tokens": 2, "temperature": 0.5, "top_p": 0.9, "stop": ["\n"] });
    let reply = rig.complete(QUESTION, ask).send().await.expect(200);
    assert_eq!(
        (reply.json()["choices"][0]["finish_reason"].as_str(), content(&reply)),
        (Some("length"), "Heat fl".to_owned())
    );
    let options = script.asked()[0].options.clone();
    assert_eq!(
        (options.max_tokens, options.temperature, options.top_p, options.stop),
        (Some(2), Some(0.5), Some(0.9), vec!["\n".to_owned()])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_models_are_listed() {
    let rig = Rig::start(&[]);
    let model = |id: &str| json!({ "id": id, "object": "model", "created": 0, "owned_by": "robbie" });
    let all = rig.ask("GET", "/v1/models").send().await.expect(200).json();
    assert_eq!(all, json!({ "object": "list", "data": [model("robbie"), model("lexical")] }));
    assert_eq!(rig.ask("GET", "/v1/models/robbie").send().await.expect(200).json(), model("robbie"));
    let none = rig.ask("GET", "/v1/models/gpt-9").send().await.expect(404).json();
    assert!(none["error"]["message"].as_str().is_some_and(|message| message.len() > 10), "{none}");
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_become_vectors_in_both_forms() {
    let rig = Rig::start(&[]);
    let embed = |body: Value| rig.ask("POST", "/v1/embeddings").json(&body);
    let floats = embed(json!({ "model": "robbie", "input": ["heat", "cold"], "dimensions": 384 }))
        .send()
        .await
        .expect(200)
        .json();
    assert_eq!((&floats["object"], &floats["model"]), (&json!("list"), &json!("lexical")));
    let vector: Vec<f32> = serde_json::from_value(floats["data"][1]["embedding"].clone()).unwrap();
    assert_eq!(
        (vector.len(), &floats["data"][1]["index"], &floats["data"][1]["object"]),
        (384, &json!(1), &json!("embedding"))
    );
    let packed = embed(json!({ "model": "lexical", "input": "cold", "encoding_format": "base64" }))
        .send()
        .await
        .expect(200)
        .json();
    let bytes = BASE64_STANDARD.decode(packed["data"][0]["embedding"].as_str().unwrap()).unwrap();
    let unpacked: Vec<f32> = bytes.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect();
    assert_eq!(unpacked, vector);
    let refused: [(Value, u16); 9] = [
        (json!({ "model": "robbie", "input": [] }), 400),
        (json!({ "model": "robbie", "input": "" }), 400),
        (json!({ "model": "robbie", "input": [1, 2] }), 400),
        (json!({ "model": "robbie" }), 400),
        (json!({ "model": "gpt", "input": "x" }), 404),
        (json!({ "model": "robbie", "input": "x", "encoding_format": "int8" }), 400),
        (json!({ "model": "robbie", "input": "x", "dimensions": 256 }), 422),
        (json!({ "model": "robbie", "input": vec!["x"; 65] }), 413),
        (json!({ "model": "robbie", "input": "x".repeat(33_000) }), 413),
    ];
    for (body, status) in refused {
        let reply = embed(body).send().await.expect(status).json();
        assert!(reply["error"]["message"].is_string() && reply["detail"].is_string(), "{reply}");
    }
}
