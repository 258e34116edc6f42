//! Vectors without weights.

use models_mind::lexical::{DIMENSIONS, lexical_embedding};
use proptest::prelude::*;

fn likeness(left: &str, right: &str) -> f32 {
    let (left, right) = (lexical_embedding(left), lexical_embedding(right));
    left.iter().zip(&right).map(|(left, right)| left * right).sum()
}

#[test]
fn what_shares_words_is_nearer_than_what_does_not() {
    // Other forms of a word and slips of the pen are near; another subject is far.
    let asked = "When did Anna paint the sunrise?";
    let near = likeness(asked, "I painted a sunrise over the lake last year");
    let slip = likeness(asked, "I paintd a sunrize");
    let far = likeness(asked, "The battery is at ten percent");
    assert!(near > 0.3, "{near}");
    assert!(slip > far + 0.1, "{slip} {far}");
    assert!(far.abs() < 0.15, "{far}");
}

#[test]
fn vectors_are_the_same_on_every_machine() {
    // Robot and cloud compare vectors that either of them made: the largest number and all bits, as they have been from the first version on.
    let vector = lexical_embedding("Robbie drives to the kitchen, twice to the kitchen");
    let largest = vector.iter().enumerate().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs())).unwrap();
    let bits: u64 = vector.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, value| {
        (hash ^ u64::from(value.to_bits())).wrapping_mul(0x0000_0100_0000_01b3)
    });
    assert_eq!((largest.0, bits), (LARGEST, BITS));
}

const LARGEST: usize = 71;
const BITS: u64 = 10_656_890_753_713_245_822;

proptest! {
    #[test]
    fn every_text_has_a_vector_of_length_one(text in "\\PC{0,400}") {
        let vector = lexical_embedding(&text);
        prop_assert_eq!(vector.len(), DIMENSIONS);
        let length: f32 = vector.iter().map(|value| value * value).sum();
        prop_assert!((length - 1.0).abs() < 1e-4, "{}", length);
    }

    #[test]
    fn capitals_and_signs_change_nothing(words in prop::collection::vec("[a-z]{3,9}", 1..8)) {
        let plain = words.join(" ");
        let shouted = format!("{}!", words.join(", ").to_uppercase());
        prop_assert!(likeness(&plain, &shouted) > 0.999);
    }
}

#[test]
fn nothing_and_signs_have_vectors_too() {
    // An empty note, a row of emoji and a very long text are stored like any other.
    for text in ["", "   ", "🤖🤖", "?!", &"word ".repeat(20_000)] {
        assert!((likeness(text, text) - 1.0).abs() < 1e-4, "{}", &text[..text.len().min(8)]);
    }
    assert!(likeness("🤖🤖", "🎉") < 0.9);
}
