//! The robot is driven through the cloud, and stopped there.

use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::{Value, json};

use super::system::{Mqtt, paired};
use crate::system::http::Client;
use crate::system::{wait_for, wait_until};

/// The robot's path in the cloud, once it is there.
fn robot_of(cloud: &mut Client) -> anyhow::Result<String> {
    let devices = cloud.get("/api/devices")?;
    let path = format!("/api/robots/{}", devices[0]["id"].as_str().context("no device")?);
    wait_until("the robot behind the cloud", || {
        Ok(cloud.ask("GET", &format!("{path}/state"), "")?.status == 200)
    })?;
    Ok(path)
}

/// Takes the base, as a person does who comes to drive.
fn take(cloud: &mut Client, robot: &str) -> anyhow::Result<Value> {
    wait_for("an open base", || {
        let seen = cloud.get(&format!("{robot}/state"))?["seen"].clone();
        let body = json!({"resource": "base", "take_over": true, "seen": seen});
        let answer = cloud.post(&format!("{robot}/leases"), &body)?;
        Ok((answer.status == 201).then(|| answer.json()["id"].clone()))
    })
}

#[test]
fn a_person_drives_it_and_presses_its_estop_in_the_cloud() {
    paired(Mqtt::With, |system| {
        let (mut robot, mut cloud) = (system.robot.client()?, system.cloud.client()?);
        let path = robot_of(&mut cloud)?;
        let lease = take(&mut cloud, &path)?;
        wait_until("wheels that turn", || {
            let seen = cloud.get(&format!("{path}/state"))?["seen"].clone();
            let drive = json!({"linear_mps": 0.0, "angular_radps": 1.0, "lease": lease, "seen": seen});
            let answer = cloud.post(&format!("{path}/velocity"), &drive)?;
            anyhow::ensure!(
                matches!(answer.status, 202 | 410),
                "answered {}: {}",
                answer.status,
                answer.json()
            );
            let velocity = &robot.get("/api/robot/state")?["base"]["velocity"];
            Ok(velocity["angular_radps"].as_f64().is_some_and(|speed| speed > 0.1))
        })?;
        let pressed = cloud.post(&format!("{path}/estop"), &json!({"reason": "from afar"}))?.expect(200)?;
        assert_eq!(pressed["latched"], true, "{pressed}");
        let latched = robot.get("/api/robot/estop")?;
        assert_eq!((&latched["latched"], &latched["reason"]), (&json!(true), &json!("from afar")));
        // It is never reset from there.
        let reset = cloud.post(&format!("{path}/estop/reset"), &json!({"epoch": latched["epoch"]}))?;
        assert!((400..500).contains(&reset.status), "{reset:?}");
        assert_eq!(robot.get("/api/robot/estop")?["latched"], true);
        Ok(())
    });
}

#[test]
fn a_robot_that_is_away_is_said_to_be_away_within_a_second() {
    paired(Mqtt::With, |system| {
        let mut cloud = system.cloud.client()?;
        let path = robot_of(&mut cloud)?;
        system.robot.kill()?;
        wait_until("a robot that is away", || {
            let asked = Instant::now();
            let answer = cloud.post(
                &format!("{path}/velocity"),
                &json!({"linear_mps": 0.1, "angular_radps": 0.0, "seen": {"run": "x", "mono_ms": 1}}),
            )?;
            assert!(asked.elapsed() < Duration::from_millis(1500), "answered after {:?}", asked.elapsed());
            Ok(answer.status == 503 && answer.problem() == "robot-away")
        })
    });
}
