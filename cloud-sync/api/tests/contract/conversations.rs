//! Conversations: the user's own, in order; for others they do not exist.

use serde_json::Value;

use super::client::{Reply, escaped};
use super::{OTHER_SAID, OWNER_SAID, Person, Program};

fn of(program: &Program, person: &Person) -> String {
    let listed = program.ask("GET", "/api/conversations").token(&person.token).send().expect(200).rows();
    assert_eq!(listed.len(), 1, "{listed:?}");
    listed[0]["id"].as_str().unwrap().to_owned()
}

fn texts(reply: &Reply) -> Vec<String> {
    reply.rows().iter().map(|turn| turn["message_text"].as_str().unwrap().to_owned()).collect()
}

pub(super) fn a_conversation_is_listed_and_told_in_order(program: &Program) {
    // The list shows how long it is and how it ends; its turns come oldest first, on pages of any size.
    let listed = program.get("/api/conversations").expect(200).rows();
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0]["turns"], OWNER_SAID.len());
    let preview = listed[0]["preview"].as_str().unwrap();
    assert!(!preview.is_empty() && OWNER_SAID[4].starts_with(preview.trim_end_matches('…')), "{preview}");
    for field in ["started_at", "last_at"] {
        assert!(listed[0][field].as_str().is_some_and(|at| at.ends_with('Z')), "{field}");
    }
    let path = format!("/api/conversations/{}", listed[0]["id"].as_str().unwrap());
    let whole = program.get(&path).expect(200);
    assert_eq!(texts(&whole), OWNER_SAID);
    let senders: Vec<Value> = whole.rows().iter().map(|turn| turn["sender"].clone()).collect();
    assert_eq!(senders, ["user", "robbie", "user", "robbie", "user"]);
    for turn in whole.rows() {
        assert_eq!(turn["id"].as_str().map(str::len), Some(36), "{turn}");
        assert!(turn["timestamp"].is_string() && turn["mood_at_time"].is_string(), "{turn}");
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = program.get(&format!("{path}?limit=2&cursor={cursor}")).expect(200);
        seen.extend(texts(&page));
        assert!(seen.len() <= OWNER_SAID.len(), "the pages do not end");
        let Some(next) = page.header("x-next-cursor") else { break };
        cursor = escaped(next);
    }
    assert_eq!(seen, OWNER_SAID);
}

pub(super) fn a_conversation_of_another_does_not_exist(program: &Program) {
    // 404, both ways, and absent from search; an admin who names the user sees it.
    let (owners, others) = (of(program, &program.owner), of(program, &program.other));
    let other = |path: &str| program.ask("GET", path).token(&program.other.token).send();
    other(&format!("/api/conversations/{owners}")).problem(404, "not-found");
    program.get(&format!("/api/conversations/{others}")).problem(404, "not-found");
    let holds = |reply: Reply, text: &str| {
        reply.expect(200).json()["hits"].as_array().unwrap().iter().any(|hit| hit["text"] == text)
    };
    let xylophone = "/api/memory/search?q=xylophone&limit=100";
    let walnuts = "/api/memory/search?q=walnuts&limit=100";
    assert!(holds(other(xylophone), OTHER_SAID[0]) && !holds(other(walnuts), OWNER_SAID[2]));
    assert!(holds(program.get(walnuts), OWNER_SAID[2]) && !holds(program.get(xylophone), OTHER_SAID[0]));
    let user = escaped(&program.other.user_id);
    let read = program.get(&format!("/api/conversations/{others}?user_id={user}")).expect(200);
    assert_eq!(texts(&read), OTHER_SAID);
    assert!(holds(program.get(&format!("{xylophone}&user_id={user}")), OTHER_SAID[0]));
}
