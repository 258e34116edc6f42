//! Going on where another tier broke off.

use super::*;

/// What is said by a tier that breaks after `first`, and by the next one that says `then`.
fn joined(first: &str, then: &[&str]) -> String {
    let mut driven = Driven::of(2);
    driven.ask(wanted(1));
    let attempt = driven.attempt();
    let mut said = driven.text(attempt, first);
    driven.fail(attempt, FailureKind::Cut);
    let (attempt, _, known) = driven.asks()[0].clone();
    assert_eq!(known, said);
    for piece in then {
        said += &driven.text(attempt, piece);
    }
    said += &driven.finish(attempt);
    assert!(matches!(driven.end(), End::Answered { .. }), "{:?}", driven.end());
    said
}

#[test]
fn a_continuation_is_joined_without_a_lost_or_doubled_word() {
    let check =
        |first: &str, then: &[&str], all: &str| assert_eq!(joined(first, then), all, "{first:?} {then:?}");
    // It simply goes on.
    check("I like cats. They pu", &["They purr."], "I like cats. They purr.");
    check("I like cats. They pu", &[" They", " purr."], "I like cats. They purr.");
    check("I like cats.\n\nThey pu", &[" ", "They purr."], "I like cats.\n\nThey purr.");
    check("I like cats.\n", &["\n\nThey purr."], "I like cats.\n\nThey purr.");
    // It repeats the end, or all of it.
    check(
        "I like cats. They purr. And",
        &["They purr. And", " sleep."],
        "I like cats. They purr. And sleep.",
    );
    check(
        "I like cats. They purr. And",
        &["I li", "ke cats.", " They", "\npurr. And sleep."],
        "I like cats. They purr. And sleep.",
    );
    check(
        "I like cats. They purr. And",
        &["like", " cats. They purr. Also dogs."],
        "I like cats. They purr. Also dogs.",
    );
    // It looks like a repetition, and is none.
    check(
        "I like cats. They purr. And",
        &["They pur", "ify air."],
        "I like cats. They purr. They purify air.",
    );
    check(
        "I like cats. They purr. And",
        &["I like", " dogs, too."],
        "I like cats. They purr. I like dogs, too.",
    );
    check("I say no. And", &["no. 5 is best."], "I say no. no. 5 is best.");
    check("I say no. And", &["no"], "I say no. no");
    // Nothing was missing.
    check("I like cats. ", &[], "I like cats.");
    check("I like cats. They purr. ", &["They ", "purr."], "I like cats. They purr.");
    check("我喜欢猫咪。它们很可爱", &["我喜欢猫咪。", "它们很可爱。"], "我喜欢猫咪。它们很可爱。");
    check("我喜欢猫咪。它们很可爱", &["它们很可爱。"], "我喜欢猫咪。它们很可爱。");
}

#[test]
fn a_word_that_is_longer_than_what_is_held_goes_on_inside() {
    let long: String = (0..300).map(|number| format!("{number}x")).collect();
    // The next one starts all over, or goes on inside the word.
    assert_eq!(joined(&long[..500], &[&long]), long);
    let cut = joined(&long[..500], &[]).len();
    assert_eq!(joined(&long[..500], &[&long[cut..600], &long[600..]]), long);
}

#[test]
fn a_repetition_that_was_cut_for_its_length_is_no_news() {
    let mut driven = Driven::of(2);
    driven.ask(wanted(1));
    let attempt = driven.attempt();
    driven.text(attempt, "Cats purr. And");
    driven.fail(attempt, FailureKind::Cut);
    let (attempt, ..) = driven.asks()[0];
    driven.text(attempt, "Cats");
    driven.on(Event::Finished { attempt, finish: Finish::Length, usage: None });
    assert_eq!(driven.said(), "");
    assert_eq!(driven.asks()[0].1, 0);
}

#[test]
fn a_long_sentence_that_breaks_goes_on_behind_its_last_whole_word() {
    let long = "word ".repeat(60);
    let mut driven = Driven::of(2);
    driven.ask(wanted(1));
    let attempt = driven.attempt();
    let mut said = driven.text(attempt, &format!("{long}and then so"));
    assert_eq!(said, format!("{long}and then"));
    driven.fail(attempt, FailureKind::Malformed);
    let (attempt, ..) = driven.asks()[0];
    said += &driven.text(attempt, ", and then, it ended. ");
    assert_eq!(said, format!("{long}and then, and then, it ended."));
    driven.fail(attempt, FailureKind::InBand);
    // Both broke in the middle: one of them gets one more chance.
    let (attempt, tier, _) = driven.asks()[0].clone();
    assert_eq!(tier, 0);
    driven.fail(attempt, FailureKind::Cut);
    let End::Broken { tier, why } = driven.end() else { panic!("{:?}", driven.end()) };
    assert_eq!((tier, why.as_str()), (Tier::OpenAi, "Ollama: its answer broke off."));
}
