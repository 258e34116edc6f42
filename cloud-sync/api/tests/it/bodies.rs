//! Bad bodies: each is refused with the reason, and none reaches the robot.

use std::sync::atomic::Ordering;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{DEADLINE, Reply, Running, Setup, bearer, head, start};

async fn check(running: &Running, body: &[u8], status: u16, field: Option<&str>) {
    let owner = bearer(&running.owner());
    let reply = running.ask("POST", "/api/robot/velocity", &[("authorization", &owner)], body).await;
    let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
    let problem = reply.is_problem(status, if status == 413 { "too-long" } else { "bad-request" });
    assert_eq!(problem.get("field").and_then(|field| field.as_str()), field, "{shown}: {problem}");
    assert_eq!(running.robot.driven.load(Ordering::Relaxed), 0, "{shown}");
}

#[tokio::test]
async fn every_bad_body_is_told_and_moves_nothing() {
    // NaN, infinities, wrong types, unknown and missing fields, nothing, too much, no UTF-8.
    let running = start(Setup::default()).await;
    check(&running, b"", 400, None).await;
    check(&running, b"nonsense", 400, None).await;
    check(&running, b"[0.1,0.1,100]", 400, None).await;
    check(&running, b"{\"linear_mps\":\"\xff\xfe\",\"angular_radps\":0}", 400, None).await;
    for number in
        ["NaN", "nan", "Infinity", "-Infinity", "1e999", "-1e999", "\"0.1\"", "null", "[]", "{}", "true"]
    {
        let body = format!("{{\"linear_mps\":{number},\"angular_radps\":0}}");
        let field = Some("linear_mps");
        check(&running, body.as_bytes(), 400, field).await;
    }
    check(&running, b"{\"linear_mps\":0x1,\"angular_radps\":0}", 400, None).await;
    check(&running, b"{\"linear_mps\":0.1}", 400, Some("angular_radps")).await;
    check(&running, b"{\"linear_mps\":0.1,\"angular_radps\":0,\"warp\":9}", 400, Some("warp")).await;
    check(&running, b"{\"linear_mps\":0.1,\"angular_radps\":0,\"ttl_ms\":70000}", 400, Some("ttl_ms")).await;
    check(&running, b"{\"linear_mps\":0.1,\"linear_mps\":0.2,\"angular_radps\":0}", 400, Some("linear_mps"))
        .await;
    let deep = [b"{\"linear_mps\":".as_slice(), &vec![b'['; 60_000]].concat();
    check(&running, &deep, 400, Some("linear_mps")).await;
    check(&running, &vec![b' '; 65_537], 413, None).await;
    check(&running, &vec![b'{'; 10_000_000], 413, None).await;
}

#[tokio::test]
async fn a_chunked_body_has_the_same_limit() {
    // Without a length in the head the bytes are counted as they come.
    let running = start(Setup::default()).await;
    let mut stream = running.connect().await;
    let head = format!(
        "POST /api/robot/velocity HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: {}\r\ntransfer-encoding: chunked\r\n\r\n",
        bearer(&running.owner())
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    for _ in 0..100 {
        let chunk = [b"400\r\n".as_slice(), &[b'x'; 1024], b"\r\n"].concat();
        if stream.write_all(&chunk).await.is_err() {
            break;
        }
    }
    let mut answer = Vec::new();
    tokio::time::timeout(DEADLINE, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    Reply::parse(&answer).is_problem(413, "too-long");
}

#[tokio::test]
async fn a_refusal_does_not_wait_for_the_body() {
    // 401 comes although the client has not sent a byte of its body, and has not been told to go on. A client that sends
    // the body all the same is listened to, so that no reset overtakes the answer.
    let running = start(Setup::default()).await;
    let mut stream = running.connect().await;
    let head = head("POST", "/api/robot/velocity", &[("expect", "100-continue")], 5_000_000);
    stream.write_all(&head).await.unwrap();
    let mut answer = vec![0; 4096];
    let read = tokio::time::timeout(DEADLINE, stream.read(&mut answer)).await.unwrap().unwrap();
    assert!(answer[..read].starts_with(b"HTTP/1.1 401"), "{}", String::from_utf8_lossy(&answer[..read]));
    let body = vec![b'x'; 5_000_000];
    tokio::time::timeout(DEADLINE, stream.write_all(&body)).await.unwrap().expect("no reset");
}

#[tokio::test]
async fn bad_paths_and_queries_are_problems_too() {
    // Broken UTF-8 in a path names nothing; a query that does not fit is told.
    let running = start(Setup::default()).await;
    running.ask("GET", "/problems/%ff", &[], b"").await.is_problem(404, "not-found");
    running.ask("GET", "/?token=a&token=b", &[], b"").await.is_problem(400, "bad-request");
    running.ask("GET", "/%00", &[], b"").await.is_problem(404, "not-found");
}
