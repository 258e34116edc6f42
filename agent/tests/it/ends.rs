//! How an agent ends, what the next start makes of it, and what keeps a second agent from running.

use serde_json::json;

use crate::support::agent::Start;
use crate::support::body::Body;
use crate::support::driver::Driver;
use crate::support::{Place, monotonic_us};

#[test]
fn ended_in_order_the_next_start_is_open_and_after_a_crash_it_is_closed() {
    // SIGTERM halts the body first and leaves DIR/clean, which opens one start; a crash opens none, until a person takes.
    let place = Place::new();
    let body = Body::start(&place);
    let clean = place.data().join("clean");
    let agent = Start::new(&place).on(&body.link).run();
    agent.wait_until_open();
    let driver = Driver::start(&agent);
    driver.wait_until_moving(&agent, &body);
    assert!(agent.end().success());
    let ended_us = monotonic_us();
    drop(driver);
    body.wait_until_noted(ended_us + 200_000);
    let line = body
        .trace_since(ended_us)
        .into_iter()
        .find(|line| line.is_driven() || line.is_moving() || line.armed);
    assert!(line.is_none(), "the body stood when the agent had ended: {line:?}");
    assert!(clean.exists());

    let agent = Start::new(&place).on(&body.link).run();
    agent.wait_until_open();
    assert!(!clean.exists());
    agent.kill();

    let agent = Start::new(&place).on(&body.link).run();
    agent.wait_for_body();
    assert_eq!(agent.wait_until_closed(), "restart");
    let refused = agent.post("/api/robot/velocity", &json!({"linear_mps": 0.1, "angular_radps": 0.0}));
    assert_eq!(refused.expect(409).problem(), "closed");
    agent.open();
    let driver = Driver::start(&agent);
    driver.wait_until_moving(&agent, &body);
}

#[test]
fn closed_at_its_end_it_starts_closed() {
    // What somebody stopped is not opened by turning the robot off and on.
    let place = Place::new();
    let agent = Start::new(&place).run();
    agent.wait_until_open();
    agent.post("/api/robot/stop", &json!({})).expect(200);
    assert!(agent.end().success());
    let agent = Start::new(&place).run();
    agent.wait_for_body();
    assert_eq!(agent.wait_until_closed(), "restart");
}

#[test]
fn a_second_agent_in_the_same_folder_is_refused_by_name() {
    // It says which process uses which folder, and the first one goes on.
    let place = Place::new();
    let agent = Start::new(&place).run();
    let refused = Start::new(&place).refused();
    assert_eq!(refused.code, Some(69), "{refused:?}");
    let data = place.data();
    for needed in [&format!("process {}", agent.pid()), data.to_str().unwrap(), "--data"] {
        assert!(refused.text.contains(needed), "{needed} is missing in {refused:?}");
    }
    agent.wait_until_open();
}

#[test]
fn an_address_in_use_is_said_with_the_way_out() {
    // Another folder, the same address: exit code 69, the address, and the flag that helps.
    let place = Place::new();
    let agent = Start::new(&place).run();
    let elsewhere = Place::new();
    let refused = Start::listening(&elsewhere, &agent.address.to_string()).refused();
    assert_eq!(refused.code, Some(69), "{refused:?}");
    for needed in [&format!("cannot listen on {}", agent.address), "--listen", "in use"] {
        assert!(refused.text.contains(needed), "{needed} is missing in {refused:?}");
    }
    agent.wait_until_open();
}
