//! What is given out of the words that come, and what is held back.

use super::*;
use proptest::prelude::*;

/// What is said piece by piece, and what at the end.
fn said(pieces: &[&str]) -> (Vec<String>, String) {
    let mut driven = Driven::of(1);
    driven.ask(wanted(1));
    let attempt = driven.attempt();
    let said = pieces.iter().map(|piece| driven.text(attempt, piece)).collect();
    (said, driven.finish(attempt))
}

#[test]
fn whole_sentences_are_given_out() {
    let check = |piece: &str, now: &str| assert_eq!(said(&[piece]).0, [now], "{piece:?}");
    check("It is late. Go", "It is late.");
    check("It is late.", "");
    check("It is late. ", "It is late.");
    check("Really?! Yes", "Really?!");
    check("He said \"no.\" And", "He said \"no.\"");
    check("Some e.g. this", "");
    check("Ask Dr. Who", "");
    check("Ask J. Doe", "");
    check("It is 3. It", "");
    check("It is 3.5 m", "");
    check("a list:\n- one", "a list:");
    check("Well… so", "Well…");
    check("你好。我", "你好。");
    check("他说「好。」然后", "他说「好。」");
}

#[test]
fn what_comes_whole_goes_out_at_once() {
    // From a chain that held its own unfinished sentences back; a break there takes nothing with it.
    let mut config = config(1);
    config.tiers[0].pieces = Pieces::Whole;
    let mut driven = Driven::new(config);
    driven.ask(wanted(1));
    let attempt = driven.attempt();
    assert_eq!(driven.text(attempt, "It is late."), "It is late.");
    assert_eq!(driven.text(attempt, " So then"), " So then");
    driven.fail(attempt, FailureKind::Cut);
    assert_eq!(driven.asks()[0].2, "It is late. So then");
}

#[test]
fn the_only_tier_is_asked_once_more_when_it_breaks_in_its_first_sentence() {
    // And once only; a tier that broke before its first word is not.
    let mut driven = Driven::of(1);
    driven.ask(wanted(1));
    let attempt = driven.attempt();
    assert_eq!(driven.text(attempt, "It is"), "");
    driven.fail(attempt, FailureKind::Cut);
    let again = driven.attempt();
    assert_eq!(driven.text(again, "It is"), "");
    driven.fail(again, FailureKind::Cut);
    assert!(matches!(driven.end(), End::Nobody { .. }));
    driven.ask(wanted(2));
    driven.fail(driven.attempt(), FailureKind::Cut);
    assert!(matches!(driven.end(), End::Nobody { .. }));
}

#[test]
fn nothing_is_lost_on_the_way() {
    let (pieces, end) = said(&["\n Hel", "lo.", "  How", " are\n", "you? \n"]);
    assert_eq!(pieces, ["", "", "\n Hello.", "  How are", "\nyou?"]);
    assert_eq!(end, "");
}

#[test]
fn a_long_sentence_goes_word_by_word() {
    let (pieces, _) = said(&[&"word ".repeat(48), "no", "w th"]);
    assert_eq!(pieces[0], "");
    assert_eq!(pieces[1], "word ".repeat(48).trim_end());
    assert_eq!(pieces[2], "");
}

#[test]
fn text_without_spaces_is_not_held_for_ever_and_no_letter_is_torn() {
    let (pieces, end) = said(&[&"e\u{301}".repeat(161)]);
    assert!(pieces[0].len() > 400 && pieces[0].ends_with('\u{301}'), "{pieces:?}");
    assert_eq!(format!("{}{end}", pieces[0]), "e\u{301}".repeat(161));
}

#[test]
fn an_endless_answer_ends() {
    let mut driven = Driven::of(1);
    driven.ask(wanted(1));
    let attempt = driven.attempt();
    let mut all = 0;
    while driven.ends().is_empty() {
        all += driven.text(attempt, &"All work and no play. ".repeat(100)).len();
    }
    assert!((65_000..=65_536).contains(&all), "{all}");
    assert_eq!(driven.drops(), [attempt]);
    assert!(matches!(driven.end(), End::Answered { finish: Finish::Length, .. }));
}

#[test]
fn white_space_is_no_answer() {
    let mut driven = Driven::of(1);
    driven.ask(wanted(1));
    let attempt = driven.attempt();
    driven.text(attempt, " \n ");
    driven.finish(attempt);
    let End::Nobody { why, .. } = driven.end() else { panic!("{:?}", driven.end()) };
    assert_eq!(why[0].1, "Ollama: its answer was empty.");
}

#[test]
fn endless_white_space_is_no_answer() {
    let mut driven = Driven::of(1);
    driven.ask(wanted(1));
    let attempt = driven.attempt();
    driven.text(attempt, &" ".repeat(70_000));
    assert_eq!(driven.drops(), [attempt]);
    assert!(matches!(driven.end(), End::Nobody { .. }));
}

/// Text of few different words, so that a lot of it repeats.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof!["[ab .\n]{0,40}", "(ha|no|e\u{301}|。|我)( |\\. |\n\n|){0,200}", "\\PC{0,600}"]
}

proptest! {
    /// Whatever comes in whatever pieces: all of it is said, in order, without white space at its end.
    #[test]
    fn every_text_comes_out_whole(text in texts(), most in 1_usize..50) {
        let pieces: Vec<String> =
            text.chars().collect::<Vec<_>>().chunks(most).map(|piece| piece.iter().collect()).collect();
        let (said, end) = said(&pieces.iter().map(String::as_str).collect::<Vec<_>>());
        prop_assert_eq!(format!("{}{end}", said.concat()), text.trim_end());
    }

    /// Whoever breaks wherever: if the next one starts all over, nothing is lost and nothing comes twice.
    #[test]
    fn a_text_that_starts_all_over_comes_out_once(text in texts(), cut in 0_usize..300, most in 1_usize..50) {
        let letters: Vec<char> = text.chars().collect();
        let mut driven = Driven::of(2);
        driven.ask(wanted(1));
        let attempt = driven.attempt();
        let first: String = letters.iter().take(cut).collect();
        let mut said = driven.text(attempt, &first);
        driven.fail(attempt, FailureKind::Cut);
        let attempt = driven.attempt();
        for piece in letters.chunks(most) {
            said += &driven.text(attempt, &piece.iter().collect::<String>());
        }
        said += &driven.finish(attempt);
        prop_assert_eq!(said, text.trim_end());
    }
}
