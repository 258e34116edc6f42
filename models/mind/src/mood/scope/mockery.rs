//! Marks of mockery. They hold for all that was said: who mocks once is not to be taken at the word anywhere in it.

use super::{Words, starts_with};
use crate::mood::sentence::{FILLERS, Said};

/// What one opens with: "oh great, ...".
const OPENINGS: Words = "brilliant charming excellent fabulous fantastic goody great joy lovely marvellous marvelous \
    perfect splendid sure super terrific wonderful hooray";
const PHRASES: &[Words] = &[
    "another day",
    "as if",
    "big surprise",
    "big whoop",
    "captain obvious",
    "color me surprised",
    "colour me surprised",
    "dream on",
    "einstein",
    "exactly what i needed",
    "groundbreaking",
    "how original",
    "how thrilling",
    "in your dreams",
    "jk",
    "joking",
    "just kidding",
    "just what i always",
    "just what i needed",
    "just what we needed",
    "lucky me",
    "lucky us",
    "my foot",
    "riveting",
    "sarcasm",
    "sarcastic",
    "sherlock",
    "shocker",
    "slow clap",
    "stop the press",
    "stop the presses",
    "such a joy",
    "such a treat",
    "thanks a bunch",
    "thanks for nothing",
    "thrilled to bits",
    "what a joy",
    "what a privilege",
    "what a shock",
    "whoop de",
    "yeah right",
    "yeah sure",
    "yeah yeah",
    "yes sure",
    "yet another",
    "oh yeah",
    "oh please",
    "oh how exciting",
    "oh how lovely",
    "oh how nice",
    "oh how sweet",
    "oh how wonderful",
    "sure you are",
    "sure what",
    "right because",
    "sure because",
    "because that always",
    "who would not",
    "so much fun",
    "nice try",
    "if you say so",
    "aha sure",
];
const SIGNS: [&str; 5] = ["/s", "🙄", "🙃", "😒", "👏"];
/// What Robbie did just now to earn such praise.
const MISHAPS: Words = "bang beep break broke bump crash destroy drove drop hit knock lock ram ran ruin scratch smash spill \
    squash step wake waking woke blocking";

/// Whether somebody who speaks so means the opposite.
pub(in crate::mood) fn is_mocking(said: &Said<'_>) -> bool {
    let tokens = &said.tokens;
    let by_sign = SIGNS.iter().any(|sign| has_sign(said.text, sign));
    let by_phrase =
        (0..tokens.len()).any(|at| PHRASES.iter().any(|phrase| starts_with(&tokens[at..], phrase)));
    let by_stretch = tokens.iter().any(|token| token.is_stretched && token.is("right sure great totally"));
    by_sign
        || by_phrase
        || by_stretch
        || opens_mocking(said)
        || says_not_at_last(said)
        || praises_mishap(said)
}

/// A sign by itself: "and/so" has none.
fn has_sign(text: &str, sign: &str) -> bool {
    text.match_indices(sign).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let behind = text[at + sign.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !behind.is_some_and(char::is_alphanumeric)
    })
}

/// "Oh great", "wow, fantastic", "sure, what a".
fn opens_mocking(said: &Said<'_>) -> bool {
    said.clauses.iter().any(|clause| {
        let tokens = &said.tokens[clause.at.clone()];
        let behind = tokens.iter().skip(1).position(|token| !token.is("yes yeah just well how so"));
        let opening = behind.and_then(|at| tokens.get(at + 1).map(|token| (token, tokens.get(at + 2))));
        tokens.first().is_some_and(|first| first.is("oh ah well"))
            && opening
                .is_some_and(|(token, next)| token.is(OPENINGS) && !next.is_some_and(|next| next.is("news")))
    })
}

/// "We won the deal. Not!"
fn says_not_at_last(said: &Said<'_>) -> bool {
    said.clauses.len() > 1
        && said.clauses.last().is_some_and(|clause| match &said.tokens[clause.at.clone()] {
            [one] => matches!(one.text.as_str(), "not" | "whatever"),
            _ => false,
        })
}

/// "I love you too, you just drove over my toe", "thanks for waking me".
fn praises_mishap(said: &Said<'_>) -> bool {
    said.clauses.iter().any(|clause| {
        let tokens = &said.tokens[clause.at.clone()];
        if (said.tokens[0].is(OPENINGS) || said.tokens[0].is("clever genius nice smooth well"))
            && tokens.iter().any(|token| token.is(MISHAPS))
        {
            return true;
        }
        let done = tokens.windows(3).any(|three| {
            three[0].text == "you" && three[1].is("just only") && three[2].is(MISHAPS)
                || three[0].is("thanks") && three[1].text == "for" && three[2].is(MISHAPS)
        });
        done || tokens.first().is_some_and(|first| first.text == "especially")
            && tokens.len() > 1
            && !tokens[0].is(FILLERS)
    })
}
