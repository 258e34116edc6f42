//! A token that dies while it drives.

use std::time::Instant;

use serde_json::{Value, json};

use crate::support::agent::{Agent, Start};
use crate::support::body::{Body, Line};
use crate::support::driver::Driver;
use crate::support::http::Client;
use crate::support::socket::Socket;
use crate::support::{DEADLINE, Place, monotonic_us};

/// A token file is looked at often enough to act within 1 s; the rest is for two busy cores.
const WITHIN_US: u64 = 1_500_000;

fn make_pad(agent: &Agent) -> String {
    agent.make_token(&["--scope", "drive", "--scope", "read", "--class", "local", "--name", "pad"])
}

/// After the revocation: the wheels stop in time, nobody holds the base, the token opens nothing, the base is not closed.
fn check_gone(agent: &Agent, body: &Body, token: &str, revoked_us: u64) {
    body.wait_until_noted(revoked_us + WITHIN_US + 300_000);
    let last = body.trace_since(revoked_us).into_iter().rfind(|line| line.is_driven());
    let last_us = last.map_or(0, |line| line.t_us - revoked_us);
    assert!(last_us < WITHIN_US, "driven until {last_us} us after the revocation");
    assert_eq!(agent.get("/api/robot/leases").json(), json!([]));
    assert!(agent.state()["base"]["closed"].is_null() || agent.is_closed_by_a_busy_machine());
    let refused = Client::connect(agent.address, Some(token)).ask("GET", "/api/robot/state", None);
    assert_eq!(refused.expect(401).problem(), "no-token");
}

#[test]
fn a_token_revoked_while_its_socket_drives_stops_and_is_thrown_out() {
    // Motion ends within a second, the socket closes with 1008, the lease is gone.
    let place = Place::new();
    let body = Body::start(&place);
    let agent = Start::new(&place).on(&body.link).run();
    agent.open();
    let token = make_pad(&agent);
    let mut socket = Socket::open(&agent, "/api/robot/teleop", &token);
    let frame = |seq: u32, linear_mps: f32, seen: &Value| {
        let angular_radps = linear_mps * 5.0;
        json!({"seq": seq, "linear_mps": linear_mps, "angular_radps": angular_radps, "ttl_ms": 400, "seen": seen})
    };
    let mut seq = 0;
    let started = Instant::now();
    while !body.trace().iter().any(Line::is_moving) {
        assert!(started.elapsed() < DEADLINE, "the socket does not drive");
        let state = socket.receive_named("state");
        if state["base"]["closed"].is_object() {
            agent.take_with(&token);
        }
        if state["base"]["setpoint"].is_null() {
            seq += 1;
            socket.send(&frame(seq, 0.0, &state["seen"]));
        }
        seq += 1;
        socket.send(&frame(seq, 0.3, &state["seen"]));
    }
    agent.token_command(&["revoke", "pad"]);
    let revoked_us = monotonic_us();
    // It goes on as long as it is let.
    let code = loop {
        match socket.receive() {
            Ok(message) if message.get("state").is_some() => {
                seq += 1;
                socket.send(&frame(seq, 0.3, &message["state"]["seen"]));
            }
            Ok(_) => {}
            Err(code) => break code,
        }
    };
    assert_eq!(code, 1008);
    check_gone(&agent, &body, &token, revoked_us);
}

#[test]
fn a_token_revoked_while_it_drives_over_rest_stops() {
    // Its next command is refused with 401 and its setpoint ends with the revocation, not with its lease.
    let place = Place::new();
    let body = Body::start(&place);
    let agent = Start::new(&place).on(&body.link).run();
    agent.open();
    let token = make_pad(&agent);
    let driver = Driver::with_token(&agent, &token);
    driver.wait_until_moving(&agent, &body);
    agent.token_command(&["revoke", "pad"]);
    let revoked_us = monotonic_us();
    check_gone(&agent, &body, &token, revoked_us);
    assert_eq!(driver.newest_answer().problem(), "no-token");
}
