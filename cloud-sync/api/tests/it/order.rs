//! The first failing check answers, in the order of the contract.

use std::sync::atomic::Ordering;

use agent_core::caller::Class;
use cloud_sync_api::rate::{Limit, Limits};
use cloud_sync_api::scope::Scope;

use crate::support::{Setup, bearer, start};

const GOOD: &[u8] = br#"{"linear_mps":0.1,"angular_radps":0}"#;

#[tokio::test]
async fn the_first_failing_check_answers() {
    // Each request is wrong in everything that comes after the check that answers.
    let limits = Limits { motion: Limit::per_second(0.001, 1.0), ..Setup::default().limits };
    let running = start(Setup { limits, ..Setup::default() }).await;
    let reader = bearer(&running.token(&[Scope::Read], Class::Local));
    let driver = bearer(&running.token(&[Scope::Drive], Class::Local));
    let long = vec![b'x'; 70_000];
    let foreign = ("origin", "http://evil.example");
    let stranger = ("host", "evil.example");

    let reply = running.ask("POST", "/api/robot/nothing", &[foreign, stranger], &long).await;
    reply.is_problem(404, "not-found");
    let reply = running.ask("DELETE", "/api/robot/velocity", &[foreign, stranger], &long).await;
    reply.is_problem(405, "wrong-method");
    assert_eq!(reply.header("allow"), Some("post"));
    let reply = running.ask("POST", "/api/robot/velocity", &[foreign, stranger], &long).await;
    reply.is_problem(401, "no-token");
    assert!(reply.header("www-authenticate").is_some());
    let reply = running.ask("POST", "/api/robot/velocity", &[("authorization", "Bearer rb_0")], &long).await;
    reply.is_problem(401, "no-token");
    let headers = [("authorization", reader.as_str()), foreign, stranger];
    let problem =
        running.ask("POST", "/api/robot/velocity", &headers, &long).await.is_problem(403, "no-right");
    assert_eq!(problem["scope"], "drive");
    for bad in [foreign, stranger] {
        let headers = [("authorization", driver.as_str()), bad];
        running.ask("POST", "/api/robot/velocity", &headers, &long).await.is_problem(403, "no-right");
    }
    let headers = [("authorization", driver.as_str())];
    let problem =
        running.ask("POST", "/api/robot/velocity", &headers, &long).await.is_problem(413, "too-long");
    assert_eq!(problem["limit_bytes"], 65_536);
    let reply = running.ask("POST", "/api/robot/velocity", &headers, &long).await;
    let problem = reply.is_problem(429, "rate-limited");
    assert!(problem["retry_after_ms"].as_u64().is_some_and(|wait_ms| wait_ms > 900_000), "{problem}");
    assert!(reply.header("retry-after").is_some());
    assert_eq!(running.robot.driven.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_right_request_passes_with_both_slashes() {
    // Path with and without its last slash; the answer is JSON that nobody keeps or guesses about.
    let running = start(Setup::default()).await;
    let owner = bearer(&running.owner());
    for path in ["/api/robot/velocity", "/api/robot/velocity/"] {
        let reply = running.ask("POST", path, &[("authorization", &owner)], GOOD).await;
        assert_eq!(reply.status, 202);
        assert_eq!(reply.json()["class"], "local");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    }
    assert_eq!(running.robot.driven.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn class_is_the_lower_of_token_and_peer() {
    // reset needs admin and class local: a remote token, a proxy's client and an unknown proxy's client are refused.
    let running = start(Setup { trusted: &["127.0.0.9"], ..Setup::default() }).await;
    let owner = bearer(&running.owner());
    let remote = bearer(&running.token(&[Scope::Admin], Class::Remote));
    let check = async |from: [u8; 4], token: &str, forwarded: Option<(&str, &str)>, status: u16| {
        let mut headers = vec![("authorization", token)];
        headers.extend(forwarded);
        let reply = running.ask_from(from.into(), "POST", "/api/robot/estop/reset", &headers, b"").await;
        assert_eq!(reply.status, status, "{from:?} {forwarded:?}");
    };
    check([127, 0, 0, 1], &owner, None, 200).await;
    check([127, 0, 0, 1], &remote, None, 403).await;
    check([127, 0, 0, 1], &owner, Some(("x-forwarded-for", "127.0.0.1")), 403).await;
    check([127, 0, 0, 1], &owner, Some(("via", "1.1 somebody")), 403).await;
    check([127, 0, 0, 9], &owner, None, 403).await;
    check([127, 0, 0, 9], &owner, Some(("x-forwarded-for", "203.0.113.5")), 403).await;
    check([127, 0, 0, 9], &owner, Some(("x-forwarded-for", "127.0.0.1, 203.0.113.5")), 403).await;
    check([127, 0, 0, 9], &owner, Some(("x-forwarded-for", "127.0.0.1")), 200).await;
}

#[tokio::test]
async fn metrics_are_for_this_machine_only() {
    // A loopback peer reads them without token; through a proxy nobody does.
    let running = start(Setup::default()).await;
    assert_eq!(running.ask("GET", "/metrics", &[], b"").await.status, 200);
    running
        .ask("GET", "/metrics", &[("x-forwarded-for", "127.0.0.1")], b"")
        .await
        .is_problem(403, "no-right");
}

#[tokio::test]
async fn open_routes_are_counted_by_address() {
    // One address over its limit is refused; another is not.
    let limits = Limits { open: Limit::per_second(0.001, 2.0), ..Setup::default().limits };
    let running = start(Setup { limits, ..Setup::default() }).await;
    running.faults.has_started();
    for status in [200, 200, 429, 429] {
        assert_eq!(running.ask("GET", "/health", &[], b"").await.status, status);
    }
    assert_eq!(running.ask_from([127, 0, 0, 2].into(), "GET", "/health", &[], b"").await.status, 200);
}

#[tokio::test]
async fn nothing_refuses_a_stop() {
    // No token, a wrong one, a foreign page, an unknown host, broken, long and missing bodies, a used-up limit: all stop.
    let limits = Limits {
        open: Limit::per_second(0.001, 1.0),
        motion: Limit::per_second(0.001, 1.0),
        ..Setup::default().limits
    };
    let running = start(Setup { limits, ..Setup::default() }).await;
    let owner = bearer(&running.owner());
    let long = vec![b'{'; 10_000_000];
    type Headers<'a> = &'a [(&'a str, &'a str)];
    let cases: [(Headers<'_>, &[u8]); 9] = [
        (&[], b""),
        (&[], b"{\"linear_mps\": NaN"),
        (&[], b"\xff\xfe"),
        (&[], &long),
        (&[("authorization", "Bearer wrong")], b"{}"),
        (&[("authorization", &owner)], b"{}"),
        (&[("origin", "http://evil.example")], b"{}"),
        (&[("host", "evil.example")], b"{}"),
        (&[("x-forwarded-for", "nonsense")], b"{}"),
    ];
    for (number, (headers, body)) in cases.into_iter().enumerate() {
        let reply = running.ask("POST", "/api/robot/stop", headers, body).await;
        assert_eq!(reply.status, 200, "{headers:?}");
        assert_eq!(running.robot.stopped.load(Ordering::Relaxed), number + 1, "{headers:?}");
    }
    let reply = running.ask("POST", "/api/robot/stop", &[("authorization", &owner)], b"").await;
    assert_eq!(reply.json()["by"], "owner", "a known sender is named");
}
