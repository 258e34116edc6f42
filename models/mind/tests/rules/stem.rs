//! Words are cut as the word index cuts them.

use models_mind::stem::stem;
use proptest::prelude::*;

fn check(word: &str, expected: &str) {
    assert_eq!(stem(word), expected, "{word}");
}

#[test]
fn stems_are_those_of_the_word_index() {
    // The stem is the one that SQLite's FTS5 `porter` gives: these were read from its vocabulary table.
    for (word, expected) in WORDS {
        check(word, expected);
    }
}

#[test]
fn what_is_no_plain_word_stays() {
    // A name with a mark, a number or another script is found as it is written.
    for word in ["", "a", "is", "2023", "7th", "größe", "日本語", "naïves"] {
        check(word, word);
    }
    let long = "a".repeat(80);
    check(&long, &long);
}

proptest! {
    #[test]
    fn a_stem_is_never_longer_than_one_letter_more(word in "[a-z]{0,70}") {
        // No word makes it fail, and cutting never makes much of a word.
        prop_assert!(stem(&word).len() <= word.len() + 1);
    }
}

const WORDS: &[(&str, &str)] = &[
    ("caresses", "caress"),
    ("ponies", "poni"),
    ("ties", "ti"),
    ("caress", "caress"),
    ("cats", "cat"),
    ("feed", "feed"),
    ("agreed", "agre"),
    ("plastered", "plaster"),
    ("motored", "motor"),
    ("sing", "sing"),
    ("conflated", "conflat"),
    ("troubled", "troubl"),
    ("sized", "size"),
    ("hopping", "hop"),
    ("tanned", "tan"),
    ("falling", "fall"),
    ("hissing", "hiss"),
    ("fizzed", "fizz"),
    ("failing", "fail"),
    ("filing", "file"),
    ("happy", "happi"),
    ("sky", "sky"),
    ("relational", "relat"),
    ("conditional", "condit"),
    ("rational", "ration"),
    ("valency", "valenc"),
    ("hesitancy", "hesit"),
    ("digitizer", "digit"),
    ("conformably", "conform"),
    ("radically", "radic"),
    ("differently", "differ"),
    ("vilely", "vile"),
    ("analogously", "analog"),
    ("vietnamization", "vietnam"),
    ("predication", "predic"),
    ("operator", "oper"),
    ("feudalism", "feudal"),
    ("decisiveness", "decis"),
    ("hopefulness", "hope"),
    ("callousness", "callous"),
    ("formality", "formal"),
    ("sensitivity", "sensit"),
    ("sensibility", "sensibl"),
    ("triplicate", "triplic"),
    ("formative", "form"),
    ("formalize", "formal"),
    ("electricity", "electr"),
    ("electrical", "electr"),
    ("hopeful", "hope"),
    ("goodness", "good"),
    ("revival", "reviv"),
    ("allowance", "allow"),
    ("inference", "infer"),
    ("airliner", "airlin"),
    ("gyroscopic", "gyroscop"),
    ("adjustable", "adjust"),
    ("defensible", "defens"),
    ("irritant", "irrit"),
    ("replacement", "replac"),
    ("adjustment", "adjust"),
    ("dependent", "depend"),
    ("adoption", "adopt"),
    ("communism", "commun"),
    ("activate", "activ"),
    ("angularity", "angular"),
    ("homologous", "homolog"),
    ("effective", "effect"),
    ("bowdlerize", "bowdler"),
    ("probate", "probat"),
    ("rate", "rate"),
    ("cease", "ceas"),
    ("controll", "control"),
    ("roll", "roll"),
    ("painting", "paint"),
    ("painted", "paint"),
    ("paints", "paint"),
    ("analogy", "analog"),
    ("archaeology", "archaeolog"),
    ("possibly", "possibl"),
    ("yes", "ye"),
    ("saying", "sai"),
    ("dying", "dy"),
    ("generously", "gener"),
    ("university", "univers"),
    ("universal", "univers"),
    ("agreement", "agreement"),
    ("skiing", "ski"),
];
