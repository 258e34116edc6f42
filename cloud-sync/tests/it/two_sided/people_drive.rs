//! Who may drive through the cloud, what ends it, and what a client reads of the robot there.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Message, WebSocket};

use super::system::{Mqtt, System, paired};
use crate::system::http::Client;
use crate::system::{wait_for, wait_until};

/// Nothing that is waited for on a socket takes so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// The robot's path in the cloud, once it is there.
pub(super) fn robot_of(cloud: &mut Client) -> anyhow::Result<String> {
    wait_for("the robot behind the cloud", || {
        let robots = cloud.get("/api/robots")?;
        let robot = robots[0].clone();
        let id = robot["id"].as_str().context("no robot")?;
        Ok((robot["online"] == true).then(|| format!("/api/robots/{id}")))
    })
}

pub(super) fn seen(client: &mut Client, robot: &str) -> anyhow::Result<Value> {
    Ok(client.get(&format!("{robot}/state"))?["seen"].clone())
}

/// A client of the cloud with a new token.
pub(super) fn person(system: &System, user: &str, scopes: &str) -> anyhow::Result<(Client, String)> {
    let made = system.cloud.run(&["user", "add", user]);
    ensure!(made.is_ok() || user == "owner", "{made:?}");
    let scopes: Vec<&str> = scopes.split(' ').flat_map(|scope| ["--scope", scope]).collect();
    let arguments = [&["token", "create", "--user", user, "--class", "remote"], scopes.as_slice()].concat();
    let token = system.cloud.run(&arguments)?;
    Ok((Client::connect(system.cloud.address, &token)?, token))
}

fn take(client: &mut Client, robot: &str) -> anyhow::Result<Value> {
    let seen = seen(client, robot)?;
    let body = json!({"resource": "base", "ttl_ms": 30000, "seen": seen});
    client.post(&format!("{robot}/leases"), &body)?.expect(201)
}

pub(super) fn turn(client: &mut Client, robot: &str) -> anyhow::Result<(u16, String)> {
    let seen = seen(client, robot)?;
    let body = json!({"linear_mps": 0.0, "angular_radps": 1.0, "ttl_ms": 500, "seen": seen});
    let answer = client.post(&format!("{robot}/velocity"), &body)?;
    Ok((answer.status, answer.problem()))
}

#[test]
fn of_two_people_one_drives_and_the_other_hears_who() {
    paired(Mqtt::With, |system| {
        let (mut ann, _) = person(system, "ann", "read drive")?;
        let (mut bob, _) = person(system, "bob", "read drive")?;
        let (mut reader, _) = person(system, "carl", "read")?;
        let path = robot_of(&mut ann)?;
        take(&mut ann, &path)?;
        wait_until("ann to drive", || Ok(turn(&mut ann, &path)?.0 == 202))?;
        let body = json!({"linear_mps": 0.1, "angular_radps": 0.0, "seen": seen(&mut bob, &path)?});
        let refused = bob.post(&format!("{path}/velocity"), &body)?;
        assert_eq!((refused.status, refused.problem().as_str()), (409, "lease-held"));
        assert_eq!(refused.json()["holder"], "ann");
        assert_eq!(turn(&mut reader, &path)?.0, 403);
        // Nobody's stamp is filled in for them, and nobody speaks for another.
        let drive = format!("{path}/velocity");
        let unseen = ann.post(&drive, &json!({"linear_mps": 0.1, "angular_radps": 0.0}))?;
        assert_eq!(unseen.status, 400);
        let body = json!({"linear_mps": 0, "angular_radps": 0, "seen": seen(&mut ann, &path)?, "by": {}});
        assert_eq!(ann.post(&drive, &body)?.status, 400);
        // Whoever may read may stop it.
        reader.post(&format!("{path}/stop"), &json!({}))?.expect(200)?;
        assert_eq!(system.robot.get("/api/robot/state")?["base"]["setpoint"], Value::Null);
        let why = ann.get(&format!("{path}/control/why"))?;
        assert_eq!(why["closed"]["by"], "stop");
        assert!(ann.get(&format!("{path}/safety/budget"))?["promise_ms"].is_u64());
        // Nobody without a token, and nothing of another town.
        let mut nobody = Client::connect(system.cloud.address, "")?;
        assert_eq!(nobody.post(&format!("{path}/stop"), &json!({}))?.status, 401);
        assert_eq!(ann.ask("GET", "/api/robots/other/state", "")?.status, 404);
        Ok(())
    });
}

#[test]
fn what_a_token_drives_ends_with_it() {
    paired(Mqtt::With, |system| {
        let (mut ann, _) = person(system, "ann", "read drive")?;
        let path = robot_of(&mut ann)?;
        take(&mut ann, &path)?;
        let body = json!({"angle_rad": 20.0, "seen": seen(&mut ann, &path)?});
        let moving = ann.post(&format!("{path}/move"), &body)?.expect(202)?;
        let task = format!("{path}/tasks/{}", moving["task"].as_str().context("no task")?);
        assert_eq!(ann.get(&task)?["state"], "running");
        let tokens = system.cloud.get("/api/tokens")?;
        let of_ann = tokens.as_array().into_iter().flatten().find(|token| token["user_id"] == "ann");
        let id = of_ann.and_then(|token| token["id"].as_str()).context("ann's token")?;
        system.cloud.client()?.ask("DELETE", &format!("/api/tokens/{id}"), "")?.expect(204)?;
        let revoked = Instant::now();
        wait_until("the end of what it drove", || {
            let state = system.robot.get("/api/robot/state")?;
            Ok(state["base"]["setpoint"].is_null() && state["control"]["base"].is_null())
        })?;
        assert!(revoked.elapsed() < Duration::from_secs(2), "{:?}", revoked.elapsed());
        assert_eq!(turn(&mut ann, &path).map_err(|_refused| ()), Err(()));
        Ok(())
    });
}

#[test]
fn a_stick_drives_through_the_cloud_until_its_socket_closes() {
    // States and stamps come, a stick that was not let go is refused, a second socket ends the first.
    paired(Mqtt::With, |system| {
        let mut ann = system.cloud.client()?;
        let path = robot_of(&mut ann)?;
        take(&mut ann, &path)?;
        let mut first = open(system, &format!("{path}/teleop"))?;
        let mut seq = 0;
        let mut push = |socket: &mut WebSocket<TcpStream>, speed: f64, seen: &Value| -> anyhow::Result<()> {
            seq += 1;
            let frame =
                json!({"seq": seq, "linear_mps": 0, "angular_radps": speed, "ttl_ms": 500, "seen": seen});
            Ok(socket.send(Message::text(frame.to_string()))?)
        };
        let state = named(&mut first, "state")?;
        push(&mut first, 1.0, &state["seen"])?;
        let refused = named(&mut first, "refused")?;
        assert_eq!((&refused["type"], &refused["seq"]), (&json!("/problems/neutral-first"), &json!(1)));
        let state = named(&mut first, "state")?;
        push(&mut first, 0.0, &state["seen"])?;
        wait_until("a turning body", || {
            let seen = named(&mut first, "seen")?;
            push(&mut first, 1.0, &seen)?;
            let state = named(&mut first, "state")?;
            Ok(state["base"]["velocity"]["angular_radps"].as_f64().is_some_and(|speed| speed > 0.05))
        })?;
        let mut second = open(system, &format!("{path}/teleop"))?;
        let state = named(&mut second, "state")?;
        push(&mut second, 0.0, &state["seen"])?;
        let replaced = wait_for("the end of the first", || {
            let seen = seen(&mut ann, &path)?;
            // Its next frame finds that it is over.
            push(&mut first, 1.0, &seen).ok();
            Ok(match first.read() {
                Ok(Message::Close(close)) => Some(close.map(|close| u16::from(close.code))),
                Ok(_) => None,
                Err(_gone) => Some(None),
            })
        })?;
        assert_eq!(replaced, Some(4001));
        second.close(None)?;
        second.flush().ok();
        wait_until("the end of its setpoint", || {
            Ok(system.robot.get("/api/robot/state")?["base"]["setpoint"].is_null())
        })
    });
}

#[test]
fn a_stream_shows_the_robot_ten_times_a_second() {
    paired(Mqtt::With, |system| {
        let path = robot_of(&mut system.cloud.client()?)?;
        let mut stream = open(system, &format!("{path}/stream"))?;
        stream.read()?;
        let began = Instant::now();
        let mut stamps = Vec::new();
        while began.elapsed() < Duration::from_secs(2) {
            if let Message::Text(text) = stream.read()? {
                let state: Value = serde_json::from_str(&text)?;
                stamps.push(state["seen"]["mono_ms"].as_u64().context("no stamp")?);
            }
        }
        assert!(stamps.is_sorted() && (10..=22).contains(&stamps.len()), "{stamps:?}");
        Ok(())
    });
}

fn open(system: &System, path: &str) -> anyhow::Result<WebSocket<TcpStream>> {
    let stream = TcpStream::connect_timeout(&system.cloud.address, PATIENCE)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut request = format!("ws://{}{path}", system.cloud.address).into_client_request()?;
    request.headers_mut().insert("authorization", format!("Bearer {}", system.cloud.token).parse()?);
    let (socket, _) = tokio_tungstenite::tungstenite::client(request, stream)
        .map_err(|error| anyhow::anyhow!("no socket: {error}"))?;
    Ok(socket)
}

/// What the next message that has `name` has there.
fn named(socket: &mut WebSocket<TcpStream>, name: &str) -> anyhow::Result<Value> {
    let end = Instant::now() + PATIENCE;
    loop {
        ensure!(Instant::now() < end, "waited in vain for {name}");
        if let Message::Text(text) = socket.read()? {
            let mut message: Value = serde_json::from_str(&text)?;
            if let Some(value) = message.get_mut(name) {
                return Ok(value.take());
            }
        }
    }
}

#[test]
fn a_chat_in_the_cloud_moves_the_robot_that_it_names() {
    // As the model does: within its turn, and never what a person has stopped.
    paired(Mqtt::With, |system| {
        let mut ann = system.cloud.client()?;
        let path = robot_of(&mut ann)?;
        let robot = path.rsplit('/').next().context("no name")?.to_owned();
        let say = |client: &mut Client, message: &str, context: Value| -> anyhow::Result<Value> {
            client.post("/api/chat", &json!({"message": message, "context": context}))?.expect(200)
        };
        let here = json!({ "robot": robot });
        take(&mut ann, &path)?;
        let leases = ann.get(&format!("{path}/leases"))?;
        let lease = leases[0]["id"].as_str().context("no lease")?.to_owned();
        ann.ask("DELETE", &format!("{path}/leases/{lease}"), "")?.expect(204)?;
        let heading = |system: &System| -> anyhow::Result<f64> {
            let state = system.robot.get("/api/robot/state")?;
            state["base"]["pose"]["heading_rad"].as_f64().context("no heading")
        };
        let before = heading(system)?;
        let said = say(&mut ann, "turn left 30 degrees", here.clone())?;
        assert!((heading(system)? - before - 0.52).abs() < 0.1, "{said}");
        let said = say(&mut ann, "stop", here.clone())?;
        assert_eq!(system.robot.get("/api/robot/state")?["base"]["closed"]["by"], "stop", "{said}");
        let said = say(&mut ann, "drive forward half a metre", here)?;
        assert!(said.to_string().contains("a chat cannot open me"), "{said}");
        let elsewhere = ann.post("/api/chat", &json!({"message": "hello", "context": {"robot": "other"}}))?;
        assert_eq!(elsewhere.status, 404);
        Ok(())
    });
}
