//! Times as people say them: "yesterday", "two weeks ago", "last Friday", "in May", "on 7 May 2023", "the week before 9 June".
//! English words only. What cannot be understood is no time; nothing here fails.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};

use crate::words::Word;

mod date;
mod relative;

pub(crate) use date::month_of;

/// Words of a text that are looked at, from the beginning.
const WORDS_MAX: usize = 2_048;
/// Times of a text that are kept.
const TIMES_MAX: usize = 32;

/// A stretch of time that a text names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its beginning, ms since 1970.
    pub from_ms: i64,
    /// Its end, ms since 1970; not part of it.
    pub to_ms: i64,
    /// The words that name it, small.
    pub said: String,
}

impl Window {
    /// Whether a moment, ms since 1970, lies in it.
    #[must_use]
    pub const fn contains(&self, at_ms: i64) -> bool {
        self.from_ms <= at_ms && at_ms < self.to_ms
    }

    /// Whether the two have a moment in common.
    #[must_use]
    pub const fn meets(&self, other: &Self) -> bool {
        self.from_ms < other.to_ms && other.from_ms < self.to_ms
    }
}

/// Which way a time without a year, or a weekday, points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lean {
    /// Questions ask for what has been.
    Past,
    /// Notes remind of what will be.
    Future,
}

/// From when a text speaks.
#[derive(Clone, Copy, Debug)]
pub struct Clock<'a> {
    /// When it was said.
    pub now: Timestamp,
    /// Where: what "today" is.
    pub zone: &'a TimeZone,
    /// Which way it looks.
    pub lean: Lean,
}

/// Days, the last one not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Days {
    from: Date,
    to: Date,
}

impl Days {
    fn one(day: Date) -> Option<Self> {
        Self::starting(day, 1.day())
    }

    fn starting(from: Date, span: Span) -> Option<Self> {
        Some(Self { from, to: from.checked_add(span).ok()? })
    }
}

/// All times that a text names, in order; at most 32.
#[must_use]
pub fn windows(words: &[Word], clock: Clock<'_>) -> Vec<Window> {
    let words: Vec<&str> = words.iter().take(WORDS_MAX).map(|word| word.text.as_str()).collect();
    let today = clock.now.to_zoned(clock.zone.clone()).date();
    let mut found = Vec::new();
    let mut at = 0;
    while at < words.len() && found.len() < TIMES_MAX {
        let Some((length, days)) = time_at(&words, at, today, clock.lean) else {
            at += 1;
            continue;
        };
        found.extend(window(days, clock.zone, words[at..at + length].join(" ")));
        at += length;
    }
    found
}

fn window(days: Days, zone: &TimeZone, said: String) -> Option<Window> {
    let start = |date: Date| date.to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp().as_millisecond());
    Some(Window { from_ms: start(days.from)?, to_ms: start(days.to)?, said })
}

/// How many words from `at` name a time, and which.
fn time_at(words: &[&str], at: usize, today: Date, lean: Lean) -> Option<(usize, Days)> {
    before_date(words, at, today, lean)
        .or_else(|| date::date_at(words, at, today, lean))
        .or_else(|| relative::relative_at(words, at, today, lean))
}

/// "The week before 9 June 2023", "last weekend before April 10", "two weeks before August 11".
fn before_date(words: &[&str], at: usize, today: Date, lean: Lean) -> Option<(usize, Days)> {
    let skip = usize::from(matches!(words[at], "last" | "the"));
    let (length, number, span) = relative::amount_before(words, at + skip)?;
    let length = skip + length;
    let (date, days) = date::date_at(words, at + length, today, lean)?;
    let from = days.from.checked_sub(span).ok()?;
    // "Two weeks before" is around that day; "the week before" is all the time from there on.
    let to = if number > 1 { from.checked_add(1.week()).ok()?.min(days.from) } else { days.from };
    Some((length + date, Days { from, to }))
}

/// Whether a text says when something is, was or will be.
#[must_use]
pub fn says_when(words: &[Word]) -> bool {
    let at = |at: usize| words.get(at).map_or("", |word| word.text.as_str());
    (0..words.len()).any(|i| match at(i) {
        "yesterday" | "today" | "tonight" | "tomorrow" | "ago" | "weekend" | "week" | "month" | "year"
        | "years" | "recently" | "just" | "since" | "soon" => true,
        "night" | "morning" | "summer" | "winter" | "spring" | "fall" | "autumn" => {
            i > 0 && matches!(at(i - 1), "last" | "this" | "next")
        }
        "may" | "march" => i > 0 && date::leads_to_month(at(i - 1)),
        word => weekday_of(word).is_some() || month_of(word).is_some() || date::year_of(word).is_some(),
    })
}

/// Whether a question asks for a time.
#[must_use]
pub fn asks_when(words: &[Word]) -> bool {
    let at = |at: usize| words.get(at).map_or("", |word| word.text.as_str());
    (0..words.len()).any(|i| match at(i) {
        "when" => true,
        "what" | "which" => matches!(at(i + 1), "day" | "date" | "month" | "year" | "time" | "week"),
        "how" => {
            at(i + 1) == "long"
                || (at(i + 1) == "many" && matches!(at(i + 2), "days" | "weeks" | "months" | "years"))
        }
        _ => false,
    })
}

pub(crate) fn weekday_of(word: &str) -> Option<Weekday> {
    Some(match word {
        "monday" | "mondays" => Weekday::Monday,
        "tuesday" | "tuesdays" => Weekday::Tuesday,
        "wednesday" | "wednesdays" => Weekday::Wednesday,
        "thursday" | "thursdays" => Weekday::Thursday,
        "friday" | "fridays" => Weekday::Friday,
        "saturday" | "saturdays" => Weekday::Saturday,
        "sunday" | "sundays" => Weekday::Sunday,
        _ => return None,
    })
}
