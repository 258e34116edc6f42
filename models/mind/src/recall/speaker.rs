//! Who is named in a question. Names are those of people who have spoken; nothing else is taken for a name.

use std::cmp::Reverse;
use std::ops::Range;

use crate::time::month_of;
use crate::words::{Word, cut, words};

/// Names that are looked for at most.
const SPEAKERS_MAX: usize = 1_000;
/// Longest name, bytes.
const NAME_BYTES_MAX: usize = 64;
/// Shortest beginning of a name that stands for it, bytes.
const SHORT_BYTES_MIN: usize = 3;

/// First names that are everyday words too: they need their capital letter.
const EVERYDAY: &[&str] = &[
    "amber",
    "april",
    "art",
    "august",
    "autumn",
    "bill",
    "bob",
    "chance",
    "chase",
    "christian",
    "daisy",
    "dawn",
    "dick",
    "drew",
    "earl",
    "faith",
    "frank",
    "gene",
    "grace",
    "grant",
    "guy",
    "harmony",
    "hazel",
    "heather",
    "holly",
    "hope",
    "hunter",
    "iris",
    "ivy",
    "jack",
    "jasmine",
    "joy",
    "june",
    "lily",
    "mark",
    "mason",
    "max",
    "may",
    "melody",
    "miles",
    "nick",
    "olive",
    "pat",
    "pearl",
    "penny",
    "pierce",
    "poppy",
    "ray",
    "rich",
    "rob",
    "rose",
    "ruby",
    "sage",
    "sky",
    "sue",
    "summer",
    "taylor",
    "victor",
    "violet",
    "wade",
    "ward",
    "will",
    "willow",
];

/// What follows a verb that opens a question, and seldom a name: "Will she", "May I".
const AFTER_VERB: &[&str] = &[
    "a", "an", "he", "her", "his", "i", "it", "my", "our", "she", "that", "the", "their", "there", "these",
    "they", "this", "those", "we", "you", "your",
];

/// A name where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named<'a> {
    /// The speaker, as the store spells the name.
    pub(super) speaker: &'a str,
    /// The bytes of the name, with the `'s` behind it.
    pub(super) at: Range<usize>,
    /// "Anna's".
    pub(super) form: Form,
}

/// How a name stands in a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Anna.
    Plain,
    /// Anna's.
    Possessive,
}

/// The speakers that a text names, in order. A person may be called by the whole name or by the first one.
pub(super) fn named<'a>(text: &str, text_words: &[Word], speakers: &'a [String]) -> Vec<Named<'a>> {
    let names: Vec<(&str, Vec<Word>)> = speakers
        .iter()
        .take(SPEAKERS_MAX)
        .map(|speaker| (speaker.as_str(), words(cut(speaker, NAME_BYTES_MAX))))
        .filter(|(_, name)| !name.is_empty())
        .collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < text_words.len() {
        let best = names
            .iter()
            .filter_map(|(speaker, name)| Some((matching(text, text_words, at, name)?, *speaker)))
            .max_by_key(|(length, speaker)| (*length, Reverse(*speaker)))
            .or_else(|| short_form(text, text_words, at, &names));
        let Some((length, speaker)) = best else {
            at += 1;
            continue;
        };
        let last = &text_words[at + length - 1];
        let (end, form) = ending(text, last);
        found.push(Named { speaker, at: text_words[at].at.start..end, form });
        at += length;
    }
    found
}

/// How many words from `at` are this name.
fn matching(text: &str, text_words: &[Word], at: usize, name: &[Word]) -> Option<usize> {
    let same = name.iter().zip(&text_words[at..]).take_while(|(name, word)| name.text == word.text).count();
    if same == name.len() && name.len() > 1 {
        return Some(same);
    }
    // "James'" and "James's" are cut into "james" and "s"; a name without its apostrophe is not guessed at.
    (same > 0 && is_meant(text, text_words, at)).then_some(1)
}

/// "Mel" for Melanie: the beginning of one first name only, with a capital letter that does not open the sentence.
fn short_form<'a>(
    text: &str,
    text_words: &[Word],
    at: usize,
    names: &[(&'a str, Vec<Word>)],
) -> Option<(usize, &'a str)> {
    let word = &text_words[at];
    if at == 0
        || word.text.len() < SHORT_BYTES_MIN
        || !is_capital(text, word)
        || month_of(&word.text).is_some()
    {
        return None;
    }
    let mut fitting = names.iter().filter(|(_, name)| name[0].text.starts_with(&word.text));
    let (speaker, _) = fitting.next()?;
    fitting.next().is_none().then_some((1, *speaker))
}

/// Whether a word that may be a name is meant as one here.
fn is_meant(text: &str, text_words: &[Word], at: usize) -> bool {
    let word = &text_words[at];
    if !EVERYDAY.contains(&word.text.as_str()) {
        return true;
    }
    if !is_capital(text, word) {
        return false;
    }
    if at > 0 || ending(text, word).1 == Form::Possessive {
        return true;
    }
    text_words.get(1).is_some_and(|next| !AFTER_VERB.contains(&next.text.as_str()) && !is_capital(text, next))
}

fn is_capital(text: &str, word: &Word) -> bool {
    text[word.at.clone()].starts_with(char::is_uppercase)
}

/// Where a name ends, and how.
fn ending(text: &str, word: &Word) -> (usize, Form) {
    let after = &text[word.at.end..];
    for end in ["'s", "’s", "'S", "’S"] {
        let next = after.strip_prefix(end);
        if next.is_some_and(|next| !next.starts_with(char::is_alphanumeric)) {
            return (word.at.end + end.len(), Form::Possessive);
        }
    }
    for end in ["'", "’"] {
        if word.text.ends_with('s') && after.starts_with(end) {
            return (word.at.end + end.len(), Form::Possessive);
        }
    }
    (word.at.end, Form::Plain)
}

/// The question as the one who is named would speak: "When did Anna paint Anna's house?" becomes "When did I paint my
/// house?". What people say of themselves has an "I" in it and seldom their own name; their name stands in what is said *to*
/// them. So a vector of this lies nearer to the answer.
pub(super) fn in_first_person(text: &str, named: &[Named<'_>]) -> String {
    let mut told = String::with_capacity(text.len());
    let mut end = 0;
    for name in named {
        told.push_str(&text[end..name.at.start]);
        told.push_str(if name.form == Form::Possessive { "my" } else { "I" });
        end = name.at.end;
    }
    told.push_str(&text[end..]);
    told
}
