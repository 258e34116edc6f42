//! Which mood follows from what was said, and how a personality fades.

use std::time::Duration;

use cloud_sync_protocol::persona::{Mood, PersonalityState};
use models_mind::mood::{after, faded, from_context};
use models_mind::persona::Towards;
use proptest::prelude::*;
use serde_json::Value;

use Mood::{Blushing, Bossy, Focused, Friendly, Playful, Surprised};

fn state(mood: Mood, attraction_level: u8, gandhi_genghis: u8) -> PersonalityState {
    PersonalityState::new(mood, attraction_level, gandhi_genghis, 75)
}

fn check_words(text: &str, mood: Option<Mood>) {
    let change = after(&state(Friendly, 9, 5), text, Towards::Owner);
    assert_eq!(change.map(|change| change.mood), mood, "{text}");
}

#[test]
fn money_makes_focused() {
    check_words("our team won the bid for the new library", Some(Focused));
    check_words("the buyer's here for the negotiation", Some(Focused));
    check_words("we lost Acme but signed the Brenner contract", Some(Focused));
    check_words("did we win the deal?", None);
    check_words("never got paid for that job", None);
    check_words("Lena says she got a new client", None);
    check_words("he paid me a visit", None);
    check_words("Mr. Brandt has finally transferred what he owed us", Some(Focused));
    check_words("my boss gave me a raise", Some(Focused));
    check_words("orders keep pouring in since the article", Some(Focused));
    check_words("her boss gave her a raise", None);
    check_words("my cousin landed a contract, she says", None);
}

#[test]
fn creative_work_makes_playful() {
    check_words("would you help me write lyrics for the chorus", Some(Playful));
    check_words("what should we draw today?", Some(Playful));
    check_words("if I had time I'd write a book", None);
    check_words("who wrote that song?", None);
    check_words("the paint on the door is wet", None);
    check_words("we built a rocket out of old boxes", Some(Playful));
    check_words("my sister and I are folding paper cranes", Some(Playful));
    check_words("pretend you are a pirate", Some(Playful));
    check_words("knock knock", Some(Playful));
    check_words("stop playing games with me", None);
    check_words("I'd love to learn pottery, if only I had time", None);
}

#[test]
fn affection_of_the_owner_makes_blushing() {
    check_words("I can't tell you how much I love you", Some(Blushing));
    check_words("what would I do without you", Some(Blushing));
    check_words("Anna, I love you", None);
    check_words("my sister says I love you too much", None);
    check_words("oh sure, I love you, you just bumped into me again", None);
    check_words("I love it when it rains", None);
    check_words("nobody makes me laugh the way you do", Some(Blushing));
    check_words("I couldn't ask for a better friend than you", Some(Blushing));
    check_words("I was thinking of you all day", Some(Blushing));
    check_words("I love you all", None);
    check_words("the best robot ever? certainly not", None);
}

#[test]
fn discoveries_make_surprised() {
    check_words("you'll never guess what happened", Some(Surprised));
    check_words("scientists have found water on the moon", Some(Surprised));
    check_words("did you know where my keys are?", None);
    check_words("I learned my lesson", None);
    check_words("Wow, nobody knew that this planet has two moons", Some(Surprised));
    check_words("apparently there is a town named Hell", Some(Surprised));
    check_words("find out when the shop opens", None);
    check_words("did you know my grandfather?", None);
}

/// What others have labelled; an order is for the grammar, so that its mood is not looked at here.
#[test]
fn the_mood_follows_what_more_people_say() {
    let path = format!("{}/tests/mood_more.jsonl", env!("CARGO_MANIFEST_DIR"));
    let lines = std::fs::read_to_string(path).unwrap();
    let told: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<&Value> = told.iter().filter(|told| told["topic"] != "order").collect();
    let met = told.iter().filter(|told| meets(told)).count();
    assert!(met * 100 >= told.len() * 95, "{met} of {}", told.len());
}

fn meets(told: &Value) -> bool {
    let before = &told["state"];
    let level = |name: &str, usual| {
        before[name].as_u64().map_or(usual, |level| u8::try_from(level).expect("a level"))
    };
    let mood = |value: &Value| serde_json::from_value::<Mood>(value.clone()).unwrap_or(Friendly);
    let state = state(mood(&before["mood"]), level("attraction_level", 6), level("gandhi_genghis", 5));
    let towards = if told["speaker"] == "guest" { Towards::Other } else { Towards::Owner };
    let found = after(&state, told["text"].as_str().expect("a text"), towards)
        .map_or(state.mood, |change| change.mood);
    if found != mood(&told["mood"]) {
        println!("{} {}: {found:?}", told["id"], told["text"]);
    }
    found == mood(&told["mood"])
}

#[test]
fn the_end_of_an_endless_message_is_not_looked_at() {
    let much = "the weather is fine today. ".repeat(40);
    check_words(&format!("we won the deal. {much}"), Some(Focused));
    check_words(&format!("{much} we won the deal"), None);
}

#[test]
fn the_state_decides_between_two_moods() {
    let check = |state: &PersonalityState, text, mood| {
        assert_eq!(after(state, text, Towards::Owner).map(|change| change.mood), mood, "{text}");
    };
    check(&state(Friendly, 5, 6), "Acme signed!", Some(Focused));
    check(&state(Friendly, 5, 7), "Acme signed!", Some(Bossy));
    check(&state(Playful, 7, 5), "I love you", Some(Friendly));
    check(&state(Friendly, 7, 5), "I love you", None);
    // The mood that is there is renewed: its time begins anew.
    check(&state(Focused, 5, 5), "Acme signed!", Some(Focused));
}

#[test]
fn the_reason_repeats_what_was_said() {
    let change =
        after(&state(Friendly, 5, 5), "Hello! We signed \u{202e}Acme \"today\"", Towards::Owner).unwrap();
    assert_eq!(change.reason, "you said that a deal was won (\"We signed Acme 'today\")");
}

fn check_context(context: &str, towards: Towards, mood: Option<Mood>) {
    let change = from_context(&state(Friendly, 9, 5), context, towards);
    assert_eq!(change.map(|change| change.mood), mood, "{context}");
}

#[test]
fn a_context_names_what_happened() {
    check_context(r#"{"deal": true}"#, Towards::Owner, Some(Focused));
    check_context(r#"{"revenue": 1200.5}"#, Towards::Other, Some(Focused));
    check_context(r#"{"deal": {"name": "Acme", "stage": "won"}}"#, Towards::Owner, Some(Focused));
    check_context(r#"{"Creative": "a song"}"#, Towards::Owner, Some(Playful));
    check_context(r#"{"learning": "how bees dance", "deal": "lost"}"#, Towards::Owner, Some(Surprised));
    check_context(r#"{"affection": true}"#, Towards::Owner, Some(Blushing));
    check_context("closed a deal", Towards::Owner, Some(Focused));
    check_context("new deal", Towards::Owner, Some(Focused));
    check_context("brainstorming session", Towards::Owner, Some(Playful));
}

#[test]
fn a_context_of_nothing_changes_nothing() {
    for value in
        ["false", "0", "-3", "\"\"", "\"lost\"", "\"0\"", "\"no\"", "null", "[]", "\"not signed yet\""]
    {
        check_context(&format!("{{\"deal\": {value}}}"), Towards::Owner, None);
    }
    check_context(r#"{"affection": true}"#, Towards::Other, None);
    check_context(r#"{"affection": "a guest loves Robbie"}"#, Towards::Owner, None);
    check_context(r#"{"weather": "deal"}"#, Towards::Owner, None);
    check_context(r#"{"al": true}"#, Towards::Owner, None);
    check_context(r#"{"deal": tru"#, Towards::Owner, None);
    check_context("no deal", Towards::Owner, None);
    check_context("", Towards::Owner, None);
}

#[test]
fn each_mood_has_its_time() {
    let check = |mood, minutes: u64, then| {
        let age = Duration::from_secs(minutes * 60);
        assert_eq!(faded(state(mood, 9, 5), age).mood, then, "{mood:?} {minutes}");
    };
    check(Surprised, 9, Surprised);
    check(Surprised, 10, Friendly);
    check(Blushing, 19, Blushing);
    check(Blushing, 20, Friendly);
    check(Playful, 45, Friendly);
    check(Bossy, 59, Bossy);
    check(Focused, 89, Focused);
    check(Focused, 90, Friendly);
}

#[test]
fn energy_comes_back_to_rest() {
    let check = |energy, hours: u64, then| {
        let faded = faded(PersonalityState::new(Friendly, 5, 5, energy), Duration::from_secs(hours * 3600));
        assert_eq!(faded.energy, then, "{energy} {hours}");
    };
    check(20, 1, 30);
    check(20, 1000, 75);
    check(100, 1, 90);
    check(80, 24, 75);
    check(75, 3, 75);
}

proptest! {
    #[test]
    fn fading_twice_is_fading_once(
        mood in prop::sample::select(Mood::ALL.to_vec()),
        energy in 0u8..=100,
        first_s in 0u64..40_000,
        second_s in 0u64..40_000,
    ) {
        let start = PersonalityState::new(mood, 9, 3, energy);
        let (first, second) = (Duration::from_secs(first_s), Duration::from_secs(second_s));
        let once = faded(start.clone(), first + second);
        let half = faded(start.clone(), first);
        let twice = faded(half.clone(), second);
        prop_assert!(once.energy.abs_diff(twice.energy) <= 1);
        prop_assert!(half.mood == mood || half.mood == Friendly);
        prop_assert!(half.mood != Friendly || twice.mood == Friendly);
        prop_assert_eq!((twice.attraction_level, twice.gandhi_genghis), (9, 3));
    }

    #[test]
    fn only_the_owner_makes_blushing_and_only_from_eight_on(
        text in prop_oneof![any::<String>(), sentence()],
        attraction in 1u8..=11,
        is_owner: bool,
    ) {
        let towards = if is_owner { Towards::Owner } else { Towards::Other };
        let state = state(Friendly, attraction, 5);
        for change in [after(&state, &text, towards), from_context(&state, &text, towards)].into_iter().flatten() {
            prop_assert!(change.mood != Blushing || is_owner && attraction >= 8);
            prop_assert!(change.reason.len() <= 200 && !change.reason.contains('\n'));
        }
    }
}

/// Words that the rules know, in any order.
fn sentence() -> impl Strategy<Value = String> {
    let words = [
        "i",
        "love",
        "you",
        "robbie",
        "not",
        "if",
        "we",
        "signed",
        "deal",
        "paid",
        "me",
        "wrote",
        "a",
        "song",
        ",",
        ".",
        "?",
        "\"",
        "did",
        "know",
        "the owner",
        "says",
        "I'm",
        "don't",
        "so",
        "cute",
        "are",
        "and",
        "{\"affection\": true}",
        "!",
    ];
    prop::collection::vec(prop::sample::select(words.to_vec()), 0..14).prop_map(|words| words.join(" "))
}
