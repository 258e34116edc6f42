//! Says in one sentence why a row was found. It invents nothing: every part stands for a share that is not 0.

use super::Evidence;
use super::fuse::Shares;
use super::question::Question;
use crate::stem::stem;
use crate::words::{cut, words};

/// Words that are named.
const WORDS_MAX: usize = 4;
/// What is shown of the turn before, bytes.
const BEFORE_BYTES_MAX: usize = 60;
/// A share of the meaning from which on a row means nearly what was asked, and one from which on it is about it.
const NEARLY: f32 = 0.8;
const ABOUT: f32 = 0.5;

/// One sentence.
pub(super) fn why(
    question: &Question,
    row: &Evidence<'_>,
    before: Option<&Evidence<'_>>,
    shares: Shares,
) -> String {
    let mut parts = Vec::new();
    let meaning_max = question.weights.meaning;
    if shares.meaning >= NEARLY * meaning_max {
        parts.push("means nearly what was asked".to_owned());
    } else if shares.meaning >= ABOUT * meaning_max {
        parts.push("is about what was asked".to_owned());
    }
    if shares.words > 0.0 {
        parts.extend(shared(row.text, &question.stems).map(|shared| format!("says {shared}")));
    }
    if shares.context > 0.0 {
        let shared = shared(row.text, &question.context_stems);
        parts.extend(shared.map(|shared| format!("goes with what was said just before ({shared})")));
    }
    if let Some(speaker) = row.speaker.filter(|_| shares.speaker > 0.0) {
        parts.push(format!("was said by {speaker}"));
    }
    if shares.time > 0.0 {
        parts.push(time(question));
    }
    if let Some(before) = before.filter(|_| shares.neighbour > 0.0) {
        let beginning = cut(before.text, BEFORE_BYTES_MAX);
        let more = if beginning.len() < before.text.len() { "…" } else { "" };
        parts.push(format!("follows “{}{more}”", beginning.trim()));
    }
    if parts.is_empty() {
        parts.push(
            if shares.meaning > 0.0 { "is somewhat like what was asked" } else { "was said nearby" }
                .to_owned(),
        );
    }
    sentence(&parts)
}

fn time(question: &Question) -> String {
    question
        .window
        .as_ref()
        .map_or_else(|| "says when".to_owned(), |window| format!("belongs to “{}”", window.said))
}

/// The words of a text that have one of these stems, as the text spells them.
fn shared(text: &str, stems: &[String]) -> Option<String> {
    let mut found: Vec<(String, &str)> = Vec::new();
    for word in words(text) {
        let stem = stem(&word.text);
        if stems.contains(&stem) && !found.iter().any(|(known, _)| *known == stem) {
            found.push((stem, &text[word.at]));
        }
    }
    let words: Vec<String> =
        found.iter().take(WORDS_MAX).map(|(_, word)| format!("“{}”", cut(word, 40))).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// "Is this, does that and was so."
fn sentence(parts: &[String]) -> String {
    let joined = match parts {
        [parts @ .., last] if !parts.is_empty() => format!("{} and {last}", parts.join(", ")),
        _ => parts.concat(),
    };
    let mut letters = joined.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}
