//! Every provider with every fault: what comes before it, and what it is called.

use std::time::Duration;

use futures_util::StreamExt;
use models_mind::tier::ChatTier;
use models_providers::Kind;
use models_twin::{Change, Faulty, Rule};
use tokio::time::timeout;

use crate::support::{
    DEADLINE, ask, heard, heard_before_stall, pair, provider, question, says, short, twin, until,
};

/// A fault, and what is heard with it. What `usage` a provider tells differs by nothing: the question is one word.
fn cases() -> Vec<(Faulty, &'static str)> {
    let status = |status, retry_after: Option<&str>, retry_after_ms: Option<&str>| Faulty::Status {
        status,
        retry_after: retry_after.map(str::to_owned),
        retry_after_ms: retry_after_ms.map(str::to_owned),
    };
    let reason = |reason: &str| Faulty::WrongFinish { after: 1, reason: Some(reason.to_owned()) };
    vec![
        (Faulty::Refused, "Refused"),
        (Faulty::HangUp, "Cut"),
        (status(401, None, None), "Unauthorized"),
        (status(403, None, None), "Unauthorized"),
        (status(429, Some("7"), None), "RateLimited 7000ms"),
        (status(429, Some("7"), Some("250")), "RateLimited 250ms"),
        (status(429, Some("Sun, 06 Nov 1994 08:49:37 GMT"), None), "RateLimited 0ms"),
        (status(429, Some("Fri, 06 Nov 2150 08:49:37 GMT"), None), "RateLimited 86400000ms"),
        (status(429, None, None), "RateLimited"),
        (status(400, None, None), "Rejected"),
        (status(404, None, None), "Rejected"),
        (status(500, None, None), "Server"),
        (status(503, Some("2"), None), "Server 2000ms"),
        (status(529, None, None), "Server"),
        (status(302, None, None), "Malformed"),
        (Faulty::StallFirst, "connected"),
        (Faulty::StallBetween { after: 2 }, "connected|One |two "),
        (Faulty::Cut { after: 0 }, "connected|Cut"),
        (Faulty::Cut { after: 2 }, "connected|One |two |Cut"),
        (Faulty::Malformed { after: 0 }, "connected|Malformed"),
        (Faulty::Malformed { after: 2 }, "connected|One |two |Malformed"),
        (Faulty::BrokenUtf8 { after: 1 }, "connected|One |Malformed"),
        (Faulty::InBand { after: 0 }, "connected|InBand"),
        (Faulty::InBand { after: 3 }, "connected|One |two |three |InBand"),
        (Faulty::Empty, "connected|Empty"),
        (Faulty::WrongFinish { after: 2, reason: None }, "connected|One |two |WrongFinish"),
        (reason("something_new"), "connected|One |WrongFinish"),
        (Faulty::NoFinish, "connected|One |two |three |four.|Cut"),
        (Faulty::HugeLine { bytes: None }, "connected|Malformed"),
        (Faulty::HugeLine { bytes: Some(40_000_000) }, "connected|Malformed"),
    ]
}

async fn every_fault_of(kind: Kind) {
    let (twin, provider) = pair(kind).await;
    for (fault, expected) in cases() {
        twin.fault(Some(fault.clone().into())).await;
        let mut answer = provider.ask(question("Hello"));
        let found = match fault {
            Faulty::StallFirst | Faulty::StallBetween { .. } => {
                heard_before_stall(&mut answer, expected.split('|').count()).await
            }
            _ => heard(&mut answer).await,
        };
        assert_eq!(short(&found), expected, "{kind:?} with {fault:?}");
        twin.fault(None).await;
        let found = short(&ask(&provider, "Hello").await);
        assert_eq!(found, "connected|One |two |three |four.|Stop 1/4", "{kind:?} after {fault:?}");
    }
}

#[tokio::test]
async fn every_fault_of_ollama_has_its_name() {
    every_fault_of(Kind::Ollama).await;
}

#[tokio::test]
async fn every_fault_of_openai_has_its_name() {
    every_fault_of(Kind::OpenAi).await;
}

#[tokio::test]
async fn every_fault_of_claude_has_its_name() {
    every_fault_of(Kind::Claude).await;
}

#[tokio::test]
async fn every_fault_of_gemini_has_its_name() {
    every_fault_of(Kind::Gemini).await;
}

#[tokio::test]
async fn ends_that_are_not_the_default_fault_are_refusals_too() {
    // What each provider calls it when it would not answer, or could not.
    let cases = [
        (Kind::OpenAi, &["content_filter", "insufficient_system_resource"][..]),
        (Kind::Claude, &["refusal", "pause_turn"]),
        (Kind::Gemini, &["SAFETY", "RECITATION", "PROHIBITED_CONTENT", "MALFORMED_FUNCTION_CALL", "OTHER"]),
        (Kind::Ollama, &["load", "unload"]),
    ];
    for (kind, reasons) in cases {
        let (twin, provider) = pair(kind).await;
        for reason in reasons {
            let fault = Faulty::WrongFinish { after: 0, reason: Some((*reason).to_owned()) };
            twin.fault(Some(fault.into())).await;
            let found = ask(&provider, "Hello").await;
            assert_eq!(short(&found), "connected|WrongFinish", "{kind:?} {reason}");
            let said = found.last().unwrap().as_ref().unwrap_err().to_string();
            assert!(said.contains(reason), "{said}");
        }
    }
}

#[tokio::test]
async fn nobody_there_is_refused_whether_by_name_or_by_port() {
    for kind in Kind::ALL {
        let port = twin(kind).await.address().port();
        let gone = provider(kind, &format!("http://127.0.0.1:{port}/"));
        assert_eq!(short(&ask(&gone, "Hello").await), "Refused");
        let unknown = provider(kind, "http://no-such-host.invalid/v1");
        assert_eq!(short(&ask(&unknown, "Hello").await), "Refused");
        let (twin, _) = pair(kind).await;
        let tls = provider(kind, &format!("https://127.0.0.1:{}/", twin.address().port()));
        assert_eq!(short(&ask(&tls, "Hello").await), "Refused", "no TLS there");
    }
}

#[tokio::test]
async fn nothing_is_sent_before_the_stream_is_polled() {
    let (twin, provider) = pair(Kind::OpenAi).await;
    let answer = provider.ask(question("Hello"));
    tokio::task::yield_now().await;
    drop(answer);
    assert_eq!(short(&ask(&provider, "Hello").await).split('|').next(), Some("connected"));
    assert_eq!(twin.requests(), 1);
}

#[tokio::test]
async fn the_head_comes_before_the_first_word() {
    for kind in Kind::ALL {
        let (twin, provider) = pair(kind).await;
        twin.change(Change { think_ms: Some(600_000), ..Change::default() }).await;
        let mut answer = provider.ask(question("Hello"));
        let first = timeout(DEADLINE, answer.next()).await.expect("a head");
        assert_eq!(short(&[first.unwrap()]), "connected", "{kind:?}");
    }
}

#[tokio::test]
async fn no_head_is_no_connection() {
    let (twin, provider) = pair(Kind::OpenAi).await;
    twin.fault(Some(Faulty::StallHead.into())).await;
    let mut answer = provider.ask(question("Hello"));
    assert!(timeout(Duration::from_millis(60), answer.next()).await.is_err());
    drop(answer);
    until("the twin sees it", || twin.dropped_by_client() == 1 && twin.under_way() == 0).await;
}

#[tokio::test]
async fn a_stream_that_is_dropped_ends_the_work() {
    for kind in Kind::ALL {
        for fault in [Faulty::StallFirst, Faulty::StallBetween { after: 1 }, Faulty::Endless] {
            let (twin, provider) = pair(kind).await;
            twin.fault(Some(fault.into())).await;
            let mut answer = provider.ask(question("Hello"));
            timeout(DEADLINE, answer.next()).await.expect("a head");
            assert_eq!((twin.under_way(), twin.dropped_by_client()), (1, 0), "{kind:?}");
            drop(answer);
            until("the twin sees it", || twin.dropped_by_client() == 1 && twin.under_way() == 0).await;
        }
    }
}

#[tokio::test]
async fn a_fault_of_a_connection_is_not_carried_to_the_next_question() {
    for kind in Kind::ALL {
        let (twin, provider) = pair(kind).await;
        for _ in 0..5 {
            assert!(short(&ask(&provider, "Hello").await).ends_with("Stop 1/4"));
        }
        assert_eq!(
            (twin.connections(), twin.dropped_by_client()),
            (1, 0),
            "one connection serves all: {kind:?}"
        );
        twin.fault(Some(Faulty::Refused.into())).await;
        assert_eq!(short(&ask(&provider, "Hello").await), "Refused", "{kind:?}");
        twin.fault(None).await;
        assert!(short(&ask(&provider, "Hello").await).ends_with("Stop 1/4"));
    }
}

#[tokio::test]
async fn characters_may_be_cut_by_the_ends_of_pieces() {
    let text = "Grüße, 🤖 — naïve Ωmega.";
    for kind in Kind::ALL {
        let (twin, provider) = pair(kind).await;
        let rule = Rule { calls: vec![call("lights", "blü")], ..says(text) };
        for piece_bytes in [1, 2, 3, 7, 64] {
            twin.change(Change {
                script: Some(vec![rule.clone()]),
                piece_bytes: Some(piece_bytes),
                ..Change::default()
            })
            .await;
            let found = short(&heard(&mut provider.ask(question("Hello"))).await).replace('|', "");
            let expected = format!("connected{text}lights({{\"color\":\"blü\"}})Calls 1/6");
            assert_eq!(found, expected, "{kind:?} in pieces of {piece_bytes}");
        }
    }
}

fn call(name: &str, color: &str) -> models_twin::Call {
    models_twin::Call { name: name.to_owned(), arguments: serde_json::json!({"color": color}) }
}
