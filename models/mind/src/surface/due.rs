//! Whether the time that a note names is now: its days, its hour, and what comes back every day or week.

use jiff::Timestamp;

use super::Moment;
use crate::time::{Clock, Lean, Window, weekday_of, windows};
use crate::words::Word;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// A longer stretch, a month or a year, says little about today.
const LONG_MS: i64 = 8 * DAY_MS;
/// How long before and after its hour a note is due, minutes.
const AROUND_HOUR_MIN: i32 = 60;

/// Parts of the day, first and last hour.
const PARTS: [(&str, i8, i8); 8] = [
    ("breakfast", 6, 9),
    ("morning", 5, 11),
    ("noon", 11, 13),
    ("lunch", 11, 13),
    ("afternoon", 12, 17),
    ("dinner", 17, 20),
    ("evening", 17, 22),
    ("night", 20, 23),
];

/// How much the time speaks for a note, and why.
pub(super) fn due(moment: &Moment<'_>, words: &[Word], created_at: Timestamp) -> Option<(f32, String)> {
    let clock = Clock { now: created_at, zone: moment.zone, lean: Lean::Future };
    let named = windows(words, clock);
    let best = named.iter().filter_map(|window| by_day(window, moment.now.as_millisecond()));
    if let Some((share, reason)) = best.max_by(|a, b| a.0.total_cmp(&b.0)) {
        // The hour makes a note of today more pressing.
        let hour = if share >= 1.0 { by_hour(moment, words) } else { None };
        return Some(hour.map_or((share, reason), |(_, reason)| (1.2, reason)));
    }
    // A note for another day is not due, and one for another day of the week neither.
    if !named.is_empty() || words.iter().any(|word| weekday_of(&word.text).is_some()) {
        return by_weekday(moment, words).filter(|_| named.is_empty());
    }
    by_hour(moment, words).or_else(|| by_part(moment, words))
}

fn by_day(window: &Window, now_ms: i64) -> Option<(f32, String)> {
    let said = &window.said;
    let is_long = window.to_ms - window.from_ms > LONG_MS;
    if window.contains(now_ms) {
        let share = if is_long { 0.3 } else { 1.0 };
        return Some((share, format!("is for now (“{said}”)")));
    }
    if is_long {
        return None;
    }
    let ahead_ms = window.from_ms.saturating_sub(now_ms);
    if (0..=DAY_MS).contains(&ahead_ms) {
        return Some((0.7, format!("is for the next day (“{said}”)")));
    }
    let late_ms = now_ms.saturating_sub(window.to_ms);
    (0..DAY_MS).contains(&late_ms).then(|| (0.3, format!("was for the day before (“{said}”)")))
}

/// "Every Monday", "Mondays".
fn by_weekday(moment: &Moment<'_>, words: &[Word]) -> Option<(f32, String)> {
    let today = moment.now.to_zoned(moment.zone.clone()).weekday();
    let word = words.iter().find(|word| weekday_of(&word.text) == Some(today))?;
    Some((0.9, format!("is for this day of the week (“{}”)", word.text)))
}

/// "At 18:30", "at 6 pm", "6pm": the hour of the day, whatever the day.
fn by_hour(moment: &Moment<'_>, words: &[Word]) -> Option<(f32, String)> {
    let now = moment.now.to_zoned(moment.zone.clone());
    let now_min = i32::from(now.hour()) * 60 + i32::from(now.minute());
    let (minute, said) = (0..words.len()).find_map(|at| minute_at(words, at))?;
    let away = (now_min - minute).rem_euclid(24 * 60);
    let is_near = away.min(24 * 60 - away) <= AROUND_HOUR_MIN;
    is_near.then(|| (0.9, format!("is for this hour (“{said}”)")))
}

fn minute_at(words: &[Word], at: usize) -> Option<(i32, String)> {
    let word = |offset: usize| words.get(at + offset).map_or("", |word| word.text.as_str());
    let number = |word: &str, max: i32| {
        word.parse().ok().filter(|number| (0..=max).contains(number) && word.len() <= 2)
    };
    let half = |word: &str| match word {
        "am" => Some(0),
        "pm" => Some(12),
        _ => None,
    };
    let digits = word(0).trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    if let (Some(hour), Some(half)) = (number(digits, 12), half(&word(0)[digits.len()..])) {
        return Some(((hour % 12 + half) * 60, word(0).to_owned()));
    }
    let hour = number(word(0), 23)?;
    if let Some(half) = half(word(1)).filter(|_| hour <= 12) {
        return Some(((hour % 12 + half) * 60, format!("{hour} {}", word(1))));
    }
    let minute = number(word(1), 59)
        .filter(|_| word(1).len() == 2 && words[at + 1].at.start == words[at].at.end + 1)?;
    if let Some(half) = half(word(2)).filter(|_| hour <= 12) {
        return Some(((hour % 12 + half) * 60 + minute, format!("{hour}:{minute:02} {}", word(2))));
    }
    Some((hour * 60 + minute, format!("{hour}:{minute:02}")))
}

fn by_part(moment: &Moment<'_>, words: &[Word]) -> Option<(f32, String)> {
    let hour = moment.now.to_zoned(moment.zone.clone()).hour();
    let (part, ..) = PARTS.iter().find(|(part, first, last)| {
        (*first..=*last).contains(&hour) && words.iter().any(|word| word.text.trim_end_matches('s') == *part)
    })?;
    Some((0.5, format!("is for this time of day (“{part}”)")))
}
