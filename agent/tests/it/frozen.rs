//! The agent stands still for 2 s while its clients go on: what waited in the sockets' buffers moves nothing.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::agent::{Agent, Start};
use crate::support::body::Body;
use crate::support::driver::Driver;
use crate::support::http::Client;
use crate::support::{Place, monotonic_us};

/// The sender's rate is 20 Hz.
const PERIOD: Duration = Duration::from_millis(50);

/// 2 s of it.
const COMMANDS: usize = 40;

/// A request that nobody reads yet, on a connection of its own.
fn send(agent: &Agent, path: &str, body: &Value) -> Client {
    let mut client = agent.client();
    client.send("POST", path, Some(body)).unwrap();
    client
}

/// The mix of a page, a script and a person who want the robot to go on.
fn queue_commands(agent: &Agent, seen: &Value) -> Vec<Client> {
    let velocity = json!({"linear_mps": 0.3, "angular_radps": 1.5, "ttl_ms": 500});
    let mut seen_velocity = velocity.clone();
    seen_velocity["seen"] = seen.clone();
    (0..COMMANDS)
        .map(|turn| {
            std::thread::sleep(PERIOD);
            match turn % 8 {
                2 => send(agent, "/api/robot/move", &json!({"distance_m": 0.5})),
                4 => send(agent, "/api/robot/leases", &json!({"resource": "base", "take_over": true})),
                5 => send(
                    agent,
                    "/api/robot/leases",
                    &json!({"resource": "base", "take_over": true, "seen": seen}),
                ),
                6 => send(agent, "/api/robot/velocity", &seen_velocity),
                _ => send(agent, "/api/robot/velocity", &velocity),
            }
        })
        .collect()
}

#[test]
fn nothing_that_queued_while_the_agent_was_frozen_moves_the_body() {
    // Every queued command and take is refused, base stays closed until a person takes it, and then it drives again.
    let place = Place::new();
    let body = Body::start(&place);
    let agent = Start::new(&place).on(&body.link).run();
    agent.open();
    let seen = agent.state()["seen"].clone();
    let driver = Driver::start(&agent);
    driver.wait_until_moving(&agent, &body);

    agent.signal(Signal::STOP);
    let frozen_us = monotonic_us();
    body.wait_for_line("a disarmed body", frozen_us, |line| {
        !line.armed && !line.is_driven() && line.state == "stopped"
    });
    let stopped_us = monotonic_us();
    let queued = queue_commands(&agent, &seen);
    agent.signal(Signal::CONT);

    for mut client in queued {
        let answer = client.receive().unwrap();
        let problem = answer.problem();
        // The link may not be up again yet; a command finds base closed; a take, which could open it, is too old.
        let refused = (answer.status, problem.as_str());
        assert!(matches!(refused, (503, "link-down") | (409, "closed") | (410, "stale")), "{refused:?}");
    }
    let by = agent.wait_until_closed();
    assert!(matches!(by.as_str(), "hold" | "tick-gap"), "closed by {by}");

    // The driver never ceased; it moves nothing either, however long it goes on.
    let resumed_us = monotonic_us();
    body.wait_until_noted(resumed_us + 1_000_000);
    assert_eq!(driver.newest_answer().problem(), "closed");
    let line = body.trace_since(stopped_us).into_iter().find(|line| line.is_driven() || line.armed);
    assert!(line.is_none(), "moved by what was queued: {line:?}");

    agent.open();
    driver.wait_until_moving(&agent, &body);
}
