//! Times as people say them, seen from Wednesday, 14 June 2023, 10:00 in UTC+2.

use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::{TimeZone, offset};
use models_mind::time::{Clock, Lean, asks_when, says_when, windows};
use models_mind::words::words;
use proptest::prelude::*;

fn zone() -> TimeZone {
    TimeZone::fixed(offset(2))
}

fn spoken(text: &str, lean: Lean) -> Vec<String> {
    let now = date(2023, 6, 14).at(10, 0, 0, 0).to_zoned(zone()).expect("a time").timestamp();
    let day = |ms: i64| Timestamp::from_millisecond(ms).expect("a time").to_zoned(zone()).date().to_string();
    windows(&words(text), Clock { now, zone: &zone(), lean })
        .iter()
        .map(|window| format!("{}..{}", day(window.from_ms), day(window.to_ms)))
        .collect()
}

fn check(text: &str, expected: &str) {
    assert_eq!(spoken(text, Lean::Past).join(" "), expected, "{text}");
}

fn check_note(text: &str, expected: &str) {
    assert_eq!(spoken(text, Lean::Future).join(" "), expected, "{text}");
}

#[test]
fn questions_look_back() {
    // Each way to say a time gives the days that a person would mean.
    check("what did I do yesterday?", "2023-06-13..2023-06-14");
    check("the day before yesterday", "2023-06-12..2023-06-13");
    check("last night", "2023-06-13..2023-06-14");
    check("this morning", "2023-06-14..2023-06-15");
    check("What did Anna say last week?", "2023-06-05..2023-06-12");
    check("this week", "2023-06-12..2023-06-19");
    check("last weekend", "2023-06-10..2023-06-12");
    check("last month", "2023-05-01..2023-06-01");
    check("last year", "2022-01-01..2023-01-01");
    check("two weeks ago", "2023-05-28..2023-06-04");
    check("3 days ago", "2023-06-11..2023-06-12");
    check("a couple of days ago", "2023-06-12..2023-06-13");
    check("a few days ago", "2023-06-11..2023-06-12");
    check("in the last 3 days", "2023-06-11..2023-06-15");
    check("last Friday", "2023-06-09..2023-06-10");
    check("on Wednesday", "2023-06-07..2023-06-08");
    check("on 7 May 2023", "2023-05-07..2023-05-08");
    check("on May 7, 2023", "2023-05-07..2023-05-08");
    check("on the 7th of May", "2023-05-07..2023-05-08");
    check("on 2023-05-07", "2023-05-07..2023-05-08");
    check("in May", "2023-05-01..2023-06-01");
    check("in May 2022", "2022-05-01..2022-06-01");
    check("in August", "2022-08-01..2022-09-01");
    check("on 20 December", "2022-12-20..2022-12-21");
    check("in 2021", "2021-01-01..2022-01-01");
    check("the week before 9 June 2023", "2023-06-02..2023-06-09");
    check("last weekend before April 10, 2023", "2023-04-03..2023-04-10");
    check("two weeks before August 11, 2022", "2022-07-28..2022-08-04");
    // A day that does not exist leaves the month.
    check("31 February 2023", "2023-02-01..2023-03-01");
    check("on 29 February", "2020-02-29..2020-03-01");
    check("from 3 May to 5 May", "2023-05-03..2023-05-04 2023-05-05..2023-05-06");
}

#[test]
fn notes_look_ahead() {
    // The same words in a note point to what is to come.
    check_note("dentist tomorrow", "2023-06-15..2023-06-16");
    check_note("on Friday", "2023-06-16..2023-06-17");
    check_note("on Wednesday", "2023-06-14..2023-06-15");
    check_note("in three days", "2023-06-17..2023-06-18");
    check_note("next week", "2023-06-19..2023-06-26");
    check_note("in May", "2024-05-01..2024-06-01");
    check_note("on 1 March", "2024-03-01..2024-03-02");
    check_note("every Monday", "");
}

#[test]
fn what_is_no_time_is_none() {
    // Verbs, numbers and dates that do not exist are not taken for times.
    for text in [
        "May I come in?",
        "we march on",
        "7 dogs",
        "room 2023",
        "2023-13-40",
        "",
        "ago",
        "in",
        "last",
        "a week",
        "99999999 years ago",
        "the 1000 years",
        "sun and may",
    ] {
        check(text, "");
    }
}

#[test]
fn asking_and_saying_when() {
    for text in
        ["When was it?", "what day is it", "In which month?", "How long ago was it?", "how many weeks passed"]
    {
        assert!(asks_when(&words(text)), "{text}");
    }
    for text in ["What did Anna say?", "How many dogs?", "Which colour?", ""] {
        assert!(!asks_when(&words(text)), "{text}");
    }
    for text in [
        "I did it yesterday",
        "It was in May",
        "we met on Sunday",
        "three years ago",
        "last summer",
        "in 2020",
    ] {
        assert!(says_when(&words(text)), "{text}");
    }
    for text in ["That is nice", "May I help?", "42 dogs", ""] {
        assert!(!says_when(&words(text)), "{text}");
    }
}

#[test]
fn the_ends_of_time_are_no_problem() {
    // A clock at 1970 or far out gives times or none, and never fails.
    for now in [Timestamp::MIN, Timestamp::UNIX_EPOCH, Timestamp::MAX] {
        for lean in [Lean::Past, Lean::Future] {
            let zone = zone();
            for text in [
                "1000 years ago",
                "in 1000 years",
                "last week",
                "next year",
                "on Friday",
                "in May",
                "tomorrow",
            ] {
                for window in windows(&words(text), Clock { now, zone: &zone, lean }) {
                    assert!(window.from_ms < window.to_ms, "{text}");
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn any_text_gives_whole_windows(text in "((last|next|this|in|on|two|7|31|2023|may|june|week|weeks|ago|before|friday|day|of|the|a|every|\\PC) ?){0,40}") {
        let zone = zone();
        let found = windows(&words(&text), Clock { now: Timestamp::UNIX_EPOCH, zone: &zone, lean: Lean::Past });
        prop_assert!(found.len() <= 32);
        for window in found {
            prop_assert!(window.from_ms < window.to_ms, "{:?}", window);
            prop_assert!(!window.said.is_empty());
        }
    }
}
