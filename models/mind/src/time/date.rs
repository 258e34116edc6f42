//! Days, months and years of the calendar, as they are written.

use jiff::ToSpan;
use jiff::civil::Date;

use super::{Days, Lean};

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// The month that a word names, 1 ..= 12; three letters suffice, except where they are another word.
pub(crate) fn month_of(word: &str) -> Option<i8> {
    let at = MONTHS.iter().position(|month| {
        word == *month
            || (word.len() == 3 && month.starts_with(word) && word != "mar")
            || (word == "sept" && *month == "september")
    })?;
    i8::try_from(at + 1).ok()
}

pub(super) fn year_of(word: &str) -> Option<i16> {
    let year = word.parse().ok().filter(|_| word.len() == 4)?;
    (1900..2100).contains(&year).then_some(year)
}

/// Whether a month or a year is meant after this word, and not the verb or the number.
pub(super) fn leads_to_month(word: &str) -> bool {
    matches!(
        word,
        "in" | "since"
            | "during"
            | "of"
            | "by"
            | "last"
            | "next"
            | "this"
            | "until"
            | "before"
            | "early"
            | "late"
            | "mid"
    )
}

fn day_of(word: &str) -> Option<i8> {
    let digits = word.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let end = &word[digits.len()..];
    let day = digits.parse().ok().filter(|_| matches!(end, "" | "st" | "nd" | "rd" | "th"))?;
    (1..=31).contains(&day).then_some(day)
}

/// How many words from `at` name a day, a month or a year, and which.
pub(super) fn date_at(words: &[&str], at: usize, today: Date, lean: Lean) -> Option<(usize, Days)> {
    let word = |offset: usize| words.get(at + offset).copied().unwrap_or("");
    numbers(word(0), word(1), word(2))
        .or_else(|| day_month(word, today, lean))
        .or_else(|| month_day(word, today, lean))
        .or_else(|| month_alone(word, at.checked_sub(1).map_or("", |before| words[before]), today, lean))
        .or_else(|| year_alone(word(0), word(1)))
}

/// 2023-05-07.
fn numbers(year: &str, month: &str, day: &str) -> Option<(usize, Days)> {
    let month = month.parse().ok().filter(|_| month.len() == 2)?;
    let day = day.parse().ok().filter(|_| day.len() == 2)?;
    Some((3, Days::one(Date::new(year_of(year)?, month, day).ok()?)?))
}

/// "7 May 2023", "7th of May".
fn day_month<'a>(word: impl Fn(usize) -> &'a str, today: Date, lean: Lean) -> Option<(usize, Days)> {
    let day = day_of(word(0))?;
    let skip = usize::from(word(1) == "of");
    let month = month_of(word(1 + skip))?;
    day_in_year(day, month, year_of(word(2 + skip)), 2 + skip, today, lean)
}

/// "May 7, 2023", "May the 7th".
fn month_day<'a>(word: impl Fn(usize) -> &'a str, today: Date, lean: Lean) -> Option<(usize, Days)> {
    let month = month_of(word(0))?;
    let skip = usize::from(word(1) == "the");
    day_in_year(day_of(word(1 + skip))?, month, year_of(word(2 + skip)), 2 + skip, today, lean)
}

fn day_in_year(
    day: i8,
    month: i8,
    year: Option<i16>,
    length: usize,
    today: Date,
    lean: Lean,
) -> Option<(usize, Days)> {
    if let Some(year) = year {
        return Some((length + 1, Days::one(Date::new(year, month, day).ok()?)?));
    }
    // 29 February is not in every year: a few are tried.
    let years = (0..=8).map(|step| if lean == Lean::Past { -step } else { step });
    let mut dates = years.filter_map(|step| Date::new(today.year() + step, month, day).ok());
    let date = dates.find(|date| if lean == Lean::Past { *date <= today } else { *date >= today })?;
    Some((length, Days::one(date)?))
}

/// "May 2023", "in May".
fn month_alone<'a>(
    word: impl Fn(usize) -> &'a str,
    before: &str,
    today: Date,
    lean: Lean,
) -> Option<(usize, Days)> {
    let month = month_of(word(0))?;
    if let Some(year) = year_of(word(1)) {
        return Some((2, Days::starting(Date::new(year, month, 1).ok()?, 1.month())?));
    }
    let is_word = matches!(word(0), "may" | "march" | "sun" | "dec" | "jan" | "sep" | "oct");
    if is_word && !leads_to_month(before) {
        return None;
    }
    let this_year = Date::new(today.year(), month, 1).ok()?;
    let date = match lean {
        Lean::Past if this_year > today || (before == "last" && month == today.month()) => {
            this_year.checked_sub(1.year())
        }
        Lean::Future if month < today.month() || (before == "next" && month == today.month()) => {
            this_year.checked_add(1.year())
        }
        _ => Ok(this_year),
    };
    Some((1, Days::starting(date.ok()?, 1.month())?))
}

/// "In 2023".
fn year_alone(lead: &str, year: &str) -> Option<(usize, Days)> {
    if !leads_to_month(lead) {
        return None;
    }
    Some((2, Days::starting(Date::new(year_of(year)?, 1, 1).ok()?, 1.year())?))
}
