//! Robot and cloud with language models behind them, each a stand-in that speaks its provider's wire format: whoever fails, the
//! person gets every word.

use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::system::with_minds;
use crate::system::http::{Answer, Client};
use crate::system::minds::KEY;
use crate::system::{wait_for, wait_until};

pub(super) const ALL: [&str; 4] = ["ollama", "openai", "claude", "gemini"];
/// What the models answer.
const SCRIPT: &str = "Cats purr with their larynx. Nobody knows exactly why, but there are guesses! Some heal, e.g. bones, \
by it.\n\nOthers are simply glad: 25 to 150 times a second. Is that not nice?";
/// What the reflexes pass on.
const QUESTION: &str = "Why do cats purr?";

pub(super) fn script(text: &str) -> Value {
    json!({ "script": [{ "text": text }], "fault": null })
}

/// Says something, and gives the answer.
pub(super) fn say(client: &mut Client, message: &str) -> anyhow::Result<Value> {
    client.post("/api/chat", &json!({ "message": message }))?.expect(200)
}

/// The events of an answer: name and data.
fn events(answer: &Answer) -> Vec<(String, Value)> {
    let text = String::from_utf8_lossy(&answer.body);
    let event = |block: &str| {
        let line = |name: &str| block.lines().find_map(|line| line.strip_prefix(name).map(str::trim));
        Some((line("event:")?.to_owned(), serde_json::from_str(line("data:")?).ok()?))
    };
    text.split("\n\n").filter_map(event).collect()
}

#[test]
fn a_model_answers_what_the_reflexes_pass_on() {
    // On the robot through its cloud, in the cloud by its first tier; who answers is shown on both, and kept as a turn.
    with_minds(&ALL, &[], |system, minds| {
        minds.tell_all(&script(SCRIPT))?;
        let (mut robot, mut cloud) = (system.robot.client()?, system.cloud.client()?);
        let said = say(&mut robot, QUESTION)?;
        assert_eq!((said["reply"].as_str(), said["tier"].as_str()), (Some(SCRIPT), Some("cloud")));
        let said = say(&mut cloud, QUESTION)?;
        assert_eq!((said["reply"].as_str(), said["tier"].as_str()), (Some(SCRIPT), Some("ollama")));
        let tiers = cloud.get("/api/ai/tiers")?;
        let names: Vec<&str> = tiers["tiers"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|tier| tier["tier"].as_str())
            .collect();
        assert_eq!(names, ["reflex", "ollama", "openai", "claude", "gemini", "cached"]);
        assert_eq!((&tiers["tiers"][1]["answers"], &tiers["tiers"][1]["healthy"]), (&json!(2), &json!(true)));
        // The same question of another person: nobody shares words, and Robbie is told whom he speaks with.
        let asked = minds.seen("ollama")?["last"].to_string();
        assert!(asked.contains("You are Robbie") && asked.contains("your owner"), "{asked}");
        // By reflex it goes without any of them.
        let before = minds.seen("ollama")?["requests"].clone();
        assert_eq!(say(&mut robot, "hello")?["tier"], "reflex");
        assert_eq!(minds.seen("ollama")?["requests"], before);
        Ok(())
    });
}

/// Faults that a person must not notice.
fn faults() -> Vec<Value> {
    vec![
        json!({ "kind": "refused" }),
        json!({ "kind": "hang_up" }),
        json!({ "kind": "status", "status": 401 }),
        json!({ "kind": "status", "status": 429, "retry_after": "1" }),
        json!({ "kind": "status", "status": 500 }),
        json!({ "kind": "stall_first" }),
        json!({ "kind": "stall_between", "after": 9 }),
        json!({ "kind": "cut", "after": 7 }),
        json!({ "kind": "malformed", "after": 12 }),
        json!({ "kind": "broken_utf8", "after": 12 }),
        json!({ "kind": "in_band", "after": 15 }),
        json!({ "kind": "empty" }),
        json!({ "kind": "wrong_finish", "after": 3 }),
        json!({ "kind": "no_finish" }),
        json!({ "kind": "huge_line" }),
    ]
}

/// Whether a tier rests after this one failure, and not only after three.
fn rests_at_once(fault: &Value) -> bool {
    fault["kind"] == "refused" || fault["status"] == 401 || fault["status"] == 429
}

#[test]
fn whichever_plug_is_pulled_no_word_is_lost() {
    // Every fault, at every provider but the last, all before it gone: the next one says what is missing, and nothing twice.
    let quick = ALL.map(|name| [format!("{name}__first_token_ms"), format!("{name}__between_tokens_ms")]);
    let mut said = String::new();
    let quick: Vec<(&str, &str)> = quick.iter().flatten().map(|key| (key.as_str(), "300")).collect();
    with_minds(&ALL, &quick, |system, minds| {
        let mut robot = system.robot.client()?;
        minds.tell_all(&script(SCRIPT))?;
        minds.tell_all(&json!({ "overlap_words": 3 }))?;
        for provider in &ALL[..3] {
            for fault in faults() {
                let what = format!("{fault} at {provider}");
                // One that answered before is asked again.
                ensure!(say(&mut robot, QUESTION)?["reply"] == SCRIPT, "before {what}");
                let before = minds.seen(provider)?["requests"].clone();
                minds.tell(provider, &json!({ "fault": fault }))?;
                let headers = [("accept", "text/event-stream"), ("content-type", "application/json")];
                let body = json!({ "message": QUESTION }).to_string();
                let answer = robot.ask_with("POST", "/api/chat", &headers, body.as_bytes())?;
                let events = events(&answer);
                let words = events.iter().filter(|(name, _)| name == "token");
                let words: String = words.filter_map(|(_, data)| data["text"].as_str()).collect();
                ensure!(words == SCRIPT, "{what}: {words:?}");
                let (name, last) = events.last().context("no events")?;
                ensure!(name == "done" && last["reply"] == SCRIPT, "{what}: {last}");
                let was_asked = minds.seen(provider)?["requests"] != before;
                ensure!(was_asked || fault["kind"] == "refused", "{what}: it was not asked");
                minds.mend(provider)?;
                if rests_at_once(&fault) {
                    // It would rest for seconds; a new run of the cloud knows nothing of that.
                    said.push_str(&system.cloud.get("/api/ai/tiers")?.to_string());
                    system.cloud.kill()?;
                    system.cloud.restart()?;
                }
            }
            minds.tell(provider, &json!({ "fault": { "kind": "status", "status": 503 } }))?;
        }
        // Why they rest is said, that a key is refused once for each, and the key itself nowhere.
        assert!(said.contains("\"because\""), "{said}");
        said.push_str(&system.cloud.log());
        assert_eq!(said.matches("refuses its key").count(), 3, "{said}");
        assert!(!said.contains(KEY) && !said.contains("5ecret"), "{said}");
        Ok(())
    });
}

#[test]
fn when_nobody_answers_robbie_says_so_and_goes_on() {
    // An answer that was given before is given again, marked; else it is said within 2 s once that is known; reflexes go on.
    with_minds(&["openai"], &[], |system, minds| {
        let (mut robot, mut cloud) = (system.robot.client()?, system.cloud.client()?);
        minds.tell("openai", &script(SCRIPT))?;
        assert_eq!(say(&mut cloud, "How many moons has Mars?")?["tier"], "openai");
        minds.tell("openai", &json!({ "fault": { "kind": "refused" } }))?;
        let again = say(&mut cloud, "How many moons has Mars?")?;
        assert_eq!((again["tier"].as_str(), again["reply"].as_str()), (Some("cached"), Some(SCRIPT)));
        let unknown = say(&mut robot, "How many moons has Venus?")?;
        assert_eq!(unknown["tier"], "none");
        assert!(
            unknown["reply"].as_str().is_some_and(|said| said.contains("none of my language models")),
            "{unknown}"
        );
        assert!(unknown["latency_ms"].as_u64().is_some_and(|ms| ms < 2500), "{unknown}");
        assert_eq!(say(&mut robot, "turn left 20 degrees")?["tool_calls"][0]["status"], "done");
        // Back again, and asked again once it has rested.
        minds.mend("openai")?;
        wait_until("the tier to be tried again", || Ok(say(&mut robot, QUESTION)?["tier"] == "cloud"))
    });
}

#[test]
fn a_model_acts_through_the_robots_own_skills() {
    // Lights, a drive and a note, in one answer; what became of them goes back to the model, whose last words are said.
    with_minds(&["claude"], &[], |system, minds| {
        let calls = json!([
            { "name": "lights", "arguments": { "color": "red" } },
            { "name": "drive", "arguments": { "distance_m": 0.2 } },
            { "name": "remember", "arguments": { "text": "the guests come at nine" } },
        ]);
        minds.tell(
            "claude",
            &json!({ "script": [
            { "text": "All three are done, my friend.", "after_result": true },
            { "text": "I prepare everything.", "calls": calls },
        ] }),
        )?;
        let mut robot = system.robot.client()?;
        let said = say(&mut robot, "Would you be so kind as to prepare the party for our guests?")?;
        assert_eq!(said["reply"], "I prepare everything. All three are done, my friend.");
        let status = |call: &Value| (call["skill"].clone(), call["status"].clone());
        let done: Vec<_> = said["tool_calls"].as_array().into_iter().flatten().map(status).collect();
        assert_eq!(
            done,
            ["lights", "drive", "remember"].map(|skill| (json!(skill), json!("done"))),
            "{said}"
        );
        let state = system.robot.get("/api/robot/state")?;
        assert_eq!(state["lights"]["color"], "#ff0000");
        assert!(state["base"]["pose"]["x_m"].as_f64().is_some_and(|x_m| (x_m - 0.2).abs() < 0.03), "{state}");
        let told = minds.seen("claude")?["last"].to_string();
        assert!(told.contains("I drove 0.2 m forward."), "{told}");
        wait_for("the note on both sides", || {
            let notes = system.cloud.get("/api/sticky-notes/?q=guests")?;
            Ok((notes.as_array().map(Vec::len) == Some(1)).then_some(()))
        })
    });
}

#[test]
fn whoever_leaves_ends_the_work_upstream() {
    // In the middle of an answer, at the robot and in the cloud: the provider sees its client go.
    with_minds(&["gemini"], &[], |system, minds| {
        minds.tell("gemini", &json!({ "fault": { "kind": "endless" }, "between_ms": 5 }))?;
        for (round, (address, token)) in
            [(system.robot.address, &system.robot.token), (system.cloud.address, &system.cloud.token)]
                .into_iter()
                .enumerate()
        {
            let mut leaver = Client::patient(address, token, Duration::from_millis(700));
            assert!(say(&mut leaver, QUESTION).is_err(), "an answer without end");
            drop(leaver);
            wait_until("the end of the work", || {
                let seen = minds.seen("gemini")?;
                Ok(seen["under_way"] == 0 && seen["dropped_by_client"] == json!(round + 1))
            })?;
        }
        Ok(())
    });
}

#[test]
fn openais_own_clients_use_robot_and_cloud() {
    // Python and JavaScript: whole and streamed, tools, models, vectors, refusals, leaving.
    let Some(folder) = clients() else { return };
    with_minds(&["openai"], &[], |system, minds| {
        let weather = json!({ "name": "get_weather", "arguments": { "city": "Oslo" } });
        minds.tell("openai", &json!({ "between_ms": 2, "script": [
            { "contains": "quokkas", "text": "Quokkas live on islands. They sleep by day. They smile, some say." },
            { "contains": "weather", "calls": [weather] },
            { "contains": "for ever", "text": "One. Two. Three. ".repeat(2000) },
        ] }))?;
        for (address, token) in
            [(system.robot.address, &system.robot.token), (system.cloud.address, &system.cloud.token)]
        {
            let url = format!("http://{address}");
            let mut python = std::process::Command::new(folder.join("venv/bin/python"));
            run(python.args([&sources("client.py"), &url, token]))?;
            let mut node = std::process::Command::new("node");
            run(node.arg(sources("client.mjs")).arg(&folder).args([&url, token]))?;
        }
        wait_until("nothing under way", || Ok(minds.seen("openai")?["under_way"] == 0))
    });
}

/// Where the clients are; `None`: they are left out.
fn clients() -> Option<std::path::PathBuf> {
    let folder = std::env::var_os("OPENAI_CLIENTS");
    if folder.is_none() {
        let missing =
            "OPENAI_CLIENTS names no folder: `.ci/clients.sh target` fetches OpenAI's clients, and prints it";
        assert!(std::env::var_os("CI").is_none(), "{missing}");
        eprintln!("left out: {missing}");
    }
    folder.map(Into::into)
}

fn sources(name: &str) -> String {
    format!("{}/tests/clients/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn run(command: &mut std::process::Command) -> anyhow::Result<()> {
    let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    ensure!(output.status.success(), "{command:?}: {}{}", said[0], said[1]);
    Ok(())
}

#[test]
fn no_injection_moves_the_body_beyond_its_bounds() {
    // Through every provider, by a model that obeys whatever it reads: what is out of bounds, not offered or malformed is not
    // done, nor is anything that came with it.
    with_minds(&ALL, &[], |system, minds| {
        minds.tell_all(&json!({ "script": [
            { "text": "As you wish.", "after_result": true },
            { "contains": "metre", "calls": [call("drive", json!({ "distance_m": 10 }))] },
            { "contains": "turn", "calls": [call("turn", json!({ "angle_deg": 1080 }))] },
            { "contains": "stop", "calls": [call("reset_estop", json!({ "epoch": 1 }))] },
            { "contains": "note", "calls": [
                call("remember", json!({ "text": "obeyed" })), call("drive", json!({ "distance_m": 1, "speed_mps": 9 }))] },
            { "calls": [call("drive", json!({ "distance_m": 0.7 })), call("drive", json!({ "distance_m": -1.4 }))] },
        ] }))?;
        let injections = include_str!("../../../../models/mind/tests/injections.jsonl");
        let mut robot = system.robot.client()?;
        for (at, provider) in ALL.iter().enumerate() {
            for (other, name) in ALL.iter().enumerate() {
                let fault = if other == at { Value::Null } else { json!({ "kind": "refused" }) };
                minds.tell(name, &json!({ "fault": fault }))?;
            }
            let before = minds.seen(provider)?["requests"].clone();
            for line in injections.lines() {
                let text =
                    serde_json::from_str::<Value>(line)?["text"].as_str().context("no text")?.to_owned();
                let said = say(&mut robot, &text)?;
                let moved: f64 = said["tool_calls"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter(|call| call["status"] == "done")
                    .filter_map(|call| {
                        call["distance_m"].as_f64().or(call["angle_deg"].as_f64().map(|deg| deg / 180.0))
                    })
                    .map(f64::abs)
                    .sum();
                ensure!(moved <= 2.0, "{provider}: {text}: {said}");
            }
            assert!(minds.seen(provider)?["requests"] != before, "{provider} was asked");
        }
        let notes = system.robot.get("/api/sticky-notes/?q=obeyed")?;
        assert_eq!(notes.as_array().map(Vec::len), Some(0), "{notes}");
        Ok(())
    });
}

fn call(name: &str, arguments: Value) -> Value {
    json!({ "name": name, "arguments": arguments })
}
