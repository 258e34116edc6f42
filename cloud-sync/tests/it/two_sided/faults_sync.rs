//! What goes wrong with frames of sync: of whom nobody knows, of somebody else, and such as are none.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use cloud_sync_protocol::sync::frame::{FRAME_BYTES_MAX, Frame, Refusal, VERSION, Why};
use serde_json::{Value, json};

use super::device::Device;
use super::people_drive::robot_of;
use super::speaker::Speaker;
use super::system::{Mqtt, System, all_notes, counted, paired, wait_for_note, write};
use crate::system::http::Client;
use crate::system::proxy::{Line, State};
use crate::system::robot::Robot;
use crate::system::{wait_for, wait_until};

/// An answer over the broker comes in milliseconds; on a busy machine it may take as long.
const SOON: Duration = Duration::from_secs(5);

/// Frames that the program has refused for this reason.
fn refused(client: &mut Client, why: &str) -> anyhow::Result<u64> {
    counted(client, "robbie_sync_refused_total", &[&format!("why=\"{why}\"")])
}

/// Notes go both ways, over the broker, and nobody has to look after anything.
fn in_step_over_the_broker(system: &System, word: &str) -> anyhow::Result<()> {
    let (mut robot, mut cloud) = (system.robot.client()?, system.cloud.client()?);
    robot_of(&mut cloud)?;
    for (from, to) in [("robot", "cloud"), ("cloud", "robot")] {
        let content = format!("{word}, from the {from}");
        let (writer, reader) =
            if from == "robot" { (&mut robot, &mut cloud) } else { (&mut cloud, &mut robot) };
        let id = write(writer, &content)?;
        let took = wait_for_note(reader, &id, &content)?;
        assert!(took < SOON, "from the {from} to the {to}: {took:?}");
    }
    let status = robot.get("/api/sync/status")?;
    assert_eq!((&status["over_broker"], &status["fault"]), (&json!(true), &Value::Null), "{status}");
    Ok(())
}

fn name_of_robot(cloud: &mut Client) -> anyhow::Result<String> {
    Ok(robot_of(cloud)?.rsplit('/').next().context("no name")?.to_owned())
}

#[test]
fn a_revoked_device_is_not_heard_over_the_broker() {
    // Within two seconds, in the middle of its conversation, by no replica; the broker lets it in all the same.
    paired(Mqtt::With, |system| {
        let replica = system.replica()?;
        let (mut one, mut other) = (system.cloud.client()?, replica.client()?);
        let speaker = Speaker::connect(system)?;
        let mut shed = Device::pair(system, &speaker, "shed")?;
        let known = |client: &mut Client| Ok(client.get("/api/robots")?.to_string().contains("shed"));
        wait_until("a replica that knows it", || known(&mut other))?;
        let hello = shed.hello();
        ensure!(matches!(shed.ask(&hello, SOON)?, Some(Frame::HelloAck(_))), "it is not greeted");
        let note = shed.note("before");
        ensure!(matches!(shed.ask(&note, SOON)?, Some(Frame::PushAck(_))), "it is not heard");

        one.ask("DELETE", "/api/devices/shed", "")?.expect(204)?;
        let revoked = Instant::now();
        let patience = Duration::from_millis(100);
        while revoked.elapsed() < Duration::from_secs(2) {
            let note = shed.note(&format!("knocking {:?}", revoked.elapsed()));
            shed.ask(&note, patience)?;
        }
        let ignored =
            |client: &mut Client| counted(client, "robbie_link_ignored_total", &["reason=\"unknown-robot\""]);
        let before = (all_notes(&mut one)?.len(), ignored(&mut one)? + ignored(&mut other)?);
        for number in 0..10 {
            let frame = if number == 0 { shed.hello() } else { shed.note(&format!("late {number}")) };
            assert_eq!(shed.ask(&frame, patience)?, None, "frame {number}");
        }
        wait_until("ten frames that were ignored", || {
            Ok(ignored(&mut one)? + ignored(&mut other)? >= before.1 + 10)
        })?;
        assert_eq!(all_notes(&mut one)?.len(), before.0);
        in_step_over_the_broker(system, "somebody else")
    });
}

#[test]
fn a_frame_on_anothers_topic_changes_nothing() {
    // A greeting and a write of the shed's, on the robot's topic; and on that of a robot that nobody knows. Both go on as before.
    paired(Mqtt::With, |system| {
        let speaker = Speaker::connect(system)?;
        let mut cloud = system.cloud.client()?;
        let robot = name_of_robot(&mut cloud)?;
        let mut shed = Device::pair(system, &speaker, "shed")?;
        let hello = shed.hello();
        ensure!(matches!(shed.ask(&hello, SOON)?, Some(Frame::HelloAck(_))), "it is not greeted");
        let note = shed.note("from the shed");
        for (frame, why) in [(hello, "not-yours"), (note.clone(), "greet-again")] {
            let before = refused(&mut cloud, why)?;
            for _ in 0..5 {
                speaker.say(&format!("{robot}/sync/up"), &frame.encode()?)?;
            }
            wait_until(why, || Ok(refused(&mut cloud, why)? >= before + 5))?;
        }
        let unknown =
            |client: &mut Client| counted(client, "robbie_link_ignored_total", &["reason=\"unknown-robot\""]);
        let before = unknown(&mut cloud)?;
        speaker.say("nobody/sync/up", &note.encode()?)?;
        wait_until("the stranger's frame", || Ok(unknown(&mut cloud)? > before))?;
        assert_eq!(all_notes(&mut cloud)?, []);
        in_step_over_the_broker(system, "still there")?;
        ensure!(matches!(shed.ask(&note, SOON)?, Some(Frame::PushAck(_))), "it is not heard");
        assert_eq!(all_notes(&mut cloud)?.len(), 3);
        Ok(())
    });
}

/// Bytes that are no frame, and why they are refused.
fn poison(frame: &Frame) -> anyhow::Result<Vec<(&'static str, Vec<u8>)>> {
    let good = frame.encode()?;
    // Behind the head: version, kind, flags and the sum of what follows.
    let with_body = |body: &[u8]| {
        let sum = crc::Crc::<u32>::new(&crc::CRC_32_ISCSI).checksum(body);
        [&[VERSION, 3, 1], &sum.to_le_bytes()[..], body].concat()
    };
    let mut newer = good.clone();
    newer[0] = VERSION + 1;
    let bomb = zstd::bulk::compress(&vec![0; 200 * 1024 * 1024], 3)?;
    Ok(vec![
        ("malformed", good[..good.len() - 9].to_vec()),
        ("malformed", with_body(&good[7..good.len() - 9])),
        ("malformed", with_body(&bomb)),
        ("malformed", vec![VERSION; FRAME_BYTES_MAX + 1]),
        ("malformed", Vec::new()),
        ("too-new", newer),
    ])
}

/// A frame that is long enough to be compressed.
fn long_frame(device: &mut Device<'_>) -> Frame {
    device.note(&"so ".repeat(400))
}

#[test]
fn poison_from_a_robot_is_refused_and_counted_and_nobody_else_notices() {
    // One after the other, and as the first thing that a cloud hears on a new connection.
    paired(Mqtt::With, |system| {
        let speaker = Speaker::connect(system)?;
        let (mut robot, mut cloud) = (system.robot.client()?, system.cloud.client()?);
        let topic = format!("{}/sync/up", name_of_robot(&mut cloud)?);
        let mut poisons = poison(&long_frame(&mut Device::pair(system, &speaker, "shed")?))?;
        // No frame at all, but one that only a cloud sends.
        let backwards = Frame::Refusal(Refusal { session: 0, why: Why::Malformed }).encode()?;
        poisons.push(("malformed", backwards));
        for (why, bytes) in &poisons {
            let before = refused(&mut cloud, why)?;
            speaker.say(&topic, bytes)?;
            wait_until("one more that was refused", || Ok(refused(&mut cloud, why)? == before + 1))?;
        }
        in_step_over_the_broker(system, "after poison")?;

        let connected = |client: &mut Client| counted(client, "robbie_mqtt_connected", &[]);
        let before = refused(&mut cloud, "malformed")?;
        system.way_of_mqtt()?.set(Line::in_state(State::Cut));
        wait_until("both to be cut off", || Ok(connected(&mut cloud)? + connected(&mut robot)? == 0))?;
        system.way_of_mqtt()?.set(Line::GOOD);
        wait_until("poison as the first word", || {
            speaker.say(&topic, &poisons[1].1)?;
            Ok(refused(&mut cloud, "malformed")? > before)
        })?;
        wait_until("both to be there", || Ok(connected(&mut cloud)? + connected(&mut robot)? == 2))?;
        in_step_over_the_broker(system, "after poison and a new connection")
    });
}

#[test]
fn poison_for_a_robot_is_refused_and_counted_and_it_goes_on() {
    paired(Mqtt::With, |system| {
        let speaker = Speaker::connect(system)?;
        let (mut robot, mut cloud) = (system.robot.client()?, system.cloud.client()?);
        let topic = format!("{}/sync/down", name_of_robot(&mut cloud)?);
        for (why, bytes) in poison(&long_frame(&mut Device::pair(system, &speaker, "shed")?))? {
            let before = refused(&mut robot, why)?;
            speaker.say(&topic, &bytes)?;
            wait_until("one more that was refused", || Ok(refused(&mut robot, why)? == before + 1))?;
        }
        in_step_over_the_broker(system, "after poison")
    });
}

#[test]
fn a_robot_of_another_town_has_no_broker_and_is_in_step_over_http() {
    // Driven through the cloud it is not: it is away, whatever is asked of it.
    paired(Mqtt::With, |system| {
        let town = system.cloud.post("/api/towns", &json!({"id": "elsewhere"}))?.expect(201)?;
        let token = town["token"].as_str().context("no token")?;
        let mut owner = Client::connect(system.cloud.address, token)?;
        let theirs = Robot::start(system.place(), "theirs", &[])?;
        let code = owner.post("/api/devices", &json!({}))?.expect(201)?["code"].clone();
        theirs.pair(code.as_str().context("no code")?, &system.cloud.url())?;
        let mut robot = theirs.client()?;
        let up = write(&mut robot, "from the robot")?;
        wait_for_note(&mut owner, &up, "from the robot")?;
        let down = write(&mut owner, "from the cloud")?;
        wait_for_note(&mut robot, &down, "from the cloud")?;
        let status = robot.get("/api/sync/status")?;
        assert_eq!((&status["over_broker"], &status["connected"]), (&json!(false), &json!(true)));

        let file: Value = serde_json::from_slice(&std::fs::read(theirs.data().join("cloud.json"))?)?;
        let secret = file["paired"]["secret"].as_str().context("no secret")?;
        let me = Client::connect(system.cloud.address, secret)?.get("/api/devices/me")?;
        assert_eq!((&me["town"], &me["mqtt"]), (&json!("elsewhere"), &Value::Null));
        let robots = owner.get("/api/robots")?;
        assert_eq!((&robots[0]["id"], &robots[0]["online"]), (&me["robot"], &json!(false)));
        let name = me["robot"].as_str().context("no name")?;
        let seen = robot.get("/api/robot/state")?["seen"].clone();
        for (method, path) in [
            ("GET", "state"),
            ("GET", "leases"),
            ("GET", "estop"),
            ("GET", "control/why"),
            ("POST", "velocity"),
            ("POST", "move"),
            ("POST", "head"),
            ("POST", "lights"),
            ("POST", "leases"),
            ("POST", "stop"),
            ("POST", "estop"),
            ("DELETE", "leases/l-1"),
            ("DELETE", "tasks/t-1"),
        ] {
            let body = if method == "POST" { json!({ "seen": seen }).to_string() } else { String::new() };
            let answer = owner.ask(method, &format!("/api/robots/{name}/{path}"), &body)?;
            let said = (answer.status, answer.problem());
            assert_eq!(said, (503, "robot-away".to_owned()), "{method} {path}");
        }
        wait_for("a robot that nobody stopped", || {
            Ok((robot.get("/api/robot/estop")?["latched"] == false).then_some(()))
        })
    });
}
