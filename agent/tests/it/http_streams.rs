//! The state as a stream, over WebSocket and as server-sent events: its pace, its end, and readers that do not read.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use socket2::{Domain, Socket as RawSocket, Type};

use crate::http_rig::{Ask, Rig, STATE, STOP, UNLIMITED, check_problem};
use crate::support::agent::Agent;
use crate::support::socket::Socket;
use crate::support::{DEADLINE, wait_until};

const STREAM: &str = "/api/robot/stream";
const TELEOP: &str = "/api/robot/teleop";

/// Server-sent events of an open stream.
struct Events {
    lines: BufReader<TcpStream>,
}

impl Events {
    fn open(rig: &Rig, query: &str, token: &str) -> Self {
        let mut stream = TcpStream::connect_timeout(&rig.agent.address, DEADLINE).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let request = format!(
            "GET {STREAM}{query} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        Self { lines: BufReader::new(stream) }
    }

    /// Everything until the head's end.
    fn head(&mut self) -> String {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(self.lines.read_line(&mut head).unwrap() > 0, "{head}");
        }
        head
    }

    /// The next event, `None` at the stream's end.
    fn next(&mut self) -> Option<Value> {
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line).unwrap_or(0) == 0 {
                return None;
            }
            if let Some(data) = line.strip_prefix("data: ") {
                return Some(serde_json::from_str(data).unwrap());
            }
            if line.trim_end() == "0" {
                return None;
            }
        }
    }
}

fn mono_ms(message: &Value) -> u64 {
    message["seen"]["mono_ms"].as_u64().unwrap()
}

/// So many messages, each newer than the one before, about a period apart; each a whole state.
fn check_pace(hz: u32, mut next: impl FnMut() -> Value) {
    let count = hz.min(25) + 1;
    let period = Duration::from_secs(1) / hz;
    next();
    let started = Instant::now();
    let mut stamps = Vec::new();
    for _ in 0..count {
        let message = next();
        assert_eq!(message["robot"], "robbie");
        assert!(message["base"]["pose"]["x_m"].is_number() && message["mcu"]["link"] == "up", "{message}");
        stamps.push(mono_ms(&message));
    }
    let took = started.elapsed();
    assert!(took > period * (count - 2), "{hz} a second came too fast: {took:?}");
    assert!(
        took < period * count * 3 + Duration::from_millis(500),
        "{hz} a second came too slowly: {took:?}"
    );
    assert!(stamps.is_sorted(), "{stamps:?}");
    assert!(stamps.last().unwrap() > stamps.first().unwrap(), "{stamps:?}");
}

#[test]
fn a_stream_shows_the_state_as_often_as_asked() {
    // WebSocket and server-sent events alike; 10 a second where nothing is said.
    Rig::with(&[], |rig| {
        for (hz, query) in [(1, "?hz=1"), (10, ""), (50, "?hz=50")] {
            let mut socket = Socket::open(&rig.agent, &format!("{STREAM}{query}"), rig.owner());
            check_pace(hz, || socket.receive().unwrap());
        }
        for (hz, query) in [(10, ""), (25, "?hz=25")] {
            let mut events = Events::open(rig, query, rig.owner());
            let head = events.head();
            assert!(head.starts_with("HTTP/1.1 200") && head.contains("text/event-stream"), "{head}");
            check_pace(hz, || events.next().unwrap());
        }
    });
}

#[test]
fn what_is_no_pace_is_told() {
    // 422 for a number outside 1 to 50, 400 for no whole number; never a stream.
    Rig::with(&[], |rig| {
        for (hz, status, kind) in [
            ("0", 422, "out-of-range"),
            ("51", 422, "out-of-range"),
            ("4294967295", 422, "out-of-range"),
            ("-1", 400, "bad-request"),
            ("1.5", 400, "bad-request"),
            ("fast", 400, "bad-request"),
            ("", 400, "bad-request"),
            ("NaN", 400, "bad-request"),
            ("10&hz=20", 400, "bad-request"),
        ] {
            let path = format!("{STREAM}?hz={hz}");
            let problem =
                check_problem(&Ask::new("GET", &path).token(rig.owner()).send(rig), status, kind, hz);
            assert_eq!(problem["field"], "hz", "{problem}");
        }
        let plain = Ask::new("GET", TELEOP).token(rig.owner()).send(rig);
        check_problem(&plain, 400, "bad-request", "teleop without a WebSocket");
    });
}

/// A connection whose buffers on both sides are small: a reader that stops is noticed after a few kilobytes.
fn narrow(agent: &Agent) -> TcpStream {
    let socket = RawSocket::new(Domain::for_address(agent.address), Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(2048).unwrap();
    socket.set_tcp_mss(536).unwrap();
    socket.connect(&agent.address.into()).unwrap();
    socket.into()
}

fn rss_kb(agent: &Agent) -> u64 {
    let path = format!("/proc/{}/status", agent.pid().as_raw_nonzero());
    let status = std::fs::read_to_string(path).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn a_stream_that_is_not_read_skips_to_the_newest() {
    // While it is not read others are served, and memory stays; read again it says how much it skipped and goes on from now.
    Rig::with(UNLIMITED, |rig| {
        let path = format!("{STREAM}?hz=50");
        let mut stalled = Socket::over(narrow(&rig.agent), &rig.agent, &path, rig.owner());
        let mut other = Socket::open(&rig.agent, &path, rig.owner());
        stalled.receive().unwrap();
        let before_kb = rss_kb(&rig.agent);
        let ends = Instant::now() + Duration::from_millis(3500);
        while Instant::now() < ends {
            let asked = Instant::now();
            let newest = mono_ms(&rig.agent.state());
            assert!(asked.elapsed() < Duration::from_millis(500), "others are served: {:?}", asked.elapsed());
            // Its own stream is as new, or a period older.
            while mono_ms(&other.receive().unwrap()) + 100 < newest {}
        }
        let grown_kb = rss_kb(&rig.agent).saturating_sub(before_kb);
        assert!(grown_kb < 4096, "grew by {grown_kb} KiB");

        let resumed = mono_ms(&rig.agent.state());
        let mut skipped = 0;
        let mut newest = 0;
        while skipped == 0 || newest < resumed {
            let message = stalled.receive().unwrap();
            skipped += message["skipped"].as_u64().unwrap_or(0);
            newest = mono_ms(&message);
        }
        assert!(skipped > 20, "{skipped} states of 3.5 s were skipped");
    });
}

#[test]
fn a_driver_who_does_not_read_costs_a_bounded_buffer() {
    // Ten thousand refused frames whose refusals nobody reads: memory stays, others are served, and then they are counted.
    Rig::with(UNLIMITED, |rig| {
        let mut stalled = Socket::over(narrow(&rig.agent), &rig.agent, TELEOP, rig.owner());
        stalled.receive_named("state");
        let before_kb = rss_kb(&rig.agent);
        for seq in 0..10_000 {
            stalled.send(&json!({"seq": seq, "linear_mps": 99, "angular_radps": 0}));
        }
        wait_until("others to be served", || rig.get(rig.owner(), STATE).status == 200);
        let grown_kb = rss_kb(&rig.agent).saturating_sub(before_kb);
        assert!(grown_kb < 4096, "grew by {grown_kb} KiB");
        let (mut told, mut counted, mut sent) = (0, 0, 10_000);
        while told + counted < 10_000 {
            let refused = stalled.receive_named("refused");
            assert_eq!(
                (&refused["status"], &refused["type"]),
                (&json!(400), &json!("/problems/bad-request"))
            );
            told += 1;
            counted += refused["skipped"].as_u64().unwrap_or(0);
            if told % 20 == 0 {
                // The first one that finds room again carries the count.
                stalled.send(&json!({"seq": sent}));
                sent += 1;
            }
        }
        assert!(told + counted <= sent, "{told} told, {counted} counted of {sent}");
        assert!(told < 5000, "{told} were kept for somebody who does not read");
        let state = stalled.receive_named("state");
        assert!(mono_ms(&state) + 2000 > mono_ms(&rig.agent.state()), "then it is as new as for anybody");
    });
}

#[test]
fn a_message_of_more_than_16_kilobytes_ends_its_socket_and_no_other() {
    // Just under is answered, just over ends it; the robot of a teleop socket stops at once.
    Rig::with(UNLIMITED, |rig| {
        let mut teleop = Socket::open(&rig.agent, TELEOP, rig.owner());
        let mut other = Socket::open(&rig.agent, STREAM, rig.owner());
        teleop.send_text(&" ".repeat(16_000));
        assert_eq!(teleop.receive_named("refused")["status"], 400);
        teleop.send_text(&" ".repeat(17_000));
        teleop.wait_for_end();
        let mut stream = Socket::open(&rig.agent, STREAM, rig.owner());
        stream.send_text("whatever a client says here is not for us");
        stream.receive().unwrap();
        stream.send_text(&" ".repeat(17_000));
        stream.wait_for_end();
        other.receive().unwrap();
    });
}

#[test]
fn a_revoked_token_loses_its_streams() {
    // The WebSocket with 1008, the events with their end; another token's stream goes on.
    Rig::with(UNLIMITED, |rig| {
        let [shelf] = rig.tokens([("shelf", "local", "read")]);
        let mut socket = Socket::open(&rig.agent, STREAM, &shelf);
        let mut events = Events::open(rig, "", &shelf);
        let mut other = Socket::open(&rig.agent, STREAM, rig.owner());
        socket.receive().unwrap();
        events.next().unwrap();
        rig.agent.token_command(&["revoke", "shelf"]);
        let revoked = Instant::now();
        assert_eq!(socket.wait_for_end(), Some(1008));
        while events.next().is_some() {}
        // Within 1 s, and what two busy cores add.
        assert!(revoked.elapsed() < Duration::from_secs(2), "{:?}", revoked.elapsed());
        other.receive().unwrap();
        check_problem(&rig.get(&shelf, STREAM), 401, "no-token", "opened again");
    });
}

#[test]
fn a_stop_is_seen_in_every_stream() {
    // Whoever looks sees that it is closed, and by whom.
    Rig::with(UNLIMITED, |rig| {
        let mut socket = Socket::open(&rig.agent, &format!("{STREAM}?hz=20"), rig.owner());
        let mut events = Events::open(rig, "?hz=20", rig.owner());
        let mut teleop = Socket::open(&rig.agent, TELEOP, rig.owner());
        Ask::new("POST", STOP).send(rig).expect(200);
        let is_closed = |state: &Value| state["base"]["closed"]["by"] == "stop";
        wait_until("the WebSocket to show it", || is_closed(&socket.receive().unwrap()));
        wait_until("the events to show it", || is_closed(&events.next().unwrap()));
        wait_until("teleop to show it", || is_closed(&teleop.receive_named("state")));
    });
}
