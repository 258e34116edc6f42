//! Personalities and the changes of mood.

use cloud_sync_protocol::persona::MoodChange;
use sqlx::PgConnection;

use super::{Row, state};
use crate::store::columns::Id;

pub(super) async fn personalities(
    connection: &mut PgConnection,
    rows: &[Row<'_>],
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let states: Vec<_> = rows.iter().map(|row| state::persona(row.state)).collect();
    let keep = "INSERT INTO robbie_personality_state \
        (id, user_id, mood, attraction_level, gandhi_genghis, energy, changed_ms, version) \
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::smallint[], $5::smallint[], $6::smallint[], \
        $7::bigint[], $8::bigint[]) \
        ON CONFLICT (id) DO UPDATE SET mood = excluded.mood, attraction_level = excluded.attraction_level, \
        gandhi_genghis = excluded.gandhi_genghis, energy = excluded.energy, changed_ms = excluded.changed_ms, \
        version = excluded.version";
    sqlx::query(keep)
        .bind(rows.iter().map(|row| Id(row.id)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.user.to_owned()).collect::<Vec<_>>())
        .bind(states.iter().map(|state| state.mood.as_str().to_owned()).collect::<Vec<_>>())
        .bind(states.iter().map(|state| i16::from(state.attraction_level)).collect::<Vec<_>>())
        .bind(states.iter().map(|state| i16::from(state.gandhi_genghis)).collect::<Vec<_>>())
        .bind(states.iter().map(|state| i16::from(state.energy)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.state.at_ms).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.version()).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn mood_changes(connection: &mut PgConnection, rows: &[Row<'_>]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let changes: Vec<MoodChange> = rows.iter().map(|row| state::mood_change(row.id, row.state)).collect();
    let keep = "INSERT INTO mood_changes (id, user_id, at_ms, from_mood, mood, attraction_level, gandhi_genghis, \
        energy, reason, context, source, version) \
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::smallint[], \
        $7::smallint[], $8::smallint[], $9::text[], $10::text[], $11::text[], $12::bigint[])";
    sqlx::query(keep)
        .bind(changes.iter().map(|change| Id(change.id)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.user.to_owned()).collect::<Vec<_>>())
        .bind(changes.iter().map(|change| change.at.as_millisecond()).collect::<Vec<_>>())
        .bind(changes.iter().map(|change| change.from.as_str().to_owned()).collect::<Vec<_>>())
        .bind(changes.iter().map(|change| change.mood.as_str().to_owned()).collect::<Vec<_>>())
        .bind(changes.iter().map(|change| i16::from(change.attraction_level)).collect::<Vec<_>>())
        .bind(changes.iter().map(|change| i16::from(change.gandhi_genghis)).collect::<Vec<_>>())
        .bind(changes.iter().map(|change| i16::from(change.energy)).collect::<Vec<_>>())
        .bind(changes.iter().map(|change| change.reason.clone()).collect::<Vec<_>>())
        .bind(changes.iter().map(|change| change.context.clone()).collect::<Vec<_>>())
        .bind(changes.iter().map(|change| change.source.clone()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.version()).collect::<Vec<_>>())
        .execute(&mut *connection)
        .await?;
    let newest = rows.iter().zip(&changes).max_by_key(|(_, change)| change.at);
    let Some((row, change)) = newest else { return Ok(()) };
    sqlx::query("UPDATE robbie_personality_state SET context = $2::jsonb WHERE user_id = $1")
        .bind(row.user)
        .bind(change.context.as_deref().map(context_json))
        .execute(connection)
        .await?;
    Ok(())
}

/// A context as JSON: as it was given where it is some, else as words. Postgres knows no zero in JSON.
fn context_json(context: &str) -> String {
    let value = serde_json::from_str(context).unwrap_or_else(|_words| serde_json::Value::from(context));
    let json = value.to_string();
    if json.contains("\\u0000") { serde_json::Value::from("(unreadable)").to_string() } else { json }
}
