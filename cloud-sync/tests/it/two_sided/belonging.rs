//! Whose rows they are: another town and another user find nothing of what a robot brought.

use anyhow::Context;
use serde_json::{Value, json};

use super::system::{Mqtt, all_notes, paired, wait_for_note, write};
use crate::system::http::Client;
use crate::system::robot::Robot;
use crate::system::wait_until;

/// A word that is in everything that must not be found.
const SECRET: &str = "zanzibar";

fn finds_nothing(client: &mut Client, note: &str, robot: &str) -> anyhow::Result<()> {
    for path in [
        "/api/sticky-notes/",
        "/api/sticky-notes/surface?about=zanzibar",
        "/api/memory/search?q=zanzibar",
        "/api/conversations",
        "/api/mood/history",
        "/api/sync/conflicts",
        "/api/devices",
        "/api/robots",
    ] {
        let answer = client.get(path)?.to_string();
        assert!(!answer.contains(SECRET) && !answer.contains(robot), "GET {path}: {answer}");
    }
    for (method, path) in [
        ("GET", format!("/api/sticky-notes/{note}")),
        ("PATCH", format!("/api/sticky-notes/{note}")),
        ("DELETE", format!("/api/sticky-notes/{note}")),
        ("DELETE", format!("/api/devices/{robot}")),
        ("GET", format!("/api/robots/{robot}/state")),
        ("POST", format!("/api/robots/{robot}/estop")),
    ] {
        let body = if method == "PATCH" { r#"{"content": "mine"}"# } else { "" };
        let answer = client.ask(method, &path, body)?;
        assert_eq!(answer.status, 404, "{method} {path}: {}", answer.json());
    }
    Ok(())
}

#[test]
fn another_town_finds_nothing_of_it() {
    // Not over the cloud, and not on a robot of its own, which gets none of the rows.
    paired(Mqtt::With, |system| {
        let (mut robot, mut cloud) = (system.robot.client()?, system.cloud.client()?);
        let id = write(&mut robot, &format!("the safe's word is {SECRET}"))?;
        wait_for_note(&mut cloud, &id, &format!("the safe's word is {SECRET}"))?;
        robot.post("/api/mood/update", &json!({"mood": "focused", "context": SECRET}))?.expect(200)?;
        let devices = cloud.get("/api/devices")?;
        let name = devices[0]["id"].as_str().context("no device")?.to_owned();
        system.wait_until_in_step()?;

        let town = system.cloud.post("/api/towns", &json!({"id": "elsewhere"}))?.expect(201)?;
        let token = town["token"].as_str().context("no token")?;
        let mut stranger = Client::connect(system.cloud.address, token)?;
        finds_nothing(&mut stranger, &id, &name)?;

        let theirs = Robot::start(system.place(), "theirs", &["--set", "robot.id=theirs"])?;
        let code = stranger.post("/api/devices", &json!({}))?.expect(201)?["code"].clone();
        theirs.pair(code.as_str().context("no code")?, &system.cloud.url())?;
        let own = write(&mut theirs.client()?, "our own")?;
        wait_for_note(&mut stranger, &own, "our own")?;
        wait_until("their robot in step", || Ok(theirs.get("/api/sync/status")?["pending"] == 0))?;
        assert_eq!(all_notes(&mut theirs.client()?)?.len(), 1);
        assert!(all_notes(&mut cloud)?.iter().all(|(_, content)| content != "our own"));
        Ok(())
    });
}

#[test]
fn another_user_of_the_town_reads_its_notes_and_not_what_was_said() {
    paired(Mqtt::Without, |system| {
        let (mut robot, mut cloud) = (system.robot.client()?, system.cloud.client()?);
        let id = write(&mut robot, "for everybody in the house")?;
        wait_for_note(&mut cloud, &id, "for everybody in the house")?;
        let said =
            robot.post("/api/chat", &json!({"message": format!("my word is {SECRET}")}))?.expect(200)?;
        robot.post("/api/mood/update", &json!({"mood": "focused", "context": SECRET}))?.expect(200)?;
        system.wait_until_in_step()?;

        cloud.post("/api/users", &json!({"id": "ben"}))?.expect(201)?;
        let wish = json!({"scopes": ["read", "speak"], "user_id": "ben", "class": "remote"});
        let token = cloud.post("/api/tokens", &wish)?.expect(201)?["token"].clone();
        let mut ben = Client::connect(system.cloud.address, token.as_str().context("no token")?)?;
        wait_for_note(&mut ben, &id, "for everybody in the house")?;
        for path in [
            "/api/conversations",
            "/api/mood/history",
            "/api/memory/search?q=zanzibar",
            "/api/sync/conflicts",
        ] {
            let answer: Value = ben.get(path)?;
            assert!(!answer.to_string().contains(SECRET), "GET {path}: {answer}");
        }
        let talk = said["conversation_id"].as_str().unwrap_or_default();
        assert_eq!(ben.ask("GET", &format!("/api/conversations/{talk}"), "")?.status, 404);
        assert_eq!(ben.ask("GET", "/api/personality?user_id=owner", "")?.status, 403);
        Ok(())
    });
}

#[test]
fn a_robot_of_the_same_name_in_another_town_is_another_robot() {
    // Its town neither sees nor stops the one that is connected.
    paired(Mqtt::With, |system| {
        let mut cloud = system.cloud.client()?;
        let devices = cloud.get("/api/devices")?;
        let name = devices[0]["id"].as_str().context("no device")?.to_owned();
        let path = format!("/api/robots/{name}");
        wait_until("the robot behind the cloud", || {
            Ok(cloud.ask("GET", &format!("{path}/state"), "")?.status == 200)
        })?;
        let town = system.cloud.post("/api/towns", &json!({"id": "elsewhere"}))?.expect(201)?;
        let token = town["token"].as_str().context("no token")?;
        let mut stranger = Client::connect(system.cloud.address, token)?;
        let code = stranger.post("/api/devices", &json!({"robot": name}))?.expect(201)?["code"].clone();
        let pair = json!({"code": code, "version": "1"});
        assert_eq!(stranger.post("/api/devices/pair", &pair)?.expect(200)?["robot"], name.as_str());

        let theirs = stranger.get("/api/robots")?;
        assert_eq!((&theirs[0]["online"], &theirs[0]["run"]), (&json!(false), &Value::Null), "{theirs}");
        for (method, what) in [
            ("GET", "state"),
            ("GET", "stream"),
            ("GET", "estop"),
            ("GET", "leases"),
            ("GET", "control/why"),
            ("POST", "lights"),
            ("POST", "stop"),
            ("POST", "estop"),
        ] {
            let body = if method == "POST" { "{}" } else { "" };
            let answer = stranger.ask(method, &format!("{path}/{what}"), body)?;
            assert_eq!((answer.status, answer.problem().as_str()), (503, "robot-away"), "{method} {what}");
        }
        let state = system.robot.get("/api/robot/state")?;
        assert_eq!((&state["estop"]["latched"], &state["base"]["closed"]), (&json!(false), &Value::Null));
        Ok(())
    });
}
