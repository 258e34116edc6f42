//! Both sides write while they are apart, and what becomes of it.

use std::time::Duration;

use anyhow::Context;
use serde_json::json;

use super::system::{Mqtt, all_notes, paired, read, rewrite, wait_for_note, write};
use crate::system::proxy::{Line, State};
use crate::system::wait_until;

#[test]
fn two_edits_of_one_note_are_both_kept_and_one_call_chooses() {
    // For each choice, on each side.
    paired(Mqtt::Without, |system| {
        let (mut robot, mut cloud) = (system.robot.client()?, system.cloud.client()?);
        for (keep, on_robot) in [("other", true), ("current", false), ("other", false)] {
            let id = write(&mut robot, "tea at four")?;
            wait_for_note(&mut cloud, &id, "tea at four")?;
            system.wait_until_in_step()?;
            system.way.set(Line::in_state(State::Cut));
            rewrite(&mut robot, &id, "tea at five")?;
            rewrite(&mut cloud, &id, "tea at six")?;
            system.way.set(Line::GOOD);
            let conflicts = system.conflicts(1)?;
            let conflict = &conflicts[0];
            assert_eq!(
                (&conflict["table"], &conflict["row"], &conflict["field"]),
                (&json!("notes"), &json!(id), &json!("content"))
            );
            let mut values = [conflict["current"].clone(), conflict["other"].clone()];
            let kept = if keep == "current" { values[0].clone() } else { values[1].clone() };
            values.sort_by_key(ToString::to_string);
            assert_eq!(values, [json!("tea at five"), json!("tea at six")], "{conflict}");

            let client = if on_robot { &mut robot } else { &mut cloud };
            let path = format!("/api/sync/conflicts/{}/resolve", conflict["id"].as_str().unwrap_or_default());
            let answer = client.post(&path, &json!({"keep": keep}))?;
            assert!((200..300).contains(&answer.status), "{answer:?}");
            system.conflicts(0)?;
            for client in [&mut robot, &mut cloud] {
                wait_for_note(client, &id, kept.as_str().unwrap_or_default())?;
            }
        }
        Ok(())
    });
}

#[test]
fn edits_that_follow_each_other_are_no_conflict() {
    // Whoever has seen the text before replaces it; also where the other side's clock would say otherwise.
    paired(Mqtt::With, |system| {
        let (mut robot, mut cloud) = (system.robot.client()?, system.cloud.client()?);
        let id = write(&mut robot, "version 0")?;
        wait_for_note(&mut cloud, &id, "version 0")?;
        for version in 1..6 {
            let content = format!("version {version}");
            let (writer, reader) =
                if version % 2 == 0 { (&mut robot, &mut cloud) } else { (&mut cloud, &mut robot) };
            rewrite(writer, &id, &content)?;
            wait_for_note(reader, &id, &content)?;
        }
        system.conflicts(0)?;
        Ok(())
    });
}

#[test]
fn a_note_deleted_on_one_side_and_edited_on_the_other_is_gone_and_its_edit_is_shown() {
    paired(Mqtt::Without, |system| {
        let (mut robot, mut cloud) = (system.robot.client()?, system.cloud.client()?);
        let id = write(&mut robot, "call the plumber")?;
        wait_for_note(&mut cloud, &id, "call the plumber")?;
        system.wait_until_in_step()?;
        system.way.set(Line::in_state(State::Cut));
        cloud.ask("DELETE", &format!("/api/sticky-notes/{id}"), "")?.expect(204)?;
        rewrite(&mut robot, &id, "call the plumber on Monday")?;
        system.way.set(Line::GOOD);
        let conflicts = system.conflicts(1)?;
        assert!(conflicts[0].to_string().contains("call the plumber on Monday"), "{}", conflicts[0]);
        system.wait_until_in_step()?;
        for client in [&mut robot, &mut cloud] {
            assert_eq!(read(client, &id)?, None);
        }
        Ok(())
    });
}

#[test]
fn a_line_that_breaks_again_and_again_loses_nothing_and_doubles_nothing() {
    paired(Mqtt::With, |system| {
        let (mut robot, mut cloud) = (system.robot.client()?, system.cloud.client()?);
        let ways = || [Some(&system.way), system.way_of_mqtt.as_ref()].into_iter().flatten();
        for round in 0..20 {
            for way in ways() {
                match round % 4 {
                    0 => way.set(Line::delayed(Duration::from_millis(30))),
                    1 => way.cut_once(),
                    2 => way.set(Line::in_state(State::Held)),
                    _ => way.set(Line::GOOD),
                }
            }
            for number in 0..5 {
                write(&mut robot, &format!("robot {round}/{number}"))?;
                write(&mut cloud, &format!("cloud {round}/{number}"))?;
            }
        }
        ways().for_each(|way| way.set(Line::GOOD));
        let mut counts = (0, 0);
        let same = wait_until("the same notes on both sides", || {
            let (here, there) = (all_notes(&mut robot)?, all_notes(&mut cloud)?);
            counts = (here.len(), there.len());
            Ok(here == there && here.len() == 200)
        });
        same.with_context(|| format!("{counts:?} of 200 notes on robot and cloud"))
    });
}
