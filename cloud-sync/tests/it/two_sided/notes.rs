//! Notes and what else is remembered, on both sides.

use std::time::Duration;

use serde_json::json;

use super::system::{Mqtt, all_notes, paired, rewrite, wait_for_note, write};
use crate::system::http::Client;
use crate::system::{wait_for, wait_until};

/// What a person may have to wait.
const SOON: Duration = Duration::from_secs(1);
/// Tries; a machine that is busy with other tests may be late at some of them.
const TRIES: usize = 5;

/// The median time from the end of a write on one side until it is read on the other.
fn way(from: &mut Client, to: &mut Client, what: &str) -> anyhow::Result<Duration> {
    let mut took = Vec::new();
    for number in 0..TRIES {
        let content = format!("{what} {number}");
        let id = write(from, &content)?;
        took.push(wait_for_note(to, &id, &content)?);
        let changed = format!("{content}, changed");
        rewrite(from, &id, &changed)?;
        took.push(wait_for_note(to, &id, &changed)?);
    }
    took.sort();
    Ok(took[took.len() / 2])
}

fn both_ways(mqtt: Mqtt) {
    paired(mqtt, |system| {
        let (mut robot, mut cloud) = (system.robot.client()?, system.cloud.client()?);
        let up = way(&mut robot, &mut cloud, "written on the robot")?;
        let down = way(&mut cloud, &mut robot, "written in the cloud")?;
        assert!(up <= SOON, "robot to cloud: {up:?}");
        assert!(down <= SOON, "cloud to robot: {down:?}");
        Ok(())
    });
}

#[test]
fn a_note_is_read_on_the_other_side_within_a_second() {
    both_ways(Mqtt::With);
}

#[test]
fn it_is_so_without_a_broker_too() {
    both_ways(Mqtt::Without);
}

#[test]
fn a_thousand_notes_written_while_the_cloud_is_dead_arrive() {
    // And what was written in the cloud before it died is there as well, on both sides.
    const NOTES: usize = 1000;
    const WRITERS: usize = 8;
    paired(Mqtt::With, |system| {
        let kept = write(&mut system.cloud.client()?, "before the crash")?;
        system.cloud.kill()?;
        let robot = &system.robot;
        std::thread::scope(|scope| {
            let one = |writer: usize| -> anyhow::Result<()> {
                let mut client = robot.client()?;
                for number in (writer..NOTES).step_by(WRITERS) {
                    write(&mut client, &format!("note {number}, while nobody was there"))?;
                }
                Ok(())
            };
            let writers: Vec<_> = (0..WRITERS).map(|writer| scope.spawn(move || one(writer))).collect();
            writers.into_iter().try_for_each(|writer| writer.join().expect("a writer panicked"))
        })?;
        let pending = robot.get("/api/sync/status")?["pending"].as_u64().unwrap_or_default();
        assert!(pending >= NOTES as u64, "{pending} changes wait");
        system.cloud.restart()?;
        let (mut robot, mut cloud) = (system.robot.client()?, system.cloud.client()?);
        wait_until("all notes in the cloud", || Ok(all_notes(&mut cloud)?.len() == NOTES + 1))?;
        wait_for_note(&mut robot, &kept, "before the crash")?;
        system.wait_until_in_step()?;
        assert_eq!(all_notes(&mut robot)?, all_notes(&mut cloud)?);
        Ok(())
    });
}

#[test]
fn what_is_remembered_is_found_by_words_and_by_meaning_on_both_sides() {
    paired(Mqtt::Without, |system| {
        let (mut robot, mut cloud) = (system.robot.client()?, system.cloud.client()?);
        let keys = write(&mut robot, "the spare keys hang behind the kitchen door")?;
        let ficus = write(&mut cloud, "the ficus by the window wants water every Friday")?;
        for number in 0..20 {
            write(&mut robot, &format!("shelf {number} in the cellar holds jars"))?;
        }
        for (question, wanted) in [
            ("where+are+my+spare+keys", &keys),
            ("kitchen+doors", &keys),
            ("watering+the+ficus", &ficus),
            ("friday", &ficus),
        ] {
            for (side, client) in [("robot", &mut robot), ("cloud", &mut cloud)] {
                let path = format!("/api/memory/search?kind=note&q={question}");
                wait_for(&format!("{question} on the {side}"), || {
                    let found = client.get(&path)?;
                    Ok((found["hits"][0]["id"] == **wanted).then_some(()))
                })?;
            }
        }
        Ok(())
    });
}

#[test]
fn a_mood_that_is_set_in_the_cloud_is_the_robots_mood() {
    // And the other way round; both histories tell of both.
    paired(Mqtt::Without, |system| {
        let (mut robot, mut cloud) = (system.robot.client()?, system.cloud.client()?);
        let set = json!({"mood": "focused", "gandhi_genghis": 7, "context": "said in the cloud"});
        cloud.post("/api/mood/update", &set)?.expect(200)?;
        wait_until("the mood on the robot", || {
            let shown = robot.get("/api/personality")?;
            Ok(shown["mood"] == "focused" && shown["gandhi_genghis"] == 7)
        })?;
        let set = json!({"mood": "playful", "context": "said to the robot"});
        robot.post("/api/mood/update", &set)?.expect(200)?;
        wait_until("the mood in the cloud", || Ok(cloud.get("/api/personality")?["mood"] == "playful"))?;
        for (side, client) in [("robot", &mut robot), ("cloud", &mut cloud)] {
            wait_until(&format!("both changes in the history of the {side}"), || {
                let history = client.get("/api/mood/history")?.to_string();
                Ok(history.contains("said in the cloud") && history.contains("said to the robot"))
            })?;
        }
        Ok(())
    });
}

#[test]
fn what_was_said_in_the_cloud_is_remembered_on_the_robot() {
    paired(Mqtt::Without, |system| {
        let (mut robot, mut cloud) = (system.robot.client()?, system.cloud.client()?);
        let said = json!({"message": "remember that the boiler is serviced in October"});
        let answer = cloud.post("/api/chat", &said)?.expect(200)?;
        assert_eq!(answer["tier"], "reflex", "{answer}");
        let id = answer["conversation_id"].as_str().unwrap_or_default();
        wait_for("the conversation on the robot", || {
            let answer = robot.ask("GET", &format!("/api/conversations/{id}"), "")?;
            Ok((answer.status == 200 && answer.json().as_array().is_some_and(|turns| turns.len() == 2))
                .then_some(()))
        })?;
        let asked = json!({"message": "what do you know about the boiler?"});
        wait_until("an answer on the robot", || {
            let answer = robot.post("/api/chat", &asked)?.expect(200)?;
            Ok(answer["reply"].as_str().unwrap_or_default().contains("October"))
        })
    });
}
