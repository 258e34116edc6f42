//! The e-stop's latch over crashes: it survives them, is never half set, and its epoch never goes back.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::Place;
use crate::support::agent::{Agent, Start};
use crate::support::http::Answer;

/// A slot of the latch file.
const SLOT: usize = 4096;

fn estop(agent: &Agent) -> Value {
    agent.get("/api/robot/estop").expect(200).json()
}

fn reset(agent: &Agent) -> Answer {
    agent.post("/api/robot/estop/reset", &json!({"epoch": estop(agent)["epoch"]}))
}

#[test]
fn a_latched_estop_survives_a_crash() {
    // Epoch, reason and source are there after SIGKILL, the start says so, nothing drives, and a reset alone opens nothing.
    let place = Place::new();
    let agent = Start::new(&place).run();
    agent.wait_for_body();
    let pressed = agent.post("/api/robot/estop", &json!({"reason": "cat on the stairs"})).expect(200).json();
    assert_eq!((&pressed["latched"], &pressed["durable"]), (&json!(true), &json!(true)), "{pressed}");
    agent.kill();

    let agent = Start::new(&place).run();
    agent.wait_for_log("E-STOP IS LATCHED");
    agent.wait_for_state("a confirmed e-stop", |state| state["estop"]["stage"] == "confirmed");
    let found = estop(&agent);
    for field in ["latched", "epoch", "durable", "reason", "source"] {
        assert_eq!(found[field], pressed[field], "{field}");
    }
    let refused = agent.post("/api/robot/velocity", &json!({"linear_mps": 0.1, "angular_radps": 0.0}));
    assert_eq!(refused.expect(423).problem(), "estop-latched");
    assert_eq!(agent.take().expect(423).problem(), "estop-latched");
    let cleared = reset(&agent).expect(200).json();
    assert_eq!((&cleared["latched"], &cleared["epoch"]), (&json!(false), &pressed["epoch"]));
    assert!(agent.state()["base"]["closed"].is_object());
    agent.take().expect(201);
}

/// Kills of one sweep, and how much later than the one before each comes after the request was sent.
const KILLS: u32 = 40;
const STEP: Duration = Duration::from_micros(150);

/// Sends a request and kills the agent after `delay`; its answer, if it came first.
fn kill_after(agent: Agent, path: &str, body: &Value, delay: Duration) -> Option<Answer> {
    let mut client = agent.client();
    client.send("POST", path, Some(body)).unwrap();
    std::thread::sleep(delay);
    agent.kill();
    client.receive().ok()
}

#[test]
fn killed_at_any_moment_of_an_estop_it_is_latched_or_was_never_said_to_be() {
    // Kills step through 0..6 ms after the request: whoever read `durable` finds it latched; nobody finds half an e-stop.
    let place = Place::new();
    let mut epoch = 0;
    for kill in 0..KILLS {
        let agent = Start::new(&place).run();
        agent.wait_for_body();
        let found = estop(&agent);
        if found["latched"] == true {
            reset(&agent).expect(200);
        }
        let answer = kill_after(agent, "/api/robot/estop", &json!({"reason": "sweep"}), STEP * kill);

        let agent = Start::new(&place).run();
        let found = estop(&agent);
        let now = (found["latched"].as_bool().unwrap(), found["epoch"].as_u64().unwrap());
        if let Some(answer) = answer {
            let said = answer.expect(200).json();
            assert_eq!((&said["latched"], &said["epoch"]), (&json!(true), &json!(epoch + 1)), "{said}");
            assert!(
                said["durable"] == false || now == (true, epoch + 1),
                "kill {kill}: {said}, then {found}"
            );
        }
        match now {
            (true, newer) => {
                assert_eq!((newer, &found["reason"]), (epoch + 1, &json!("sweep")), "kill {kill}: {found}");
            }
            (false, same) => assert_eq!(same, epoch, "kill {kill}: {found}"),
        }
        epoch = now.1;
        agent.kill();
    }
    assert!(epoch > 0, "not one e-stop of the sweep came through");
}

#[test]
fn killed_at_any_moment_of_a_reset_it_is_latched_or_clear() {
    // Kills step through 0..6 ms after the request: whoever read 200 finds it clear, all find the same epoch.
    let place = Place::new();
    let mut resets = 0;
    for kill in 0..KILLS {
        let agent = Start::new(&place).run();
        agent.wait_for_body();
        let found = agent.post("/api/robot/estop", &json!({"reason": "sweep"})).expect(200).json();
        assert_eq!(found["durable"], true, "{found}");
        agent.wait_for_state("a confirmed e-stop", |state| state["estop"]["stage"] == "confirmed");
        let epoch = &found["epoch"];
        let answer = kill_after(agent, "/api/robot/estop/reset", &json!({"epoch": epoch}), STEP * kill);

        let agent = Start::new(&place).run();
        let after = estop(&agent);
        assert_eq!(&after["epoch"], epoch, "kill {kill}: {after}");
        if let Some(answer) = answer {
            answer.expect(200);
            assert_eq!(after["latched"], false, "kill {kill}: {after}");
            resets += 1;
        }
        if after["latched"] == true {
            assert_eq!(after["reason"], "sweep", "kill {kill}: {after}");
        }
        agent.kill();
    }
    assert!(resets > 0, "not one reset of the sweep came through");
}

/// A latch file that says "clear", damaged, counts as an e-stop, and the start says so.
fn check_damaged(damage: impl FnOnce(&mut Vec<u8>)) {
    let place = Place::new();
    assert!(Start::new(&place).run().end().success());
    let latch = place.data().join("latch");
    let mut bytes = fs::read(&latch).unwrap();
    assert_eq!(bytes.len(), 2 * SLOT);
    damage(&mut bytes);
    fs::write(&latch, bytes).unwrap();

    let agent = Start::new(&place).run();
    agent.wait_for_log("E-STOP IS LATCHED");
    let found = estop(&agent);
    assert_eq!((&found["latched"], &found["source"]), (&json!(true), &json!("file")), "{found}");
    agent.wait_for_body();
    assert_eq!(agent.take().expect(423).problem(), "estop-latched");
    // It is not in the way of somebody who looked: a reset mends the file.
    reset(&agent).expect(200);
    agent.kill();
    let agent = Start::new(&place).run();
    assert_eq!(estop(&agent)["latched"], false);
}

#[test]
fn an_empty_latch_file_counts_as_latched() {
    check_damaged(Vec::clear);
}

#[test]
fn a_latch_file_cut_within_its_first_slot_counts_as_latched() {
    check_damaged(|bytes| bytes.truncate(100));
}

#[test]
fn a_zeroed_latch_file_counts_as_latched() {
    check_damaged(|bytes| bytes.fill(0));
}

#[test]
fn garbage_in_the_latch_file_counts_as_latched() {
    check_damaged(|bytes| {
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = (at * 31 + 7) as u8;
        }
    });
}

#[test]
fn a_flipped_bit_in_the_first_slot_counts_as_latched() {
    check_damaged(|bytes| bytes[20] ^= 1);
}

#[test]
fn a_flipped_bit_in_the_second_slot_counts_as_latched() {
    check_damaged(|bytes| bytes[SLOT + 20] ^= 1);
}

#[test]
fn a_latch_file_that_is_gone_counts_as_latched() {
    // The folder has been used, so somebody has lost the file: it may have held an e-stop.
    let place = Place::new();
    assert!(Start::new(&place).run().end().success());
    fs::remove_file(place.data().join("latch")).unwrap();
    let agent = Start::new(&place).run();
    agent.wait_for_log("E-STOP IS LATCHED");
    assert_eq!(estop(&agent)["latched"], true);
}

#[test]
fn a_latch_that_is_a_folder_counts_as_latched() {
    // It can neither be read nor written: latched all the same, and not called durable.
    let place = Place::new();
    assert!(Start::new(&place).run().end().success());
    let latch = place.data().join("latch");
    fs::remove_file(&latch).unwrap();
    fs::create_dir(&latch).unwrap();
    let agent = Start::new(&place).run();
    let found = estop(&agent);
    assert_eq!((&found["latched"], &found["durable"]), (&json!(true), &json!(false)), "{found}");
    agent.wait_for_log("not durable yet");
}
