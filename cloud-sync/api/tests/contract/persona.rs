//! Personality and mood: what may change, for whom, and that every change is kept.

use serde_json::{Value, json};

use super::Program;
use super::client::{Reply, escaped};

const UPDATE: &str = "/api/mood/update";
const MOODS: [&str; 6] = ["friendly", "focused", "playful", "bossy", "surprised", "blushing"];

#[track_caller]
fn now(program: &Program) -> Value {
    program.get("/api/personality").expect(200).json()
}

#[track_caller]
fn newest(program: &Program) -> Value {
    program.get("/api/mood/history?limit=1").expect(200).rows().first().cloned().unwrap_or_default()
}

/// An update as the other user.
fn other(program: &Program, body: &Value) -> Reply {
    program.ask("POST", UPDATE).token(&program.other.token).json(body).send()
}

/// Somewhere in the middle, so that a rule starts from what it knows.
#[track_caller]
fn settle(program: &Program) -> Value {
    let body = json!({"mood": "friendly", "energy": 50, "gandhi_genghis": 5, "attraction_level": 5});
    program.post(UPDATE, &body).expect(200).json()
}

pub(super) fn a_personality_begins_friendly(program: &Program) {
    // A user of whom nothing was ever written has the defaults, whole, and no history.
    let user = escaped("somebody-new");
    let state = program.get(&format!("/api/personality?user_id={user}")).expect(200).json();
    assert_eq!(state["mood"], "friendly");
    assert_eq!(state["attraction_level"], 5);
    assert_eq!(state["gandhi_genghis"], 5);
    assert_eq!(state["energy"], 75);
    assert_eq!(state["mood_data"]["name"], "friendly");
    assert_eq!(state["mood_data"]["main_image_url"], "/moods/friendly.svg");
    assert!(state["mood_data"]["matrix_emojis"].as_array().is_some_and(|signs| signs.len() > 2), "{state}");
    assert_eq!(program.get(&format!("/api/mood/history?user_id={user}")).expect(200).rows().len(), 0);
}

pub(super) fn an_update_changes_what_it_names_and_is_kept(program: &Program) {
    // The answer is the new state; the history tells it first, with what was before, and a body that names nothing writes
    // nothing.
    settle(program);
    for (field, value) in [
        ("mood", json!("bossy")),
        ("energy", json!(100)),
        ("gandhi_genghis", json!(10)),
        ("attraction_level", json!(9)),
    ] {
        let mut wanted = now(program);
        let before = wanted["mood"].clone();
        wanted[field] = value.clone();
        let mut body = json!({"user_id": program.owner.user_id, "context": "a rule asked for it"});
        body[field] = value.clone();
        let state = program.post(UPDATE, &body).expect(200).json();
        wanted["mood_data"] = state["mood_data"].clone();
        assert_eq!(state, wanted, "{field}");
        assert_eq!(state["mood_data"]["name"], state["mood"]);
        assert_eq!(now(program), state);
        let change = newest(program);
        assert_eq!((&change[field], &change["from"]), (&value, &before), "{change}");
        assert!(
            change["reason"].is_string()
                && change["source"].as_str().is_some_and(|source| !source.is_empty())
        );
        assert!(change["at"].as_str().is_some_and(|at| at.ends_with('Z')), "{change}");
    }
    let before = (now(program), newest(program));
    program.post(UPDATE, &json!({})).expect(200);
    program.post(UPDATE, &json!({"mood": null, "energy": null})).expect(200);
    assert_eq!((now(program), newest(program)), before);
    for mood in &MOODS[..5] {
        assert_eq!(program.post(UPDATE, &json!({"mood": mood})).expect(200).json()["mood"], *mood);
    }
    let told: Vec<Value> = program
        .get("/api/mood/history?limit=5")
        .expect(200)
        .rows()
        .iter()
        .map(|change| change["mood"].clone())
        .collect();
    assert_eq!(told, ["surprised", "bossy", "playful", "focused", "friendly"]);
}

pub(super) fn numbers_out_of_range_change_nothing(program: &Program) {
    // 422 with the ends of the range, 400 for what is no number or no mood; nothing else of such a body is taken over.
    let before = (settle(program), newest(program));
    for (field, min, max) in [("energy", 0, 100), ("gandhi_genghis", 1, 10), ("attraction_level", 1, 11)] {
        for value in [min - 1, max + 1, -100, 1_000_000, i64::MAX, i64::MIN] {
            let mut body = json!({"mood": "focused"});
            body[field] = json!(value);
            let problem = program.post(UPDATE, &body).problem(422, "out-of-range");
            assert_eq!(problem["field"], field);
            assert_eq!(
                (problem["min"].as_f64(), problem["max"].as_f64()),
                (Some(min as f64), Some(max as f64))
            );
        }
        for value in [json!("7"), json!(7.5), json!([7]), json!({}), json!(true)] {
            let mut body = json!({"mood": "focused"});
            body[field] = value;
            assert_eq!(program.post(UPDATE, &body).problem(400, "bad-request")["field"], field);
        }
    }
    for mood in [json!("angry"), json!("Focused"), json!(""), json!(7), json!(["focused"])] {
        let body = json!({"mood": mood, "energy": 1});
        assert_eq!(program.post(UPDATE, &body).problem(400, "bad-request")["field"], "mood");
    }
    assert_eq!((now(program), newest(program)), before);
}

pub(super) fn blushing_is_for_the_owner_alone(program: &Program) {
    // Only at attraction 8 or more, only towards the owner, as attraction 11; refused with the reason, and nothing changes.
    settle(program);
    let refused = |reply: Reply, field: &str| {
        let problem = reply.problem(422, "out-of-range");
        assert_eq!(problem["field"], field, "{problem}");
    };
    refused(program.post(UPDATE, &json!({"mood": "blushing"})), "mood");
    refused(program.post(UPDATE, &json!({"mood": "blushing", "attraction_level": 7})), "mood");
    assert_eq!(
        (now(program)["mood"].clone(), now(program)["attraction_level"].clone()),
        (json!("friendly"), json!(5))
    );
    let state = program.post(UPDATE, &json!({"mood": "blushing", "attraction_level": 8})).expect(200).json();
    assert_eq!((&state["mood"], &state["attraction_level"]), (&json!("blushing"), &json!(8)));
    assert_eq!(program.post(UPDATE, &json!({"attraction_level": 11})).expect(200).json()["mood"], "blushing");
    let cooler = program.post(UPDATE, &json!({"attraction_level": 7})).expect(200).json();
    assert_ne!(cooler["mood"], "blushing", "attraction that goes down takes the blush along");
    let before = program.ask("GET", "/api/personality").token(&program.other.token).send().expect(200).json();
    other(program, &json!({"attraction_level": 10})).expect(200);
    refused(other(program, &json!({"mood": "blushing"})), "mood");
    refused(other(program, &json!({"mood": "blushing", "attraction_level": 10})), "mood");
    refused(other(program, &json!({"attraction_level": 11})), "attraction_level");
    // Nor for an admin who does it for them.
    let for_them = json!({"mood": "blushing", "attraction_level": 10, "user_id": program.other.user_id});
    refused(program.post(UPDATE, &for_them), "mood");
    let after = program.ask("GET", "/api/personality").token(&program.other.token).send().expect(200).json();
    assert_eq!((&after["mood"], &after["attraction_level"]), (&before["mood"], &json!(10)));
    other(program, &json!({"attraction_level": before["attraction_level"]})).expect(200);
    settle(program);
}

pub(super) fn a_context_is_kept_as_given(program: &Program) {
    // Words or an object, at most 1 KiB; anything else is told.
    settle(program);
    for words in ["we signed the deal", "💚 '; DROP TABLE x; -- <b>", &"x".repeat(1024)] {
        program.post(UPDATE, &json!({"context": words})).expect(200);
        assert_eq!(newest(program)["context"], words);
    }
    let object = json!({"deal": {"name": "Acme", "value": 7}, "revenue": 1.5});
    program.post(UPDATE, &json!({"mood": "focused", "context": object})).expect(200);
    let kept: Value = serde_json::from_str(newest(program)["context"].as_str().unwrap()).unwrap();
    assert_eq!(kept, object);
    for wrong in [json!(7), json!([]), json!(true), json!(["words"])] {
        assert_eq!(
            program.post(UPDATE, &json!({"context": wrong})).problem(400, "bad-request")["field"],
            "context"
        );
    }
    for long in [json!("x".repeat(1025)), json!({"deal": "x".repeat(1024)})] {
        let problem = program.post(UPDATE, &json!({"context": long})).problem(413, "too-long");
        assert_eq!((&problem["field"], &problem["limit_bytes"]), (&json!("context"), &json!(1024)));
    }
    settle(program);
}

pub(super) fn moods_have_pictures_that_are_open(program: &Program) {
    // Six SVGs, for everybody, that may be cached and load nothing.
    for mood in MOODS {
        let reply = program.ask("GET", &format!("/moods/{mood}.svg")).send().expect(200);
        assert_eq!(reply.header("content-type"), Some("image/svg+xml"));
        assert!(reply.header("cache-control").is_some_and(|cache| cache.contains("max-age")));
        let text = String::from_utf8(reply.body).unwrap();
        assert!(
            text.contains("<svg") && !text.contains("<script") && !text.contains("href=\"http"),
            "{mood}"
        );
    }
    program.ask("GET", "/moods/angry.svg").send().problem(404, "not-found");
}
