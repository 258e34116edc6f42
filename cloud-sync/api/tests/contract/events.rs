//! `/ws/chat`: everything that happens, once, in order, to those whom it concerns.

use std::thread;

use serde_json::{Value, json};

use super::Program;
use super::client::{NOTES, Socket, unique};

/// Writes this many notes and gives their ids.
fn write(program: &Program, count: usize) -> Vec<Value> {
    (0..count).map(|_| json!(program.note(&unique("event")))).collect()
}

fn ids_of_notes(events: &[Value]) -> Vec<Value> {
    events.iter().map(|event| event["data"]["id"].clone()).collect()
}

#[track_caller]
fn id(event: &Value) -> u64 {
    event["id"].as_u64().unwrap_or_else(|| panic!("no id: {event}"))
}

pub(super) fn what_happens_is_told_in_order(program: &Program) {
    // Before the subscription nothing; then each change of what was subscribed to, as it is answered, with rising ids.
    let mut socket = Socket::open(program, &program.reader);
    program.note(&unique("unheard"));
    assert_eq!(socket.subscribe(&["note"], None), [] as [Value; 0]);
    let note = program.note(&unique("heard"));
    let path = format!("{NOTES}{note}");
    program.post("/api/mood/update", &json!({"energy": 61})).expect(200);
    let changed = program.patch(&path, &json!({"priority": 77})).expect(200).json();
    program.delete(&path).expect(204);
    let events: Vec<Value> = (0..3).map(|_| socket.receive()).collect();
    assert!(
        events.iter().all(|event| event["type"] == "note" && event["data"]["id"] == note.as_str()),
        "{events:?}"
    );
    assert!(id(&events[0]) < id(&events[1]) && id(&events[1]) < id(&events[2]), "{events:?}");
    assert_eq!(events[1]["data"]["note"], changed);
    let deleted: Vec<Value> = events.iter().map(|event| event["data"]["deleted"].clone()).collect();
    assert_eq!(deleted, [false, false, true]);
    // The next subscription takes the place of this one.
    socket.subscribe(&["personality", "chat", "robot", "notification", "reset"], None);
    program.note(&unique("unheard"));
    let state = program.post("/api/mood/update", &json!({"energy": 62})).expect(200).json();
    let event = socket.receive();
    assert_eq!(
        (&event["type"], &event["data"]["energy"]),
        (&json!("personality"), &state["energy"]),
        "{event}"
    );
    socket.subscribe(&[], None);
    program.note(&unique("unheard"));
    assert_eq!(socket.settle(), [] as [Value; 0]);
}

pub(super) fn a_reader_who_comes_back_misses_nothing(program: &Program) {
    // With `after` come exactly those after it, then what happens from now on, each once.
    let mut socket = Socket::open(program, &program.reader);
    socket.subscribe(&["note"], None);
    let first = write(program, 1);
    let seen = socket.receive();
    assert_eq!(ids_of_notes(std::slice::from_ref(&seen)), first);
    drop(socket);
    let missed = write(program, 150);
    program.post("/api/mood/update", &json!({"energy": 63})).expect(200);
    let mut socket = Socket::open(program, &program.reader);
    let mut events = socket.subscribe(&["note"], Some(id(&seen)));
    let now = write(program, 3);
    while events.len() < missed.len() + now.len() {
        events.push(socket.receive());
    }
    assert_eq!(ids_of_notes(&events), [missed, now].concat());
    assert!(events.windows(2).all(|pair| id(&pair[0]) < id(&pair[1])));
    // Again from the middle, on the same socket.
    let mut again = socket.subscribe(&["note"], Some(id(&events[149])));
    while again.len() < 3 {
        again.push(socket.receive());
    }
    assert_eq!(again, events[150..]);
    assert_eq!(socket.settle(), [] as [Value; 0], "nothing comes twice");
}

pub(super) fn a_reader_who_comes_back_while_others_write_misses_nothing(program: &Program) {
    // What is read from the past and what happens meanwhile meet without a gap, and without a note told twice.
    let mut first = Socket::open(program, &program.reader);
    first.subscribe(&["note"], None);
    program.note(&unique("before"));
    let begin = id(&first.receive());
    thread::scope(|scope| {
        let writer = scope.spawn(|| write(program, 300));
        for _ in 0..20 {
            // Asked for while notes are written; seen to the end below, by the last of them.
            Socket::open(program, &program.reader).subscribe(&["note"], Some(begin));
        }
        let mut socket = Socket::open(program, &program.reader);
        let mut events = socket.subscribe(&["note"], Some(begin));
        let written = writer.join().unwrap();
        while events.last().is_none_or(|event| Some(&event["data"]["id"]) != written.last()) {
            events.push(socket.receive());
        }
        assert_eq!(ids_of_notes(&events), written);
    });
}

pub(super) fn too_old_means_one_reset(program: &Program) {
    // An id from nowhere gives one reset with the newest id; from there on everything comes.
    for nowhere in [1 << 50, i64::MAX as u64, u64::MAX] {
        let mut socket = Socket::open(program, &program.reader);
        socket.send_text(&json!({"subscribe": ["note"], "after": nowhere}).to_string());
        let reset = socket.receive();
        assert_eq!(reset["type"], "reset", "{reset}");
        assert_eq!(socket.settle(), [] as [Value; 0], "one reset");
        let note = program.note(&unique("after the reset"));
        let event = socket.receive();
        assert_eq!(event["data"]["id"], note.as_str());
        assert!(id(&event) > id(&reset) && id(&reset) < 1 << 50, "{reset} {event}");
        let mut back = Socket::open(program, &program.reader);
        let mut told = back.subscribe(&["note"], Some(id(&reset)));
        if told.is_empty() {
            told.push(back.receive());
        }
        assert_eq!(told, [event], "a reset's id is a place to go on from");
    }
}

pub(super) fn nobody_hears_of_anothers_mood(program: &Program) {
    // A personality is its user's; a note is the town's. The same when read later.
    let mut other = Socket::open(program, &program.other.token);
    let mut owner = Socket::open(program, &program.owner.token);
    other.subscribe(&["personality", "note"], None);
    owner.subscribe(&["personality", "note"], None);
    let start = program.note(&unique("start"));
    let from = other.receive();
    assert_eq!(from["data"]["id"], start.as_str());
    program.post("/api/mood/update", &json!({"energy": 64})).expect(200);
    program
        .ask("POST", "/api/mood/update")
        .token(&program.other.token)
        .json(&json!({"energy": 65}))
        .send()
        .expect(200);
    program.note(&unique("end"));
    let shown = |events: &[Value]| -> Vec<Value> {
        events.iter().map(|event| event["data"]["energy"].clone()).collect()
    };
    let theirs: Vec<Value> = (0..2).map(|_| other.receive()).collect();
    let owners: Vec<Value> = (0..3).map(|_| owner.receive()).collect();
    assert_eq!(shown(&theirs), [json!(65), Value::Null]);
    assert_eq!(shown(&owners[1..]), [json!(64), Value::Null]);
    let mut later = Socket::open(program, &program.other.token);
    let mut read = later.subscribe(&["personality", "note"], Some(id(&from)));
    while read.len() < 2 {
        read.push(later.receive());
    }
    assert_eq!(read, theirs);
    if let Some((address, token)) = &program.elsewhere {
        let body = json!({"content": unique("elsewhere")});
        program.ask("POST", NOTES).at(*address).token(token).json(&body).send().expect(201);
        assert_eq!(owner.settle(), [] as [Value; 0], "another town's notes");
    }
}

pub(super) fn what_is_not_understood_is_told_and_the_socket_stays(program: &Program) {
    // An error with a whole problem for each, and the subscription goes on.
    let mut socket = Socket::open(program, &program.reader);
    socket.subscribe(&["note"], None);
    let wrong = [
        "",
        "nonsense",
        "[]",
        "null",
        "{}",
        r#"{"subscribe":"note"}"#,
        r#"{"subscribe":["dream"]}"#,
        r#"{"subscribe":[7]}"#,
        r#"{"subscribe":["note"],"after":-1}"#,
        r#"{"subscribe":["note"],"after":"7"}"#,
        r#"{"after":7}"#,
        r#"{"subscribe":["note"]} {}"#,
    ];
    for text in wrong {
        socket.send_text(text);
        let told = socket.receive();
        assert_eq!(
            (&told["type"], &told["data"]["status"]),
            (&json!("error"), &json!(400)),
            "{text}: {told}"
        );
        assert_eq!(told["data"]["type"], "/problems/bad-request");
        assert!(told["data"]["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{told}");
    }
    let note = program.note(&unique("still there"));
    assert_eq!(socket.receive()["data"]["id"], note.as_str());
}

pub(super) fn a_token_may_come_as_subprotocol(program: &Program) {
    // As browsers do it, who can set no header; the answer does not repeat the token.
    let (mut socket, chosen) = Socket::as_a_browser(program, &program.reader);
    assert_eq!(chosen, "robbie");
    socket.subscribe(&["note"], None);
    let note = program.note(&unique("browser"));
    assert_eq!(socket.receive()["data"]["id"], note.as_str());
}

pub(super) fn a_message_has_a_limit(program: &Program) {
    // 16 KiB are read, and told to be wrong; one byte more ends the socket.
    let mut socket = Socket::open(program, &program.reader);
    socket.send_text(&"x".repeat(16 * 1024));
    assert_eq!(socket.receive()["type"], "error");
    socket.try_send_text(&"x".repeat(16 * 1024 + 1));
    socket.wait_for_close();
}

pub(super) fn a_reader_who_does_not_read_is_closed(program: &Program) {
    // With 1013, after what it can still read, in order; nobody else waits for it.
    let mut slow = Socket::narrow(program, &program.reader);
    slow.subscribe(&["note"], None);
    let mut quick = Socket::open(program, &program.reader);
    quick.subscribe(&["note"], None);
    let content = "x".repeat(16 * 1024);
    for _ in 0..800 {
        let note = program.note(&content);
        assert_eq!(quick.receive()["data"]["id"], note.as_str());
    }
    assert_eq!(slow.wait_for_close(), Some(1013));
}

pub(super) fn a_revoked_token_closes_its_socket(program: &Program) {
    // With 1008, silent or not; the next request is 401.
    let mut silent = Socket::open(program, &program.doomed);
    let mut listening = Socket::open(program, &program.doomed);
    listening.subscribe(&["note"], None);
    (program.revoke)();
    assert_eq!(silent.wait_for_close(), Some(1008));
    assert_eq!(listening.wait_for_close(), Some(1008));
    program.ask("GET", NOTES).token(&program.doomed).send().problem(401, "no-token");
}
