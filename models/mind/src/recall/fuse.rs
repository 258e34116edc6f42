//! Puts candidates in order: each signal gives a share, the score is their sum.
//!
//! Meaning and words are divided by the best of their list, so that neither unit matters, and so that one more candidate that
//! is no better than the best leaves the order of the others as it was. A score never becomes anything but a finite number.

use std::collections::HashMap;

use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::memory::Signal;
use jiff::Timestamp;

use super::question::{Asked, Question};
use super::{Evidence, Ranked, why};
use crate::stem::stem;
use crate::time::{Clock, Lean, Window, says_when, windows};
use crate::words::words;

/// How long after a time people still tell what was then, ms: a week, for half the share.
const TOLD_LATER_MS: i64 = 7 * 24 * 3600 * 1000;

/// Shares of one candidate.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shares {
    pub(super) meaning: f32,
    pub(super) words: f32,
    pub(super) speaker: f32,
    pub(super) time: f32,
    pub(super) context: f32,
    pub(super) neighbour: f32,
}

impl Shares {
    /// Named, in a fixed order.
    pub(super) const fn named(self) -> [(&'static str, f32); 6] {
        [
            ("meaning", self.meaning),
            ("words", self.words),
            ("speaker", self.speaker),
            ("time", self.time),
            ("context", self.context),
            ("neighbour", self.neighbour),
        ]
    }

    fn score(self) -> f32 {
        self.named().iter().map(|(_, share)| share).sum()
    }

    /// What a turn says by itself, whoever said it and whenever.
    fn said(self) -> f32 {
        self.meaning + self.words + self.context
    }
}

/// The best `limit` rows, best first; equal ones in the order they were given.
///
/// Numbers that are not finite count as missing. Rows of one conversation with ordinals that follow each other are
/// neighbours: give those of the best candidates too, so that they can be lifted.
#[must_use]
pub fn rank(question: &Question, evidence: &[Evidence<'_>], limit: usize) -> Vec<Ranked> {
    let weights = &question.weights;
    let plain = plain_shares(question, evidence);
    let places: HashMap<(RowId, u32), usize> =
        evidence.iter().enumerate().filter_map(|(index, row)| Some((place(row)?, index))).collect();
    let mut scored: Vec<(usize, Shares, Option<usize>)> = Vec::with_capacity(evidence.len());
    for (index, row) in evidence.iter().enumerate() {
        let before = place(row).and_then(|(whose, at)| places.get(&(whose, at.checked_sub(1)?))).copied();
        let mut shares = plain[index];
        let kept = 1.0 - weights.asking * asking_part(row.text);
        shares.meaning *= kept;
        shares.words *= kept;
        shares.context *= kept;
        shares.speaker = if is_by_named(question, row) { weights.speaker } else { 0.0 };
        shares.time = weights.time * time_part(question, row);
        shares.neighbour = before.map_or(0.0, |before| weights.neighbour * plain[before].said());
        scored.push((index, shares, before));
    }
    scored.sort_by(|a, b| b.1.score().total_cmp(&a.1.score()));
    scored.truncate(limit);
    scored
        .into_iter()
        .map(|(index, shares, before)| Ranked {
            index,
            score: shares.score(),
            signals: signals(shares),
            why: why::why(question, &evidence[index], before.map(|before| &evidence[before]), shares),
        })
        .collect()
}

fn place(row: &Evidence<'_>) -> Option<(RowId, u32)> {
    Some((row.conversation?, row.ordinal?))
}

/// Meaning, words and context, before anything about the rows around them is known.
fn plain_shares(question: &Question, evidence: &[Evidence<'_>]) -> Vec<Shares> {
    let usable = |value: Option<f32>| value.filter(|value| value.is_finite()).unwrap_or(0.0).max(0.0);
    let best =
        |of: fn(&Evidence<'_>) -> Option<f32>| evidence.iter().map(|row| usable(of(row))).fold(0.0, f32::max);
    let (best_cosine, best_bm25) = (best(|row| row.cosine), best(|row| row.bm25));
    let part = |value: Option<f32>, best: f32| if best > 0.0 { usable(value) / best } else { 0.0 };
    evidence
        .iter()
        .map(|row| {
            let said = question.weights.words * part(row.bm25, best_bm25);
            let (own, context) = split(question, row.text, said);
            let meaning = question.weights.meaning * part(row.cosine, best_cosine);
            Shares { meaning, words: own, context, ..Shares::default() }
        })
        .collect()
}

/// How much of what the word index gave goes to the question's own words, and how much to those of the turn before.
fn split(question: &Question, text: &str, said: f32) -> (f32, f32) {
    if question.context_stems.is_empty() || said == 0.0 {
        return (said, 0.0);
    }
    let stems: Vec<String> = words(text).iter().map(|word| stem(&word.text)).collect();
    let count = |wanted: &[String]| wanted.iter().filter(|stem| stems.contains(stem)).count() as f32;
    let (own, context) = (count(&question.stems), count(&question.context_stems));
    let all = own + context;
    if all == 0.0 { (said, 0.0) } else { (said * own / all, said * context / all) }
}

fn is_by_named(question: &Question, row: &Evidence<'_>) -> bool {
    row.speaker.is_some_and(|speaker| question.speakers.iter().any(|named| named == speaker))
}

/// 1 for a row of the time that is asked about, or, where a time is asked for, one that says a time; else less.
fn time_part(question: &Question, row: &Evidence<'_>) -> f32 {
    let Some(window) = &question.window else {
        let says = question.asked == Asked::When && says_when(&words(row.text));
        return if says { 1.0 } else { 0.0 };
    };
    if window.contains(row.at_ms) || speaks_of(question, window, row) {
        return 1.0;
    }
    let late_ms = row.at_ms.saturating_sub(window.to_ms);
    if (0..TOLD_LATER_MS).contains(&late_ms) { 0.5 } else { 0.0 }
}

/// Whether a row says a time that is the one asked about, counted from when it was said.
fn speaks_of(question: &Question, window: &Window, row: &Evidence<'_>) -> bool {
    let Ok(now) = Timestamp::from_millisecond(row.at_ms) else { return false };
    let clock = Clock { now, zone: &question.zone, lean: Lean::Past };
    windows(&words(row.text), clock).iter().any(|said| said.meets(window))
}

/// The part of a text's sentences that are questions, 0 ..= 1.
fn asking_part(text: &str) -> f32 {
    let (mut asking, mut all) = (0_u32, 0_u32);
    let mut is_inside = false;
    for letter in text.chars() {
        if matches!(letter, '.' | '!' | '?' | '…' | '。' | '？' | '！') {
            if is_inside {
                all += 1;
                asking += u32::from(matches!(letter, '?' | '？'));
            }
            is_inside = false;
        } else if !letter.is_whitespace() {
            is_inside = true;
        }
    }
    if all == 0 { 0.0 } else { asking as f32 / (all + u32::from(is_inside)) as f32 }
}

fn signals(shares: Shares) -> Vec<Signal> {
    let mut signals: Vec<Signal> = shares
        .named()
        .into_iter()
        .filter(|(_, share)| *share > 0.0)
        .map(|(name, share)| Signal { name: name.to_owned(), share })
        .collect();
    signals.sort_by(|a, b| b.share.total_cmp(&a.share));
    signals
}
