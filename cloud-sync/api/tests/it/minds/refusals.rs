//! What `/v1` refuses, in the words of a problem and in OpenAI's, and who may ask at all.

use cloud_sync_api::scope::{Scope, Scopes};
use cloud_sync_api::secrets;
use cloud_sync_api::tokens::Credential;
use serde_json::{Value, json};

use super::client::{Ask, Reply};
use super::rig::{QUESTION, Rig, content};
use super::script::{Script, answer};

const PATH: &str = "/v1/chat/completions";

/// Both forms of a refusal say the same.
#[track_caller]
fn check(reply: &Reply, status: u16, kind: &str) {
    assert_eq!(reply.status, status, "{}", reply.text());
    let json = reply.json();
    assert_eq!(json["type"], format!("/problems/{kind}"), "{json}");
    assert_eq!(json["error"]["message"], json["detail"], "{json}");
    assert_eq!((&json["error"]["code"], &json["error"]["type"]), (&json!(kind), &json!(kind)), "{json}");
    assert_eq!(json["error"]["param"], json["field"], "{json}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_has_both_forms_and_asks_nobody() {
    let script = Script::always(answer("Yes."));
    let rig = Rig::start(&[&script]);
    let reader = rig.as_user("reader", &[Scope::Read]);
    let body = json!({ "model": "robbie", "messages": [{ "role": "user", "content": QUESTION }] });
    let ask = |token: &str| Ask::new(rig.town.address, "POST", PATH, token).json(&body);
    check(&ask("nonsense").send().await, 401, "no-token");
    check(&ask(&reader).send().await, 403, "no-right");
    check(&ask(&rig.owner).header("origin", "https://evil.example").send().await, 403, "no-right");
    check(&rig.ask("GET", PATH).send().await, 405, "wrong-method");
    check(&rig.ask("POST", PATH).body(vec![b' '; 1_000_000]).send().await, 413, "too-long");
    check(&rig.complete(&"x".repeat(1_000_000), json!({})).send().await, 413, "too-long");
    let user = |content: Value| json!([{ "role": "user", "content": content }]);
    let tool = |name: &str| json!({ "type": "function", "function": { "name": name } });
    let cases: Vec<(Value, u16)> = vec![
        (json!({ "model": "gpt-5" }), 404),
        (json!({ "messages": [] }), 400),
        (json!({ "messages": "hello" }), 400),
        (json!({ "messages": [{ "role": "wizard", "content": "x" }] }), 400),
        (json!({ "messages": [{ "content": "x" }] }), 400),
        (json!({ "messages": [{ "role": "tool", "content": "x", "tool_call_id": "unknown" }] }), 400),
        (json!({ "messages": user(json!([{ "type": "image_url", "image_url": { "url": "x" } }])) }), 400),
        (json!({ "messages": user(json!(7)) }), 400),
        (json!({ "messages": vec![json!({ "role": "user", "content": "x" }); 257] }), 413),
        (json!({ "tools": vec![tool("x"); 256] }), 413),
        (json!({ "tools": [tool("")] }), 400),
        (json!({ "tools": [tool("../../etc/passwd")] }), 400),
        (json!({ "tools": [tool("naïve")] }), 400),
        (json!({ "tools": [tool(&"x".repeat(65))] }), 400),
        (json!({ "tools": [{ "type": "function", "function": { "name": "x", "parameters": [] } }] }), 400),
        (json!({ "tool_choice": "required" }), 400),
        (json!({ "tool_choice": { "type": "function", "function": { "name": "x" } } }), 400),
        (json!({ "temperature": 2.1 }), 422),
        (json!({ "temperature": -0.1 }), 422),
        (json!({ "top_p": 1.5 }), 422),
        (json!({ "max_tokens": 0 }), 422),
        (json!({ "max_completion_tokens": 8193 }), 422),
        (json!({ "max_tokens": -1 }), 400),
        (json!({ "n": 2 }), 422),
        (json!({ "stop": vec!["x"; 5] }), 413),
        (json!({ "stream": "yes" }), 400),
        (json!({ "response_format": { "type": "json_object" } }), 400),
        (json!({ "user": "x".repeat(65) }), 413),
    ];
    for (others, status) in cases {
        let kind = match status {
            404 => "not-found",
            413 => "too-long",
            422 => "out-of-range",
            _ => "bad-request",
        };
        check(&rig.complete(QUESTION, others).send().await, status, kind);
    }
    let raw = |body: &[u8]| rig.ask("POST", PATH).body(body);
    let deep = [b"{\"model\":\"robbie\",\"messages\":".as_slice(), &vec![b'['; 100_000]].concat();
    let broken = b"{\"model\":\"robbie\",\"messages\":[{\"role\":\"user\",\"content\":\"\xff\xfe\"}]}";
    for body in [b"".as_slice(), b"nonsense", b"[]", b"{}", broken, &deep] {
        check(&raw(body).send().await, 400, "bad-request");
    }
    assert_eq!(script.times(), 0);
    // All that is allowed at once, odd letters included, is asked.
    let odd = json!({ "tools": vec![tool("a-Z_09"); 64], "tool_choice": "none", "user": "x\0y \u{202e}", "seed": 3, "metadata": {} });
    rig.complete("\0\u{202e}🙂 <|im_start|>", odd).send().await.expect(200);
    assert_eq!((script.times(), script.asked()[0].tools.len()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_there_is_told_with_the_reasons() {
    let rig = Rig::start(&[]);
    for others in [json!({}), json!({ "stream": true })] {
        let reply = rig.complete(QUESTION, others).send().await;
        check(&reply, 503, "tier-down");
    }
    let (one, two) = (Script::dead(), Script::dead());
    let rig = Rig::start(&[&one, &two]);
    let reply = rig.complete(QUESTION, json!({ "stream": true })).send().await;
    check(&reply, 503, "tier-down");
    let tiers: Vec<Value> = reply.json()["tiers"].as_array().unwrap().clone();
    assert_eq!(tiers.iter().map(|tier| &tier["tier"]).collect::<Vec<_>>(), ["ollama", "openai"], "{tiers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paired_robot_may_ask_and_may_nothing_else() {
    let script = Script::always(answer("Yes."));
    let rig = Rig::start(&[&script]);
    let secret = "rbt_device_secret_of_a_pairing_0123456789abcdef";
    let device = Credential {
        id: "device".to_owned(),
        name: "robbie-1".to_owned(),
        hash: secrets::hash_of(secret.as_bytes()),
        scopes: Scopes::of(&[]),
        class: agent_core::caller::Class::Ai,
        user_id: "owner".to_owned(),
        home: None,
        device: Some("robbie-1".parse().unwrap()),
    };
    rig.town.tokens.tokens.replace([device]);
    let ask = |method: &str, path: &str| Ask::new(rig.town.address, method, path, secret);
    let body = json!({ "model": "robbie", "messages": [{ "role": "user", "content": QUESTION }] });
    let answered = ask("POST", PATH).json(&body).send().await.expect(200);
    assert_eq!(content(&answered), "Yes.");
    ask("GET", "/v1/models").send().await.expect(200);
    ask("POST", "/v1/embeddings").json(&json!({ "model": "robbie", "input": "x" })).send().await.expect(200);
    let closed = [
        ("POST", "/api/chat"),
        ("GET", "/api/ai/tiers"),
        ("GET", "/api/sticky-notes/"),
        ("POST", "/api/sticky-notes/"),
        ("GET", "/api/personality"),
        ("POST", "/api/mood/update"),
        ("GET", "/api/conversations"),
        ("GET", "/api/memory/search?q=x"),
    ];
    for (method, path) in closed {
        let refused = ask(method, path).json(&json!({ "message": "stop", "content": "x" })).send().await;
        assert_eq!(refused.status, 403, "{method} {path}: {}", refused.text());
    }
    assert_eq!(script.times(), 1);
}
