//! Times that are told from now: "yesterday", "two weeks ago", "last month", "on Friday", "in three days".

use jiff::civil::{Date, Weekday};
use jiff::{Span, ToSpan};

use super::{Days, Lean, weekday_of};

/// A unit of time as it is said.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Day,
    Week,
    Weekend,
    Month,
    Year,
}

/// How many words from `at` tell a time from today, and which.
pub(super) fn relative_at(words: &[&str], at: usize, today: Date, lean: Lean) -> Option<(usize, Days)> {
    let word = |offset: usize| words.get(at + offset).copied().unwrap_or("");
    let before = at.checked_sub(1).map_or("", |before| words[before]);
    named_day(word, today)
        .or_else(|| ago(word, today))
        .or_else(|| ahead(word, today))
        .or_else(|| last_or_next(word, today))
        .or_else(|| weekday(word(0), before, today, lean))
}

fn shifted(day: Date, days: i64) -> Option<Date> {
    day.checked_add(Span::new().try_days(days).ok()?).ok()
}

fn named_day<'a>(word: impl Fn(usize) -> &'a str, today: Date) -> Option<(usize, Days)> {
    let (length, days) = match (word(0), word(1), word(2)) {
        ("day", "before", "yesterday") => (3, -2),
        ("day", "after", "tomorrow") => (3, 2),
        ("last", "night", _) => (2, -1),
        ("this", "morning" | "afternoon" | "evening", _) => (2, 0),
        ("yesterday", ..) => (1, -1),
        ("today" | "tonight", ..) => (1, 0),
        ("tomorrow", ..) => (1, 1),
        _ => return None,
    };
    Some((length, Days::one(shifted(today, days)?)?))
}

fn number_of(word: &str) -> Option<i64> {
    const NUMBERS: [&str; 12] =
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    if matches!(word, "a" | "an") {
        return Some(1);
    }
    if let Some(at) = NUMBERS.iter().position(|number| *number == word) {
        return i64::try_from(at + 1).ok();
    }
    word.parse().ok().filter(|number| (1..=1000).contains(number))
}

/// A number of units and how many words say it: "two weeks", "a couple of days", "few months".
fn amount<'a>(word: impl Fn(usize) -> &'a str) -> Option<(usize, i64, Unit)> {
    let (length, number) = match (word(0), word(1), word(2)) {
        ("couple", "of", _) => (2, 2),
        ("a", "couple", "of") => (3, 2),
        ("few", ..) => (1, 3),
        ("a", "few", _) => (2, 3),
        (number, ..) => (1, number_of(number)?),
    };
    Some((length + 1, number, unit_of(word(length))?))
}

/// "Week before", "two weeks before": how many words, how many units, and how long that is.
pub(super) fn amount_before(words: &[&str], at: usize) -> Option<(usize, i64, Span)> {
    let word = |offset: usize| words.get(at + offset).copied().unwrap_or("");
    let (length, number, unit) = unit_of(word(0)).map(|unit| (1, 1, unit)).or_else(|| amount(word))?;
    (word(length) == "before").then_some((length + 1, number, span(number, unit)?))
}

fn unit_of(word: &str) -> Option<Unit> {
    Some(match word {
        "day" | "days" => Unit::Day,
        "week" | "weeks" => Unit::Week,
        "weekend" => Unit::Weekend,
        "month" | "months" => Unit::Month,
        "year" | "years" => Unit::Year,
        _ => return None,
    })
}

fn span(number: i64, unit: Unit) -> Option<Span> {
    let span = Span::new();
    match unit {
        Unit::Day => span.try_days(number),
        Unit::Week | Unit::Weekend => span.try_weeks(number),
        Unit::Month => span.try_months(number),
        Unit::Year => span.try_years(number),
    }
    .ok()
}

/// "Two weeks ago" is not to the day: half a unit before and after belong to it.
fn around(day: Date, unit: Unit) -> Option<Days> {
    let slack = match unit {
        Unit::Day => 0,
        Unit::Week | Unit::Weekend => 3,
        Unit::Month => 15,
        Unit::Year => 182,
    };
    Some(Days { from: shifted(day, -slack)?, to: shifted(day, slack + 1)? })
}

fn ago<'a>(word: impl Fn(usize) -> &'a str, today: Date) -> Option<(usize, Days)> {
    let (length, number, unit) = amount(&word)?;
    let days = around(today.checked_sub(span(number, unit)?).ok()?, unit)?;
    (word(length) == "ago").then_some((length + 1, days))
}

fn ahead<'a>(word: impl Fn(usize) -> &'a str, today: Date) -> Option<(usize, Days)> {
    if word(0) != "in" {
        return None;
    }
    let (length, number, unit) = amount(|offset| word(offset + 1))?;
    Some((length + 1, around(today.checked_add(span(number, unit)?).ok()?, unit)?))
}

/// "Last week", "this weekend", "next month", "the past three days", "last Friday".
fn last_or_next<'a>(word: impl Fn(usize) -> &'a str, today: Date) -> Option<(usize, Days)> {
    let step = match word(0) {
        "last" | "past" | "previous" => -1,
        "this" => 0,
        "next" | "coming" => 1,
        _ => return None,
    };
    if let Some(weekday) = weekday_of(word(1)) {
        let lean = if step < 0 { Lean::Past } else { Lean::Future };
        return Some((2, Days::one(nearest(weekday, today, lean)?)?));
    }
    if let Some(unit) = unit_of(word(1)) {
        return Some((2, whole(unit, step, today)?));
    }
    let (length, number, unit) = amount(|offset| word(offset + 1)).filter(|_| step != 0)?;
    let span = span(number, unit)?;
    let days = if step < 0 {
        Days { from: today.checked_sub(span).ok()?, to: shifted(today, 1)? }
    } else {
        Days { from: today, to: today.checked_add(span).ok()?.checked_add(1.day()).ok()? }
    };
    Some((length + 1, days))
}

/// The whole day, week (from Monday), weekend, month or year, `step` from the one that is now.
fn whole(unit: Unit, step: i64, today: Date) -> Option<Days> {
    let monday = shifted(today, -i64::from(today.weekday().to_monday_zero_offset()))?;
    let (first, shift, length) = match unit {
        Unit::Day => (today, Span::new().days(step), 1.day()),
        Unit::Week => (monday, Span::new().weeks(step), 1.week()),
        Unit::Weekend => (shifted(monday, 5)?, Span::new().weeks(step), 2.days()),
        Unit::Month => (today.first_of_month(), Span::new().months(step), 1.month()),
        Unit::Year => (today.first_of_year(), Span::new().years(step), 1.year()),
    };
    Days::starting(first.checked_add(shift).ok()?, length)
}

/// "On Friday", "Friday".
fn weekday(word: &str, before: &str, today: Date, lean: Lean) -> Option<(usize, Days)> {
    // "Every Monday" and "Mondays" come back each week and are no stretch of time.
    if before == "every" || word.ends_with("days") {
        return None;
    }
    Some((1, Days::one(nearest(weekday_of(word)?, today, lean)?)?))
}

/// The next such day after today, or the last one before it; for a reminder today counts too.
fn nearest(weekday: Weekday, today: Date, lean: Lean) -> Option<Date> {
    let ahead = i64::from(today.weekday().until(weekday));
    match lean {
        Lean::Future => shifted(today, ahead),
        Lean::Past => shifted(today, ahead - 7),
    }
}
