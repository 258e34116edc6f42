//! Who may what.

use serde_json::json;

use super::Program;
use super::client::{NOTES, Reply, escaped, uuid};

/// Method, path, and whether it writes.
fn routes() -> [(&'static str, String, bool); 13] {
    let id = uuid();
    [
        ("GET", NOTES.to_owned(), false),
        ("POST", NOTES.to_owned(), true),
        ("GET", format!("{NOTES}{id}"), false),
        ("PATCH", format!("{NOTES}{id}"), true),
        ("DELETE", format!("{NOTES}{id}"), true),
        ("GET", "/api/sticky-notes/surface".to_owned(), false),
        ("GET", "/api/memory/search?q=x".to_owned(), false),
        ("GET", "/api/personality".to_owned(), false),
        ("GET", "/api/mood/history".to_owned(), false),
        ("POST", "/api/mood/update".to_owned(), true),
        ("POST", "/api/chat".to_owned(), true),
        ("GET", "/api/conversations".to_owned(), false),
        ("GET", format!("/api/conversations/{id}"), false),
    ]
}

pub(super) fn nothing_is_told_without_a_token(program: &Program) {
    // 401 before anything else is looked at, with the way to log in; also for the events.
    for (method, path, _) in routes() {
        let reply = program.ask(method, &path).body("{broken").send();
        reply.problem(401, "no-token");
        assert!(reply.header("www-authenticate").is_some(), "{path}");
        program.ask(method, &path).token("rb_unknown").send().problem(401, "no-token");
    }
    program.ask("GET", "/ws/chat").send().problem(401, "no-token");
}

pub(super) fn scopes_do_not_contain_each_other(program: &Program) {
    // Reading needs read, writing speak; refused before the body is looked at.
    for (method, path, writes) in routes() {
        let (fitting, lacking, scope) = match writes {
            true => (&program.speaker, &program.reader, "speak"),
            false => (&program.reader, &program.speaker, "read"),
        };
        let problem =
            program.ask(method, &path).token(lacking).body("{broken").send().problem(403, "no-right");
        assert_eq!(problem["scope"], scope, "{method} {path}");
        let status = program.ask(method, &path).token(fitting).body("{broken").send().status;
        assert!(![401, 403, 500].contains(&status), "{method} {path}: {status}");
    }
    program.ask("GET", "/ws/chat").token(&program.speaker).send().problem(403, "no-right");
    program.ask("GET", "/ws/chat").token(&program.reader).send().problem(400, "bad-request");
}

pub(super) fn another_user_needs_an_admin(program: &Program) {
    // In a query and in a body; one's own name is nobody else's. What is malformed is told before.
    let (owner, other) = (&program.owner.user_id, &program.other.user_id);
    let ask = |method: &'static str, path: String, body: serde_json::Value| -> Reply {
        program.ask(method, &path).token(&program.other.token).json(&body).send()
    };
    let queries = [
        NOTES,
        "/api/sticky-notes/surface",
        "/api/memory/search?q=x",
        "/api/personality",
        "/api/mood/history",
        "/api/conversations",
    ];
    for path in queries {
        let sign = if path.contains('?') { '&' } else { '?' };
        ask("GET", format!("{path}{sign}user_id={}", escaped(owner)), json!({})).problem(403, "no-right");
        ask("GET", format!("{path}{sign}user_id={}", escaped(other)), json!({})).expect(200);
        program.get(&format!("{path}{sign}user_id={}", escaped(other))).expect(200);
        program.get(&format!("{path}{sign}user_id={}", "x".repeat(97))).problem(413, "too-long");
    }
    let note = program.note("whose is it");
    let bodies = [
        ("POST", NOTES.to_owned()),
        ("PATCH", format!("{NOTES}{note}")),
        ("POST", "/api/mood/update".to_owned()),
    ];
    for (method, path) in bodies {
        ask(method, path.clone(), json!({"content": "x", "user_id": owner})).problem(403, "no-right");
        ask(method, path, json!({"content": "", "energy": 101, "priority": 101, "user_id": owner}))
            .is_told_first();
    }
    assert_eq!(program.get(&format!("{NOTES}{note}")).expect(200).json()["content"], "whose is it");
    ask("POST", NOTES.to_owned(), json!({"content": "x", "created_by": owner})).problem(403, "no-right");
    let own = ask("POST", NOTES.to_owned(), json!({"content": "x", "created_by": other, "user_id": other}))
        .expect(201);
    assert_eq!(own.json()["created_by"], other.as_str());
    let theirs = program.post(NOTES, &json!({"content": "x", "user_id": other})).expect(201).json();
    assert_eq!(theirs["created_by"], other.as_str());
    // Personalities are each user's own.
    program.post("/api/mood/update", &json!({"energy": 31})).expect(200);
    ask("POST", "/api/mood/update".to_owned(), json!({"energy": 32})).expect(200);
    assert_eq!(program.get("/api/personality").expect(200).json()["energy"], 31);
    let seen = program.get(&format!("/api/personality?user_id={}", escaped(other))).expect(200).json();
    assert_eq!(seen["energy"], 32);
}

impl Reply {
    /// 400 or 422: what is wrong with a request comes before whom it is for.
    #[track_caller]
    fn is_told_first(&self) {
        assert!([400, 422].contains(&self.status), "{}", self.status);
    }
}

pub(super) fn a_wrong_method_is_told(program: &Program) {
    // 405 that names the right ones, to everybody.
    for (method, path) in [
        ("PUT", NOTES),
        ("DELETE", NOTES),
        ("POST", "/api/sticky-notes/surface"),
        ("POST", "/api/memory/search"),
        ("POST", "/api/personality"),
        ("GET", "/api/mood/update"),
        ("DELETE", "/api/conversations"),
    ] {
        let reply = program.ask(method, path).send();
        reply.problem(405, "wrong-method");
        assert!(reply.header("allow").is_some(), "{method} {path}");
    }
}
