//! What a note may say, byte for byte, and what is no note.

use serde_json::{Value, json};

use super::Program;
use super::client::{NOTES, escaped, unique};
use super::notes::tagged;

const CONTENT_MAX: usize = 16 * 1024;

/// Texts that have broken something somewhere.
fn odd_contents() -> Vec<String> {
    let mut contents: Vec<String> = [
        "x",
        "💚🤖👩‍👩‍👧‍👦🏳️‍🌈 ☺️",
        "مرحبا بالعالم، هذا نص من اليمين إلى اليسار",
        "שלום עולם \u{202e}abc\u{202c} סוף",
        "日本語のメモ。改行\nと\tタブ\r\n。",
        "e\u{301} is not \u{e9}; \u{200b}zero\u{200d}width\u{feff}",
        "\u{1}\u{7f}\u{85}\u{2028}\u{fffd}\u{10ffff}",
        "'; DROP TABLE notes; --",
        "Robert'); DELETE FROM memory WHERE ('1'='1",
        "\" OR \"\"=\"",
        "<script>alert(1)</script><img src=x onerror=alert(2)>",
        "&lt;b&gt; &amp; %3Cb%3E %s %n {0} ${HOME} `id` $(id)",
        "NEAR(a b, 5) AND \"c\" OR NOT d* ^e content:f {g h} + -i (j",
        "\"unbalanced ( quote",
        "* ^ - + : ( ) { } [ ] ~ \\ / ? !",
        "\\u0000 \\x00 \\' \\\\",
        "{\"json\": [1, 2, {\"deep\": null}]}",
        "../../../../etc/passwd\n.\r\n\r\nGET / HTTP/1.1",
    ]
    .map(str::to_owned)
    .to_vec();
    contents.push("x".repeat(CONTENT_MAX));
    contents.push("ä".repeat(CONTENT_MAX / 2));
    contents.push("💚".repeat(CONTENT_MAX / 4));
    contents.push("word ".repeat(CONTENT_MAX / 5));
    contents.push("\"".repeat(CONTENT_MAX));
    contents
}

/// The beginning, short enough for a question.
fn beginning(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

pub(super) fn every_content_comes_back_byte_for_byte(program: &Program) {
    // From the write, from its path and from a list; also as a change of another note.
    let tag = unique("odd");
    let id = program.note("to be changed");
    for content in odd_contents() {
        let made = program.post(NOTES, &json!({"content": content, "tags": [tag]})).expect(201).json();
        assert_eq!(made["content"], content.as_str());
        let path = format!("{NOTES}{}", made["id"].as_str().unwrap());
        assert_eq!(program.get(&path).expect(200).json(), made);
        let changed = program.patch(&format!("{NOTES}{id}"), &json!({"content": content})).expect(200).json();
        assert_eq!(changed["content"], content.as_str());
    }
    let mut listed: Vec<String> =
        tagged(program, &tag).iter().map(|row| row["content"].as_str().unwrap().to_owned()).collect();
    let mut wanted = odd_contents();
    listed.sort();
    wanted.sort();
    assert_eq!(listed, wanted);
    for tag in ["💚", "a b", "a,b", "%", "_", "'", "\"", "[\"x\"]", "ä".repeat(32).as_str()] {
        let made = program.post(NOTES, &json!({"content": "tagged", "tags": [tag]})).expect(201).json();
        assert_eq!(made["tags"], json!([tag]));
        let found = tagged(program, &escaped(tag));
        assert!(found.iter().any(|row| row["id"] == made["id"]), "{tag}");
        assert!(found.iter().all(|row| row["tags"].as_array().unwrap().contains(&json!(tag))), "{tag}");
    }
}

pub(super) fn every_content_can_be_asked_for(program: &Program) {
    // As a question, as a filter and as what it is about: an answer each time, never a fault.
    for content in odd_contents() {
        let asked = escaped(beginning(&content, 2000));
        let shown = beginning(&content, 40);
        for path in [
            format!("/api/memory/search?q={asked}"),
            format!("/api/memory/search?q=x&context={asked}"),
            format!("{NOTES}?q={asked}"),
            format!("{NOTES}?author={}", escaped(beginning(&content, 60))),
            format!("/api/sticky-notes/surface?about={asked}&place={asked}"),
        ] {
            assert_eq!(program.get(&path).status, 200, "{shown}");
        }
    }
}

pub(super) fn words_are_found_inside_odd_contents(program: &Program) {
    // A word between operators, tags and quotes is found by itself, and with the operators around it.
    let word = unique("pangolin");
    for around in ["<b>{}</b>", "'{}'; DROP TABLE x", "NEAR(\"{}\" AND) OR *", "({})", "💚{}💚", "\"{}"] {
        let content = around.replace("{}", &word);
        let id = program.note(&content);
        for question in [&word, &content] {
            let hits = program
                .get(&format!("/api/memory/search?q={}&limit=100", escaped(question)))
                .expect(200)
                .json();
            let hits = hits["hits"].as_array().unwrap().clone();
            assert!(hits.iter().any(|hit| hit["id"] == id.as_str()), "{question}");
        }
        let listed = program.get(&format!("{NOTES}?q={word}&limit=500")).expect(200).rows();
        assert!(listed.iter().any(|row| row["id"] == id.as_str()), "{content}");
    }
}

pub(super) fn a_content_has_a_limit_that_is_named(program: &Program) {
    // Empty and blank 400; one byte more than 16 KiB 413 with the limit; 1 MB 413; a refused change changes nothing.
    let tag = unique("long");
    let kept = program.post(NOTES, &json!({"content": "kept", "tags": [tag]})).expect(201).json();
    let path = format!("{NOTES}{}", kept["id"].as_str().unwrap());
    let both = |content: &str, check: &dyn Fn(super::client::Reply)| {
        check(program.post(NOTES, &json!({"content": content, "tags": [tag]})));
        check(program.patch(&path, &json!({"content": content})));
    };
    for empty in ["", " ", "\n\t ", "\u{3000}"] {
        both(empty, &|reply| assert_eq!(reply.problem(400, "bad-request")["field"], "content"));
    }
    for long in [
        "x".repeat(CONTENT_MAX + 1),
        format!("x{}", "ä".repeat(CONTENT_MAX / 2)),
        "💚".repeat(CONTENT_MAX / 4 + 1),
    ] {
        both(&long, &|reply| {
            let problem = reply.problem(413, "too-long");
            assert_eq!(
                (&problem["field"], &problem["limit_bytes"]),
                (&json!("content"), &json!(CONTENT_MAX))
            );
        });
    }
    both(&"x".repeat(1_000_000), &|reply| {
        assert!(reply.problem(413, "too-long")["limit_bytes"].is_u64());
    });
    both("with a NUL \0 inside", &|reply| assert_eq!(reply.problem(400, "bad-request")["field"], "content"));
    assert_eq!(tagged(program, &tag), [kept]);
}

pub(super) fn what_breaks_a_body_is_told_and_writes_nothing(program: &Program) {
    // No JSON, no object, broken UTF-8, wrong types: 400, from every route with a body.
    let before = program.get("/api/personality").expect(200).json();
    let tag = unique("broken");
    let kept = program.post(NOTES, &json!({"content": "kept", "tags": [tag]})).expect(201).json();
    let path = format!("{NOTES}{}", kept["id"].as_str().unwrap());
    let routes = [("POST", NOTES), ("PATCH", path.as_str()), ("POST", "/api/mood/update")];
    let bodies: [&[u8]; 16] = [
        b"",
        b"  \n",
        b"{",
        b"null",
        b"[]",
        b"[{\"content\":\"x\"}]",
        b"\"content\"",
        b"7",
        b"{} {}",
        b"{'content':'x'}",
        b"{\"content\":\"x\",}",
        b"\xef\xbb\xbf{\"content\":\"x\"}",
        b"{\"content\":\"\xff\xfe\",\"mood\":\"focused\"}",
        b"{\"content\":\"x\",\"mood\":\"focused\",\"ignored\":\"\xc3\x28\"}",
        b"{\"content\":\"\\ud800\",\"mood\":\"\\ud800\"}",
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
    ];
    for (method, path) in routes {
        for body in bodies {
            program
                .ask(method, path)
                .token(&program.owner.token)
                .body(body)
                .send()
                .problem(400, "bad-request");
        }
        let deep = format!("{{\"content\":{}", "[".repeat(60_000));
        program.ask(method, path).token(&program.owner.token).body(deep).send().problem(400, "bad-request");
        let long = format!("{{\"content\":\"x\",\"ignored\":\"{}\"}}", "x".repeat(65_536));
        let problem =
            program.ask(method, path).token(&program.owner.token).body(long).send().problem(413, "too-long");
        assert_eq!(problem["limit_bytes"], 65_536);
    }
    let typed = [
        (json!({}), "content"),
        (json!({"content": 7}), "content"),
        (json!({"content": null}), "content"),
        (json!({"content": ["x"]}), "content"),
        (json!({"content": "x", "tags": "home"}), "tags"),
        (json!({"content": "x", "priority": "high"}), "priority"),
        (json!({"content": "x", "priority": 50.5}), "priority"),
        (json!({"content": "x", "id": 7}), "id"),
        (json!({"content": "x", "id": "7"}), "id"),
        (json!({"content": "x", "id": ""}), "id"),
        (json!({"content": "x", "id": "019ab5b07a307cc19b1e0f2f6b0c9a11"}), "id"),
        (json!({"content": "x", "user_id": 7}), "user_id"),
    ];
    for (body, field) in typed {
        assert_eq!(program.post(NOTES, &body).problem(400, "bad-request")["field"], field, "{body}");
    }
    assert_eq!(program.get("/api/personality").expect(200).json(), before);
    assert_eq!(tagged(program, &tag), [kept]);
}

pub(super) fn tags_and_priorities_have_limits(program: &Program) {
    // 32 tags of 64 bytes fit, one more does not; a priority is 0 to 100.
    let id = program.note("limits");
    let path = format!("{NOTES}{id}");
    let full: Vec<String> = (0..32).map(|number| format!("{number:x<64}")).collect();
    let both = |change: Value| {
        let mut body = change.clone();
        body["content"] = json!("limits");
        [program.post(NOTES, &body), program.patch(&path, &change)]
    };
    for (reply, status) in both(json!({"tags": full})).into_iter().zip([201, 200]) {
        assert_eq!(reply.expect(status).json()["tags"], json!(full));
    }
    for priority in [0, 100] {
        for (reply, status) in both(json!({"priority": priority})).into_iter().zip([201, 200]) {
            assert_eq!(reply.expect(status).json()["priority"], priority);
        }
    }
    for reply in both(json!({"tags": vec!["t"; 33]})) {
        let problem = reply.problem(413, "too-long");
        assert_eq!((&problem["field"], &problem["max"]), (&json!("tags"), &json!(32)));
    }
    for reply in both(json!({"tags": ["ä".repeat(33)]})) {
        let problem = reply.problem(413, "too-long");
        assert_eq!((&problem["field"], &problem["limit_bytes"]), (&json!("tags"), &json!(64)));
    }
    for wrong in [json!([""]), json!([" "]), json!(["a\0b"]), json!([1]), json!([null])] {
        for reply in both(json!({"tags": wrong})) {
            reply.problem(400, "bad-request");
        }
    }
    for priority in [-1, 101, 256, i64::MAX, i64::MIN] {
        for reply in both(json!({"priority": priority})) {
            let problem = reply.problem(422, "out-of-range");
            assert_eq!(problem["field"], "priority");
            assert_eq!((problem["min"].as_f64(), problem["max"].as_f64()), (Some(0.0), Some(100.0)));
        }
    }
    assert_eq!(program.get(&path).expect(200).json()["priority"], 100);
}

pub(super) fn unknown_fields_are_ignored(program: &Program) {
    // Old and new clients may say more than this program knows.
    let made =
        program.post(NOTES, &json!({"content": "x", "colour": "green", "surfaced": true})).expect(201).json();
    assert_eq!((&made["surfaced"], made.get("colour")), (&json!(false), None));
    let path = format!("{NOTES}{}", made["id"].as_str().unwrap());
    program.patch(&path, &json!({"colour": {"deep": []}})).expect(200);
    program.post("/api/mood/update", &json!({"colour": 7})).expect(200);
    program.get(&format!("{NOTES}?colour=green")).expect(200);
    program.get("/api/memory/search?q=x&colour=green").expect(200);
    program.get("/api/personality?colour=green").expect(200);
}
