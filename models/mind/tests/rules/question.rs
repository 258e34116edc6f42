//! What is understood in a question.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use models_mind::recall::{Asked, Question, question};
use proptest::prelude::*;

fn ask_after(query: &str, context: &str, speakers: &[&str]) -> Question {
    let speakers: Vec<String> = speakers.iter().map(|name| (*name).to_owned()).collect();
    question(query, context, &speakers, "2023-06-14T08:00:00Z".parse().expect("a time"), &TimeZone::UTC)
}

fn check_named(query: &str, speakers: &[&str], expected: &[&str]) {
    assert_eq!(ask_after(query, "", speakers).speakers, expected, "{query}");
}

fn check_meaning(query: &str, speakers: &[&str], expected: &str) {
    assert_eq!(ask_after(query, "", speakers).meaning, expected, "{query}");
}

#[test]
fn people_are_known_by_their_names() {
    let people = &["Anna", "James", "Jon Smith", "Jean-Luc", "Zoë"];
    check_named("What did Anna say?", people, &["Anna"]);
    check_named("what did anna say", people, &["Anna"]);
    check_named("ANNA'S car", people, &["Anna"]);
    check_named("Anna’s car", people, &["Anna"]);
    check_named("Where is James' hat?", people, &["James"]);
    check_named("Where is James's hat?", people, &["James"]);
    check_named("Did Jon Smith call?", people, &["Jon Smith"]);
    check_named("Did Jon call?", people, &["Jon Smith"]);
    check_named("Who is Jean-Luc?", people, &["Jean-Luc"]);
    check_named("what does zoe like", people, &["Zoë"]);
    check_named("What do James and Anna share with Anna?", people, &["James", "Anna"]);
    check_named("Where are the bananas of Annabel?", people, &[]);
    check_named("What did Ann say?", people, &["Anna"]);
    check_named("What did Bob say?", people, &[]);
    check_named("", people, &[]);
}

#[test]
fn a_beginning_of_two_names_is_neither() {
    check_named("What did Mel say?", &["Melanie", "Melissa"], &[]);
    check_named("What did Mel say?", &["Melanie", "Caroline"], &["Melanie"]);
    check_named("what did the car do", &["Carla"], &[]);
}

#[test]
fn names_that_are_words_need_to_be_meant() {
    // Will, May and Mark are people only where somebody writes them as such.
    let people = &["Will", "May", "Mark", "Anna"];
    check_named("Will Anna come?", people, &["Anna"]);
    check_named("Will you come?", people, &[]);
    check_named("May I ask?", people, &[]);
    check_named("what will he do", people, &[]);
    check_named("mark the date", people, &[]);
    check_named("What did Will do?", people, &["Will"]);
    check_named("Mark said what?", people, &["Mark"]);
    check_named("Will's hat", people, &["Will"]);
    check_named("What did May say in may?", people, &["May"]);
}

#[test]
fn the_vector_is_made_of_what_the_one_named_would_say() {
    check_meaning("When did Anna paint Anna's house?", &["Anna"], "When did I paint my house?");
    check_meaning("Where is James' hat?", &["James"], "Where is my hat?");
    check_meaning("Where is the hat?", &["James"], "Where is the hat?");
    check_meaning("Anna?", &["Anna"], "Anna?");
}

#[test]
fn the_words_looked_for_are_those_that_tell_something() {
    let asked = ask_after("When did Anna go to the support groups, and the group's meeting?", "", &["Anna"]);
    assert_eq!(asked.terms, ["go", "support", "groups", "meeting"]);
    assert_eq!(asked.asked, Asked::When);
    // Nothing but a name: then the name is looked for.
    assert_eq!(ask_after("What about Anna?", "", &["Anna"]).terms, ["anna"]);
    // Operators of a query language are words or nothing.
    assert_eq!(
        ask_after("\"cats\" AND NOT (dogs* OR NEAR/3) --", "", &[]).terms,
        ["cats", "dogs", "near", "3"]
    );
}

#[test]
fn times_are_understood_in_the_zone_of_the_asker() {
    let asked = ask_after("What did Anna say last week?", "", &["Anna"]);
    assert_eq!(asked.window.unwrap().said, "last week");
    let speakers: [String; 0] = [];
    let at_night: Timestamp = "2023-06-14T23:30:00Z".parse().expect("a time");
    let in_tokyo = question("today", "", &speakers, at_night, &TimeZone::fixed(jiff::tz::offset(9)));
    let in_london = question("today", "", &speakers, at_night, &TimeZone::UTC);
    assert!(in_tokyo.window.unwrap().from_ms > in_london.window.unwrap().from_ms);
}

#[test]
fn the_turn_before_counts_where_a_question_points_back() {
    // "It" is the bicycle; a question that stands alone is not led astray.
    let pointing = ask_after("What colour is it?", "Anna bought a bicycle.", &["Anna"]);
    assert!(pointing.meaning.starts_with("Anna bought a bicycle."), "{}", pointing.meaning);
    assert!(pointing.terms.contains(&"bicycle".to_owned()), "{:?}", pointing.terms);
    assert_eq!(pointing.speakers, ["Anna"]);
    let alone = ask_after("What colour has the kitchen door?", "Anna bought a bicycle.", &["Anna"]);
    assert_eq!(alone.meaning, "What colour has the kitchen door?");
    assert!(alone.speakers.is_empty());
}

proptest! {
    #[test]
    fn any_question_is_read_within_bounds(query in "\\PC{0,3000}", context in "\\PC{0,3000}", name in "\\PC{0,40}") {
        let asked = ask_after(&query, &context, &[&name, "Anna"]);
        prop_assert!(asked.terms.len() <= 32);
        prop_assert!(asked.meaning.len() <= 2 * 1024 + 401);
    }

    #[test]
    fn any_name_is_found_in_a_plain_question(name in "[A-Z][bcdfghklmnpqrstvwxz]{5,12}") {
        let asked = ask_after(&format!("What did {name} say about {name}'s garden?"), "", &[&name]);
        prop_assert_eq!(asked.meaning, "What did I say about my garden?");
    }
}

#[test]
fn a_question_of_2_kib_and_an_empty_one_are_read() {
    let long = "kitchen garden window ".repeat(200);
    let asked = ask_after(&long, &long, &[]);
    assert_eq!(asked.terms, ["kitchen", "garden", "window"]);
    assert!(asked.meaning.len() <= 2 * 1024);
    let empty = ask_after("", "", &[]);
    assert!(empty.terms.is_empty() && empty.meaning.is_empty() && empty.window.is_none());
}
