//! Personality and mood, one row a user, and the history of its changes. It judges no mood: rules are somebody else's.

use cloud_sync_protocol::cursor::{List, moment_key, moment_of};
use cloud_sync_protocol::event::EventKind;
use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::persona::{Mood, MoodChange, MoodUpdate, PersonalityState};
use cloud_sync_protocol::stamp::Stamp;
use cloud_sync_protocol::store::{Page, PageAt, PersonaStore, Stored, Whose};
use cloud_sync_protocol::sync::op::{Field, Kind};
use cloud_sync_protocol::sync::table::{Table, mood_changes as changes, personality as fields};
use models_mind::mood::faded;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};

use crate::fail::Fail;
use crate::rows::columns::{StampColumns, id, moment, moment_field, mood, stamp, to_ms};
use crate::store::Store;
use crate::sync;
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

pub(crate) fn change(
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
    let id = if is_new { row_id(write, whose)? } else { RowId::of_user(&whose.user, "personality") };
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
    // What fades is a matter of state and time: every number goes out as it is now.
    let kind = if is_new { Kind::Insert } else { Kind::Set };
    sync::log(write, whose, kind, Table::Personality, id, written(&new))?;
    keep(write, whose, update, old.mood, &new)?;
    write.tell(&whose.town, &whose.user, EventKind::Personality, &new)?;
    Ok(new)
}

/// Clocks of two machines that were set differ by less.
const SAME_MS: u64 = 2_000;

fn written(state: &PersonalityState) -> Vec<Field> {
    vec![
        Field::text(fields::MOOD, state.mood.as_str()),
        Field::int(fields::ATTRACTION, i64::from(state.attraction_level)),
        Field::int(fields::GANDHI_GENGHIS, i64::from(state.gandhi_genghis)),
        Field::int(fields::ENERGY, i64::from(state.energy)),
    ]
}

/// A user's personality as it was written, the stamp first.
pub(crate) const WHOLE: &str = "SELECT boot_id, mono_ms, wall_ms, clock, id, mood, attraction_level, gandhi_genghis, energy \
                                FROM personality WHERE town = ?1 AND user_id = ?2";

/// A row of [`WHOLE`] as the fields of an Insert.
pub(crate) fn whole(row: &Row<'_>, _stamp: &Stamp) -> Result<(RowId, Vec<Field>), Fail> {
    let state = PersonalityState::new(mood(row, 5)?, row.get(6)?, row.get(7)?, row.get(8)?);
    Ok((id(row, 4)?, written(&state)))
}

/// Every change of a user's personality, the stamp first.
pub(crate) const WHOLE_CHANGES: &str = "SELECT boot_id, mono_ms, wall_ms, clock, id, at_ms, from_mood, mood, attraction_level, \
                                        gandhi_genghis, energy, reason, context, source FROM mood_changes \
                                        WHERE town = ?1 AND user_id = ?2 ORDER BY at_ms, id";

/// A row of [`WHOLE_CHANGES`] as the fields of an Insert.
pub(crate) fn whole_change(row: &Row<'_>, stamp: &Stamp) -> Result<(RowId, Vec<Field>), Fail> {
    let change = MoodChange {
        id: id(row, 4)?,
        at: moment(row, 5)?,
        from: mood(row, 6)?,
        mood: mood(row, 7)?,
        attraction_level: row.get(8)?,
        gandhi_genghis: row.get(9)?,
        energy: row.get(10)?,
        reason: row.get(11)?,
        context: row.get(12)?,
        source: row.get(13)?,
    };
    Ok((change.id, changed(&change, stamp)))
}

/// Lets the personality be what sync says it is; it fades from `stamp` on.
pub(crate) fn put(
    write: &mut Write<'_>,
    whose: &Whose,
    state: &PersonalityState,
    stamp: &Stamp,
) -> Result<(), Fail> {
    let mut statement = write.tx.prepare_cached(
        "SELECT mood, attraction_level, gandhi_genghis, energy, wall_ms FROM personality WHERE town = ?1 AND user_id = ?2",
    )?;
    let as_written = |row: &Row<'_>| {
        let state = PersonalityState::new(mood(row, 0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        Ok((state, row.get::<_, i64>(4)?))
    };
    let old = statement.query_row(params![whose.town, whose.user], as_written).optional()?;
    // The robot's own, which comes back with the server's idea of when that was.
    let is_same = old.is_some_and(|(old, wall_ms)| {
        old == *state && wall_ms.abs_diff(stamp.wall.as_millisecond()) < SAME_MS
    });
    if is_same {
        return Ok(());
    }
    let id = RowId::of_user(&whose.user, "personality");
    let stamp = StampColumns::of(stamp);
    let mood = state.mood.as_str();
    let own: [&dyn ToSql; 7] = [
        &whose.town,
        &whose.user,
        &mood,
        &state.attraction_level,
        &state.gandhi_genghis,
        &state.energy,
        id.as_bytes(),
    ];
    let values: Vec<&dyn ToSql> = own.into_iter().chain(stamp.values()).collect();
    let mut statement = write.tx.prepare_cached(
        "INSERT INTO personality (town, user_id, mood, attraction_level, gandhi_genghis, energy, id, version, \
         boot_id, mono_ms, wall_ms, clock) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, ?8, ?9, ?10, ?11) \
         ON CONFLICT (town, user_id) DO UPDATE SET mood = ?3, attraction_level = ?4, gandhi_genghis = ?5, energy = ?6, \
         version = version + 1, boot_id = ?8, mono_ms = ?9, wall_ms = ?10, clock = ?11",
    )?;
    statement.execute(values.as_slice())?;
    write.tell(&whose.town, &whose.user, EventKind::Personality, state)
}

/// Keeps a change of mood that sync brings.
pub(crate) fn put_change(
    write: &mut Write<'_>,
    whose: &Whose,
    change: &MoodChange,
    stamp: &Stamp,
) -> Result<(), Fail> {
    let at_ms = change.at.as_millisecond();
    let known = write
        .tx
        .prepare_cached("UPDATE mood_changes SET at_ms = ?2 WHERE id = ?1")?
        .execute(params![change.id.as_bytes(), at_ms])?;
    if known == 0 {
        insert_change(write, whose, change, stamp)?;
    }
    Ok(())
}

/// Keeps the change in the history, and drops the oldest beyond the bound.
fn keep(
    write: &Write<'_>,
    whose: &Whose,
    update: &MoodUpdate,
    from: Mood,
    new: &PersonalityState,
) -> Result<(), Fail> {
    let change = MoodChange {
        id: write.new_id(),
        at: to_ms(write.now.wall),
        from,
        mood: new.mood,
        attraction_level: new.attraction_level,
        gandhi_genghis: new.gandhi_genghis,
        energy: new.energy,
        reason: reason(update),
        context: update.context.clone(),
        source: update.source.clone(),
    };
    insert_change(write, whose, &change, &write.now)?;
    log_change(write, whose, &change)
}

fn log_change(write: &Write<'_>, whose: &Whose, change: &MoodChange) -> Result<(), Fail> {
    sync::log(write, whose, Kind::Insert, Table::MoodChanges, change.id, changed(change, &write.now))
}

fn changed(change: &MoodChange, now: &Stamp) -> Vec<Field> {
    let mut fields = vec![
        Field::text(changes::FROM, change.from.as_str()),
        Field::text(changes::MOOD, change.mood.as_str()),
        Field::int(changes::ATTRACTION, i64::from(change.attraction_level)),
        Field::int(changes::GANDHI_GENGHIS, i64::from(change.gandhi_genghis)),
        Field::int(changes::ENERGY, i64::from(change.energy)),
        Field::text(changes::REASON, &change.reason),
        Field::text(changes::SOURCE, &change.source),
    ];
    fields.extend(change.context.as_deref().map(|context| Field::text(changes::CONTEXT, context)));
    fields.extend(moment_field(changes::AT_MS, change.at.as_millisecond(), now));
    fields
}

fn insert_change(write: &Write<'_>, whose: &Whose, change: &MoodChange, stamp: &Stamp) -> Result<(), Fail> {
    let at_ms = change.at.as_millisecond();
    let (from, mood) = (change.from.as_str(), change.mood.as_str());
    let stamp = StampColumns::of(stamp);
    let own: [&dyn ToSql; 12] = [
        change.id.as_bytes(),
        &whose.town,
        &whose.user,
        &at_ms,
        &from,
        &mood,
        &change.attraction_level,
        &change.gandhi_genghis,
        &change.energy,
        &change.reason,
        &change.context,
        &change.source,
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
