//! Holds the unfinished sentence of an answer back, so that a tier that breaks takes nothing half said with it.

use std::mem;

use super::config::Pieces;

/// More than that is not held: then whole words go.
const HELD_MAX: usize = 240;
/// Text without a space is cut here.
const UNBROKEN_MAX: usize = 480;
/// How far from there a place is looked for where no letter is torn from its marks.
const TORN_MAX: usize = 64;
/// A full stop behind them ends no sentence.
const ABBREVIATIONS: [&str; 19] = [
    "approx", "bzw", "ca", "cf", "dr", "etc", "fig", "inc", "jr", "mr", "mrs", "ms", "nr", "prof", "sr",
    "st", "usw", "vgl", "vs",
];

/// What came and was not given out.
#[derive(Debug, Default)]
pub(super) struct Hold {
    /// White space between what was given out and `text`.
    lead: String,
    /// Begins with a letter, where it is not empty.
    text: String,
}

impl Hold {
    /// One whose text comes behind `lead`.
    pub(super) const fn behind(lead: String) -> Self {
        Self { lead, text: String::new() }
    }

    pub(super) const fn len(&self) -> usize {
        self.lead.len() + self.text.len()
    }

    /// Whether no word is held.
    pub(super) const fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// White space known to come behind what was given out.
    pub(super) fn into_lead(self) -> String {
        self.lead
    }

    pub(super) fn push(&mut self, text: &str) {
        if !self.text.is_empty() {
            return self.text.push_str(text);
        }
        let words = text.trim_start();
        self.lead.push_str(&text[..text.len() - words.len()]);
        self.text.push_str(words);
    }

    /// Takes what may be given out by now: whole sentences, or whole words where a sentence is long; all of it where it came
    /// whole.
    pub(super) fn ready(&mut self, pieces: Pieces) -> Option<String> {
        if pieces == Pieces::Whole {
            return self.rest();
        }
        let end = sentences(&self.text)
            .or_else(|| words(&self.text).filter(|_| self.text.len() > HELD_MAX))
            .or_else(|| (self.text.len() > UNBROKEN_MAX).then(|| unbroken(&self.text)))?;
        Some(self.take(end))
    }

    /// Takes all whole words.
    pub(super) fn whole_words(&mut self) -> Option<String> {
        words(&self.text).map(|end| self.take(end))
    }

    /// Takes everything but white space at its end.
    pub(super) fn rest(&mut self) -> Option<String> {
        (!self.text.is_empty()).then(|| self.take(self.text.len()))
    }

    /// Forgets the end, so that at most `len` bytes are held.
    pub(super) fn truncate(&mut self, len: usize) {
        self.lead.truncate(self.lead.floor_char_boundary(len));
        self.text.truncate(self.text.floor_char_boundary(len - self.lead.len()));
    }

    fn take(&mut self, end: usize) -> String {
        let rest = self.text.split_off(end);
        let taken = mem::replace(&mut self.text, rest.trim_start().to_owned());
        let said = taken.trim_end();
        let lead = format!("{}{}", &taken[said.len()..], &rest[..rest.len() - self.text.len()]);
        let mut given = mem::replace(&mut self.lead, lead);
        given.push_str(said);
        given
    }
}

/// Where the last whole sentence ends. What follows it must have come already: "3." may still become "3.5".
fn sentences(text: &str) -> Option<usize> {
    // What stands behind the place looked at, closing marks left out, and where those end.
    let mut next: Option<char> = None;
    let mut closed = None;
    for (at, letter) in text.char_indices().rev() {
        let end = at + letter.len_utf8();
        let is_end = match letter {
            '\n' => return Some(at),
            '.' => next.is_some_and(char::is_whitespace) && !is_abbreviation(&text[..at]),
            '!' | '?' | '…' => next.is_some_and(char::is_whitespace),
            '。' | '！' | '？' | '｡' => next.is_some_and(|next| !is_stop(next)),
            _ => false,
        };
        if is_end {
            return Some(closed.unwrap_or(end));
        }
        if is_closing(letter) {
            closed.get_or_insert(end);
        } else {
            (next, closed) = (Some(letter), None);
        }
    }
    None
}

const fn is_stop(letter: char) -> bool {
    matches!(letter, '.' | '!' | '?' | '…' | '。' | '！' | '？' | '｡')
}

const fn is_closing(letter: char) -> bool {
    matches!(letter, '"' | '\'' | ')' | ']' | '”' | '’' | '»' | '」' | '』' | '）' | '*' | '_')
}

/// Whether a full stop behind `text` ends no sentence.
fn is_abbreviation(text: &str) -> bool {
    let start = text.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    let word = text.get(start..).unwrap_or(text).trim_start_matches(|letter: char| !letter.is_alphanumeric());
    let mut letters = word.chars();
    match (letters.next(), letters.next()) {
        (None, _) => false,
        // "J.", "e.g.", "3.", "12."
        (Some(first), None) => first.is_alphanumeric(),
        (Some(_), Some(second)) => {
            second == '.'
                || word.len() == 2 && word.bytes().all(|digit| digit.is_ascii_digit())
                || ABBREVIATIONS.iter().any(|known| known.eq_ignore_ascii_case(word))
        }
    }
}

/// Where the last whole word ends.
fn words(text: &str) -> Option<usize> {
    text.rfind(char::is_whitespace)
}

/// Where text without a space is cut.
fn unbroken(text: &str) -> usize {
    let last = text.char_indices().next_back().map_or(0, |(at, _)| at);
    let mut next = None;
    for (at, letter) in text.char_indices().rev() {
        if next.is_some_and(|next| !is_torn(letter, next)) {
            return at + letter.len_utf8();
        }
        if text.len() - at > TORN_MAX {
            break;
        }
        next = Some(letter);
    }
    last
}

/// Whether a cut between the two would tear what is read as one.
fn is_torn(letter: char, next: char) -> bool {
    let joins = |letter| matches!(letter, '\u{200d}' | '\u{1f1e6}'..='\u{1f1ff}');
    let marks = matches!(next, '\u{300}'..='\u{36f}' | '\u{900}'..='\u{dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}')
        || matches!(next, '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e01ef}');
    joins(letter) || joins(next) || marks
}
