//! Which notes matter now: to what is being talked about, to the time, to the place; each with its reason. It decides only:
//! whoever brings a note up writes down that it did, so that it is not brought up again within the hour.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::words::{content_stems, cut, words};

mod due;

/// What of a note and of the talk is looked at, bytes.
const TEXT_BYTES_MAX: usize = 4 * 1024;
/// How many words in common make the most of it.
const COMMON_WORDS: usize = 3;
/// Likeness from which on a note belongs to the talk, and one that cannot be topped. Sentence embedders give unrelated
/// sentences up to 0.3.
const LIKENESS_MIN: f32 = 0.35;
const LIKENESS_MAX: f32 = 0.75;
/// Largest share of likeness, place and priority, beside 1 for words in common and for the time.
const LIKENESS: f32 = 0.8;
const PLACE: f32 = 0.8;
const PRIORITY: f32 = 0.3;
/// Priority from which on a note matters by itself.
const IMPORTANT: u8 = 80;
/// Share of a note that was never brought up, where nothing is known about the moment.
const FORGOTTEN: f32 = 0.1;
/// For how long a note that was brought up rests, and until when it is brought up less.
const REST: SignedDuration = SignedDuration::from_hours(1);
const LESS: SignedDuration = SignedDuration::from_hours(24);

/// The moment somebody asks in.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// What is being talked about; may be empty.
    pub about: &'a str,
    /// Where, in words; may be empty.
    pub place: &'a str,
    /// When.
    pub now: Timestamp,
    /// What "today" is there.
    pub zone: &'a TimeZone,
}

/// A note that might matter.
#[derive(Clone, Copy, Debug)]
pub struct NoteNow<'a> {
    /// What it says.
    pub content: &'a str,
    /// Its tags.
    pub tags: &'a [String],
    /// 0 ..= 100.
    pub priority: u8,
    /// When it was written: "tomorrow" in it is the day after.
    pub created_at: Timestamp,
    /// When it was last brought up.
    pub surfaced_at: Option<Timestamp>,
    /// Likeness to [`Moment::about`], -1 ..= 1, where both have a vector.
    pub cosine: Option<f32>,
}

/// A note that matters.
#[derive(Clone, Debug, PartialEq)]
pub struct Surfacing {
    /// Which of the notes given.
    pub index: usize,
    /// Only its order means something.
    pub score: f32,
    /// Why: one sentence.
    pub reason: String,
}

/// The notes that matter, most first, at most `limit`. None where none does.
#[must_use]
pub fn surface(moment: &Moment<'_>, notes: &[NoteNow<'_>], limit: usize) -> Vec<Surfacing> {
    let about = content_stems(cut(moment.about, TEXT_BYTES_MAX));
    let place = content_stems(cut(moment.place, TEXT_BYTES_MAX));
    let mut found: Vec<Surfacing> = notes
        .iter()
        .enumerate()
        .filter_map(|(index, note)| {
            let (score, reason) = judge(moment, &about, &place, note)?;
            Some(Surfacing { index, score, reason })
        })
        .collect();
    found.sort_by(|a, b| {
        let (left, right) = (&notes[a.index], &notes[b.index]);
        b.score
            .total_cmp(&a.score)
            .then(right.priority.cmp(&left.priority))
            .then(right.created_at.cmp(&left.created_at))
    });
    found.truncate(limit);
    found
}

/// Score and reason of one note, `None` where nothing speaks for it.
fn judge(
    moment: &Moment<'_>,
    about: &[String],
    place: &[String],
    note: &NoteNow<'_>,
) -> Option<(f32, String)> {
    let freshness = freshness(moment.now, note.surfaced_at)?;
    let content = cut(note.content, TEXT_BYTES_MAX);
    let mut stems = content_stems(content);
    stems.extend(note.tags.iter().flat_map(|tag| content_stems(tag)));
    let mut score = 0.0;
    let mut reasons = Vec::new();
    if let Some((share, reason)) = talk(moment, about, &stems, note.cosine) {
        score += share;
        reasons.push(reason);
    }
    if let Some((share, reason)) = due::due(moment, &words(content), note.created_at) {
        score += share;
        reasons.push(reason);
    }
    if place.iter().any(|stem| stems.contains(stem)) {
        score += PLACE;
        reasons.push(format!("has to do with this place (“{}”)", cut(moment.place.trim(), 60)));
    }
    if note.priority >= IMPORTANT {
        reasons.push(format!("is important (priority {})", note.priority));
    }
    if about.is_empty() && place.is_empty() && note.surfaced_at.is_none() {
        score += FORGOTTEN;
        if reasons.is_empty() {
            reasons.push("has not been brought up yet".to_owned());
        }
    }
    if reasons.is_empty() {
        return None;
    }
    score += PRIORITY * f32::from(note.priority.min(100)) / 100.0;
    Some((score * freshness, format!("It {}.", listed(&reasons))))
}

/// 1 for a note that rested, less for one brought up today, `None` within the hour.
fn freshness(now: Timestamp, surfaced_at: Option<Timestamp>) -> Option<f32> {
    let Some(at) = surfaced_at else { return Some(1.0) };
    let age = now.duration_since(at);
    if age.is_negative() || age >= LESS {
        // A time still to come was written by a clock that was wrong.
        return Some(1.0);
    }
    (age >= REST).then(|| age.as_secs_f32() / LESS.as_secs_f32())
}

/// How much a note has to do with what is talked about: by its words, or by its meaning.
fn talk(
    moment: &Moment<'_>,
    about: &[String],
    stems: &[String],
    cosine: Option<f32>,
) -> Option<(f32, String)> {
    let common: Vec<&String> = about.iter().filter(|stem| stems.contains(stem)).collect();
    let by_words = common.len().min(COMMON_WORDS) as f32 / about.len().clamp(1, COMMON_WORDS) as f32;
    let likeness = cosine.filter(|cosine| cosine.is_finite() && !about.is_empty()).unwrap_or(0.0);
    let by_likeness = if likeness < LIKENESS_MIN {
        0.0
    } else {
        LIKENESS * ((likeness - LIKENESS_MIN) / (LIKENESS_MAX - LIKENESS_MIN)).clamp(0.1, 1.0)
    };
    if !common.is_empty() {
        let said = words(cut(moment.about, TEXT_BYTES_MAX));
        let spelt = common.iter().take(COMMON_WORDS).filter_map(|stem| {
            said.iter()
                .find(|word| crate::stem::stem(&word.text) == **stem)
                .map(|word| format!("“{}”", cut(&word.text, 40)))
        });
        let spelt: Vec<String> = spelt.collect();
        return Some((
            by_words.max(by_likeness),
            format!("fits what is being talked about ({})", spelt.join(", ")),
        ));
    }
    (by_likeness > 0.0).then(|| (by_likeness, "is close in meaning to what is being talked about".to_owned()))
}

fn listed(reasons: &[String]) -> String {
    match reasons {
        [reasons @ .., last] if !reasons.is_empty() => format!("{} and {last}", reasons.join(", ")),
        _ => reasons.concat(),
    }
}
