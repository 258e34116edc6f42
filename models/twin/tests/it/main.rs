//! Twins as their clients and those who control them see them.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use models_mind::prompt::CONTINUE;
use models_twin::{Control, Kind, Twin};
use serde_json::{Value, json};

const DEADLINE: Duration = Duration::from_secs(10);

async fn twin(kind: Kind) -> Twin {
    Twin::start(kind, free()).await.expect("a free port")
}

fn free() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

fn http() -> reqwest::Client {
    rustls::crypto::ring::default_provider().install_default().ok();
    reqwest::Client::builder().no_proxy().tls_certs_only([]).timeout(DEADLINE).build().expect("a client")
}

async fn send(request: reqwest::RequestBuilder) -> (u16, String) {
    let response = request.send().await.expect("an answer");
    (response.status().as_u16(), response.text().await.expect("a body"))
}

async fn put(url: &str, body: Value) -> u16 {
    send(http().put(url).body(body.to_string())).await.0
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// Path and body of a question, by whom it goes to.
fn question(kind: Kind, stream: bool, turns: &[(&str, &str)]) -> (String, Value) {
    let plain: Vec<Value> = turns.iter().map(|(role, text)| json!({"role": role, "content": text})).collect();
    match kind {
        Kind::Ollama => ("api/chat".to_owned(), json!({"model": "m", "messages": plain, "stream": stream})),
        Kind::OpenAi => {
            ("chat/completions".to_owned(), json!({"model": "m", "messages": plain, "stream": stream}))
        }
        Kind::Claude => (
            "messages".to_owned(),
            json!({"model": "m", "max_tokens": 9, "messages": plain, "stream": stream}),
        ),
        Kind::Gemini => {
            let role = |role: &str| if role == "assistant" { "model".to_owned() } else { role.to_owned() };
            let turns: Vec<Value> = turns
                .iter()
                .map(|(who, text)| json!({"role": role(who), "parts": [{"text": text}]}))
                .collect();
            let what = if stream { "streamGenerateContent?alt=sse" } else { "generateContent" };
            (format!("models/m:{what}"), json!({"contents": turns}))
        }
    }
}

async fn ask(twin: &Twin, stream: bool, turns: &[(&str, &str)]) -> (u16, String) {
    let (path, body) = question(twin.kind(), stream, turns);
    send(http().post(twin.url() + &path).body(body.to_string())).await
}

/// The words in a whole answer.
fn said(kind: Kind, body: &str) -> String {
    let body = parsed(body);
    let text = match kind {
        Kind::Ollama => &body["message"]["content"],
        Kind::OpenAi => &body["choices"][0]["message"]["content"],
        Kind::Claude => &body["content"][0]["text"],
        Kind::Gemini => &body["candidates"][0]["content"]["parts"][0]["text"],
    };
    text.as_str().expect("words").to_owned()
}

#[tokio::test]
async fn without_a_script_it_says_that_it_stands_in_and_repeats_the_question() {
    for kind in Kind::ALL {
        let twin = twin(kind).await;
        let (status, body) = ask(&twin, false, &[("user", "How are you?")]).await;
        let text = said(kind, &body);
        assert_eq!(status, 200, "{kind:?}");
        assert!(text.contains(kind.name()) && text.contains("You said: How are you?"), "{text}");
        let (_, streamed) = ask(&twin, true, &[("user", "How are you?")]).await;
        assert!(streamed.contains("are") && streamed.len() > body.len(), "{kind:?}: {streamed}");
    }
}

#[tokio::test]
async fn a_script_and_a_fault_come_over_http_and_the_report_says_what_was_asked() {
    for kind in Kind::ALL {
        let twin = twin(kind).await;
        let control = format!("http://{}/twin", twin.address());
        let script = json!([{"contains": "weather", "text": "Rain."}, {"text": "Hm."}]);
        assert_eq!(put(&control, json!({"script": script})).await, 200);
        assert_eq!(said(kind, &ask(&twin, false, &[("user", "The WEATHER?")]).await.1), "Rain.");
        assert_eq!(said(kind, &ask(&twin, false, &[("user", "Else")]).await.1), "Hm.");
        let fault = json!({"kind": "status", "status": 429, "retry_after": "3", "times": 2});
        assert_eq!(put(&control, json!({"fault": fault})).await, 200);
        for status in [429, 429, 200] {
            assert_eq!(ask(&twin, false, &[("user", "Else")]).await.0, status, "{kind:?}");
        }
        put(&control, json!({"fault": {"kind": "hang_up"}, "key": "right"})).await;
        put(&control, json!({"fault": null})).await;
        assert_eq!(ask(&twin, false, &[("user", "A last one")]).await.0, 401, "no key came");
        let report = parsed(&send(http().get(&control)).await.1);
        assert_eq!((&report["requests"], &report["under_way"]), (&json!(6), &json!(0)), "{report}");
        assert_eq!(report["last"]["messages"], json!([{"User": "A last one"}]), "{report}");
        assert_eq!(report["last"]["key_was_right"], false);
        assert_eq!(put(&control, json!({"falut": null})).await, 400, "a slip of the pen is said");
    }
}

#[tokio::test]
async fn it_goes_on_with_a_broken_answer() {
    for kind in Kind::ALL {
        let twin = twin(kind).await;
        let control = format!("http://{}/twin", twin.address());
        put(&control, json!({"script": [{"contains": "count", "text": "One two three four."}]})).await;
        let turns = [("user", "Count"), ("assistant", "One two"), ("user", CONTINUE)];
        assert_eq!(said(kind, &ask(&twin, false, &turns).await.1), " three four.", "{kind:?}");
        put(&control, json!({"overlap_words": 1})).await;
        assert_eq!(said(kind, &ask(&twin, false, &turns).await.1), "two three four.", "{kind:?}");
        put(&control, json!({"restarts": true})).await;
        assert_eq!(said(kind, &ask(&twin, false, &turns).await.1), "One two three four.", "{kind:?}");
    }
}

#[tokio::test]
async fn who_refuses_listens_again_on_the_same_port() {
    let twins = [twin(Kind::OpenAi).await, twin(Kind::Claude).await];
    let control = Control::start(free(), &twins).await.expect("a free port");
    let [openai, claude] = [Kind::OpenAi, Kind::Claude].map(|kind| control.url() + kind.as_str());
    for _ in 0..5 {
        assert_eq!(put(&openai, json!({"fault": {"kind": "refused"}})).await, 200);
        let (path, body) = question(Kind::OpenAi, false, &[("user", "Hello")]);
        let refused = http().post(twins[0].url() + &path).body(body.to_string()).send().await;
        assert!(refused.expect_err("nobody listens").is_connect());
        assert_eq!(ask(&twins[1], false, &[("user", "Hello")]).await.0, 200, "the other one stays");
        assert_eq!(put(&openai, json!({"fault": null})).await, 200);
        assert_eq!(ask(&twins[0], false, &[("user", "Hello")]).await.0, 200);
    }
    assert_eq!(parsed(&send(http().get(&claude)).await.1)["requests"], 5);
    // Told over its own connection it answers first.
    let own = format!("http://{}/twin", twins[0].address());
    assert_eq!(put(&own, json!({"fault": {"kind": "refused"}})).await, 200);
    let refused = async {
        while http().get(&own).send().await.is_ok_and(|answer| answer.status() == 200) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(DEADLINE, refused).await.expect("it closes");
}

#[tokio::test]
async fn what_is_no_question_is_said_to_be_none() {
    for kind in Kind::ALL {
        let twin = twin(kind).await;
        let (path, _) = question(kind, true, &[]);
        assert_eq!(send(http().post(twin.url() + &path).body("{}")).await.0, 400, "{kind:?}");
        assert_eq!(send(http().post(twin.url() + &path).body("no")).await.0, 400, "{kind:?}");
        assert_eq!(send(http().post(twin.url() + "nowhere")).await.0, 404, "{kind:?}");
        assert_eq!(send(http().get(twin.url() + "nowhere")).await.0, 404, "{kind:?}");
    }
}
