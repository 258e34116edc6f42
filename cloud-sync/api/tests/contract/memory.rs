//! Finding again, and what matters now.

use serde_json::{Value, json};

use super::client::{NOTES, escaped, unique};
use super::{OWNER_SAID, Program};

#[track_caller]
fn hits(program: &Program, question: &str, more: &str) -> Vec<Value> {
    let path = format!("/api/memory/search?q={}{more}", escaped(question));
    program.get(&path).expect(200).json()["hits"].as_array().expect("hits").clone()
}

fn has(hits: &[Value], id: &str) -> bool {
    hits.iter().any(|hit| hit["id"] == id)
}

pub(super) fn what_was_written_is_found_at_once(program: &Program) {
    // With the answer to the write, whatever the word's ending; after a change by its new words.
    let (old, new) = (unique("quokka"), unique("numbat"));
    let id = program.note(&format!("The {old} feeds at the gate"));
    let found = hits(program, &old, "");
    assert_eq!(found.first().map(|hit| &hit["id"]), Some(&json!(id)), "{found:?}");
    assert!(has(&hits(program, &format!("{old} feeding gates"), ""), &id));
    program.patch(&format!("{NOTES}{id}"), &json!({"content": format!("A {new} sleeps")})).expect(200);
    let found = hits(program, &new, "");
    assert_eq!(found.first().map(|hit| &hit["text"]), Some(&json!(format!("A {new} sleeps"))), "{found:?}");
    assert!(
        !hits(program, &old, "&limit=100").iter().any(|hit| hit["text"].as_str().unwrap().contains(&old))
    );
}

pub(super) fn what_was_said_is_found(program: &Program) {
    // A turn, with its conversation and its time.
    let conversation = program.get("/api/conversations").expect(200).rows()[0]["id"].clone();
    let found = hits(program, "which nuts is she allergic to: walnuts?", "&kind=turn");
    let hit = found.iter().find(|hit| hit["text"] == OWNER_SAID[2]).expect("the turn about walnuts");
    assert_eq!((&hit["kind"], &hit["conversation_id"]), (&json!("turn"), &conversation));
    assert!(hit["at"].as_str().is_some_and(|at| at.ends_with('Z')), "{hit}");
}

pub(super) fn a_hit_explains_itself(program: &Program) {
    // Best first; each signal's share, largest first; why, in words; and which vectors were compared.
    let word = unique("axolotl");
    program.note(&format!("The {word} moved to the new tank"));
    let answer = program.get(&format!("/api/memory/search?q={word}+tank")).expect(200).json();
    let embedding = answer["embedding"].as_str().expect("which model");
    assert!(["lexical", "minilm-l6-v2"].contains(&embedding), "{embedding}");
    assert!(answer["embedded"].as_f64().is_some_and(|part| (0.0..=1.0).contains(&part)), "{answer}");
    let found = answer["hits"].as_array().unwrap();
    let score = |hit: &Value| hit["score"].as_f64().expect("a score");
    assert!(!found.is_empty() && found.windows(2).all(|pair| score(&pair[0]) >= score(&pair[1])), "{answer}");
    for hit in found {
        assert!(hit["why"].as_str().is_some_and(|why| why.len() > 5), "{hit}");
        assert!(hit["id"].is_string() && hit["text"].is_string() && hit["at"].is_string(), "{hit}");
        let signals = hit["signals"].as_array().expect("signals");
        assert!(!signals.is_empty() && signals.iter().all(|signal| signal["name"].is_string()), "{hit}");
        let shares: Vec<f64> = signals.iter().map(|signal| signal["share"].as_f64().unwrap()).collect();
        assert!(shares.windows(2).all(|pair| pair[0] >= pair[1]), "{hit}");
    }
}

pub(super) fn kinds_and_limits_are_exact(program: &Program) {
    // Never another kind, never more than asked for; a list of kinds is their union.
    let word = unique("walnuts");
    let id = program.note(&format!("walnuts {word}"));
    let check = |more: &str, kinds: &[&str]| {
        let found = hits(program, &format!("walnuts {word}"), more);
        assert!(found.iter().all(|hit| kinds.contains(&hit["kind"].as_str().unwrap())), "{more}: {found:?}");
        (has(&found, &id), found.iter().any(|hit| hit["kind"] == "turn"))
    };
    assert_eq!(check("&kind=note&limit=100", &["note"]), (true, false));
    assert_eq!(check("&kind=turn&limit=100", &["turn"]), (false, true));
    assert_eq!(check("&kind=fact&limit=100", &["fact"]), (false, false));
    assert_eq!(check("&kind=note,turn&limit=100", &["note", "turn"]), (true, true));
    assert_eq!(check("&kind=&limit=100", &["note", "turn", "fact"]), (true, true));
    for limit in [1, 2, 3] {
        assert!(hits(program, "walnuts", &format!("&limit={limit}")).len() <= limit);
    }
    assert!(hits(program, "walnuts", "").len() <= 10, "ten by default");
}

pub(super) fn surface_is_no_id_and_gives_reasons(program: &Program) {
    // Notes with the reason beside their own fields; with nothing asked for, too.
    let word = unique("greenhouse");
    let body = json!({"content": format!("Open the window of the {word}"), "priority": 100});
    let id = program.post(NOTES, &body).expect(201).json()["id"].clone();
    let conversation =
        program.get("/api/conversations").expect(200).rows()[0]["id"].as_str().unwrap().to_owned();
    for query in [
        format!("about=the+window+of+the+{word}&limit=50"),
        format!("about=window&place={word}&limit=50"),
        format!("conversation_id={conversation}&about={word}&place=&limit=50"),
    ] {
        let notes = program.get(&format!("/api/sticky-notes/surface?{query}")).expect(200).rows();
        let note = notes.iter().find(|note| note["id"] == id).unwrap_or_else(|| panic!("{query}: {notes:?}"));
        assert_eq!(note["content"], body["content"]);
        assert!(note["reason"].as_str().is_some_and(|reason| reason.len() > 5), "{note}");
        assert!(note["score"].is_number() && note["created_by"].is_string(), "{note}");
    }
    assert!(program.get("/api/sticky-notes/surface").expect(200).rows().len() <= 10, "ten by default");
    assert!(program.get("/api/sticky-notes/surface?limit=1").expect(200).rows().len() <= 1);
}
