//! Ids that name nothing, rows of others, and questions that nobody should ask.

use serde_json::json;

use super::Program;
use super::client::{NOTES, escaped, unique, uuid};

pub(super) fn an_unknown_id_names_nothing(program: &Program) {
    // 404 for every method, whether it looks like an id or not; nothing is created by it.
    let ids = [
        uuid(),
        uuid().to_uppercase(),
        "00000000-0000-0000-0000-000000000000".to_owned(),
        "7".to_owned(),
        "nothing".to_owned(),
        "%00".to_owned(),
        "%ff".to_owned(),
        "%F0%9F%92%9A".to_owned(),
        escaped("' OR 1=1 --"),
        "019ab5b07a307cc19b1e0f2f6b0c9a11".to_owned(),
        "x".repeat(2000),
    ];
    for id in ids {
        let path = format!("{NOTES}{id}");
        program.get(&path).problem(404, "not-found");
        program.patch(&path, &json!({"content": "x"})).problem(404, "not-found");
        program.delete(&path).problem(404, "not-found");
        program.get(&format!("/api/conversations/{id}")).problem(404, "not-found");
    }
    // What can be read as a request is checked first: a wrong body is told even where there is no such note.
    program.patch(&format!("{NOTES}{}", uuid()), &json!({"priority": 101})).problem(422, "out-of-range");
}

pub(super) fn rows_of_another_town_do_not_exist(program: &Program) {
    // 404 as for an unknown one, absent from every list, and no id of theirs can be taken over.
    let Some((address, token)) = &program.elsewhere else { return };
    let word = unique("yonder");
    let id = uuid();
    let body = json!({"id": id, "content": format!("The {word} is ours"), "tags": [word], "priority": 100});
    let there = program.ask("POST", NOTES).at(*address).token(token).json(&body).send().expect(201).json();
    let path = format!("{NOTES}{id}");
    program.get(&path).problem(404, "not-found");
    program.patch(&path, &json!({"priority": 1})).problem(404, "not-found");
    program.delete(&path).problem(404, "not-found");
    let places = [
        format!("{NOTES}?tag={word}"),
        format!("{NOTES}?q={word}"),
        format!("/api/memory/search?q={word}&limit=100"),
        format!("/api/sticky-notes/surface?about={word}&limit=50"),
    ];
    for place in places {
        let here = program.get(&place).expect(200);
        assert!(!String::from_utf8_lossy(&here.body).contains(&id), "{place}");
        let their = program.ask("GET", &place).at(*address).token(token).send().expect(200);
        assert!(String::from_utf8_lossy(&their.body).contains(&id), "{place}");
    }
    // Refused where all towns share their ids; else it is a note of its own.
    let taken = program.post(NOTES, &json!({"id": id, "content": "now it is ours"}));
    assert!([201, 409].contains(&taken.status), "{}", taken.status);
    let read = program.ask("GET", &path).at(*address).token(token).send().expect(200);
    assert_eq!(read.json(), there);
    // The same owner's name in another town is another person.
    let mood = program.ask("POST", "/api/mood/update").at(*address).token(token);
    mood.json(&json!({"energy": 3})).send().expect(200);
    assert_ne!(program.get("/api/personality").expect(200).json()["energy"], 3);
}

pub(super) fn odd_questions_are_answered_or_told(program: &Program) {
    // Operators are words; what is missing, too long, no UTF-8 or no kind is told with its field.
    let operators = [
        "\"",
        "\"\"",
        "*",
        "a*",
        "^a",
        "-a",
        "+a",
        "(",
        ")",
        "a AND",
        "OR",
        "NOT a",
        "NEAR(",
        "NEAR(a b)",
        "a:b",
        "content:x",
        "{a b}:c",
        "'",
        "';--",
        "%",
        "_",
        "\\",
        "a\"b",
        "💚",
        "?",
        "...",
        "\u{202e}",
    ];
    for question in operators {
        for path in ["/api/memory/search?q=", "/api/sticky-notes/?q=", "/api/sticky-notes/surface?about="] {
            assert_eq!(program.get(&format!("{path}{}", escaped(question))).status, 200, "{path} {question}");
        }
    }
    let fields = [
        ("/api/memory/search", 400, "q"),
        ("/api/memory/search?q=", 400, "q"),
        ("/api/memory/search?q=+%09", 400, "q"),
        ("/api/memory/search?q=a%00b", 400, "q"),
        ("/api/memory/search?q=a&kind=dream", 400, "kind"),
        ("/api/memory/search?q=a&kind=note,dream", 400, "kind"),
        ("/api/sticky-notes/surface?conversation_id=7", 400, "conversation_id"),
    ];
    for (path, status, field) in fields {
        assert_eq!(program.get(path).problem(status, "bad-request")["field"], field, "{path}");
    }
    let long = "x".repeat(2049);
    for (path, field) in [
        ("/api/memory/search?q=", "q"),
        ("/api/memory/search?q=a&context=", "context"),
        ("/api/sticky-notes/?q=", "q"),
        ("/api/sticky-notes/surface?about=", "about"),
        ("/api/sticky-notes/surface?place=", "place"),
    ] {
        program.get(&format!("{path}{}", &long[1..])).expect(200);
        let problem = program.get(&format!("{path}{long}")).problem(413, "too-long");
        assert_eq!((&problem["field"], &problem["limit_bytes"]), (&json!(field), &json!(2048)), "{path}");
        program.get(&format!("{path}%ff%fe")).problem(400, "bad-request");
    }
}
