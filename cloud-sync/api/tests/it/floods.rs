//! Connections that send nothing, or too slowly, or too many at once.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use cloud_sync_api::connections::ConnectionLimits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{DEADLINE, Running, Setup, bearer, head, is_closed, start};

fn quick() -> ConnectionLimits {
    ConnectionLimits {
        head: Duration::from_millis(200),
        idle: Duration::from_millis(600),
        ..ConnectionLimits::default()
    }
}

fn few() -> ConnectionLimits {
    ConnectionLimits { total_max: 6, per_peer_max: 3, ..ConnectionLimits::default() }
}

/// Sends one request on a connection that stays open and reads the answer's head.
async fn talk(stream: &mut TcpStream) -> bool {
    if stream.write_all(&head("GET", "/health", &[], 0)).await.is_err() {
        return false;
    }
    let mut answer = vec![0; 4096];
    let read = tokio::time::timeout(DEADLINE, stream.read(&mut answer)).await.unwrap();
    read.is_ok_and(|read| answer[..read].starts_with(b"HTTP/1.1 "))
}

#[tokio::test]
async fn a_slow_head_is_cut_off() {
    // Silent, half a head, a head that drips: all are closed when the time for a head is over, and not before.
    let running = start(Setup { connections: quick(), ..Setup::default() }).await;
    let begun = Instant::now();
    let mut silent = running.connect().await;
    let mut half = running.connect().await;
    half.write_all(b"GET /health HTTP/1.1\r\nhost: 1").await.unwrap();
    let mut drip = running.connect().await;
    let dripping = async {
        while drip.write_all(b"x").await.is_ok() && begun.elapsed() < DEADLINE {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let (silent_closed, half_closed, ()) =
        tokio::join!(is_closed(&mut silent), is_closed(&mut half), dripping);
    assert!(silent_closed && half_closed);
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(150) && took < Duration::from_secs(2), "{took:?}");
}

#[tokio::test]
async fn an_answered_connection_may_rest_longer() {
    // Between requests a connection has the idle time, not the head's; then it goes.
    let running = start(Setup { connections: quick(), ..Setup::default() }).await;
    let mut stream = running.connect().await;
    assert!(talk(&mut stream).await);
    tokio::time::sleep(Duration::from_millis(350)).await;
    assert!(talk(&mut stream).await, "still open after more than the head's time");
    let begun = Instant::now();
    assert!(is_closed(&mut stream).await);
    assert!(begun.elapsed() >= Duration::from_millis(400), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_running_request_is_not_cut_off() {
    // A handler may take longer than head and idle time.
    let running = start(Setup { connections: quick(), ..Setup::default() }).await;
    let owner = bearer(&running.owner());
    let reply = running.ask("GET", "/api/robot/slow", &[("authorization", &owner)], b"").await;
    assert_eq!((reply.status, reply.body.as_slice()), (200, b"done".as_slice()));
}

#[tokio::test]
async fn at_its_limit_a_peer_loses_its_own_oldest() {
    // The fourth connection of an address costs its oldest silent one; other addresses lose nothing.
    let running = start(Setup { connections: few(), ..Setup::default() }).await;
    let mut other = running.connect_from([127, 0, 0, 2].into()).await;
    let mut used = running.connect().await;
    assert!(talk(&mut used).await);
    let mut oldest = running.connect().await;
    let mut younger = running.connect().await;
    settled(&running, 4).await;
    let mut newest = running.connect().await;
    assert!(is_closed(&mut oldest).await);
    for stream in [&mut other, &mut used, &mut younger, &mut newest] {
        assert!(talk(stream).await);
    }
}

#[tokio::test]
async fn at_the_total_limit_the_silent_go_before_the_used() {
    // A newcomer costs a stranger's silent connection first, and the longest idle one when none is silent.
    let running = start(Setup { connections: few(), ..Setup::default() }).await;
    let from = |last: u8| IpAddr::from([127, 0, 0, last]);
    let mut used = Vec::new();
    for last in 1..=5 {
        let mut stream = running.connect_from(from(last)).await;
        assert!(talk(&mut stream).await);
        used.push(stream);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let mut silent = running.connect_from(from(6)).await;
    settled(&running, 6).await;
    let mut first = running.connect_from(from(7)).await;
    assert!(is_closed(&mut silent).await);
    assert!(talk(&mut first).await);
    let mut second = running.connect_from(from(8)).await;
    assert!(is_closed(&mut used[0]).await, "the longest idle");
    assert!(talk(&mut second).await);
    assert!(talk(&mut used[1]).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_silent_connections_does_not_delay_a_stop() {
    // 600 connections that send nothing, kept up while we ask: a stop from the same address, and from another, is quick.
    let running = start(Setup::default()).await;
    let mut flood = Vec::new();
    for _ in 0..600 {
        flood.push(running.connect().await);
    }
    for last in [1, 2, 1, 2, 1] {
        for _ in 0..50 {
            flood.push(running.connect().await);
        }
        let begun = Instant::now();
        let reply = running.ask_from([127, 0, 0, last].into(), "POST", "/api/robot/stop", &[], b"").await;
        assert_eq!(reply.status, 200);
        assert!(begun.elapsed() < Duration::from_millis(100), "{:?}", begun.elapsed());
    }
    settled(&running, 64).await;
}

#[tokio::test]
async fn an_ordered_end_lets_requests_finish() {
    // After the word to stop a running request is answered, nothing new is accepted, and resting connections end.
    let running = start(Setup::default()).await;
    let mut resting = running.connect().await;
    assert!(talk(&mut resting).await);
    let owner = bearer(&running.owner());
    let headers = [("authorization", owner.as_str())];
    let slow = running.ask("GET", "/api/robot/slow", &headers, b"");
    let stop = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        running.stop.send(true).unwrap();
        assert!(is_closed(&mut resting).await);
    };
    let (reply, ()) = tokio::join!(slow, stop);
    assert_eq!(reply.status, 200);
    drop(resting);
    tokio::time::timeout(DEADLINE, running.ended).await.unwrap().unwrap();
    assert!(TcpStream::connect(running.address).await.is_err());
}

/// Waits until the server has entered that many connections.
async fn settled(running: &Running, connections: usize) {
    let wait = async {
        while running.server.open_connections() != connections {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // And has looked at the newest.
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    tokio::time::timeout(DEADLINE, wait).await.unwrap();
}
