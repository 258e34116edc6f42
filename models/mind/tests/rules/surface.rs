//! Which notes come up, seen from Wednesday, 14 June 2023, 10:00.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use models_mind::surface::{Moment, NoteNow, Surfacing, surface};
use proptest::prelude::*;

const NOW: &str = "2023-06-14T10:00:00Z";

fn note(content: &str) -> NoteNow<'_> {
    NoteNow {
        content,
        tags: &[],
        priority: 50,
        created_at: "2023-06-13T09:00:00Z".parse().expect("a time"),
        surfaced_at: None,
        cosine: None,
    }
}

fn at(time: &str, about: &str, place: &str, notes: &[NoteNow<'_>]) -> Vec<Surfacing> {
    surface(&Moment { about, place, now: time.parse().expect("a time"), zone: &TimeZone::UTC }, notes, 10)
}

/// The reason of the only note, or nothing.
fn reason(time: &str, about: &str, place: &str, note: NoteNow<'_>) -> String {
    at(time, about, place, &[note]).first().map_or_else(String::new, |found| found.reason.clone())
}

#[test]
fn what_is_talked_about_brings_a_note_up() {
    let tags = ["shopping".to_owned()];
    let milk = note("We need milk and two breads");
    assert_eq!(
        reason(NOW, "Is there bread left?", "", milk),
        "It fits what is being talked about (“bread”)."
    );
    let tagged = NoteNow { tags: &tags, ..milk };
    assert_eq!(reason(NOW, "I go shopping", "", tagged), "It fits what is being talked about (“shopping”).");
    let near = NoteNow { cosine: Some(0.6), ..milk };
    assert_eq!(reason(NOW, "the fridge", "", near), "It is close in meaning to what is being talked about.");
    assert_eq!(reason(NOW, "the fridge", "", milk), "");
    assert_eq!(reason(NOW, "the fridge", "", NoteNow { cosine: Some(0.2), ..milk }), "");
}

#[test]
fn the_day_that_a_note_names_brings_it_up() {
    // "Tomorrow" is the day after the note was written.
    let dentist = note("Dentist tomorrow");
    assert_eq!(reason(NOW, "football", "", dentist), "It is for now (“tomorrow”).");
    assert_eq!(
        reason("2023-06-13T20:00:00Z", "football", "", dentist),
        "It is for the next day (“tomorrow”)."
    );
    assert_eq!(
        reason("2023-06-15T10:00:00Z", "football", "", dentist),
        "It was for the day before (“tomorrow”)."
    );
    assert_eq!(reason("2023-06-20T10:00:00Z", "football", "", dentist), "");
    assert_eq!(
        reason("2023-07-07T10:00:00Z", "football", "", note("Party on 7 July")),
        "It is for now (“7 july”)."
    );
}

#[test]
fn what_comes_back_is_brought_up_at_its_time() {
    let bins = note("Bins out every Wednesday");
    assert_eq!(reason(NOW, "football", "", bins), "It is for this day of the week (“wednesday”).");
    assert_eq!(reason("2023-06-15T10:00:00Z", "football", "", bins), "");
    let pills = note("Pills at 10:30");
    assert_eq!(reason(NOW, "football", "", pills), "It is for this hour (“10:30”).");
    assert_eq!(reason("2023-06-14T15:00:00Z", "football", "", pills), "");
    assert_eq!(
        reason("2023-06-14T21:30:00Z", "football", "", note("Call at 9 pm")),
        "It is for this hour (“9 pm”)."
    );
    assert_eq!(
        reason(NOW, "football", "", note("Water the plants in the morning")),
        "It is for this time of day (“morning”)."
    );
}

#[test]
fn the_place_brings_a_note_up() {
    let sink = note("The sink in the kitchen drips");
    assert_eq!(reason(NOW, "football", "the kitchen", sink), "It has to do with this place (“the kitchen”).");
    assert_eq!(reason(NOW, "football", "the garden", sink), "");
}

#[test]
fn an_important_note_comes_up_by_itself() {
    let key = NoteNow { priority: 90, ..note("The key lies under the mat") };
    assert_eq!(reason(NOW, "football", "", key), "It is important (priority 90).");
    assert_eq!(
        reason(NOW, "Where is my key?", "", key),
        "It fits what is being talked about (“key”) and is important (priority 90)."
    );
}

#[test]
fn in_a_quiet_moment_the_more_important_of_two_new_notes_comes_first() {
    // Being important enough to matter by itself does not cost what an unimportant new note gets.
    let notes = [NoteNow { priority: 70, ..note("A") }, NoteNow { priority: 90, ..note("B") }];
    let found = at(NOW, "", "", &notes);
    assert_eq!(found.iter().map(|one| one.index).collect::<Vec<_>>(), [1, 0]);
}

#[test]
fn a_quiet_moment_brings_up_what_was_never_said() {
    let notes = [note("A"), NoteNow { priority: 70, ..note("B") }];
    let found = at(NOW, "", "", &notes);
    assert_eq!(found.iter().map(|found| found.index).collect::<Vec<_>>(), [1, 0]);
    assert_eq!(found[0].reason, "It has not been brought up yet.");
    let said = NoteNow { surfaced_at: Some("2023-06-01T10:00:00Z".parse().expect("a time")), ..note("A") };
    assert_eq!(reason(NOW, "", "", said), "");
}

#[test]
fn what_was_just_brought_up_rests() {
    let milk = |minutes| NoteNow {
        surfaced_at: Some(NOW.parse::<Timestamp>().expect("a time") - SignedDuration::from_mins(minutes)),
        ..note("We need milk")
    };
    assert_eq!(reason(NOW, "milk", "", milk(30)), "");
    let found = at(NOW, "milk", "", &[milk(120), milk(600), milk(3000), note("We need milk")]);
    assert_eq!(found.iter().map(|found| found.index).collect::<Vec<_>>(), [2, 3, 1, 0]);
    // A clock that was wrong does not hide a note.
    assert_ne!(reason(NOW, "milk", "", milk(-90)), "");
}

proptest! {
    #[test]
    fn any_note_has_a_finite_score_and_a_sentence(
        content in "((at|on|every|tomorrow|friday|9|30|pm|:|milk|\\PC) ?){0,30}", about in "\\PC{0,60}", place in "\\PC{0,20}",
        priority in any::<u8>(), cosine in prop::option::of(any::<f32>()), second in -9_000_000_000_i64..9_000_000_000,
        limit in 0_usize..3,
    ) {
        let created_at = Timestamp::from_second(second).unwrap();
        let note = NoteNow { priority, cosine, created_at, surfaced_at: Some(created_at), ..note(&content) };
        let moment = Moment { about: &about, place: &place, now: NOW.parse().expect("a time"), zone: &TimeZone::UTC };
        let found = surface(&moment, &[note, note, note], limit);
        prop_assert!(found.len() <= limit);
        for found in found {
            prop_assert!(found.score.is_finite() && found.score >= 0.0);
            prop_assert!(found.reason.starts_with("It ") && found.reason.ends_with('.'));
        }
    }
}
