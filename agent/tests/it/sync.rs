//! The robot's end of sync, as its owner meets it: a running agent and a cloud that comes and goes.

use serde_json::{Value, json};

use crate::support::agent::{Agent, Start};
use crate::support::cloud::{ANN, Cloud};
use crate::support::{Place, wait_for, wait_until};

const NOTES: &str = "/api/sticky-notes/";

fn note(agent: &Agent, content: &str) -> String {
    let note = agent.post(NOTES, &json!({ "content": content })).expect(201).json();
    note["id"].as_str().unwrap().to_owned()
}

fn notes(agent: &Agent) -> Vec<String> {
    let rows = agent.get(&format!("{NOTES}?limit=500")).expect(200).json();
    rows.as_array().unwrap().iter().map(|row| row["content"].as_str().unwrap().to_owned()).collect()
}

fn pair(agent: &Agent, cloud: &Cloud) {
    let said = agent.command(&["pair", "GOODCODE", "--cloud", &cloud.url()]);
    assert!(said.contains("paired: robbie in the town home"), "{said}");
    let is_paired = || agent.get("/api/sync/status").expect(200).json()["cloud"].is_string();
    wait_until("the agent to take the pairing up", is_paired);
}

/// What `doctor` says of the cloud: `ok`, `warn` or `fail`, and what it saw.
fn doctor(agent: &Agent) -> (String, String) {
    let report: Value = serde_json::from_slice(&agent.output(&["doctor", "--json"]).stdout).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["id"] == "cloud.sync").unwrap();
    (check["status"].as_str().unwrap().to_owned(), check["what"].as_str().unwrap().to_owned())
}

fn status(agent: &Agent) -> Value {
    agent.get("/api/sync/status").expect(200).json()
}

#[test]
fn what_was_written_before_pairing_and_what_is_written_while_the_cloud_is_away_arrives() {
    let place = Place::new();
    let agent = Start::new(&place).run();
    assert_eq!(status(&agent)["cloud"], Value::Null);
    assert!(doctor(&agent).1.contains("no cloud"), "{:?}", doctor(&agent));
    note(&agent, "written before");
    let cloud = Cloud::start();
    pair(&agent, &cloud);
    wait_until("the note of before in the cloud", || cloud.notes() == ["written before"]);
    cloud.be_away(true);
    for n in 0..50 {
        note(&agent, &format!("written alone {n}"));
    }
    wait_until("the agent to notice", || status(&agent)["pending"] == 50);
    wait_until("doctor to say it", || {
        let (status, what) = doctor(&agent);
        status == "warn" && what.contains("50 changes wait")
    });
    // Also over a death in the middle of it.
    agent.kill();
    let agent = Start::new(&place).run();
    cloud.be_away(false);
    wait_until("all of them in the cloud", || cloud.notes().len() == 51);
    wait_until("nothing to wait", || status(&agent)["pending"] == 0);
    // The owner's token of before is his still, under the name that the cloud gave him.
    let said = agent.get("/api/personality").expect(200).json();
    assert_eq!(said["mood"], "friendly");
    let tokens = agent.command(&["token", "list"]);
    let owners = tokens.lines().find(|line| line.contains("admin")).unwrap();
    assert_eq!(owners.split_whitespace().nth(3), Some(ANN), "{tokens}");
}

#[test]
fn two_edits_apart_are_both_shown_and_one_call_chooses() {
    let place = Place::new();
    let agent = Start::new(&place).run();
    let cloud = Cloud::start();
    pair(&agent, &cloud);
    let id = note(&agent, "the key is red");
    wait_until("it in the cloud", || cloud.notes() == ["the key is red"]);
    cloud.set_note(&id, "the key is blue");
    wait_until("the cloud's edit on the robot", || notes(&agent) == ["the key is blue"]);
    cloud.be_away(true);
    agent.patch(&format!("{NOTES}{id}"), &json!({ "content": "the key is green" })).expect(200);
    cloud.set_note(&id, "the key is black");
    cloud.be_away(false);
    let conflicts = || agent.get("/api/sync/conflicts").expect(200).json();
    let conflict = wait_for("the conflict", || conflicts().as_array().unwrap().first().cloned());
    assert_eq!(
        (&conflict["table"], &conflict["field"], &conflict["row"]),
        (&json!("notes"), &json!("content"), &json!(id))
    );
    let both = [conflict["current"].as_str().unwrap(), conflict["other"].as_str().unwrap()];
    assert!(both.contains(&"the key is green") && both.contains(&"the key is black"), "{conflict}");
    let resolve = format!("/api/sync/conflicts/{}/resolve", conflict["id"].as_str().unwrap());
    agent.post(&resolve, &json!({ "keep": "other" })).expect(200);
    wait_until("the other on both sides", || notes(&agent) == [both[1]] && cloud.notes() == [both[1]]);
    assert_eq!(conflicts(), json!([]));
    agent.post(&resolve, &json!({ "keep": "neither" })).expect(400);
}

#[test]
fn a_revoked_device_says_so_keeps_working_and_loses_nothing() {
    let place = Place::new();
    let agent = Start::new(&place).run();
    let cloud = Cloud::start();
    pair(&agent, &cloud);
    cloud.revoke();
    note(&agent, "still here");
    let fault = wait_for("the fault", || status(&agent)["fault"].as_str().map(str::to_owned));
    assert!(fault.contains("not known"), "{fault}");
    assert_eq!(notes(&agent), ["still here"]);
    assert_eq!(status(&agent)["pending"], 1);
    let (status, what) = doctor(&agent);
    assert!(status == "fail" && what.contains("not known"), "{status}: {what}");
}

#[test]
fn another_town_is_refused_until_the_first_is_forgotten_and_then_nothing_of_it_is_left() {
    let place = Place::new();
    let mut agent = Start::new(&place).run();
    let cloud = Cloud::start();
    let wrong = agent.try_command(&["pair", "BADCODE1", "--cloud", &cloud.url()]);
    assert!(wrong.1.contains("no such code"), "{wrong:?}");
    let plain = agent.try_command(&["pair", "GOODCODE", "--cloud", "http://cloud.example"]);
    assert_eq!(plain.0, Some(64), "{plain:?}");
    pair(&agent, &cloud);
    note(&agent, "of home");
    wait_until("it in the cloud", || status(&agent)["pending"] == 0 && cloud.notes() == ["of home"]);
    cloud.serve_town("office");
    let other = agent.try_command(&["pair", "GOODCODE", "--cloud", &cloud.url()]);
    assert!(other.1.contains("another town"), "{other:?}");
    agent.command(&["pair", "--forget"]);
    wait_until("the pairing is gone", || !place.data().join("cloud.json").exists());
    let secret = std::fs::read_to_string(place.data().join("owner-token")).unwrap();
    assert_ne!(secret.trim(), agent.token, "the tokens of before are gone");
    agent.token = secret.trim().to_owned();
    wait_until("the new token", || agent.client().ask("GET", "/api/sync/status", None).status == 200);
    wait_until("the rows are gone", || notes(&agent).is_empty());
    wait_until("no cloud", || status(&agent)["cloud"] == Value::Null);
}
