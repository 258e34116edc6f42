//! Joins what a tier says to what another one had said before it broke: what it repeats is left out, and the white space
//! between the two is right. It works on a stream, and holds back only what may still turn out to be a repetition.

use crate::tier::Finish;

/// A repetition of the end is at least that long, or of that many words: less is chance. Bytes.
const REPEATED_MIN: usize = 12;
const REPEATED_WORDS_MIN: usize = 2;
/// Beginnings of words, from the end, where a repetition may begin; the beginning of all that was said is one, too.
const STARTS_MAX: usize = 256;
/// White space that comes on top of what was said before nothing more is held back.
const SPACE_MAX: usize = 4096;

/// What comes behind what was said.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Joined {
    /// White space before `text`.
    pub(super) lead: String,
    /// Begins with a letter.
    pub(super) text: String,
}

/// The joint between what was said and what comes.
#[derive(Debug)]
pub(super) struct Joint {
    /// What came and is undecided.
    text: String,
    /// White space that is known to have stood behind what was said.
    gap: String,
    compared: Compared,
}

#[derive(Debug)]
enum Compared {
    /// `text` may still become a repetition of what was said from one of these places on.
    Open { starts: Vec<Start>, whole: Vec<Whole> },
    /// Decided; `text` has no letter so far.
    Done { is_repeated: bool },
}

/// A place in what was said from which `text` has repeated it so far.
#[derive(Debug)]
struct Start {
    at: usize,
    next: usize,
}

/// A place in what was said that `text` has repeated up to the end.
#[derive(Debug)]
struct Whole {
    at: usize,
    /// Where the repetition ends in `text`.
    end: usize,
}

impl Joint {
    pub(super) fn new(said: &str, gap: String) -> Self {
        let starts = starts(said).map(|at| Start { at, next: at }).collect();
        Self { text: String::new(), gap, compared: Compared::Open { starts, whole: Vec::new() } }
    }

    /// Takes a piece in. Once it is decided what comes behind what was said, the joint is done.
    pub(super) fn push(&mut self, said: &str, piece: &str) -> Option<Joined> {
        let begin = self.text.len();
        self.text.push_str(piece);
        self.compare(said, begin);
        if self.text.len() > said.len() + piece.len() + SPACE_MAX {
            self.decide(said, Until::End);
        }
        self.decide(said, Until::Now);
        self.joined()
    }

    /// Nothing more comes: the answer is complete, or as long as it might be.
    pub(super) fn finish(&mut self, said: &str, finish: Finish) -> Option<Joined> {
        self.decide(said, if finish == Finish::Length { Until::Length } else { Until::End });
        self.joined()
    }

    fn compare(&mut self, said: &str, begin: usize) {
        let Compared::Open { starts, whole } = &mut self.compared else { return };
        for (at, letter) in self.text[begin..].char_indices() {
            if letter.is_whitespace() {
                continue;
            }
            if starts.is_empty() {
                return;
            }
            starts.retain_mut(|start| {
                let rest = said[start.next..].trim_start();
                start.next = said.len() - rest.len() + letter.len_utf8();
                rest.starts_with(letter)
            });
            let end = begin + at + letter.len_utf8();
            whole.extend(
                starts
                    .iter()
                    .filter(|start| start.next == said.len())
                    .map(|start| Whole { at: start.at, end }),
            );
            starts.retain(|start| start.next < said.len());
        }
    }

    fn decide(&mut self, said: &str, until: Until) {
        let Compared::Open { starts, whole } = &self.compared else { return };
        if until == Until::Now && !starts.is_empty() {
            return;
        }
        let mut repeated = None;
        // The longest first: it ended last.
        for one in whole.iter().rev().filter(|one| counts(said, one.at)) {
            let last = said.chars().next_back();
            match self.text[one.end..].chars().next() {
                None if until == Until::Now => return,
                // A word goes on behind the end: another word. But what was cut inside a word goes on like that.
                Some(next) if !self.gap.is_empty() && !is_start(last, next) => {}
                _ => {
                    repeated = Some(one.end);
                    break;
                }
            }
        }
        // It ended in the middle of a repetition: that is no news, if it is long enough to be one, or would have gone on.
        let is_part =
            repeated.is_none() && !starts.is_empty() && (is_long(&self.text) || until == Until::Length);
        let end = if is_part { Some(self.text.len()) } else { repeated };
        self.text.drain(..end.unwrap_or(0));
        self.compared = Compared::Done { is_repeated: end.is_some() };
    }

    fn joined(&mut self) -> Option<Joined> {
        let Compared::Done { is_repeated } = self.compared else { return None };
        let text = self.text.trim_start();
        let first = text.chars().next()?;
        let own = &self.text[..self.text.len() - text.len()];
        let lead = match (is_repeated, own.is_empty(), self.gap.is_empty()) {
            // Who repeats what stands before it knows what comes between.
            (true, true, _) | (false, true, true) => "",
            (false, ..) if is_punctuation(first) && !self.gap.contains('\n') => "",
            // Who broke may have broken in the middle of it.
            (_, false, false) if own.starts_with(&self.gap) => own,
            (_, _, false) => &self.gap,
            (true, false, true) => own,
            (false, false, true) => " ",
        };
        let (lead, text) = (lead.to_owned(), text.to_owned());
        self.text = String::new();
        Some(Joined { lead, text })
    }
}

/// Whether more may come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    Now,
    End,
    Length,
}

/// Where a repetition may begin, in the order of the text.
fn starts(said: &str) -> impl Iterator<Item = usize> {
    let before = said.chars().rev().skip(1).map(Some).chain([None]);
    let mut starts: Vec<usize> = said
        .char_indices()
        .rev()
        .zip(before)
        .filter(|((at, letter), before)| *at > 0 && !letter.is_whitespace() && is_start(*before, *letter))
        .map(|((at, _), _)| at)
        .take(STARTS_MAX)
        .collect();
    starts.push(said.len() - said.trim_start().len());
    starts.into_iter().rev()
}

/// Whether a word may begin with `letter` behind `before`.
fn is_start(before: Option<char>, letter: char) -> bool {
    before.is_none_or(|before| !before.is_alphanumeric() || is_ideograph(before))
        || !letter.is_alphanumeric()
        || is_ideograph(letter)
}

/// Letters of writings that put no space between words.
const fn is_ideograph(letter: char) -> bool {
    letter as u32 >= 0x2e80 || matches!(letter, '\u{e00}'..='\u{eff}')
}

/// Whether to say again what was said from `at` on is more than chance. All of it always is.
fn counts(said: &str, at: usize) -> bool {
    said[..at].trim_start().is_empty() || is_long(&said[at..])
}

fn is_long(text: &str) -> bool {
    text.trim().len() >= REPEATED_MIN || text.split_whitespace().count() >= REPEATED_WORDS_MIN
}

/// What no space stands before.
const fn is_punctuation(letter: char) -> bool {
    matches!(
        letter,
        '.' | ','
            | ';'
            | ':'
            | '!'
            | '?'
            | '…'
            | ')'
            | ']'
            | '}'
            | '”'
            | '»'
            | '。'
            | '，'
            | '、'
            | '！'
            | '？'
    )
}
