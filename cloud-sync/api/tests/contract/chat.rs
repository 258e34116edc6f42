//! Talking: every message is kept, carried out at most once, and answered honestly.

use serde_json::{Value, json};

use super::Program;
use super::client::{Reply, Socket, unique, uuid};

const CHAT: &str = "/api/chat";

#[track_caller]
fn said(program: &Program, message: &str) -> Value {
    program.post(CHAT, &json!({ "message": message })).expect(200).json()
}

#[track_caller]
fn turns(program: &Program, reply: &Value) -> Vec<Value> {
    let path = format!("/api/conversations/{}?limit=500", reply["conversation_id"].as_str().unwrap());
    program.get(&path).expect(200).rows()
}

/// The events of an answer that streams, with their data.
#[track_caller]
fn events(reply: &Reply) -> Vec<(String, Value)> {
    assert_eq!(reply.header("content-type"), Some("text/event-stream"));
    let text = String::from_utf8(reply.body.clone()).unwrap();
    let blocks = text.split("\n\n").filter(|block| block.contains("event:"));
    let field = |block: &str, name: &str| {
        let line = block.lines().find_map(|line| line.strip_prefix(name)).expect("a whole event");
        line.trim().to_owned()
    };
    let event = |block: &str| {
        (field(block, "event:"), serde_json::from_str(&field(block, "data:")).expect("JSON data"))
    };
    blocks.map(event).collect()
}

pub(super) fn a_message_is_kept_and_answered(program: &Program) {
    // Both turns stand in the conversation, and the next message goes on with it.
    let first = said(program, "remember that the ladder is in the shed");
    assert_eq!(first["tool_calls"][0]["skill"], "remember", "{first}");
    assert_eq!(first["tool_calls"][0]["status"], "done", "{first}");
    assert_eq!(first["tier"], "reflex");
    let body = json!({ "message": "thank you", "conversation_id": first["conversation_id"] });
    let second = program.post(CHAT, &body).expect(200).json();
    assert_eq!(second["conversation_id"], first["conversation_id"]);
    let turns = turns(program, &first);
    let told: Vec<&str> = turns.iter().map(|turn| turn["message_text"].as_str().unwrap()).collect();
    let replies = [first["reply"].as_str().unwrap(), second["reply"].as_str().unwrap()];
    assert_eq!(told, ["remember that the ladder is in the shed", replies[0], "thank you", replies[1]]);
    assert!(turns.iter().all(|turn| turn["mood_at_time"].is_string()), "{turns:?}");
}

pub(super) fn what_is_recalled_names_its_source(program: &Program) {
    // The note that a chat made is found again by another question, and cited.
    let word = unique("gramophone");
    said(program, &format!("please remember that the {word} is below the stairs"));
    let found = said(program, &format!("where is the {word}?"));
    let reply = found["reply"].as_str().unwrap();
    assert!(reply.contains("below the stairs"), "{found}");
    assert!(found["sources"].as_array().unwrap().iter().any(|hit| hit["kind"] == "note"), "{found}");
    let unknown = said(program, &format!("where is the {}?", unique("theremin")));
    assert_eq!(unknown["sources"], json!([]), "{unknown}");
    assert!(!unknown["reply"].as_str().unwrap().contains("stairs"), "{unknown}");
}

pub(super) fn what_nobody_knows_is_admitted(program: &Program) {
    // An honest answer, no call, and the tier says that there was none.
    let reply = said(program, "explain the second law of thermodynamics in three sentences");
    assert_eq!((&reply["tier"], &reply["tool_calls"]), (&json!("none"), &json!([])), "{reply}");
    assert!(reply["reply"].as_str().unwrap().len() > 10, "{reply}");
}

pub(super) fn a_message_sent_again_is_carried_out_once(program: &Program) {
    // The same answer word for word, one note, one pair of turns; the key of another message is refused.
    let word = unique("once");
    let send = |message: &str, key: &str| {
        let ask = program.ask("POST", CHAT).token(&program.owner.token).header("idempotency-key", key);
        ask.json(&json!({ "message": message })).send()
    };
    let (message, key) = (format!("remember that {word} matters"), unique("key"));
    let first = send(&message, &key).expect(200).json();
    assert_eq!(send(&message, &key).expect(200).json(), first);
    assert_eq!(turns(program, &first).len(), 2);
    let notes = program.get(&format!("/api/sticky-notes?text={word}")).expect(200).rows();
    assert_eq!(notes.len(), 1, "{notes:?}");
    send("remember something else", &key).problem(422, "out-of-range");
    send("hello", "with space").problem(400, "bad-request");
    send("hello", &"x".repeat(129)).problem(400, "bad-request");
    send("hello", &"x".repeat(128)).expect(200);
}

pub(super) fn events_come_as_they_happen(program: &Program) {
    // Who answers first, then each call, then the words; together the words are the reply, and the answer comes last.
    let ask = program.ask("POST", CHAT).token(&program.speaker).header("accept", "text/event-stream");
    let reply = ask.json(&json!({ "message": "remember that events are told" })).send().expect(200);
    let events = events(&reply);
    let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["tier", "tool_call", "tool_call", "token", "done"], "{events:?}");
    assert_eq!(events[1].1["status"], "running");
    assert_eq!(events[2].1["status"], "done");
    let (token, done) = (&events[3].1["text"], &events[4].1);
    assert_eq!(token, &done["reply"]);
}

pub(super) fn a_socket_talks_too(program: &Program) {
    // The same events with the key of their message; what is wrong is told with it, and the socket stays.
    let mut socket = Socket::open(program, &program.owner.token);
    let mut talk = |message: Value| {
        socket.send_text(&json!({ "chat": message }).to_string());
        let mut events = Vec::new();
        loop {
            let event = socket.receive();
            let is_last = event["type"] == "done" || event["type"] == "error";
            events.push(event);
            if is_last {
                return events;
            }
        }
    };
    let key = unique("socket");
    let events = talk(json!({ "message": "hello", "key": key }));
    assert!(events.iter().all(|event| event["key"] == key.as_str() && event["id"].is_null()), "{events:?}");
    let done = events.last().unwrap();
    assert!(done["data"]["reply"].as_str().is_some_and(|reply| !reply.is_empty()), "{done}");
    let wrong = talk(json!({ "message": "  ", "key": unique("socket") }));
    assert_eq!(wrong.last().unwrap()["data"]["type"], "/problems/bad-request", "{wrong:?}");
    let wrong = talk(json!({ "message": "hello" }));
    assert_eq!(wrong.last().unwrap()["type"], "error", "{wrong:?}");
    // A token that may only read hears what happens, and says nothing.
    let mut reader = Socket::open(program, &program.reader);
    reader.send_text(&json!({ "chat": { "message": "hello", "key": "r" } }).to_string());
    let refused = reader.receive();
    assert_eq!((&refused["type"], &refused["data"]["type"]), (&json!("error"), &json!("/problems/no-right")));
}

pub(super) fn odd_messages_are_answered_or_told(program: &Program) {
    // Empty and too long are refused with the field; any other text gets a sentence.
    let refused = |message: &str, status: u16, kind: &str| {
        let problem = program.post(CHAT, &json!({ "message": message })).problem(status, kind);
        assert_eq!(problem["field"], "message", "{problem}");
    };
    refused("", 400, "bad-request");
    refused(" \n\t ", 400, "bad-request");
    refused("a\0b", 400, "bad-request");
    refused(&"x".repeat(16 * 1024 + 1), 413, "too-long");
    program.post(CHAT, &json!({ "message": "x".repeat(1_000_000) })).problem(413, "too-long");
    program.post(CHAT, &json!({})).problem(400, "bad-request");
    let ask = program.ask("POST", CHAT).token(&program.owner.token);
    ask.body(b"{\"message\":\"\xff\xfe\"}".to_vec()).send().problem(400, "bad-request");
    for odd in
        ["🤖🤖🤖", "שלום רובי", "'; DROP TABLE turns; --", "<b>hi</b>", "NEAR(a b) OR *", &"la ".repeat(5000)]
    {
        let reply = said(program, odd);
        assert!(reply["reply"].as_str().is_some_and(|reply| !reply.is_empty()), "{odd}: {reply}");
        assert_eq!(turns(program, &reply)[0]["message_text"], odd);
    }
}

pub(super) fn a_conversation_is_its_users_alone(program: &Program) {
    // Another's conversation cannot be gone on with, nor another's name taken; an id of one's own begins one.
    let own = said(program, "hello");
    let talk = |body: Value| program.ask("POST", CHAT).token(&program.other.token).json(&body).send();
    let theirs = json!({ "message": "hi", "conversation_id": own["conversation_id"] });
    talk(theirs).problem(404, "not-found");
    talk(json!({ "message": "hi", "user_id": program.owner.user_id })).problem(403, "no-right");
    talk(json!({ "message": "hi", "conversation_id": "7" })).problem(400, "bad-request");
    let id = uuid();
    let begun = talk(json!({ "message": "hi", "conversation_id": id })).expect(200).json();
    assert_eq!(begun["conversation_id"], id.as_str());
    assert_eq!(turns(program, &own).len(), 2);
}

pub(super) fn a_mood_follows_and_says_why(program: &Program) {
    // An order changes the personality; asked for, the reason is told; a guest makes nobody blush.
    let reply = said(program, "be playful");
    assert_eq!(reply["mood"], "playful", "{reply}");
    assert_eq!(program.get("/api/personality").expect(200).json()["mood"], "playful");
    let newest = program.get("/api/mood/history?limit=1").expect(200).rows();
    assert!(newest[0]["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{newest:?}");
    let why = said(program, "why are you in this mood?");
    assert!(why["reply"].as_str().unwrap().contains("playful"), "{why}");
    let ask = program.ask("POST", CHAT).token(&program.other.token);
    let guest = ask.json(&json!({ "message": "switch to the blushing mood" })).send().expect(200).json();
    assert_ne!(guest["mood"], "blushing", "{guest}");
    said(program, "be friendly");
}
