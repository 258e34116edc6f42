//! Sticky notes: written, read, changed, deleted, and never written over unseen.

use std::thread;

use serde_json::{Value, json};

use super::Program;
use super::client::{NOTES, Reply, unique, uuid};

fn path(id: &str) -> String {
    format!("{NOTES}{id}")
}

#[track_caller]
fn etag(reply: &Reply) -> String {
    reply.header("etag").expect("an ETag").to_owned()
}

/// The notes that carry this tag.
#[track_caller]
pub(super) fn tagged(program: &Program, tag: &str) -> Vec<Value> {
    program.get(&format!("{NOTES}?tag={tag}&limit=500")).expect(200).rows()
}

pub(super) fn a_written_note_is_read_back_as_it_was_written(program: &Program) {
    // Every field, with its defaults; the answer to the write is the row itself.
    let content = unique("Call the plumber about");
    let written = program
        .post(NOTES, &json!({"content": content, "tags": ["home", "Home"], "priority": 70}))
        .expect(201);
    let note = written.json();
    let id = note["id"].as_str().unwrap();
    assert_eq!(id.len(), 36, "{note}");
    assert_eq!(note["content"], content);
    assert_eq!(note["created_by"], program.owner.user_id);
    assert_eq!(note["tags"], json!(["home", "Home"]));
    assert_eq!((&note["priority"], &note["surfaced"]), (&json!(70), &json!(false)));
    assert!(note["created_at"].as_str().is_some_and(|at| at.contains('T') && at.ends_with('Z')), "{note}");
    let read = program.get(&path(id)).expect(200);
    assert_eq!(read.json(), note);
    assert_eq!(etag(&read), etag(&written));
    assert_eq!(read.header("cache-control"), Some("no-store"));
    let plain = program.post(NOTES, &json!({"content": content})).expect(201).json();
    assert_eq!((&plain["priority"], &plain["tags"]), (&json!(50), &json!([])));
    assert_ne!(plain["id"], note["id"], "the same content without an id is another note");
}

pub(super) fn both_forms_of_a_path_answer(program: &Program) {
    // With and without the last slash, with and without a question mark.
    let id = program.note(&unique("slashes"));
    let search = "/api/memory/search";
    for form in ["", "/"] {
        program.get(&format!("/api/sticky-notes{form}")).expect(200).rows();
        program.get(&format!("/api/sticky-notes{form}?limit=1")).expect(200).rows();
        program.get(&format!("/api/sticky-notes/{id}{form}")).expect(200);
        program.get(&format!("/api/sticky-notes/surface{form}?limit=1")).expect(200).rows();
        program.get(&format!("{search}{form}?q=slashes")).expect(200);
        program.get(&format!("/api/personality{form}")).expect(200);
        program.get(&format!("/api/mood/history{form}")).expect(200).rows();
        program.get(&format!("/api/conversations{form}")).expect(200).rows();
        program.post(&format!("/api/sticky-notes{form}"), &json!({"content": "x"})).expect(201);
        program.post(&format!("/api/mood/update{form}"), &json!({})).expect(200);
        program.patch(&format!("/api/sticky-notes/{id}{form}"), &json!({"priority": 1})).expect(200);
    }
    program.delete(&format!("/api/sticky-notes/{id}/")).expect(204);
}

pub(super) fn a_note_sent_again_with_its_id_is_written_once(program: &Program) {
    // The retry gets the same answer; another content under that id is refused and changes nothing.
    let (id, tag) = (uuid(), unique("once"));
    let body = json!({"id": id, "content": "Buy oats", "tags": [tag]});
    let first = program.post(NOTES, &body).expect(201);
    assert_eq!(first.json()["id"], id);
    let again = program.post(NOTES, &body).expect(201);
    assert_eq!((again.json(), etag(&again)), (first.json(), etag(&first)));
    assert_eq!(tagged(program, &tag).len(), 1);
    let other = json!({"id": id, "content": "Buy hay", "tags": [tag]});
    program.post(NOTES, &other).problem(409, "version-conflict");
    assert_eq!(program.get(&path(&id)).expect(200).json()["content"], "Buy oats");
    // The id of a note is one, however its letters are written.
    let upper = json!({"id": id.to_uppercase(), "content": "Buy oats", "tags": [tag]});
    assert_eq!(program.post(NOTES, &upper).expect(201).json()["id"], id);
}

pub(super) fn a_patch_changes_what_it_names_alone(program: &Program) {
    // The rest stays, the version moves on, null means absent, and an answer is the new row.
    let made = program.post(NOTES, &json!({"content": "old", "tags": ["a"], "priority": 10})).expect(201);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let changes = [
        (json!({"content": "new"}), "content"),
        (json!({"tags": ["b", "c"], "content": null}), "tags"),
        (json!({"tags": []}), "tags"),
        (json!({"priority": 100}), "priority"),
        (json!({"surfaced": true}), "surfaced"),
    ];
    let (mut before, mut version) = (made.json(), etag(&made));
    for (change, field) in changes {
        let reply = program.patch(&path(&id), &change).expect(200);
        before[field] = change[field].clone();
        assert_eq!(reply.json(), before, "{change}");
        assert_ne!(etag(&reply), version, "{change}");
        version = etag(&reply);
        let read = program.get(&path(&id)).expect(200);
        assert_eq!((read.json(), etag(&read)), (before.clone(), version.clone()));
    }
}

pub(super) fn of_two_writers_who_read_the_same_one_is_refused(program: &Program) {
    // The second learns the version that is there now, and the first one's words stay.
    let id = program.note(&unique("two writers"));
    let read = etag(&program.get(&path(&id)).expect(200));
    let write = |content: &str| {
        let body = json!({"content": content});
        program
            .ask("PATCH", &path(&id))
            .token(&program.owner.token)
            .header("if-match", &read)
            .json(&body)
            .send()
    };
    let first = write("first").expect(200);
    let problem = write("second").problem(409, "version-conflict");
    assert_eq!(format!("\"{}\"", problem["version"]), etag(&first), "{problem}");
    assert_eq!(program.get(&path(&id)).expect(200).json()["content"], "first");
    let remove =
        program.ask("DELETE", &path(&id)).token(&program.owner.token).header("if-match", &read).send();
    remove.problem(409, "version-conflict");
    program.get(&path(&id)).expect(200);
}

pub(super) fn of_many_writers_at_once_exactly_one_wins(program: &Program) {
    // Eight send at the same moment with the same If-Match.
    let id = program.note(&unique("many writers"));
    let read = etag(&program.get(&path(&id)).expect(200));
    let statuses: Vec<u16> = thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|number| {
                let (id, read) = (&id, &read);
                scope.spawn(move || {
                    let ask = program.ask("PATCH", &path(id)).token(&program.owner.token);
                    ask.header("if-match", read).json(&json!({"priority": number})).send().status
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    let count = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(200), count(409)), (1, 7), "{statuses:?}");
}

pub(super) fn if_match_is_honoured_in_every_form(program: &Program) {
    // Star, lists, weak and foreign tags; what is no tag is 400; an unknown note is 404 all the same.
    let id = program.note(&unique("if-match"));
    let patch = |id: &str, tag: &str| {
        let ask = program.ask("PATCH", &path(id)).token(&program.owner.token).header("if-match", tag);
        ask.json(&json!({"priority": 3})).send()
    };
    let now = || etag(&program.get(&path(&id)).expect(200));
    patch(&id, "*").expect(200);
    patch(&id, &now()).expect(200);
    patch(&id, &format!("\"nobody\", {}", now())).expect(200);
    for stale in [
        "\"nobody\"".to_owned(),
        format!("W/{}", now()),
        "\"0\"".to_owned(),
        "\"99999999999999999999\"".to_owned(),
    ] {
        patch(&id, &stale).problem(409, "version-conflict");
    }
    for no_tag in ["7", "\"7", "nobody"] {
        patch(&id, no_tag).problem(400, "bad-request");
    }
    for tag in ["*", "\"1\"", "\"nobody\""] {
        patch(&uuid(), tag).problem(404, "not-found");
    }
}

pub(super) fn a_deleted_note_is_gone_at_once(program: &Program) {
    // From its path, from lists, from search and from what matters now; deleting again is 404.
    let word = unique("gone");
    let body = json!({"content": format!("Water the {word}"), "tags": [word], "priority": 100});
    let id = program.post(NOTES, &body).expect(201).json()["id"].as_str().unwrap().to_owned();
    let holds = |reply: Reply| String::from_utf8_lossy(&reply.expect(200).body).contains(&id);
    let places = [
        format!("{NOTES}?tag={word}"),
        format!("{NOTES}?q={word}"),
        format!("/api/memory/search?q={word}&limit=100"),
        format!("/api/sticky-notes/surface?about=water+the+{word}&limit=50"),
    ];
    for place in &places {
        assert!(holds(program.get(place)), "{place} has it before");
    }
    let removed = program.delete(&path(&id)).expect(204);
    assert!(removed.body.is_empty());
    for place in &places {
        assert!(!holds(program.get(place)), "{place} has it no more");
    }
    program.get(&path(&id)).problem(404, "not-found");
    program.delete(&path(&id)).problem(404, "not-found");
    program.patch(&path(&id), &json!({"priority": 1})).problem(404, "not-found");
}

pub(super) fn notes_belong_to_the_town(program: &Program) {
    // Another user of the town reads, changes and deletes them; each note says who wrote it.
    let token = &program.other.token;
    let body = json!({"content": unique("shared")});
    let made = program.ask("POST", NOTES).token(token).json(&body).send().expect(201).json();
    assert_eq!(made["created_by"], program.other.user_id);
    let id = made["id"].as_str().unwrap();
    assert_eq!(program.get(&path(id)).expect(200).json(), made);
    let own = program.note(&unique("shared"));
    let change =
        program.ask("PATCH", &path(&own)).token(token).json(&json!({"priority": 9})).send().expect(200);
    assert_eq!(change.json()["created_by"], program.owner.user_id, "a change makes nobody the author");
    program.ask("DELETE", &path(&own)).token(token).send().expect(204);
}
