//! Turns and the conversations that they make. A turn is written once.

use std::collections::HashMap;

use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::memory::MemoryKind;
use cloud_sync_protocol::turn::{Sender, Turn};
use sqlx::PgConnection;

use super::memory::{self, Remembered};
use super::{Row, state};
use crate::store::columns::Id;

/// What new turns add to a conversation.
struct Talk {
    started_ms: i64,
    last_ms: i64,
    turns: i32,
}

/// The side that spoke, as the column has it.
pub(in crate::store::rows) const fn sender_name(sender: Sender) -> &'static str {
    match sender {
        Sender::User => "user",
        Sender::Robbie => "robbie",
    }
}

pub(super) async fn turns(connection: &mut PgConnection, rows: &[Row<'_>]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let turns: Vec<(RowId, Turn)> = rows.iter().map(|row| state::turn(row.id, row.state)).collect();
    let ordinals = ordinals(connection, rows, &turns).await?;
    let keep = "INSERT INTO conversations \
        (id, user_id, conversation_id, ordinal, message_text, sender, speaker, at_ms, mood_at_time, version) \
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::integer[], $5::text[], $6::text[], $7::text[], \
        $8::bigint[], $9::text[], $10::bigint[])";
    sqlx::query(keep)
        .bind(rows.iter().map(|row| Id(row.id)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.user.to_owned()).collect::<Vec<_>>())
        .bind(turns.iter().map(|(talk, _)| Id(*talk)).collect::<Vec<_>>())
        .bind(&ordinals)
        .bind(turns.iter().map(|(_, turn)| turn.message_text.clone()).collect::<Vec<_>>())
        .bind(turns.iter().map(|(_, turn)| sender_name(turn.sender).to_owned()).collect::<Vec<_>>())
        .bind(turns.iter().map(|(_, turn)| turn.speaker.clone()).collect::<Vec<_>>())
        .bind(turns.iter().map(|(_, turn)| turn.timestamp.as_millisecond()).collect::<Vec<_>>())
        .bind(turns.iter().map(|(_, turn)| turn.mood_at_time.as_str().to_owned()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.version()).collect::<Vec<_>>())
        .execute(&mut *connection)
        .await?;
    let said = rows.iter().zip(&turns).zip(&ordinals);
    let said = said.map(|((row, (talk, turn)), ordinal)| Remembered {
        id: row.id,
        is_new: true,
        user: row.user,
        said_in: Some((*talk, *ordinal)),
        speaker: turn.speaker.as_deref(),
        at_ms: turn.timestamp.as_millisecond(),
        text: &turn.message_text,
    });
    memory::replace(connection, MemoryKind::Turn, Vec::new(), &said.collect::<Vec<_>>()).await
}

/// The place of each turn in its conversation; conversations begin and grow.
async fn ordinals(
    connection: &mut PgConnection,
    rows: &[Row<'_>],
    turns: &[(RowId, Turn)],
) -> Result<Vec<i32>, sqlx::Error> {
    let mut talks: HashMap<(&str, RowId), Talk> = HashMap::new();
    let mut places = Vec::with_capacity(turns.len());
    for (row, (talk, turn)) in rows.iter().zip(turns) {
        let ms = turn.timestamp.as_millisecond();
        let new = || Talk { started_ms: ms, last_ms: ms, turns: 0 };
        let talk = talks.entry((row.user, *talk)).or_insert_with(new);
        (talk.started_ms, talk.last_ms) = (talk.started_ms.min(ms), talk.last_ms.max(ms));
        places.push(talk.turns);
        talk.turns += 1;
    }
    let grow = "INSERT INTO talks (user_id, id, started_ms, last_ms, turns) \
        SELECT * FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::bigint[], $5::integer[]) \
        ON CONFLICT (user_id, id) DO UPDATE SET started_ms = least(talks.started_ms, excluded.started_ms), \
        last_ms = greatest(talks.last_ms, excluded.last_ms), turns = talks.turns + excluded.turns \
        RETURNING user_id, id, turns";
    let grown: Vec<(String, Id, i64)> = sqlx::query_as(grow)
        .bind(talks.keys().map(|(user, _)| (*user).to_owned()).collect::<Vec<_>>())
        .bind(talks.keys().map(|(_, id)| Id(*id)).collect::<Vec<_>>())
        .bind(talks.values().map(|talk| talk.started_ms).collect::<Vec<_>>())
        .bind(talks.values().map(|talk| talk.last_ms).collect::<Vec<_>>())
        .bind(talks.values().map(|talk| talk.turns).collect::<Vec<_>>())
        .fetch_all(connection)
        .await?;
    let grown: HashMap<(&str, RowId), i64> =
        grown.iter().map(|(user, Id(id), turns)| ((&**user, *id), *turns)).collect();
    let ordinal = |((row, (talk, _)), place): ((&Row<'_>, &(RowId, Turn)), i32)| {
        let key = (row.user, *talk);
        let all = grown.get(&key).copied().unwrap_or_default();
        let new = talks.get(&key).map_or(0, |talk| i64::from(talk.turns));
        i32::try_from(all - new + i64::from(place)).unwrap_or(i32::MAX)
    };
    Ok(rows.iter().zip(turns).zip(places).map(ordinal).collect())
}
