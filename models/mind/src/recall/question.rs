//! Reads a question: its words for the word index, what to make a vector of, who is named, and which time is meant.
//! It asks nobody and looks nothing up; a question of any length and content is read within bounds.

use cloud_sync_protocol::memory::QUERY_BYTES_MAX;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::speaker::{in_first_person, named};
use super::weights::Weights;
use crate::stem::stem;
use crate::time::{Clock, Lean, Window, asks_when, windows};
use crate::words::{Word, content_stems, cut_at_word, is_stop_word, words};

/// Words of a question that are looked for.
const TERMS_MAX: usize = 24;
/// Words of the turn before that are looked for beside them.
const CONTEXT_TERMS_MAX: usize = 8;
/// What of the turn before becomes part of the vector, bytes.
const CONTEXT_BYTES_MAX: usize = 400;

/// Words that stand for something said before.
const POINTING: &[&str] = &[
    "he", "her", "hers", "him", "his", "it", "its", "one", "ones", "she", "that", "their", "them", "then",
    "there", "these", "they", "this", "those",
];

/// What a question wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// When something was.
    When,
    /// Anything else.
    What,
}

/// A question that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Words for the word index, each once, at most 32; any of them may be in an answer.
    pub terms: Vec<String>,
    /// What to make a vector of.
    pub meaning: String,
    /// Speakers it names, as the store spells them, each once.
    pub speakers: Vec<String>,
    /// The time it names.
    pub window: Option<Window>,
    /// What it wants to know.
    pub asked: Asked,
    /// In which zone its days are counted.
    pub zone: TimeZone,
    /// What each signal weighs: those for a sentence embedder, until somebody puts others here.
    pub weights: Weights,
    /// Stems of its own words.
    pub(super) stems: Vec<String>,
    /// Stems that only the turn before has; empty where the question stands alone.
    pub(super) context_stems: Vec<String>,
}

/// Reads a question. `context` is the turn before, may be empty, and counts where the question points back to it or says
/// next to nothing by itself. `speakers`: the names that the memory knows. What is over 2 KiB is left out.
#[must_use]
pub fn question(
    query: &str,
    context: &str,
    speakers: &[String],
    now: Timestamp,
    zone: &TimeZone,
) -> Question {
    let query = cut_at_word(query, QUERY_BYTES_MAX).trim();
    let query_words = words(query);
    let mut names = named(query, &query_words, speakers);
    let mut terms = terms_of(&query_words, |word| !names.iter().any(|name| name.at.contains(&word.at.start)));
    let mut meaning = in_first_person(query, &names);
    if terms.is_empty() {
        // Nothing but names and small words: then these are what is looked for.
        terms = terms_of(&query_words, |word| names.iter().any(|name| name.at.contains(&word.at.start)));
        meaning = query.to_owned();
    }
    terms.truncate(TERMS_MAX);
    let stems: Vec<String> = terms.iter().map(|term| stem(term)).collect();
    let mut context_stems = Vec::new();
    let context = cut_at_word(context, QUERY_BYTES_MAX).trim();
    if leans_back(&query_words, &stems) && !context.is_empty() {
        let context_words = words(context);
        if names.is_empty() {
            names = named(context, &context_words, speakers);
        }
        context_stems = content_stems(context);
        context_stems.retain(|stem| !stems.contains(stem));
        context_stems.truncate(CONTEXT_TERMS_MAX);
        terms.extend(context_stems.iter().filter_map(|wanted| spelt(&context_words, wanted)));
        meaning = format!("{}\n{meaning}", cut_at_word(context, CONTEXT_BYTES_MAX));
    }
    let clock = Clock { now, zone, lean: Lean::Past };
    Question {
        terms,
        meaning,
        speakers: each_once(names.iter().map(|name| name.speaker)),
        window: windows(&query_words, clock).into_iter().next(),
        asked: if asks_when(&query_words) { Asked::When } else { Asked::What },
        zone: zone.clone(),
        weights: Weights::SENTENCES,
        stems,
        context_stems,
    }
}

/// The words that say what is asked about, each once by its stem.
fn terms_of(words: &[Word], wanted: impl Fn(&Word) -> bool) -> Vec<String> {
    let mut terms: Vec<String> = Vec::new();
    let mut stems: Vec<String> = Vec::new();
    for word in words.iter().filter(|word| !is_stop_word(&word.text) && wanted(word)) {
        let stem = stem(&word.text);
        if !stems.contains(&stem) {
            stems.push(stem);
            terms.push(word.text.clone());
        }
    }
    terms
}

/// Whether a question cannot be understood without what was said before.
fn leans_back(words: &[Word], stems: &[String]) -> bool {
    stems.len() < 2 || words.iter().any(|word| POINTING.contains(&word.text.as_str()))
}

fn spelt(words: &[Word], wanted: &str) -> Option<String> {
    words.iter().find(|word| stem(&word.text) == wanted).map(|word| word.text.clone())
}

fn each_once<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut once: Vec<String> = Vec::new();
    for name in names {
        if !once.iter().any(|known| known == name) {
            once.push(name.to_owned());
        }
    }
    once
}
