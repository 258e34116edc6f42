//! Personality and mood, for apps: what was written last, less what has faded since. It judges no mood: rules are somebody
//! else's.

use cloud_sync_protocol::cursor::{List, moment_key, moment_of};
use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::persona::{Mood, MoodChange, MoodUpdate, PersonalityState};
use cloud_sync_protocol::store::{Page, PageAt, PersonaStore, Stored, Whose};
use cloud_sync_protocol::sync::op::Kind;
use cloud_sync_protocol::sync::table::Table;
use models_mind::mood::faded;
use models_mind::words::cut;
use sqlx::PgConnection;

use super::state::{moment, mood_change_fields, persona, persona_fields};
use super::writing::{Wish, Writing, key};
use super::{Rows, failed, new_id, own};
use crate::clock::now_ms;
use crate::store::columns::Id;
use std::time::Duration;

/// Longest reason that is kept, bytes.
const REASON_BYTES_MAX: usize = 4 * 1024;

/// The row of a user's personality, the same on robot and cloud.
pub(super) fn row_id(user: &str) -> RowId {
    RowId::of_user(user, "personality")
}

fn faded_since(state: PersonalityState, written_ms: i64, now_ms: i64) -> PersonalityState {
    faded(state, Duration::from_millis(now_ms.saturating_sub(written_ms).max(0).unsigned_abs()))
}

/// As it is now; the defaults where nothing was ever written.
pub(super) fn now(writing: &Writing, user: &str) -> PersonalityState {
    let written = writing.row(Table::Personality, row_id(user));
    written.map_or_else(PersonalityState::default, |state| {
        faded_since(persona(state), state.at_ms, writing.now_ms)
    })
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

/// Changes what `update` names, and keeps the change in the history.
pub(super) fn change(writing: &mut Writing, user: &str, update: &MoodUpdate) -> Stored<PersonalityState> {
    let old = now(writing, user);
    let new = PersonalityState::new(
        update.mood.unwrap_or(old.mood),
        update.attraction_level.unwrap_or(old.attraction_level),
        update.gandhi_genghis.unwrap_or(old.gandhi_genghis),
        update.energy.unwrap_or(old.energy),
    );
    let change = MoodChange {
        id: new_id()?,
        at: moment(writing.now_ms),
        from: old.mood,
        mood: new.mood,
        attraction_level: new.attraction_level,
        gandhi_genghis: new.gandhi_genghis,
        energy: new.energy,
        reason: cut(&reason(update), REASON_BYTES_MAX).to_owned(),
        context: update.context.clone(),
        source: update.source.clone(),
    };
    writing.apply(Kind::Insert, Table::Personality, row_id(user), persona_fields(&new))?;
    writing.apply(Kind::Insert, Table::MoodChanges, change.id, mood_change_fields(&change))?;
    Ok(new)
}

/// `mood, attraction_level, gandhi_genghis, energy, changed_ms`.
pub(super) type StateColumns = (String, i16, i16, i16, i64);
/// `id, at_ms, from_mood, mood, attraction_level, gandhi_genghis, energy, reason, context, source`.
type ChangeColumns = (Id, i64, String, String, i16, i16, i16, String, Option<String>, String);

fn small(number: i16) -> u8 {
    u8::try_from(number).unwrap_or_default()
}

/// One that this version does not know reads as the default.
pub(super) fn mood(name: &str) -> Mood {
    Mood::named(name).unwrap_or_default()
}

fn read(columns: ChangeColumns) -> MoodChange {
    let (Id(id), at_ms, from, to, attraction, gandhi_genghis, energy, reason, context, source) = columns;
    MoodChange {
        id,
        at: moment(at_ms),
        from: mood(&from),
        mood: mood(&to),
        attraction_level: small(attraction),
        gandhi_genghis: small(gandhi_genghis),
        energy: small(energy),
        reason,
        context,
        source,
    }
}

async fn history(
    connection: &mut PgConnection,
    user: &str,
    (ms, id): (i64, [u8; 16]),
    limit: u32,
) -> Result<Vec<MoodChange>, sqlx::Error> {
    let asked = "SELECT id, at_ms, from_mood, mood, attraction_level, gandhi_genghis, energy, reason, context, source \
        FROM mood_changes WHERE user_id = $1 AND (at_ms, id) < ($2, $3) ORDER BY at_ms DESC, id DESC LIMIT $4";
    let rows: Vec<ChangeColumns> = sqlx::query_as(asked)
        .bind(user)
        .bind(ms)
        .bind(Id(RowId::from_bytes(id)))
        .bind(i64::from(limit) + 1)
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().map(read).collect())
}

impl PersonaStore for Rows {
    async fn personality(&self, whose: &Whose) -> Stored<PersonalityState> {
        let town = self.town(whose)?;
        let state = |(name, attraction, gandhi_genghis, energy, changed_ms): StateColumns| {
            let state =
                PersonalityState::new(mood(&name), small(attraction), small(gandhi_genghis), small(energy));
            faded_since(state, changed_ms, now_ms())
        };
        let caches = self.teller.caches();
        let place = caches.place(town.id(), whose);
        if let Some(kept) = caches.personality(place.as_ref()) {
            return Ok(kept.map(state).unwrap_or_default());
        }
        let mut transaction = town.begin().await.map_err(failed)?;
        let asked = "SELECT mood, attraction_level, gandhi_genghis, energy, changed_ms \
            FROM robbie_personality_state WHERE id = $1 AND user_id = $2";
        let found: Option<StateColumns> = sqlx::query_as(asked)
            .bind(Id(row_id(&whose.user)))
            .bind(&whose.user)
            .fetch_optional(transaction.connection())
            .await
            .map_err(failed)?;
        caches.keep_personality(place, &found);
        Ok(found.map(state).unwrap_or_default())
    }

    async fn change_mood(&self, whose: &Whose, update: MoodUpdate) -> Stored<PersonalityState> {
        let wish = Wish {
            scopes: &[own(whose)],
            user: &whose.user,
            keys: &[key(Table::Personality, row_id(&whose.user))],
            now_ms: now_ms(),
        };
        let mut writing = self.begin(&self.town(whose)?, wish).await?;
        let new = change(&mut writing, &whose.user, &update)?;
        self.commit(writing).await?;
        Ok(new)
    }

    async fn mood_history(&self, whose: &Whose, at: &PageAt) -> Stored<Page<MoodChange>> {
        let list = List::named(&[Some("moods"), Some(&whose.town), Some(&whose.user)]);
        let from = match &at.cursor {
            Some(cursor) => moment_of(&list.key(cursor)?),
            None => (i64::MAX, [u8::MAX; 16]),
        };
        let limit = at.limit.clamp(1, 500);
        let mut read = self.town(whose)?.begin().await.map_err(failed)?;
        let mut rows = history(read.connection(), &whose.user, from, limit).await.map_err(failed)?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| more);
        let next = next.map(|last| list.after(&moment_key(last.at.as_millisecond(), last.id.as_bytes())));
        Ok(Page { rows, next })
    }
}
