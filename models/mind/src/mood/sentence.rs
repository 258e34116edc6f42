//! Cuts what was said into sentences, clauses and plain words: short forms written out, stretched letters shortened, quotes
//! and names marked. It looks for nothing in them.

use std::collections::HashMap;
use std::ops::Range;

use crate::stem::stem;
use crate::words;

/// Short forms, written out. An apostrophe is cut before: "don't" comes as "don" and "t".
const WRITTEN_OUT: &[(&str, &[&str])] = &[
    ("aint", &["is", "not"]),
    ("arent", &["are", "not"]),
    ("cannot", &["can", "not"]),
    ("cant", &["can", "not"]),
    ("couldnt", &["could", "not"]),
    ("didnt", &["did", "not"]),
    ("doesnt", &["does", "not"]),
    ("dont", &["do", "not"]),
    ("gonna", &["going", "to"]),
    ("gotta", &["have", "to"]),
    ("hadnt", &["had", "not"]),
    ("hasnt", &["has", "not"]),
    ("havent", &["have", "not"]),
    ("im", &["i", "am"]),
    ("isnt", &["is", "not"]),
    ("ive", &["i", "have"]),
    ("lets", &["let", "us"]),
    ("luv", &["love"]),
    ("wuv", &["love"]),
    ("plz", &["please"]),
    ("pls", &["please"]),
    ("shouldnt", &["should", "not"]),
    ("thats", &["that", "is"]),
    ("theyre", &["they", "are"]),
    ("theyve", &["they", "have"]),
    ("thru", &["through"]),
    ("u", &["you"]),
    ("ur", &["you", "are"]),
    ("wanna", &["want", "to"]),
    ("wasnt", &["was", "not"]),
    ("werent", &["were", "not"]),
    ("weve", &["we", "have"]),
    ("wont", &["will", "not"]),
    ("wouldnt", &["would", "not"]),
    ("ya", &["you"]),
    ("youre", &["you", "are"]),
    ("youve", &["you", "have"]),
];
/// Words that open a clause of their own wherever they stand.
const OPENS: &str = "although because but cause cuz though while";
/// Words that do so in front of somebody who does something.
const OPENS_BEFORE_SUBJECT: &str = "and since so then when";
/// Words that may stand between the two.
const FILLERS_MAX: usize = 6;
const SUBJECTS: &str = "he i it let my our she that the their there they this we you";
/// Words before the first that counts.
pub(super) const FILLERS: &str = "actually ah ahh again also alright and anyway aw aww boss bot buddy but cause because come dear \
    earlier even ever finally good great guys haha hello hey hi honestly hooray hurray just last \
    listen little lol look mate morning news night now oh ok okay omg on only please really right \
    robbie robby robot seriously so still then this today tonight truly week well when woohoo wow \
    yay yeah yep yes yesterday";

/// A word.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) text: String,
    pub(super) stem: String,
    /// Where it stands in what was said.
    pub(super) at: Range<usize>,
    /// Written as a name is, though no sentence begins here.
    pub(super) is_name: bool,
    /// Inside double quotes.
    pub(super) is_quoted: bool,
    /// Said with one letter three times or more: "suuure".
    pub(super) is_stretched: bool,
}

impl Token {
    /// Whether it, or its stem, is one of these words, which stand in a row.
    pub(super) fn is(&self, words: &str) -> bool {
        let single = self.single();
        words
            .split_ascii_whitespace()
            .any(|word| self.text == word || self.stem == word || single == Some(word))
    }

    /// The stem of "customers" is that of "custom": a plain plural is looked for as well.
    fn single(&self) -> Option<&str> {
        self.text.strip_suffix('s').filter(|single| single.len() >= 4)
    }

    pub(super) fn is_number(&self) -> bool {
        self.text.as_bytes().first().is_some_and(u8::is_ascii_digit)
    }
}

/// Part of a sentence with one statement.
#[derive(Debug)]
pub(super) struct Clause {
    /// Its words.
    pub(super) at: Range<usize>,
    /// The first of them that does not only lead to it.
    pub(super) first: usize,
    /// Which sentence it is part of.
    pub(super) sentence: usize,
    /// A question mark stands right behind it.
    pub(super) asks: bool,
}

/// What was said, in parts.
#[derive(Debug)]
pub(super) struct Said<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: Vec<Token>,
    pub(super) clauses: Vec<Clause>,
    /// Where each word stands, as said, as its stem and without a plural.
    index: HashMap<String, Vec<usize>>,
}

/// Places of words in what was said.
#[derive(Debug, Default)]
pub(super) struct Places(Vec<u64>);

impl Places {
    pub(super) fn has(&self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|places| places >> (at % 64) & 1 == 1)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn add(&mut self, at: usize) {
        if self.0.len() <= at / 64 {
            self.0.resize(at / 64 + 1, 0);
        }
        self.0[at / 64] |= 1 << (at % 64);
    }
}

impl<'a> Said<'a> {
    pub(super) fn parse(text: &'a str) -> Self {
        let tokens = tokens(text);
        let clauses = clauses(text, &tokens);
        let mut index: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, token) in tokens.iter().enumerate() {
            for form in
                [Some(token.text.as_str()), Some(token.stem.as_str()), token.single()].into_iter().flatten()
            {
                index.entry(form.to_owned()).or_default().push(at);
            }
        }
        Self { text, tokens, clauses, index }
    }

    /// Where any of these words, which stand in a row, was said.
    pub(super) fn places(&self, words: &str) -> Places {
        let mut places = Places::default();
        for at in words.split_ascii_whitespace().filter_map(|word| self.index.get(word)).flatten() {
            places.add(*at);
        }
        places
    }

    /// The words of a clause behind those that only lead to it.
    pub(super) fn without_fillers(&self, clause: &Clause) -> &[Token] {
        &self.tokens[clause.first..clause.at.end]
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Break {
    None,
    Clause,
    Sentence,
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut end = 0;
    let mut is_quoted = false;
    for word in words::words(text) {
        let gap = &text[end..word.at.start];
        for letter in gap.chars() {
            is_quoted = match letter {
                '"' => !is_quoted,
                '“' | '«' | '„' => true,
                '”' | '»' => false,
                _ => is_quoted,
            };
        }
        let is_start = tokens.last().is_none_or(|last| break_behind(last, gap) == Break::Sentence);
        let raw = &text[word.at.clone()];
        let (short, is_stretched) = unstretched(&word.text);
        let is_glued = !tokens.is_empty() && matches!(gap, "'" | "’");
        if !(is_glued && glue(&mut tokens, &short, &word.at)) {
            let out = WRITTEN_OUT.iter().find(|(from, _)| *from == short).map(|(_, out)| *out);
            let is_name = !is_start && out.is_none() && short != "i" && is_capitalised(raw);
            for part in out.unwrap_or(&[short.as_str()]) {
                // "Its" is no "it".
                let stem = if part.len() <= 3 { (*part).to_owned() } else { stem(part) };
                let (text, at) = ((*part).to_owned(), word.at.clone());
                tokens.push(Token { text, stem, at, is_name, is_quoted, is_stretched });
            }
        }
        end = word.at.end;
    }
    tokens
}

/// Joins what stood behind an apostrophe; `false`: it is a word of its own.
fn glue(tokens: &mut Vec<Token>, ending: &str, at: &Range<usize>) -> bool {
    let full = match ending {
        "t" => "not",
        "m" => "am",
        "re" => "are",
        "ve" => "have",
        "ll" => "will",
        "d" => "would",
        "s" if tokens.last().is_some_and(|last| last.text == "let") => "us",
        "s" => "is",
        _ => return false,
    };
    let Some(last) = tokens.last_mut() else { return false };
    if full == "not" {
        last.text = match last.text.as_str() {
            "won" => "will".to_owned(),
            "can" => "can".to_owned(),
            other => other.strip_suffix('n').unwrap_or(other).to_owned(),
        };
        last.stem.clone_from(&last.text);
    }
    last.is_name = last.is_name && full != "not";
    let (is_quoted, text) = (last.is_quoted, full.to_owned());
    tokens.push(Token {
        stem: text.clone(),
        text,
        at: at.clone(),
        is_name: false,
        is_quoted,
        is_stretched: false,
    });
    true
}

/// The word with every letter that is there three times in a row once.
fn unstretched(word: &str) -> (String, bool) {
    let letters: Vec<char> = word.chars().collect();
    let mut short = String::with_capacity(word.len());
    let mut is_stretched = false;
    for run in letters.chunk_by(|a, b| a == b) {
        let stretched = run.len() >= 3 && run[0].is_alphabetic();
        is_stretched |= stretched;
        short.extend(&run[..if stretched { 1 } else { run.len() }]);
    }
    (short, is_stretched)
}

fn is_capitalised(raw: &str) -> bool {
    let mut letters = raw.chars();
    letters.next().is_some_and(char::is_uppercase) && letters.next().is_some_and(char::is_lowercase)
}

/// "Mr." ends nothing.
fn break_behind(last: &Token, gap: &str) -> Break {
    if gap.trim_end() == "." && last.is("dr mr mrs ms prof st") { Break::None } else { break_in(gap) }
}

fn break_in(gap: &str) -> Break {
    // A point with nothing behind it is part of a number or of a name.
    let mut found = Break::None;
    for (at, letter) in gap.char_indices() {
        let is_last = gap[at + letter.len_utf8()..].is_empty();
        let this = match letter {
            '.' | '!' | '?' if is_last && gap.len() == 1 => Break::None,
            '.' if gap[at..].starts_with("..") => Break::Clause,
            '.' | '!' | '?' | '\n' | '…' => Break::Sentence,
            ',' | ';' | ':' | '(' | ')' | '—' | '–' => Break::Clause,
            '-' if gap.contains(' ') => Break::Clause,
            _ => Break::None,
        };
        found = found.max(this);
    }
    if gap.contains("..") && !gap.contains(['!', '?', '\n']) { Break::Clause } else { found }
}

fn clauses(text: &str, tokens: &[Token]) -> Vec<Clause> {
    let mut clauses = Vec::new();
    let (mut start, mut sentence) = (0, 0);
    for at in 1..=tokens.len() {
        let behind = tokens.get(at).map_or(text.len(), |next| next.at.start);
        let gap = text.get(tokens[at - 1].at.end..behind).unwrap_or_default();
        let found = if at == tokens.len() { Break::Sentence } else { break_behind(&tokens[at - 1], gap) };
        if found == Break::None && !opens_clause(tokens, at) {
            continue;
        }
        let first = (start..at).find(|word| !tokens[*word].is(FILLERS)).unwrap_or(at);
        clauses.push(Clause { at: start..at, first, sentence, asks: gap.contains('?') });
        start = at;
        sentence += usize::from(found == Break::Sentence);
    }
    clauses
}

fn opens_clause(tokens: &[Token], at: usize) -> bool {
    let token = &tokens[at];
    let subject_follows = || {
        let near = tokens[at + 1..].iter().take(FILLERS_MAX);
        let next = near.into_iter().find(|next| !next.is(FILLERS) || next.is(SUBJECTS));
        next.is_some_and(|next| next.is(SUBJECTS) || next.is_name)
    };
    token.is(OPENS) || token.is(OPENS_BEFORE_SUBJECT) && subject_follows()
}
