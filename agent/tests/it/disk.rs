//! A disk that takes nothing more while the latch is written: latched all the same, never said to be durable.
//!
//! The kernel's limit on the size of files stands in for the full disk: it needs no mount, bites after a part of a write
//! as a full disk does, and can be lifted while the agent runs.

use rustix::process::{Resource, Rlimit, Signal, prlimit};
use serde_json::{Value, json};

use crate::support::agent::{Agent, Start};
use crate::support::{Place, wait_until};

/// Less than a slot of the latch file; a new folder's first slot is written first.
const PART_OF_A_SLOT: u64 = 1000;

/// An agent that gets an error, not a signal, when a write is over the limit.
fn start(place: &Place) -> Agent {
    let agent = Start::after(place, "trap '' XFSZ").run();
    agent.wait_for_body();
    agent
}

/// From now on no file of the agent grows beyond, or is written beyond, `bytes`.
fn limit_disk(agent: &Agent, bytes: Option<u64>) {
    prlimit(Some(agent.pid()), Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
}

fn estop(agent: &Agent) -> Value {
    agent.get("/api/robot/estop").expect(200).json()
}

#[test]
fn an_estop_on_a_full_disk_is_latched_and_becomes_durable_when_there_is_room() {
    // The answer comes in time and says that it is not durable; the log says it too; it is tried until it succeeds.
    let place = Place::new();
    let agent = start(&place);
    limit_disk(&agent, Some(0));
    let started = std::time::Instant::now();
    let pressed = agent.post("/api/robot/estop", &json!({"reason": "full"})).expect(200).json();
    assert!(started.elapsed().as_millis() < 1000, "answered after {:?}", started.elapsed());
    assert_eq!((&pressed["latched"], &pressed["durable"]), (&json!(true), &json!(false)), "{pressed}");
    agent.wait_for_state("a confirmed e-stop", |state| state["estop"]["stage"] == "confirmed");
    assert_eq!(estop(&agent)["durable"], false);
    agent.wait_for_log("not durable yet");

    limit_disk(&agent, None);
    wait_until("a durable e-stop", || estop(&agent)["durable"] == true);
    agent.signal(Signal::KILL);
    drop(agent);
    let agent = start(&place);
    let found = estop(&agent);
    assert_eq!((&found["latched"], &found["reason"]), (&json!(true), &json!("full")), "{found}");
}

#[test]
fn a_disk_that_fills_within_a_slot_leaves_a_latch_that_counts_as_latched() {
    // A part of the record is on the disk when the agent dies: unreadable, and so latched.
    let place = Place::new();
    let agent = start(&place);
    limit_disk(&agent, Some(PART_OF_A_SLOT));
    let pressed = agent.post("/api/robot/estop", &json!({})).expect(200).json();
    assert_eq!((&pressed["latched"], &pressed["durable"]), (&json!(true), &json!(false)), "{pressed}");
    agent.kill();
    let agent = start(&place);
    let found = estop(&agent);
    assert_eq!((&found["latched"], &found["source"]), (&json!(true), &json!("file")), "{found}");
    assert!(found["epoch"].as_u64() >= pressed["epoch"].as_u64(), "{pressed}, then {found}");
}

#[test]
fn a_reset_on_a_full_disk_is_refused_and_stays_latched() {
    // 503, latched in the gate and in the body; once there is room it is latched on the disk as well.
    let place = Place::new();
    let agent = start(&place);
    let pressed = agent.post("/api/robot/estop", &json!({"reason": "kept"})).expect(200).json();
    agent.wait_for_state("a confirmed e-stop", |state| state["estop"]["stage"] == "confirmed");
    limit_disk(&agent, Some(0));
    agent.post("/api/robot/estop/reset", &json!({"epoch": pressed["epoch"]})).expect(503);
    assert_eq!(estop(&agent)["latched"], true);
    assert_eq!(agent.state()["mcu"]["state"], "estop");
    limit_disk(&agent, None);
    wait_until("a durable e-stop", || estop(&agent)["durable"] == true);
    agent.kill();
    let found = estop(&start(&place));
    for field in ["latched", "epoch", "reason"] {
        assert_eq!(found[field], pressed[field], "{field}");
    }
}
