//! Words as people type them, and as nobody should.

use cloud_sync_protocol::memory::MemoryKind;
use cloud_sync_protocol::store::Whose;
use proptest::prelude::*;

use super::*;
use crate::index::Kinds;

const SCHEMA: &str = include_str!("../../../../migrations/edge/0001_memory.sql");

/// A memory of these texts, all the town's notes; keys from 1.
fn memory(texts: &[&str]) -> Connection {
    let conn = Connection::open_in_memory().unwrap();
    conn.execute_batch(SCHEMA).unwrap();
    for (n, text) in (1_i64..).zip(texts) {
        remember(&conn, n, "", text);
    }
    conn
}

fn remember(conn: &Connection, n: i64, user: &str, text: &str) {
    let id = (n as u128).to_be_bytes();
    let kind = Kinds::number(MemoryKind::Note);
    conn.execute(
        "INSERT INTO memory (n, kind, id, town, user_id, at_ms, content_hash) VALUES (?1, ?2, ?3, 'home', ?4, 0, ?3)",
        params![n, kind, id, user],
    )
    .unwrap();
    write(conn, n, text).unwrap();
}

fn ask(conn: &Connection, terms: &[&str]) -> Vec<i64> {
    let whose = Whose { town: "home".to_owned(), user: "owner".to_owned() };
    let filter = Filter { whose: &whose, kinds: Kinds::of(&[]) };
    let terms: Vec<String> = terms.iter().map(|term| (*term).to_owned()).collect();
    let rows: i64 = conn.query_row("SELECT count(*) FROM memory", [], |row| row.get(0)).unwrap();
    let found = best(conn, &filter, &terms, rows as u64, 10).unwrap();
    assert!(found.windows(2).all(|pair| pair[0].1 >= pair[1].1), "best first");
    assert!(found.iter().all(|(_, bm25)| *bm25 >= 0.0));
    found.into_iter().map(|(n, _)| n).collect()
}

#[test]
fn a_word_is_found_in_its_other_forms_and_with_other_accents() {
    let conn = memory(&["She was running along the café", "An unrelated sentence"]);
    assert_eq!(ask(&conn, &["runs"]), [1]);
    assert_eq!(ask(&conn, &["CAFE"]), [1]);
}

#[test]
fn the_row_that_says_the_rarer_word_comes_first() {
    let conn = memory(&["tea and sugar", "tea and milk", "tea and saffron", "tea", "coffee"]);
    assert_eq!(ask(&conn, &["tea", "saffron"])[0], 3);
}

#[test]
fn operators_are_words_like_others() {
    let conn = memory(&["milk", "eggs", "the text column", "not near and or"]);
    assert_eq!(ask(&conn, &["milk", "NOT", "eggs"]).len(), 3, "NOT excludes nothing and is a word");
    assert_eq!(ask(&conn, &["mil*"]), [] as [i64; 0]);
    assert_eq!(ask(&conn, &["text:milk"]), [] as [i64; 0]);
    assert_eq!(ask(&conn, &["-milk"]), [1]);
    assert_eq!(ask(&conn, &["^eggs"]), [2]);
    assert_eq!(ask(&conn, &["NEAR(milk eggs)"]), [] as [i64; 0]);
    for broken in
        ["\"", "\"\"", "milk\"", "(", "{text}:", "a AND", "*", "\\", "'; DROP TABLE words; --", "AND"]
    {
        ask(&conn, &[broken]);
    }
    assert_eq!(ask(&conn, &["\"milk\" OR \"eggs"]), [] as [i64; 0], "one term is one phrase");
}

#[test]
fn signs_and_nothing_match_nothing() {
    let conn = memory(&["milk 🥛 !!!", "\"quoted\"", ""]);
    for nothing in [&[][..], &[""], &[" "], &["🥛"], &["!!!", "?"], &["\0"], &["milk\0"]] {
        assert_eq!(ask(&conn, nothing), [] as [i64; 0], "{nothing:?}");
    }
    assert_eq!(ask(&conn, &["🥛", "milk"]), [1]);
}

#[test]
fn other_scripts_are_found() {
    let conn = memory(&["פגישה עם אנה מחר", "اجتماع مع آنا غدا", "Встреча с Анной завтра"]);
    assert_eq!(ask(&conn, &["אנה"]), [1]);
    assert_eq!(ask(&conn, &["اجتماع"]), [2]);
    assert_eq!(ask(&conn, &["ВСТРЕЧА"]), [3]);
}

#[test]
fn a_very_long_question_is_answered_by_its_first_words() {
    let conn = memory(&["milk", "eggs"]);
    let long = "x".repeat(100_000);
    let mut terms = vec!["milk", &long];
    let more: Vec<String> = (0..5_000).map(|number| format!("w{number}")).collect();
    terms.extend(more.iter().map(String::as_str));
    terms.push("eggs");
    assert_eq!(ask(&conn, &terms), [1]);
}

#[test]
fn a_deleted_row_is_not_found_and_its_key_can_be_used_again() {
    let conn = memory(&["milk", "eggs"]);
    delete(&conn, 1).unwrap();
    assert_eq!(ask(&conn, &["milk"]), [] as [i64; 0]);
    write(&conn, 1, "cheese").unwrap();
    assert_eq!(ask(&conn, &["milk"]), [] as [i64; 0]);
    assert_eq!(ask(&conn, &["cheese"]), [1]);
}

#[test]
fn the_rows_of_others_are_not_found() {
    let conn = memory(&["milk"]);
    remember(&conn, 2, "guest", "milk");
    remember(&conn, 3, "owner", "milk");
    assert_eq!(ask(&conn, &["milk"]), [3, 1]);
}

#[test]
fn a_word_that_everybody_says_neither_hides_a_rare_one_nor_takes_long() {
    // More rows than are ranked say "the", an old one says "saffron" too.
    let conn = memory(&["the saffron"]);
    conn.execute_batch("BEGIN").unwrap();
    for n in 2..=RANKED_MAX as i64 + 500 {
        remember(&conn, n, "", "the tea");
    }
    conn.execute_batch("COMMIT").unwrap();
    assert_eq!(ask(&conn, &["the", "saffron", "tea", "nobody"]), [1]);
    let newest = RANKED_MAX as i64 + 500;
    assert_eq!(ask(&conn, &["the"])[0], newest, "of those that say it alike, the newest");
    assert_eq!(ask(&conn, &["the", "tea"]).len(), 10);
    assert_eq!(ask(&conn, &["nobody", "nothing"]), [] as [i64; 0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// No text whatsoever makes a question fail, and a row is found by each of its own words.
    #[test]
    fn any_text_is_safe(terms in prop::collection::vec("\\PC{0,20}|[\"*:^(){}+\\- ANDORT\u{0}]{0,12}", 0..8), word in "[a-z]{3,10}") {
        let conn = memory(&["milk"]);
        remember(&conn, 2, "", &word);
        let mut terms: Vec<&str> = terms.iter().map(String::as_str).collect();
        ask(&conn, &terms);
        terms.push(&word);
        prop_assert!(ask(&conn, &terms).contains(&2));
    }
}
