//! From fields to the rows that everybody reads. A field that is missing has its default; what says nothing new changes nothing
//! and tells nobody.

use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::note::{PRIORITY_DEFAULT, StickyNote};
use cloud_sync_protocol::persona::{Mood, MoodChange, PersonalityState};
use cloud_sync_protocol::stamp::{ClockState, Stamp};
use cloud_sync_protocol::store::Whose;
use cloud_sync_protocol::sync::op::{Field, as_int, as_row, as_text, get};
use cloud_sync_protocol::sync::table::{Table, facts, mood_changes, notes, personality, turns};
use cloud_sync_protocol::turn::{Sender, Turn};
use jiff::Timestamp;

use super::conflicts;
use crate::fail::Fail;
use crate::rows;
use crate::rows::facts::Fact;
use crate::writer::Write;

/// The boot of what was written elsewhere: no board has it, so that only the wall clock counts.
const ELSEWHERE: u128 = 0;

/// Whose rows they are.
pub(super) struct Shown<'a> {
    pub(super) town: &'a str,
    pub(super) user: &'a str,
}

impl Shown<'_> {
    /// Lets a row show these fields; `None`: there is no such row. `at_ms` is when the server holds it was written.
    pub(super) fn row(
        &self,
        write: &mut Write<'_>,
        table: Table,
        id: RowId,
        fields: Option<&[Field]>,
        at_ms: i64,
    ) -> Result<(), Fail> {
        let whose = Whose { town: self.town.to_owned(), user: self.user.to_owned() };
        let stamp = Stamp { boot_id: ELSEWHERE, mono_ms: 0, wall: moment(at_ms), clock: ClockState::Synced };
        match (table, fields) {
            (Table::Notes, Some(fields)) => {
                let surfaced_ms = number(fields, notes::LAST_SURFACED_MS);
                rows::notes::put(write, &whose, &note(id, fields, at_ms), surfaced_ms, &stamp)
            }
            (Table::Notes, None) => rows::notes::take_away(write, &whose, id),
            (Table::Facts, Some(fields)) => rows::facts::put(write, &whose, &fact(id, fields, at_ms), &stamp),
            (Table::Facts, None) => rows::facts::take_away(write, id),
            (Table::Turns, Some(fields)) => match row_id(fields, turns::CONVERSATION) {
                Some(talk) => rows::turns::put(write, &whose, talk, &turn(id, fields, at_ms), &stamp),
                None => Ok(()),
            },
            (Table::Personality, Some(fields)) => rows::persona::put(write, &whose, &persona(fields), &stamp),
            (Table::MoodChanges, Some(fields)) => {
                rows::persona::put_change(write, &whose, &mood_change(id, fields, at_ms), &stamp)
            }
            (Table::Conflicts, fields) => conflicts::put(write.tx, id, fields),
            // Never deleted.
            (Table::Turns | Table::Personality | Table::MoodChanges, None) => Ok(()),
        }
    }
}

fn text(fields: &[Field], field: u16) -> Option<String> {
    get(fields, field).and_then(as_text).map(str::to_owned)
}

fn number(fields: &[Field], field: u16) -> Option<i64> {
    get(fields, field).and_then(as_int)
}

fn row_id(fields: &[Field], field: u16) -> Option<RowId> {
    get(fields, field).and_then(as_row)
}

fn small(fields: &[Field], field: u16, default: u8) -> u8 {
    number(fields, field).and_then(|number| u8::try_from(number).ok()).unwrap_or(default)
}

fn mood(fields: &[Field], field: u16) -> Mood {
    get(fields, field).and_then(as_text).and_then(Mood::named).unwrap_or_default()
}

fn moment(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn note(id: RowId, fields: &[Field], at_ms: i64) -> StickyNote {
    let tags = text(fields, notes::TAGS).and_then(|tags| serde_json::from_str(&tags).ok());
    StickyNote {
        id,
        content: text(fields, notes::CONTENT).unwrap_or_default(),
        created_by: text(fields, notes::CREATED_BY).unwrap_or_default(),
        created_at: moment(number(fields, notes::CREATED_MS).unwrap_or(at_ms)),
        tags: tags.unwrap_or_default(),
        priority: small(fields, notes::PRIORITY, PRIORITY_DEFAULT).min(100),
        surfaced: number(fields, notes::SURFACED) == Some(1),
    }
}

fn fact(id: RowId, fields: &[Field], at_ms: i64) -> Fact {
    Fact {
        id,
        content: text(fields, facts::CONTENT).unwrap_or_default(),
        source: row_id(fields, facts::SOURCE),
        event_ms: number(fields, facts::EVENT_MS),
        valid_from_ms: number(fields, facts::VALID_FROM_MS).unwrap_or(at_ms),
        valid_to_ms: number(fields, facts::VALID_TO_MS),
    }
}

fn turn(id: RowId, fields: &[Field], at_ms: i64) -> Turn {
    Turn {
        id,
        sender: if number(fields, turns::SENDER) == Some(1) { Sender::Robbie } else { Sender::User },
        speaker: text(fields, turns::SPEAKER),
        message_text: text(fields, turns::TEXT).unwrap_or_default(),
        timestamp: moment(number(fields, turns::AT_MS).unwrap_or(at_ms)),
        mood_at_time: mood(fields, turns::MOOD),
    }
}

fn persona(fields: &[Field]) -> PersonalityState {
    let default = PersonalityState::default();
    PersonalityState::new(
        mood(fields, personality::MOOD),
        small(fields, personality::ATTRACTION, default.attraction_level),
        small(fields, personality::GANDHI_GENGHIS, default.gandhi_genghis),
        small(fields, personality::ENERGY, default.energy),
    )
}

fn mood_change(id: RowId, fields: &[Field], at_ms: i64) -> MoodChange {
    let default = PersonalityState::default();
    MoodChange {
        id,
        at: moment(number(fields, mood_changes::AT_MS).unwrap_or(at_ms)),
        from: mood(fields, mood_changes::FROM),
        mood: mood(fields, mood_changes::MOOD),
        attraction_level: small(fields, mood_changes::ATTRACTION, default.attraction_level),
        gandhi_genghis: small(fields, mood_changes::GANDHI_GENGHIS, default.gandhi_genghis),
        energy: small(fields, mood_changes::ENERGY, default.energy),
        reason: text(fields, mood_changes::REASON).unwrap_or_default(),
        context: text(fields, mood_changes::CONTEXT),
        source: text(fields, mood_changes::SOURCE).unwrap_or_default(),
    }
}
