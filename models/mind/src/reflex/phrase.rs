//! Matches fixed phrases at the beginning of tokens. It understands none of them.
//!
//! Phrases are written `one phrase; another|other phrase`: `;` parts them, `a|b` is one of two words, and a `?` makes the word
//! before it optional. Lists of single words have blanks between them.

use std::collections::HashMap;

use super::token::Token;

/// Many phrases by the words that they can begin with, because a long list is looked into at every word.
pub(super) struct Table(HashMap<&'static str, Vec<&'static str>>);

impl Table {
    pub(super) fn new(phrases: &'static str) -> Self {
        let mut by_first: HashMap<&str, Vec<&str>> = HashMap::new();
        for phrase in phrases.split(';') {
            for part in phrase.split_ascii_whitespace() {
                let (words, is_optional) =
                    part.strip_suffix('?').map_or((part, false), |words| (words, true));
                words.split('|').for_each(|word| by_first.entry(word).or_default().push(phrase));
                if !is_optional {
                    break;
                }
            }
        }
        Self(by_first)
    }

    /// The longest of the phrases that stands at the beginning.
    pub(super) fn longest(&self, tokens: &[Token]) -> Option<usize> {
        self.beginning(tokens).filter_map(|phrase| match_at(tokens, phrase)).max()
    }

    /// Whether the tokens are one of the phrases and nothing more.
    pub(super) fn is_whole(&self, tokens: &[Token]) -> bool {
        self.beginning(tokens).any(|phrase| match_at(tokens, phrase) == Some(tokens.len()))
    }

    fn beginning(&self, tokens: &[Token]) -> impl Iterator<Item = &'static str> {
        let first = tokens.first().and_then(|first| self.0.get(first.text.as_str()));
        first.into_iter().flatten().copied()
    }
}

/// How many tokens the phrase takes at the beginning, if it stands there.
pub(super) fn match_at(tokens: &[Token], phrase: &str) -> Option<usize> {
    let mut at = 0;
    for part in phrase.split_ascii_whitespace() {
        let (words, is_optional) = part.strip_suffix('?').map_or((part, false), |words| (words, true));
        let is_here = tokens.get(at).is_some_and(|token| words.split('|').any(|word| token.is(word)));
        match (is_here, is_optional) {
            (true, _) => at += 1,
            (false, true) => {}
            (false, false) => return None,
        }
    }
    (at > 0).then_some(at)
}

/// The longest of the phrases that stands at the beginning.
pub(super) fn longest(tokens: &[Token], phrases: &str) -> Option<usize> {
    if tokens.is_empty() {
        return None;
    }
    phrases.split(';').filter_map(|phrase| match_at(tokens, phrase)).max()
}

/// Whether one of the phrases stands at the beginning.
pub(super) fn starts(tokens: &[Token], phrases: &str) -> bool {
    longest(tokens, phrases).is_some()
}

/// Whether the tokens are one of the phrases and nothing more.
pub(super) fn is_whole(tokens: &[Token], phrases: &str) -> bool {
    !tokens.is_empty() && phrases.split(';').any(|phrase| match_at(tokens, phrase) == Some(tokens.len()))
}

/// Whether one of the phrases stands anywhere.
pub(super) fn anywhere(tokens: &[Token], phrases: &str) -> bool {
    (0..tokens.len()).any(|at| starts(&tokens[at..], phrases))
}

/// Whether one of the words stands anywhere.
pub(super) fn has(tokens: &[Token], words: &str) -> bool {
    tokens.iter().any(|token| token.is_any(words))
}

/// Whether a word is one of the words.
pub(super) fn is_one_of(word: &str, words: &str) -> bool {
    words.split_ascii_whitespace().any(|one| one == word)
}
