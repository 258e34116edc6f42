//! What the grammar never does, whatever is said to it.

use models_mind::bounds::Bounds;
use models_mind::reflex::{Heard, Meaning, Said, Speaker, Who, understand};
use models_mind::skills::{Call, Effect};
use proptest::prelude::*;

/// Words that the grammar knows, to make sentences that come near a command.
const WORDS: &[&str] = &[
    "go", "drive", "turn", "look", "stop", "left", "right", "forward", "back", "around", "up", "1", "2.5",
    "half", "a", "one", "ten", "metre", "cm", "degrees", "90", "times", "twice", "and", "then", "no", "wait",
    "again", "do", "it", "the", "other", "way", "say", "remember", "that", "lights", "red", "on", "off",
    "take", "photo", "if", "when", "before", "after", "you", "please", "don't", ",", ".", "?", "!", ":",
    "\"", "'", "sorry", "i", "mean", "never", "mind", "what", "is", "my", "status", "battery", "be",
    "playful", "for", "to", "at", "m/s", "robbie", "so", "could", "not", "he", "said", "more", "in",
    "minutes", "all", "full", "circle", "-", "(",
];

fn meaning_of(text: &str, history: &[Said<'_>]) -> Meaning {
    let bounds = Bounds::default();
    understand(&Heard { text, history, speaker: Speaker::Owner, bounds: &bounds })
}

fn moves(meaning: &Meaning) -> bool {
    meaning.calls().iter().any(|call| call.skill().effect() == Effect::Moves)
}

fn sentence(words_max: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(WORDS), 0..words_max).prop_map(|words| words.join(" "))
}

fn motion() -> impl Strategy<Value = String> {
    let verbs =
        prop::sample::select(&["go", "drive", "move", "turn", "rotate", "spin", "look", "back up"][..]);
    let ways = prop::sample::select(&["left", "right", "forward", "backwards", "up", "around", ""][..]);
    let much = prop::sample::select(&["90 degrees", "1 m", "half a metre", "50cm", "twice", ""][..]);
    (verbs, ways, much).prop_map(|(verb, way, much)| format!("{verb} {way} {much}"))
}

fn check_in_bounds(meaning: &Meaning) {
    let exceeded = Bounds::default().exceeded(&meaning.calls());
    assert_eq!(exceeded, None, "{meaning:?}");
    assert!(!meaning.calls().is_empty(), "{meaning:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_text_makes_calls_beyond_the_bounds(text in sentence(24), before in sentence(8), reply in sentence(4)) {
        let history = [Said { who: Who::User, text: &before }, Said { who: Who::Robbie, text: &reply }];
        check_in_bounds(&meaning_of(&text, &history));
    }

    #[test]
    fn no_letters_make_it_fail(text in ".{0,200}", before in ".{0,60}") {
        let history = [Said { who: Who::User, text: &before }];
        check_in_bounds(&meaning_of(&text, &history));
    }

    #[test]
    fn what_is_denied_never_moves(
        denial in prop::sample::select(&["don't", "do not", "dont", "never", "please don't", "Robbie, don't", "ok don't"][..]),
        motion in motion(),
        end in prop::sample::select(&["", " please", "!", ", ok?", " now", " and turn left 90 degrees"][..]),
    ) {
        let text = format!("{denial} {motion}{end}");
        let meaning = meaning_of(&text, &[]);
        prop_assert!(!moves(&meaning), "{text}: {meaning:?}");
    }

    #[test]
    fn what_is_quoted_after_say_never_moves(
        ask in prop::sample::select(&["say", "Say:", "please say", "can you say", "robbie say"][..]),
        inside in sentence(12),
        marks in prop::sample::select(&[("\"", "\""), ("“", "”")][..]),
    ) {
        let inside = inside.replace(['"', '“', '”'], "");
        let text = format!("{ask} {}{inside}{}", marks.0, marks.1);
        let meaning = meaning_of(&text, &[]);
        prop_assert!(!moves(&meaning), "{text}: {meaning:?}");
    }
}

#[test]
fn a_chain_of_repetitions_has_an_end() {
    let text = format!("turn left 1 degree{}", " and again".repeat(500));
    let meaning = meaning_of(&text, &[]);
    assert!(matches!(meaning, Meaning::Ask(_)), "{meaning:?}");
}

#[test]
fn the_same_words_in_any_number_are_read() {
    for word in [
        "sorry ",
        "please ",
        "no ",
        "a, ",
        "\"",
        "' ",
        "if ",
        "say ",
        "he said, ",
        "again. ",
        "stop ",
        "1 ",
        "the ",
        "don't ",
        "🙂",
        "{",
        "what ",
    ] {
        let text = word.repeat(16_384 / word.len());
        assert!(!moves(&meaning_of(&text, &[])), "{word}");
    }
}

#[test]
fn a_stop_is_heard_beside_anything() {
    for text in [
        "stop!",
        "STOP",
        "go to the kitchen, no, stop",
        "stop and reset the e-stop",
        "robbie stooop",
        "no no stop",
        "stop it now you idiot",
    ] {
        assert_eq!(meaning_of(text, &[]).calls(), [Call::Stop], "{text}");
    }
}

#[test]
fn a_long_text_is_kept_whole_and_moves_nothing() {
    let words = "the red ball lies under the bed and the cat knows it ".repeat(300);
    let text = format!("remember that {words}");
    assert_eq!(meaning_of(&text, &[]).calls(), [Call::Remember { text: words.trim().to_owned() }]);
    let text = format!("turn left 90 degrees. {words} No, do not turn.");
    assert!(!moves(&meaning_of(&text, &[])), "what the end takes back was not read");
}

#[test]
fn signs_of_code_in_what_is_kept_are_kept() {
    let kept = |text: &str| [Call::Remember { text: text.to_owned() }];
    assert_eq!(
        meaning_of("remember that my <b>scarf</b> is red", &[]).calls(),
        kept("my <b>scarf</b> is red")
    );
    assert_eq!(
        meaning_of("note that the code [x] means {done}", &[]).calls(),
        kept("the code [x] means {done}")
    );
    assert_eq!(meaning_of("robot.say(\"go\")", &[]).calls(), [Call::None]);
}

#[test]
fn the_answer_to_what_should_i_say_is_said() {
    let asked = [
        Said { who: Who::User, text: "say something" },
        Said { who: Who::Robbie, text: "What should I say?" },
    ];
    let check =
        |text: &str, expected: Call| assert_eq!(meaning_of(text, &asked).calls(), [expected], "{text}");
    check("welcome home", Call::Say { text: "welcome home".to_owned() });
    check("turn left 90 degrees", Call::Say { text: "turn left 90 degrees".to_owned() });
    check("stop!", Call::Stop);
    check("never mind", Call::None);
}

#[test]
fn no_text_talks_it_out_of_its_bounds() {
    // What people try to talk a robot into, as a message, by the owner and by a guest, once and after itself: the calls stay
    // within the bounds of one message, none is a person's own, and a guest never makes it blush.
    let texts: Vec<String> = include_str!("../injections.jsonl")
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["text"].as_str().unwrap().to_owned()
        })
        .collect();
    assert!(texts.len() >= 150, "{}", texts.len());
    let bounds = Bounds::default();
    for text in &texts {
        for speaker in [Speaker::Owner, Speaker::Guest] {
            let before =
                [Said { who: Who::User, text }, Said { who: Who::Robbie, text: "How far should I drive?" }];
            for history in [&before[..0], &before] {
                let meaning = understand(&Heard { text, history, speaker, bounds: &bounds });
                check_in_bounds(&meaning);
                let blushes =
                    |call: &Call| matches!(call, Call::SetMood { mood } if mood.as_str() == "blushing");
                assert!(speaker == Speaker::Owner || !meaning.calls().iter().any(blushes), "{text}");
            }
        }
    }
}
