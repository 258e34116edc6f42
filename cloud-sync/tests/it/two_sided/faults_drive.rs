//! What goes wrong while somebody drives through the cloud: late lines, processes that die, commands from elsewhere.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::people_drive::{person, robot_of, seen, turn};
use super::speaker::Speaker;
use super::system::{Mqtt, System, counted, paired};
use crate::system::http::Client;
use crate::system::proxy::{Line, State};
use crate::system::{wait_for, wait_until};

/// Time to live of the commands here.
const TTL: Duration = Duration::from_millis(500);
/// What a busy machine may add to a time of the robot's.
const SLACK: Duration = Duration::from_millis(400);
/// From a turn of 1 rad/s to a standstill.
const BRAKES: Duration = Duration::from_millis(500);

fn base(robot: &mut Client) -> anyhow::Result<Value> {
    Ok(robot.get("/api/robot/state")?["base"].clone())
}

fn stands(robot: &mut Client) -> anyhow::Result<bool> {
    let base = base(robot)?;
    let speed = |name: &str| base["velocity"][name].as_f64().map_or(f64::INFINITY, f64::abs);
    Ok(base["setpoint"].is_null() && speed("linear_mps") < 0.01 && speed("angular_radps") < 0.01)
}

/// Takes the base for half a minute, and gives the lease's id. What is still on its way over a line that was slow is waited for.
fn hold(cloud: &mut Client, path: &str) -> anyhow::Result<String> {
    wait_for("a lease", || {
        let state = cloud.ask("GET", &format!("{path}/state"), "")?;
        let body = json!({"resource": "base", "ttl_ms": 30000, "seen": state.json()["seen"]});
        let taken = cloud.post(&format!("{path}/leases"), &body)?;
        Ok(taken.json()["id"].as_str().filter(|_| taken.status == 201).map(str::to_owned))
    })
}

/// Drives until the wheels turn, with a lease of half a minute or the one that a command takes by itself. A base that closed
/// meanwhile, for the machine had no time, is opened.
fn drive(cloud: &mut Client, robot: &mut Client, path: &str, is_lease_long: bool) -> anyhow::Result<()> {
    if is_lease_long {
        hold(cloud, path)?;
    }
    wait_until("wheels that turn", || {
        let (status, problem) = turn(cloud, path)?;
        ensure!(matches!(status, 202 | 409 | 410 | 503), "answered {status} {problem}");
        if problem == "closed" {
            let lease = hold(cloud, path)?;
            if !is_lease_long {
                cloud.ask("DELETE", &format!("{path}/leases/{lease}"), "")?.expect(204)?;
            }
        }
        if status == 409 {
            // Whoever was refused a moment ago takes nothing by a command.
            std::thread::sleep(Duration::from_millis(1100));
        }
        Ok(base(robot)?["velocity"]["angular_radps"].as_f64().is_some_and(|speed| speed > 0.3))
    })
}

/// Commands that the robot has refused as too late.
fn too_late(robot: &mut Client) -> anyhow::Result<usize> {
    let why = robot.get("/api/robot/control/why")?;
    let refusals = why["refusals"].as_array().context("no refusals")?;
    Ok(refusals.iter().filter(|refusal| refusal["type"] == "/problems/stale").count())
}

#[test]
fn a_command_that_is_two_seconds_late_moves_nothing() {
    // On a slow line, and on one that stood still. Whoever sent it hears within a second that the robot is away.
    paired(Mqtt::With, |system| {
        let (mut cloud, mut robot) = (system.cloud.client()?, system.robot.client()?);
        let path = robot_of(&mut cloud)?;
        for line in [Line::delayed(Duration::from_secs(2)), Line::in_state(State::Held)] {
            drive(&mut cloud, &mut robot, &path, true)?;
            wait_until("a robot that stands", || stands(&mut robot))?;
            let before = too_late(&mut robot)?;
            let seen = seen(&mut cloud, &path)?;
            system.way_of_mqtt()?.set(line);
            let sent = Instant::now();
            let body = json!({"linear_mps": 0.0, "angular_radps": 1.0, "ttl_ms": 500, "seen": seen});
            let refused = cloud.post(&format!("{path}/velocity"), &body)?;
            assert!(sent.elapsed() < Duration::from_secs(1) + SLACK, "answered after {:?}", sent.elapsed());
            assert_eq!((refused.status, refused.problem().as_str()), (503, "robot-away"));
            let detail = refused.json()["detail"].clone();
            assert!(detail.as_str().is_some_and(|detail| detail.contains("not connected")), "{detail}");
            if line.state == State::Held {
                std::thread::sleep(Duration::from_secs(2));
                system.way_of_mqtt()?.set(Line::GOOD);
            }
            wait_until("the late command's refusal", || {
                ensure!(stands(&mut robot)?, "a late command moved it: {}", base(&mut robot)?);
                Ok(too_late(&mut robot)? > before)
            })?;
            assert!(sent.elapsed() >= Duration::from_secs(2));
            system.way_of_mqtt()?.set(Line::GOOD);
        }
        Ok(())
    });
}

/// Somebody drives; then something dies, and comes back. `is_lease_long`: as in [`drive`].
fn check_death(
    system: &mut System,
    is_lease_long: bool,
    kill: impl Fn(&mut System) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (mut cloud, mut robot) = (system.cloud.client()?, system.robot.client()?);
    let path = robot_of(&mut cloud)?;
    drive(&mut cloud, &mut robot, &path, is_lease_long)?;
    let died = Instant::now();
    kill(system)?;
    wait_until("the end of its setpoint", || Ok(base(&mut robot)?["setpoint"].is_null()))?;
    assert!(died.elapsed() < TTL + SLACK, "its setpoint lived for {:?}", died.elapsed());
    wait_until("a robot that stands", || stands(&mut robot))?;
    assert!(died.elapsed() < TTL + BRAKES + SLACK, "it stands after {:?}", died.elapsed());
    if !is_lease_long {
        wait_until("the end of the lease", || {
            Ok(robot.get("/api/robot/state")?["control"]["base"].is_null())
        })?;
    }
    let lease = robot.post("/api/robot/leases", &json!({"resource": "base"}))?.expect(201)?;
    assert!(died.elapsed() < Duration::from_secs(2), "a person beside it waited {:?}", died.elapsed());
    assert_eq!(lease["class"], "local");
    wait_until("wheels that turn for a person beside it", || {
        robot.post("/api/robot/velocity", &json!({"linear_mps": 0.0, "angular_radps": -1.0}))?.expect(202)?;
        Ok(base(&mut robot)?["velocity"]["angular_radps"].as_f64().is_some_and(|speed| speed < -0.1))
    })?;
    let id = lease["id"].as_str().context("no lease")?;
    robot.ask("DELETE", &format!("/api/robot/leases/{id}"), "")?.expect(204)?;
    Ok(())
}

#[test]
fn a_cloud_that_dies_leaves_a_robot_that_stands_and_is_free() {
    // Within its time to live, and for a person beside it within two seconds, also where whoever drove held it for half a minute.
    paired(Mqtt::With, |system| {
        for is_lease_long in [false, true] {
            check_death(system, is_lease_long, |system| system.cloud.kill())?;
            system.cloud.restart()?;
        }
        Ok(())
    });
}

#[test]
fn a_broker_that_dies_leaves_a_robot_that_stands_and_is_free() {
    // The same; and whoever drove is told that the robot is away.
    paired(Mqtt::With, |system| {
        for is_lease_long in [false, true] {
            check_death(system, is_lease_long, |system| {
                system.broker.as_mut().context("there is no broker")?.kill()
            })?;
            let mut cloud = system.cloud.client()?;
            let robots = cloud.get("/api/robots")?;
            let id = robots[0]["id"].as_str().context("no robot")?.to_owned();
            let asked = Instant::now();
            let body = json!({"linear_mps": 0.0, "angular_radps": 1.0, "seen": {"run": "x", "mono_ms": 1}});
            let refused = cloud.post(&format!("/api/robots/{id}/velocity"), &body)?;
            assert_eq!((refused.status, refused.problem().as_str()), (503, "robot-away"));
            assert!(asked.elapsed() < Duration::from_secs(1) + SLACK, "{:?}", asked.elapsed());
            system.broker.as_mut().context("there is no broker")?.restart()?;
        }
        Ok(())
    });
}

#[test]
fn of_two_people_the_second_takes_over_only_on_purpose() {
    // And then the first one's motion is over at once.
    paired(Mqtt::With, |system| {
        let (mut ann, _) = person(system, "ann", "read drive")?;
        let (mut bob, _) = person(system, "bob", "read drive")?;
        let mut robot = system.robot.client()?;
        let path = robot_of(&mut ann)?;
        drive(&mut ann, &mut robot, &path, true)?;
        let leases = format!("{path}/leases");
        let wish = |client: &mut Client, take_over: bool| -> anyhow::Result<Value> {
            let seen = seen(client, &path)?;
            Ok(json!({"resource": "base", "ttl_ms": 30000, "take_over": take_over, "seen": seen}))
        };
        let body = wish(&mut bob, false)?;
        let refused = bob.post(&leases, &body)?;
        assert_eq!((refused.status, refused.problem().as_str()), (409, "lease-held"));
        assert_eq!((&refused.json()["holder"], &refused.json()["class"]), (&json!("ann"), &json!("remote")));

        drive(&mut ann, &mut robot, &path, false)?;
        let body = wish(&mut bob, true)?;
        let taken = bob.post(&leases, &body)?.expect(201)?;
        assert_eq!((&taken["holder"], &taken["class"]), (&json!("bob"), &json!("remote")));
        assert_eq!(base(&mut robot)?["setpoint"], Value::Null);
        assert_eq!(turn(&mut ann, &path)?, (409, "lease-held".to_owned()));
        wait_until("a robot that stands", || stands(&mut robot))?;
        drive(&mut bob, &mut robot, &path, false)
    });
}

#[test]
fn commands_that_were_kept_or_are_nobodys_move_nothing_and_are_counted() {
    // Straight at the broker. Stop needs nobody.
    paired(Mqtt::With, |system| {
        let speaker = Speaker::connect(system)?;
        let mut cloud = system.cloud.client()?;
        let path = robot_of(&mut cloud)?;
        let name = path.rsplit('/').next().context("no name")?.to_owned();
        hold(&mut cloud, &path)?;
        let by = json!({"token": "t", "user_id": "ann", "class": "remote", "scopes": ["read", "drive"]});
        let turn = json!({"linear_mps": 0.0, "angular_radps": 1.0, "seen": seen(&mut cloud, &path)?});
        system.robot.kill()?;
        for kind in ["velocity", "estop"] {
            let mut kept = turn.clone();
            (kept["id"], kept["by"]) = (json!(format!("kept-{kind}")), by.clone());
            speaker.leave(&format!("{name}/command/{kind}"), kept.to_string().as_bytes())?;
        }
        system.robot.restart()?;
        let mut robot = system.robot.client()?;
        let refused = |client: &mut Client, kind: &str, problem: &str| {
            let labels = [format!("kind=\"{kind}\""), format!("type=\"{problem}\"")];
            counted(client, "robbie_mqtt_refused_total", &labels.each_ref().map(String::as_str))
        };
        for kind in ["velocity", "estop"] {
            let result = speaker.result(&name, &format!("kept-{kind}"))?;
            assert_eq!((&result["status"], &result["type"]), (&json!(410), &json!("/problems/stale")));
            assert!(refused(&mut robot, kind, "stale")? >= 1);
        }
        assert_eq!(robot.get("/api/robot/estop")?["latched"], false);

        for kind in ["velocity", "teleop", "move", "head", "lights", "lease-take", "read"] {
            let mut nobodys =
                json!({"id": format!("nobodys-{kind}"), "seen": seen(&mut robot, "/api/robot")?});
            nobodys["angular_radps"] = json!(1.0);
            nobodys["linear_mps"] = json!(0.0);
            speaker.say(&format!("{name}/command/{kind}"), nobodys.to_string().as_bytes())?;
            let result = speaker.result(&name, &format!("nobodys-{kind}"))?;
            assert_eq!((&result["status"], &result["type"]), (&json!(401), &json!("/problems/no-token")));
            assert_eq!(refused(&mut robot, kind, "no-token")?, 1, "{kind}");
        }
        assert!(stands(&mut robot)?);
        speaker.say(&format!("{name}/command/stop"), b"{\"id\": \"stop\"}")?;
        assert_eq!(speaker.result(&name, "stop")?["status"], 200);
        wait_for("a base that is closed", || Ok((base(&mut robot)?["closed"]["by"] == "stop").then_some(())))
    });
}
