//! A robot comes in, and goes.

use serde_json::json;

use super::system::{Mqtt, all_notes, apart, paired, read, wait_for_note, write};
use crate::system::{wait_for, wait_until};

#[test]
fn a_robot_that_has_been_alone_brings_everything_along() {
    // Notes, talks and mood of before; it goes on running, and its tokens stay good.
    apart(Mqtt::Without, |system| {
        let (mut robot, mut cloud) = (system.robot.client()?, system.cloud.client()?);
        for number in 0..50 {
            write(&mut robot, &format!("note {number} of before"))?;
        }
        let talked = robot.post("/api/chat", &json!({"message": "what is your battery?"}))?.expect(200)?;
        robot.post("/api/mood/update", &json!({"mood": "playful", "context": "a new song"}))?.expect(200)?;
        let unpaired = all_notes(&mut robot)?;
        system.pair()?;
        wait_until("the notes in the cloud", || Ok(all_notes(&mut cloud)? == unpaired))?;
        assert_eq!(all_notes(&mut robot)?, unpaired);
        let id = talked["conversation_id"].as_str().unwrap_or_default();
        wait_for("the talk in the cloud", || {
            let answer = cloud.ask("GET", &format!("/api/conversations/{id}"), "")?;
            Ok((answer.status == 200).then_some(()))
        })?;
        wait_until("the mood in the cloud", || Ok(cloud.get("/api/personality")?["mood"] == "playful"))?;
        let id = write(&mut robot, "and one more")?;
        wait_for_note(&mut cloud, &id, "and one more")?;
        let shown = system.cloud.get("/api/devices")?;
        assert_eq!(shown.as_array().map(Vec::len), Some(1), "{shown}");
        Ok(())
    });
}

#[test]
fn a_code_is_good_once() {
    apart(Mqtt::Without, |system| {
        let code = system.cloud.run(&["device", "add", "--robot", "kitchen"])?;
        system.robot.pair(&code, &system.cloud.url())?;
        wait_until("its name", || Ok(system.robot.get("/api/robot/state")?["robot"] == "kitchen"))?;
        let body = json!({"code": code, "version": "1"});
        assert_eq!(system.cloud.post("/api/devices/pair", &body)?.status, 404);
        Ok(())
    });
}

#[test]
fn a_revoked_robot_is_not_heard_any_more() {
    // Its next frames are refused, it says so, and what it wrote before stays; a new code lets it in again, with what it wrote
    // meanwhile.
    paired(Mqtt::With, |system| {
        let (mut robot, mut cloud) = (system.robot.client()?, system.cloud.client()?);
        let before = write(&mut robot, "before")?;
        wait_for_note(&mut cloud, &before, "before")?;
        let devices = cloud.get("/api/devices")?;
        let id = devices[0]["id"].as_str().unwrap_or_default();
        cloud.ask("DELETE", &format!("/api/devices/{id}"), "")?.expect(204)?;
        // It is refused within 2 s, also over the broker.
        wait_until("a refused robot", || {
            write(&mut robot, "knocking")?;
            let health = robot.ask("GET", "/health", "")?.json();
            Ok(health["faults"].to_string().contains("sync"))
        })?;
        let heard = all_notes(&mut cloud)?.len();
        let after = write(&mut robot, "after")?;
        std::thread::sleep(std::time::Duration::from_millis(1500));
        assert_eq!(read(&mut cloud, &after)?, None);
        assert_eq!(all_notes(&mut cloud)?.len(), heard);
        assert_eq!(read(&mut cloud, &before)?.as_deref(), Some("before"));
        system.pair()?;
        wait_for_note(&mut cloud, &after, "after")?;
        Ok(())
    });
}

#[test]
fn what_is_forgotten_is_gone_from_the_robot_and_stays_in_the_cloud() {
    paired(Mqtt::Without, |system| {
        let (mut robot, mut cloud) = (system.robot.client()?, system.cloud.client()?);
        let id = write(&mut robot, "of this town")?;
        wait_for_note(&mut cloud, &id, "of this town")?;
        system.wait_until_in_step()?;
        let forgotten = system.robot.run(&["pair", "--forget"])?;
        assert!(forgotten.status.success(), "{}", String::from_utf8_lossy(&forgotten.stderr));
        wait_until("the end of the pairing", || Ok(!system.robot.data().join("cloud.json").exists()))?;
        // The owner's token goes with the owner's rows; the agent makes a new one for whoever owns it now.
        let token = std::fs::read_to_string(system.robot.data().join("owner-token"))?;
        let mut robot = crate::system::http::Client::connect(system.robot.address, token.trim())?;
        wait_until("an empty robot", || {
            let answer = robot.ask("GET", &format!("/api/sticky-notes/{id}"), "")?;
            Ok(matches!(answer.status, 401 | 404))
        })?;
        assert_eq!(read(&mut cloud, &id)?.as_deref(), Some("of this town"));
        Ok(())
    });
}
