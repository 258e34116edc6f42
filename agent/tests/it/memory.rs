//! The memory of a running agent: written, found again, and there after whatever happens to the process or its file.

use std::collections::HashSet;
use std::io::{Read, Seek, SeekFrom, Write};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::agent::{Agent, Start};
use crate::support::http::Client;
use crate::support::socket::Socket;
use crate::support::{Place, wait_for};
use crate::weights;

const NOTES: &str = "/api/sticky-notes/";

fn note(agent: &Agent, content: &str) -> Value {
    agent.post(NOTES, &json!({ "content": content })).expect(201).json()
}

fn found(agent: &Agent, query: &str) -> Vec<Value> {
    let answer = agent.get(&format!("/api/memory/search?q={query}")).expect(200).json();
    answer["hits"].as_array().unwrap().clone()
}

fn contents(agent: &Agent) -> HashSet<String> {
    let (mut contents, mut cursor) = (HashSet::new(), None);
    loop {
        let next = cursor.map_or_else(String::new, |cursor: String| format!("&cursor={cursor}"));
        let page = agent.get(&format!("{NOTES}?limit=500{next}")).expect(200);
        let rows = page.json();
        contents
            .extend(rows.as_array().unwrap().iter().map(|row| row["content"].as_str().unwrap().to_owned()));
        match page.header("x-next-cursor") {
            Some(more) => cursor = Some(more.to_owned()),
            None => return contents,
        }
    }
}

fn import(agent: &Agent, place: &Place, lines: &[Value]) -> String {
    let file = place.root().join("talk.jsonl");
    std::fs::write(&file, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    agent.command(&["memory", "import", file.to_str().unwrap()])
}

#[test]
fn what_was_written_and_said_is_found_again_by_meaning_word_speaker_and_time_also_after_a_restart() {
    let place = Place::new();
    let agent = Start::new(&place).run();
    note(&agent, "The spare keys hang on the hook behind the kitchen door");
    note(&agent, "Water the ficus on Fridays");
    let talk = [
        json!({"conversation": "dinner", "speaker": "Anna", "at": "2026-11-18T18:00:00Z", "text": "I adopted a puppy last week, his name is Bruno."}),
        json!({"conversation": "dinner", "speaker": "Ben", "at": "2026-11-18T18:01:00Z", "text": "What does he eat?"}),
        json!({"conversation": "dinner", "speaker": "Anna", "at": "2026-11-18T18:02:00Z", "text": "Mostly dry food, and every shoe he finds."}),
    ];
    assert_eq!(import(&agent, &place, &talk).trim(), "3 turns are remembered");
    assert_eq!(import(&agent, &place, &talk).trim(), "3 turns are remembered");
    let conversations = agent.get("/api/conversations").expect(200).json();
    assert_eq!(conversations.as_array().unwrap().len(), 1, "{conversations}");
    assert_eq!(conversations[0]["turns"], 3, "imported twice, remembered once");

    let check = |agent: &Agent| {
        let keys = found(agent, "where%20are%20my%20keys%3F");
        assert!(keys[0]["text"].as_str().unwrap().contains("spare keys"), "{keys:?}");
        assert!(keys[0]["why"].as_str().is_some_and(|why| !why.is_empty()), "{keys:?}");
        let puppy = found(agent, "what%20did%20Anna%20say%20about%20her%20puppy");
        assert_eq!(puppy[0]["speaker"], "Anna");
        assert!(
            puppy[0]["signals"].as_array().unwrap().iter().any(|signal| signal["name"] == "speaker"),
            "{puppy:?}"
        );
    };
    check(&agent);
    agent.kill();
    let agent = Start::new(&place).run();
    check(&agent);
}

#[test]
fn weights_that_come_while_it_runs_make_it_understand() {
    // Without a restart: a question that shares no word with its answer finds it.
    let Some(weights) = weights::weights("weights_that_come_while_it_runs_make_it_understand") else {
        return;
    };
    let place = Place::new();
    let agent = Start::new(&place).run();
    for content in ["The dishwasher is broken again", "Grandma's birthday is in May", "Anna adopted a puppy"]
    {
        note(&agent, content);
    }
    let ask =
        || agent.get("/api/memory/search?q=household%20appliance%20out%20of%20order").expect(200).json();
    assert_eq!(ask()["embedding"], "lexical");

    let minilm = models_local::catalog::find("minilm").unwrap();
    let folder = place.data().join("models/minilm");
    std::fs::create_dir_all(&folder).unwrap();
    for file in &minilm.files {
        std::fs::copy(weights.folder(minilm).join(&file.name), folder.join(&file.name)).unwrap();
    }
    let found = wait_for("vectors by meaning", || {
        let found = ask();
        (found["embedding"] == "minilm-l6-v2" && found["embedded"] == 1.0).then_some(found)
    });
    assert_eq!(found["hits"][0]["text"], "The dishwasher is broken again", "{found}");
    let listed = agent.command(&["models", "verify", "minilm"]);
    assert!(listed.contains("minilm"), "{listed}");
}

#[test]
fn a_deleted_note_is_gone_from_search_at_once() {
    let place = Place::new();
    let agent = Start::new(&place).run();
    let id = note(&agent, "zanzibar is where the treasure lies")["id"].as_str().unwrap().to_owned();
    assert_eq!(found(&agent, "zanzibar").len(), 1);
    let answer = agent.client().ask("DELETE", &format!("/api/sticky-notes/{id}"), None);
    assert_eq!(answer.status, 204);
    assert_eq!(found(&agent, "zanzibar").len(), 0);
}

#[test]
fn nothing_that_was_answered_is_lost_when_the_process_is_killed_in_the_middle_of_writes() {
    const KILLS: u64 = 100;
    const WRITERS: u64 = 4;
    let place = Place::new();
    let (mut answered, mut in_the_middle) = (HashSet::new(), 0);
    for round in 0..KILLS {
        let agent = Start::new(&place).run();
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let client = agent.client();
                std::thread::spawn(move || write_until_cut(client, &format!("{round} {writer}")))
            })
            .collect();
        std::thread::sleep(Duration::from_millis(5 + round * 13 % 40));
        agent.kill();
        let done: Vec<String> = writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect();
        in_the_middle += u64::from(!done.is_empty());
        answered.extend(done);
    }
    // A busy machine may let none of them write before the kill.
    assert!(in_the_middle > KILLS / 2, "{in_the_middle} of {KILLS} kills came in the middle of writes");
    let kept = contents(&Start::new(&place).run());
    let lost: Vec<_> = answered.difference(&kept).collect();
    assert!(lost.is_empty(), "{} of {} are lost: {lost:?}", lost.len(), answered.len());
}

/// Writes one note after the other until the connection is cut; those that were answered.
fn write_until_cut(mut client: Client, name: &str) -> Vec<String> {
    let mut done = Vec::new();
    loop {
        let content = format!("{name} {}", done.len());
        let Ok(answer) = client.try_ask("POST", NOTES, Some(&json!({ "content": content }))) else {
            return done;
        };
        assert_eq!(answer.status, 201, "{answer:?}");
        done.push(content);
    }
}

#[test]
fn a_damaged_file_is_set_aside_and_what_can_be_read_is_carried_over() {
    let place = Place::new();
    let agent = Start::new(&place).run();
    for number in 0..200 {
        note(&agent, &format!("note {number} {}", "x".repeat(500)));
    }
    agent.end();
    let path = place.data().join("memory.db");
    let size = std::fs::metadata(&path).unwrap().len();
    let mut file = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(size / 2)).unwrap();
    file.write_all(&[0xa5; 8192]).unwrap();
    drop(file);

    let agent = Start::new(&place).run();
    let kept = contents(&agent).len();
    assert!((100..=200).contains(&kept), "{kept} of 200 notes");
    let health = agent.get("/health").json();
    let says = health["faults"].to_string();
    assert!(health["status"] == "degraded" && says.contains("memory"), "{health}");
    let aside = std::fs::read_dir(place.data()).unwrap().flatten();
    assert!(aside.map(|entry| entry.file_name()).any(|name| name.to_string_lossy().contains("damaged")));
    note(&agent, "and it goes on");
}

#[test]
fn a_file_of_a_newer_version_is_refused_and_left_as_it_is() {
    let place = Place::new();
    Start::new(&place).run().end();
    let path = place.data().join("memory.db");
    let mut file = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    // The user version of an SQLite file, big endian, at byte 60.
    file.seek(SeekFrom::Start(60)).unwrap();
    file.write_all(&99_u32.to_be_bytes()).unwrap();
    drop(file);
    let bytes = |path| {
        let mut bytes = Vec::new();
        std::fs::File::open(path).unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    };
    let before = bytes(&path);
    let ended = Start::new(&place).refused();
    assert!(ended.text.contains("newer"), "{}", ended.text);
    assert!(before == bytes(&path), "untouched");
}

#[test]
fn changes_reach_whoever_looks_on_and_are_caught_up_with_by_id() {
    let place = Place::new();
    let agent = Start::new(&place).run();
    let mut looker = Socket::open(&agent, "/ws/chat", &agent.token);
    looker.send(&json!({"subscribe": ["note", "personality"]}));
    // Subscribed once it answers to what happens.
    let first = wait_for("the first event", || {
        note(&agent, "seen live");
        looker.receive().ok()
    });
    assert_eq!(first["type"], "note");
    let id = first["id"].as_u64().unwrap();
    drop(looker);

    agent.post("/api/mood/update", &json!({"mood": "focused", "context": "a deal"})).expect(200);
    let mut again = Socket::open(&agent, "/ws/chat", &agent.token);
    again.send(&json!({"subscribe": ["note", "personality"], "after": id}));
    let mut kinds = Vec::new();
    while !kinds.contains(&"personality".to_owned()) {
        let event = again.receive().unwrap();
        assert!(event["id"].as_u64().unwrap() > id);
        kinds.push(event["type"].as_str().unwrap().to_owned());
    }
    let mood = agent.get("/api/personality").expect(200).json();
    assert_eq!(mood["mood"], "focused");
    let history = agent.get("/api/mood/history").expect(200).json();
    assert_eq!((&history[0]["from"], &history[0]["mood"]), (&json!("friendly"), &json!("focused")));
}
