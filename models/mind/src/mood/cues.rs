//! What points to a mood: short patterns of word classes, each with the words that tell why. A pattern says how one speaks
//! of a thing; whether it was meant is for `scope` to say.

use std::ops::RangeInclusive;

use super::sentence::{Places, Said, Token};
use Slot::{Across, Any, End, Is, Last, Maybe, More, Name, Start, Sum};

mod affection;
mod business;
mod creative;
mod discovery;
mod game;
mod gladness;
mod insight;
mod learning;
mod money;
mod payment;
mod praise;
mod trade;
mod works;

/// What was talked about, the most telling first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    /// Affection to Robbie.
    Affection,
    /// Revenue, a deal, a customer.
    Money,
    /// Creative work and games.
    Creative,
    /// Something learned or discovered.
    Learning,
}

impl Topic {
    pub(super) const ALL: [Self; 4] = [Self::Affection, Self::Money, Self::Creative, Self::Learning];

    pub(super) fn cues(self) -> impl Iterator<Item = &'static Cue> {
        let cues: &[&[Cue]] = match self {
            Self::Affection => &[affection::CUES, praise::CUES, gladness::CUES],
            Self::Money => &[money::CUES, payment::CUES, business::CUES, trade::CUES],
            Self::Creative => &[creative::CUES, works::CUES, game::CUES],
            Self::Learning => &[learning::CUES, discovery::CUES, insight::CUES],
        };
        cues.iter().copied().flatten()
    }
}

/// Words as said, or their stems, in a row.
pub(super) type Words = &'static str;

/// One place in a pattern.
#[derive(Clone, Copy, Debug)]
pub(super) enum Slot {
    /// The clause begins here, but for words that only lead to it.
    Start,
    /// The clause ends here.
    End,
    /// All that was said ends here.
    Last,
    /// So many more words of the clause follow.
    More(usize),
    /// One of these words.
    Is(Words),
    /// Some of these words, up to [`MAYBE_MAX`].
    Maybe(Words),
    /// Up to so many other words.
    Any(usize),
    /// The same, and the clause may end between them.
    Across(usize),
    /// A name.
    Name,
    /// An amount of money.
    Sum,
}

/// Who must have done it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doer {
    /// The speaker, alone or with others; nobody named is the speaker.
    Speaker,
    /// The speaker, or Robbie where he is asked to.
    Together,
    /// Anybody but the speaker.
    Others,
    /// It does not matter, or the pattern says it.
    Anybody,
}

/// Whether it must be so already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tense {
    /// It is so, or was.
    Done,
    /// It counts as well when it is wanted, asked for or about to be.
    Ahead,
}

/// A pattern and what it stands for.
#[derive(Debug)]
pub(super) struct Cue {
    pub(super) doer: Doer,
    pub(super) tense: Tense,
    pub(super) slots: &'static [Slot],
    /// Words that give it another sense: in it, or one of the two behind it.
    pub(super) unless: Words,
    /// What was said, as in "you said that ...".
    pub(super) tells: &'static str,
}

const fn cue(doer: Doer, tells: &'static str, slots: &'static [Slot], unless: Words) -> Cue {
    Cue { doer, tense: Tense::Done, slots, unless, tells }
}

const fn ahead(doer: Doer, tells: &'static str, slots: &'static [Slot], unless: Words) -> Cue {
    Cue { doer, tense: Tense::Ahead, slots, unless, tells }
}

/// A cue in a clause.
#[derive(Debug)]
pub(super) struct Found {
    /// The words from its first to its last.
    pub(super) start: usize,
    pub(super) end: usize,
    /// Those of them that the pattern leaves open.
    pub(super) open: Vec<usize>,
}

/// Most words that [`Slot::Maybe`] passes.
const MAYBE_MAX: usize = 6;
/// Words behind a cue that may give it another sense.
const TAIL_WORDS: usize = 2;

/// Where the cue stands in what was said, every place, with its clause.
pub(super) fn find(cue: &Cue, said: &Said<'_>) -> Vec<(usize, Found)> {
    let Some(fit) = Fit::of(cue, said) else { return Vec::new() };
    let unless = said.places(cue.unless);
    let mut all = Vec::new();
    for (clause, at) in said.clauses.iter().map(|clause| &clause.at).enumerate() {
        for start in at.clone() {
            let mut open = Vec::new();
            let limits = Limits { clause, end: at.end };
            let Some(end) = fit.follow(0, start, limits, &mut open).filter(|end| *end > start) else {
                continue;
            };
            let tail = (end + TAIL_WORDS).min(at.end).max(end);
            if !(start..tail).any(|word| unless.has(word)) {
                all.push((clause, Found { start, end, open }));
            }
        }
    }
    all
}

/// How far a pattern may go.
#[derive(Clone, Copy)]
struct Limits {
    clause: usize,
    end: usize,
}

/// A pattern laid on what was said: for each of its slots the places of its words.
struct Fit<'a> {
    said: &'a Said<'a>,
    slots: &'static [Slot],
    places: Vec<Places>,
}

impl<'a> Fit<'a> {
    /// `None`: a word that the pattern needs was not said.
    fn of(cue: &Cue, said: &'a Said<'a>) -> Option<Self> {
        let mut places = Vec::with_capacity(cue.slots.len());
        for slot in cue.slots {
            let here = match *slot {
                Is(words) => Some(said.places(words)).filter(|places| !places.is_empty())?,
                Maybe(words) => said.places(words),
                _ => Places::default(),
            };
            places.push(here);
        }
        Some(Self { said, slots: cue.slots, places })
    }

    /// The place behind the pattern, if it fits from `at` on.
    fn follow(&self, slot: usize, at: usize, limits: Limits, open: &mut Vec<usize>) -> Option<usize> {
        let Some(this) = self.slots.get(slot) else { return Some(at) };
        let is_word = at < limits.end;
        let mut rest = |at, limits| self.follow(slot + 1, at, limits, open);
        match *this {
            Start => (at <= self.said.clauses[limits.clause].first).then(|| rest(at, limits)).flatten(),
            End => (at == limits.end).then(|| rest(at, limits)).flatten(),
            Last => (at == self.said.tokens.len()).then_some(at),
            More(words) => (at + words <= limits.end).then(|| rest(at, limits)).flatten(),
            Is(_) => (is_word && self.places[slot].has(at)).then(|| rest(at + 1, limits)).flatten(),
            Name => (is_word && self.said.tokens[at].is_name).then(|| rest(at + 1, limits)).flatten(),
            Sum => rest(at + sum(self.said, at, limits.end)?, limits),
            Maybe(_) => {
                let run =
                    (at..limits.end).take(MAYBE_MAX).take_while(|word| self.places[slot].has(*word)).count();
                (0..=run).find_map(|more| rest(at + more, limits))
            }
            Any(most) => self.skip(slot, at, at..=(at + most).min(limits.end), limits, open),
            Across(most) => {
                // Further ones stand behind more words than may be passed.
                (limits.clause..self.said.clauses.len())
                    .take_while(|clause| self.said.clauses[*clause].at.start <= at + most)
                    .find_map(|clause| {
                        let here = &self.said.clauses[clause].at;
                        let behind = here.start.max(at)..=(at + most).min(here.end);
                        self.skip(slot, at, behind, Limits { clause, end: here.end }, open)
                    })
            }
        }
    }

    /// Goes on behind some words that the pattern leaves open.
    fn skip(
        &self,
        slot: usize,
        at: usize,
        mut behind: RangeInclusive<usize>,
        limits: Limits,
        open: &mut Vec<usize>,
    ) -> Option<usize> {
        let kept = open.len();
        behind.find_map(|behind| {
            open.extend(at..behind);
            let end = self.follow(slot + 1, behind, limits, open);
            if end.is_none() {
                open.truncate(kept);
            }
            end
        })
    }
}

const NUMBERS: Words = "a couple dozen eight eighty eleven few fifteen fifty five forty four half \
    hundred hundreds nine ninety of one seven seventy six sixty some ten thirty \
    three twelve twenty two and over about almost nearly another around first \
    the my our his her its";
const LARGE: Words = "grand k million millions thousand thousands";
const CURRENCY: Words = "bucks buck cent cents chf dollar eur euro francs gbp kroner kronor pence \
    pound quid rupees usd yen zloty cash money profit fortune crowns lira pesos";

/// How many words from `at` on make an amount of money: "four thousand", "85 bucks", "€300", "2k".
fn sum(said: &Said<'_>, at: usize, end: usize) -> Option<usize> {
    let window = &said.tokens[at..end.min(at + 6)];
    let count = window
        .iter()
        .take_while(|token| {
            token.is_number() || token.is(NUMBERS) || token.is(LARGE) || token.is("good nice cool whole")
        })
        .count();
    let amounts = &window[..count];
    let is_written = amounts.iter().any(|token| is_priced(said.text, token));
    // "A thousand cupcakes" are no money: a large number must stand alone.
    let is_large = amounts.last().is_some_and(|token| token.is(LARGE))
        && window.get(count).is_none_or(|next| !next.text.ends_with('s') || next.is("this"));
    let has_currency = window.get(count).is_some_and(|token| token.is(CURRENCY));
    if has_currency {
        return Some(count + 1);
    }
    (is_written || is_large).then_some(count)
}

/// "€300", "300€", "$2.5k", "2k".
fn is_priced(text: &str, token: &Token) -> bool {
    const SIGNS: [char; 4] = ['€', '$', '£', '¥'];
    let before = text[..token.at.start].trim_end().ends_with(SIGNS);
    let behind = text[token.at.end..].trim_start().starts_with(SIGNS);
    let glued = ["k", "eur", "euro", "euros", "usd", "gbp"].iter().any(|unit| {
        token
            .text
            .strip_suffix(unit)
            .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
    });
    token.is_number() && (before || behind || glued)
}
