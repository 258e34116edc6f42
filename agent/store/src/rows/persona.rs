//! Personality and mood, one row a user, and the history of its changes. It judges no mood: rules are somebody else's.

use cloud_sync_protocol::event::EventKind;
use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::persona::{Mood, MoodChange, MoodUpdate, PersonalityState};
use cloud_sync_protocol::stamp::Stamp;
use cloud_sync_protocol::store::{Page, PageAt, PersonaStore, Stored, Whose};
use models_mind::mood::faded;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};

use crate::cursor::{List, moment_key, moment_of};
use crate::fail::Fail;
use crate::rows::columns::{StampColumns, id, moment, mood, stamp};
use crate::store::Store;
use crate::writer::{Room, Write};

/// The personality as it is at `now`: what was written last, less what has faded since.
fn state(connection: &Connection, whose: &Whose, now: &Stamp) -> Result<Option<PersonalityState>, Fail> {
    let mut statement = connection.prepare_cached(
        "SELECT mood, attraction_level, gandhi_genghis, energy, boot_id, mono_ms, wall_ms, clock \
         FROM personality WHERE town = ?1 AND user_id = ?2",
    )?;
    let state = |row: &Row<'_>| {
        let written = PersonalityState::new(mood(row, 0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        Ok(faded(written, now.since(&stamp(row, 4)?)))
    };
    Ok(statement.query_row(params![whose.town, whose.user], state).optional()?)
}

/// As it is now; the defaults where nothing was ever written.
pub(super) fn now(write: &Write<'_>, whose: &Whose) -> Result<PersonalityState, Fail> {
    Ok(state(write.tx, whose, &write.now)?.unwrap_or_default())
}

/// The id of a user's row is drawn from his name, the same on robot and cloud. A robot lives in one town; where a file holds a
/// second one, the same user's row there gets an id of its own.
fn row_id(write: &Write<'_>, whose: &Whose) -> Result<RowId, Fail> {
    let id = RowId::of_user(&whose.user, "personality");
    let mut statement = write.tx.prepare_cached("SELECT 1 FROM personality WHERE id = ?1")?;
    Ok(if statement.exists([id.as_bytes()])? { write.new_id() } else { id })
}

/// What was asked for, in words.
fn reason(update: &MoodUpdate) -> String {
    if let Some(reason) = &update.reason {
        return reason.clone();
    }
    let numbers = [
        ("energy", update.energy),
        ("gandhi_genghis", update.gandhi_genghis),
        ("attraction_level", update.attraction_level),
    ];
    let mood = update.mood.map(|mood| format!("mood {}", mood.as_str()));
    let numbers = numbers.into_iter().filter_map(|(name, value)| Some(format!("{name} {}", value?)));
    let wanted: Vec<String> = mood.into_iter().chain(numbers).collect();
    if wanted.is_empty() {
        return format!("{} said what is going on", update.source);
    }
    format!("{} asked for {}", update.source, wanted.join(", "))
}

pub(super) fn change(
    write: &mut Write<'_>,
    whose: &Whose,
    update: &MoodUpdate,
) -> Result<PersonalityState, Fail> {
    let old = state(write.tx, whose, &write.now)?;
    let is_new = old.is_none();
    let old = old.unwrap_or_default();
    let new = PersonalityState::new(
        update.mood.unwrap_or(old.mood),
        update.attraction_level.unwrap_or(old.attraction_level),
        update.gandhi_genghis.unwrap_or(old.gandhi_genghis),
        update.energy.unwrap_or(old.energy),
    );
    let stamp = StampColumns::of(&write.now);
    let id = row_id(write, whose)?;
    let mood = new.mood.as_str();
    let own: [&dyn ToSql; 6] =
        [&whose.town, &whose.user, &mood, &new.attraction_level, &new.gandhi_genghis, &new.energy];
    let mut values: Vec<&dyn ToSql> = own.into_iter().chain(stamp.values()).collect();
    if is_new {
        values.push(id.as_bytes());
        let mut statement = write.tx.prepare_cached(
            "INSERT INTO personality (town, user_id, mood, attraction_level, gandhi_genghis, energy, version, \
             boot_id, mono_ms, wall_ms, clock, id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?8, ?9, ?10, ?11)",
        )?;
        statement.execute(values.as_slice())?;
    } else {
        let mut statement = write.tx.prepare_cached(
            "UPDATE personality SET mood = ?3, attraction_level = ?4, gandhi_genghis = ?5, energy = ?6, \
             version = version + 1, boot_id = ?7, mono_ms = ?8, wall_ms = ?9, clock = ?10 \
             WHERE town = ?1 AND user_id = ?2",
        )?;
        statement.execute(values.as_slice())?;
    }
    keep(write, whose, update, old.mood, &new)?;
    write.tell(&whose.town, &whose.user, EventKind::Personality, &new)?;
    Ok(new)
}

/// Keeps the change in the history, and drops the oldest beyond the bound.
fn keep(
    write: &Write<'_>,
    whose: &Whose,
    update: &MoodUpdate,
    from: Mood,
    new: &PersonalityState,
) -> Result<(), Fail> {
    let (id, at_ms, reason) = (write.new_id(), write.now_ms(), reason(update));
    let (from, mood) = (from.as_str(), new.mood.as_str());
    let stamp = StampColumns::of(&write.now);
    let own: [&dyn ToSql; 12] = [
        id.as_bytes(),
        &whose.town,
        &whose.user,
        &at_ms,
        &from,
        &mood,
        &new.attraction_level,
        &new.gandhi_genghis,
        &new.energy,
        &reason,
        &update.context,
        &update.source,
    ];
    let values: Vec<&dyn ToSql> = own.into_iter().chain(stamp.values()).collect();
    let mut statement = write.tx.prepare_cached(
        "INSERT INTO mood_changes (id, town, user_id, at_ms, from_mood, mood, attraction_level, gandhi_genghis, energy, \
         reason, context, source, boot_id, mono_ms, wall_ms, clock) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
    )?;
    statement.execute(values.as_slice())?;
    let mut statement = write.tx.prepare_cached(
        "DELETE FROM mood_changes WHERE id IN (SELECT id FROM mood_changes WHERE town = ?1 AND user_id = ?2 \
         ORDER BY at_ms DESC, id DESC LIMIT -1 OFFSET ?3)",
    )?;
    statement.execute(params![whose.town, whose.user, write.limits.mood_changes])?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<MoodChange> {
    Ok(MoodChange {
        id: id(row, 0)?,
        at: moment(row, 1)?,
        from: mood(row, 2)?,
        mood: mood(row, 3)?,
        attraction_level: row.get(4)?,
        gandhi_genghis: row.get(5)?,
        energy: row.get(6)?,
        reason: row.get(7)?,
        context: row.get(8)?,
        source: row.get(9)?,
    })
}

fn history(connection: &Connection, whose: &Whose, at: &PageAt) -> Result<Page<MoodChange>, Fail> {
    let list = List::named(&[Some("moods"), Some(&whose.town), Some(&whose.user)]);
    let (ms, id) = match &at.cursor {
        Some(cursor) => moment_of(&list.key(cursor)?),
        None => (i64::MAX, [u8::MAX; 16]),
    };
    let limit = at.limit.clamp(1, 500);
    let mut statement = connection.prepare_cached(
        "SELECT id, at_ms, from_mood, mood, attraction_level, gandhi_genghis, energy, reason, context, source \
         FROM mood_changes WHERE town = ?1 AND user_id = ?2 AND (at_ms, id) < (?3, ?4) \
         ORDER BY at_ms DESC, id DESC LIMIT ?5",
    )?;
    let rows = statement.query_map(params![whose.town, whose.user, ms, id, limit + 1], read)?;
    let mut rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| more);
    let next = next.map(|last| list.after(&moment_key(last.at.as_millisecond(), last.id.as_bytes())));
    Ok(Page { rows, next })
}

impl PersonaStore for Store {
    async fn personality(&self, whose: &Whose) -> Stored<PersonalityState> {
        let (whose, now) = (whose.clone(), self.now());
        self.read(move |connection| Ok(state(connection, &whose, &now)?.unwrap_or_default())).await
    }

    async fn change_mood(&self, whose: &Whose, update: MoodUpdate) -> Stored<PersonalityState> {
        let whose = whose.clone();
        self.write(Room::Takes, move |write| change(write, &whose, &update)).await
    }

    async fn mood_history(&self, whose: &Whose, at: &PageAt) -> Stored<Page<MoodChange>> {
        let (whose, at) = (whose.clone(), at.clone());
        self.read(move |connection| history(connection, &whose, &at)).await
    }
}
