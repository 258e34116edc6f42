//! The agent dies or freezes while it drives a body in another process: the body's own trace shows that it stops.

use rustix::process::Signal;

use crate::support::agent::Start;
use crate::support::body::{Body, Line};
use crate::support::driver::Driver;
use crate::support::{Place, monotonic_us};

/// Two busy cores and other tests beside this one; the exact figures are the bench's.
const MARGIN_US: u64 = 100_000;

/// What the contract grants beyond the computed time to standstill.
const GRANTED_US: u64 = 60_000;

fn check_stops(signal: Signal) {
    let place = Place::new();
    let body = Body::start(&place);
    let agent = Start::new(&place).on(&body.link).run();
    agent.open();
    let budget = agent.get("/api/robot/safety/budget").expect(200).json();
    let ms = |value: &serde_json::Value| value.as_u64().unwrap() * 1000;
    let driver = Driver::start(&agent);
    driver.wait_until_moving(&agent, &body);

    let died_us = monotonic_us();
    agent.signal(signal);
    body.wait_until_noted(died_us + 1_500_000);

    let lines = body.trace_since(died_us);
    let last = |wanted: fn(&Line) -> bool| {
        lines.iter().rev().find(|&line| wanted(line)).map_or(0, |line| line.t_us - died_us)
    };
    let driven_us = last(Line::is_driven);
    let hold_us = ms(&budget["parts"]["hold_ms"]);
    assert!(driven_us <= hold_us + MARGIN_US, "targets became zero {driven_us} us after {signal:?}");
    let moving_us = last(Line::is_moving);
    let promised_us = ms(&budget["agent_dead_ms"]);
    assert!(moving_us <= promised_us + GRANTED_US, "standstill {moving_us} us after {signal:?}");
    assert!(moving_us > 0, "the body was moving when the agent died");
    assert!(!lines.last().unwrap().armed);
}

#[test]
fn a_killed_agent_leaves_a_body_that_stops() {
    // Within the hold both wheels' targets are zero and stay zero; the body stands as soon as the budget promises.
    check_stops(Signal::KILL);
}

#[test]
fn a_frozen_agent_leaves_a_body_that_stops() {
    // A process that still exists, with an open port, protects nobody: the same figures hold.
    check_stops(Signal::STOP);
}
