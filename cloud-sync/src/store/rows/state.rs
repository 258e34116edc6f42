//! What a row's registers say. Every value was looked at before it was taken; one that cannot be read counts as missing, and what
//! is missing has the meaning that `cloud_sync_protocol::sync::table` gives it. Pure.

use cloud_sync_protocol::conflict::is_open;
use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::note::{PRIORITY_DEFAULT, StickyNote};
use cloud_sync_protocol::persona::{Mood, MoodChange, PersonalityState};
use cloud_sync_protocol::sync::op::{Field, as_int, as_row};
use cloud_sync_protocol::sync::row::RowState;
use cloud_sync_protocol::sync::table::{conflicts, facts, mood_changes, notes, personality, turns};
use cloud_sync_protocol::turn::{Sender, Turn};
use jiff::Timestamp;

/// A moment of a column or a register.
pub(super) fn moment(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A text as Postgres can hold it.
fn text_of(value: &[u8]) -> String {
    String::from_utf8_lossy(value).replace('\0', "\u{fffd}")
}

fn text(state: &RowState, field: u16) -> Option<String> {
    state.get(field).map(|one| text_of(&one.value))
}

fn int(state: &RowState, field: u16) -> Option<i64> {
    as_int(&state.get(field)?.value)
}

fn small(state: &RowState, field: u16, default: u8) -> u8 {
    int(state, field).and_then(|number| u8::try_from(number).ok()).unwrap_or(default)
}

fn row(state: &RowState, field: u16) -> Option<RowId> {
    as_row(&state.get(field)?.value)
}

fn mood(state: &RowState, field: u16) -> Mood {
    text(state, field).and_then(|name| Mood::named(&name)).unwrap_or_default()
}

/// A note's tags as a value, and back.
pub(super) fn tags_field(tags: &[String]) -> Field {
    Field::text(notes::TAGS, &tags_json(tags))
}

/// As JSON.
pub(super) fn tags_json(tags: &[String]) -> String {
    serde_json::Value::from(tags.to_vec()).to_string()
}

/// A note, and when it was brought up last.
pub(super) fn note(id: RowId, state: &RowState) -> (StickyNote, Option<i64>) {
    let tags = state.get(notes::TAGS).and_then(|one| serde_json::from_slice(&one.value).ok());
    let note = StickyNote {
        id,
        content: text(state, notes::CONTENT).unwrap_or_default(),
        created_by: text(state, notes::CREATED_BY).unwrap_or_default(),
        created_at: moment(int(state, notes::CREATED_MS).unwrap_or(state.at_ms)),
        tags: tags.unwrap_or_default(),
        priority: small(state, notes::PRIORITY, PRIORITY_DEFAULT),
        surfaced: int(state, notes::SURFACED) == Some(1),
    };
    (note, int(state, notes::LAST_SURFACED_MS))
}

/// A fact.
pub(super) struct Fact {
    pub(super) content: String,
    pub(super) source: Option<RowId>,
    pub(super) event_ms: Option<i64>,
    pub(super) valid_from_ms: i64,
    pub(super) valid_to_ms: Option<i64>,
}

pub(super) fn fact(state: &RowState) -> Fact {
    Fact {
        content: text(state, facts::CONTENT).unwrap_or_default(),
        source: row(state, facts::SOURCE),
        event_ms: int(state, facts::EVENT_MS),
        valid_from_ms: int(state, facts::VALID_FROM_MS).unwrap_or(state.at_ms),
        valid_to_ms: int(state, facts::VALID_TO_MS),
    }
}

/// A turn, and its conversation.
pub(super) fn turn(id: RowId, state: &RowState) -> (RowId, Turn) {
    let turn = Turn {
        id,
        sender: if int(state, turns::SENDER) == Some(1) { Sender::Robbie } else { Sender::User },
        speaker: text(state, turns::SPEAKER),
        message_text: text(state, turns::TEXT).unwrap_or_default(),
        timestamp: moment(int(state, turns::AT_MS).unwrap_or(state.at_ms)),
        mood_at_time: mood(state, turns::MOOD),
    };
    (row(state, turns::CONVERSATION).unwrap_or(id), turn)
}

/// A personality as it was written.
pub(super) fn persona(state: &RowState) -> PersonalityState {
    let default = PersonalityState::default();
    PersonalityState::new(
        mood(state, personality::MOOD),
        small(state, personality::ATTRACTION, default.attraction_level),
        small(state, personality::GANDHI_GENGHIS, default.gandhi_genghis),
        small(state, personality::ENERGY, default.energy),
    )
}

/// The registers of a personality.
pub(super) fn persona_fields(state: &PersonalityState) -> Vec<Field> {
    vec![
        Field::text(personality::MOOD, state.mood.as_str()),
        Field::int(personality::ATTRACTION, state.attraction_level.into()),
        Field::int(personality::GANDHI_GENGHIS, state.gandhi_genghis.into()),
        Field::int(personality::ENERGY, state.energy.into()),
    ]
}

/// A change of mood.
pub(super) fn mood_change(id: RowId, state: &RowState) -> MoodChange {
    let default = PersonalityState::default();
    MoodChange {
        id,
        at: moment(int(state, mood_changes::AT_MS).unwrap_or(state.at_ms)),
        from: mood(state, mood_changes::FROM),
        mood: mood(state, mood_changes::MOOD),
        attraction_level: small(state, mood_changes::ATTRACTION, default.attraction_level),
        gandhi_genghis: small(state, mood_changes::GANDHI_GENGHIS, default.gandhi_genghis),
        energy: small(state, mood_changes::ENERGY, default.energy),
        reason: text(state, mood_changes::REASON).unwrap_or_default(),
        context: text(state, mood_changes::CONTEXT),
        source: text(state, mood_changes::SOURCE).unwrap_or_default(),
    }
}

/// The registers of a change of mood.
pub(super) fn mood_change_fields(change: &MoodChange) -> Vec<Field> {
    let mut fields = vec![
        Field::int(mood_changes::AT_MS, change.at.as_millisecond()),
        Field::text(mood_changes::FROM, change.from.as_str()),
        Field::text(mood_changes::MOOD, change.mood.as_str()),
        Field::int(mood_changes::ATTRACTION, change.attraction_level.into()),
        Field::int(mood_changes::GANDHI_GENGHIS, change.gandhi_genghis.into()),
        Field::int(mood_changes::ENERGY, change.energy.into()),
        Field::text(mood_changes::REASON, &change.reason),
    ];
    fields.extend(change.context.as_ref().map(|context| Field::text(mood_changes::CONTEXT, context)));
    fields.push(Field::text(mood_changes::SOURCE, &change.source));
    fields
}

/// A conflict.
pub(super) struct Conflict {
    pub(super) table: i16,
    pub(super) row: RowId,
    pub(super) field: i32,
    pub(super) current_author: String,
    pub(super) current_ms: i64,
    pub(super) other: Vec<u8>,
    pub(super) other_author: String,
    pub(super) other_ms: i64,
    pub(super) why: i16,
    pub(super) resolved: bool,
}

pub(super) fn conflict(id: RowId, state: &RowState) -> Conflict {
    Conflict {
        table: int(state, conflicts::TABLE).and_then(|number| i16::try_from(number).ok()).unwrap_or(0),
        row: row(state, conflicts::ROW).unwrap_or(id),
        field: int(state, conflicts::FIELD).and_then(|number| i32::try_from(number).ok()).unwrap_or(0),
        current_author: text(state, conflicts::CURRENT_AUTHOR).unwrap_or_default(),
        current_ms: int(state, conflicts::CURRENT_MS).unwrap_or(0),
        other: state.get(conflicts::OTHER).map(|one| one.value.clone()).unwrap_or_default(),
        other_author: text(state, conflicts::OTHER_AUTHOR).unwrap_or_default(),
        other_ms: int(state, conflicts::OTHER_MS).unwrap_or(0),
        why: int(state, conflicts::WHY).and_then(|number| i16::try_from(number).ok()).unwrap_or(0),
        resolved: !is_open(int(state, conflicts::STATE).unwrap_or(0)),
    }
}
