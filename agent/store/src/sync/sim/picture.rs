//! Rows as people see them, field by field, of a robot's tables and of the cloud's: the same form for both.

use std::collections::BTreeMap;

use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::note::PRIORITY_DEFAULT;
use cloud_sync_protocol::persona::PersonalityState;
use cloud_sync_protocol::store::Whose;
use cloud_sync_protocol::sync::model::Cloud;
use cloud_sync_protocol::sync::op::{Field, Scope, put_over};
use cloud_sync_protocol::sync::table::{Table, mood_changes, notes, turns};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, params};

use super::history::readable;

/// Rows of one table.
pub(super) type Picture = BTreeMap<RowId, Vec<Field>>;

/// Id first, then the fields by their numbers; a condition last.
const fn sql(table: Table) -> &'static str {
    match table {
        Table::Notes => {
            "SELECT id, content, created_by, created_ms, tags, priority, surfaced, last_surfaced_ms FROM notes WHERE town = ?1 AND ?2 = ?2"
        }
        Table::Facts => {
            "SELECT id, content, source_id, event_ms, valid_from_ms, valid_to_ms FROM facts WHERE town = ?1 AND user_id = ?2"
        }
        Table::Turns => {
            "SELECT turns.id AS id, conversation_id, sender = 'robbie', speaker, message_text, at_ms, mood_at_time FROM turns \
             JOIN conversations ON conversations.id = conversation_id WHERE town = ?1 AND user_id = ?2"
        }
        Table::Personality => {
            "SELECT id, mood, attraction_level, gandhi_genghis, energy FROM personality WHERE town = ?1 AND user_id = ?2"
        }
        Table::MoodChanges => {
            "SELECT id, at_ms, from_mood, mood, attraction_level, gandhi_genghis, energy, reason, context, source \
             FROM mood_changes WHERE town = ?1 AND user_id = ?2"
        }
        Table::Conflicts => {
            "SELECT id, table_id, row_id, field, other, other_author, other_ms, current_author, current_ms, why, 1 - is_open \
             FROM conflicts WHERE ?1 = ?1 AND ?2 = ?2"
        }
    }
}

/// The rows of a table, or one of them, that a robot shows.
pub(super) fn shown(connection: &Connection, whose: &Whose, table: Table, row: Option<RowId>) -> Picture {
    let mut statement = connection
        .prepare_cached(&format!("SELECT * FROM ({}) WHERE ?3 IS NULL OR id = ?3", sql(table)))
        .expect("the tables are there");
    let columns = statement.column_count();
    let row = row.map(|row| *row.as_bytes());
    let rows = statement.query_map(params![whose.town, whose.user, row], |row| {
        let mut fields = Vec::with_capacity(columns);
        for column in 1..columns {
            let id = column as u16;
            match row.get_ref(column)? {
                ValueRef::Null => {}
                ValueRef::Integer(number) => fields.push(Field::int(id, number)),
                ValueRef::Text(value) | ValueRef::Blob(value) => {
                    fields.push(Field { id, value: value.to_vec() })
                }
                ValueRef::Real(_) => panic!("no table has one"),
            }
        }
        Ok((RowId::from_bytes(row.get(0)?), fields))
    });
    rows.expect("readable").map(|row| row.expect("readable")).collect()
}

/// Where a field is missing: what stands for it.
pub(super) fn defaults(table: Table) -> Vec<Field> {
    let persona = PersonalityState::default();
    match table {
        Table::Notes => vec![
            Field::text(notes::TAGS, "[]"),
            Field::int(notes::PRIORITY, i64::from(PRIORITY_DEFAULT)),
            Field::int(notes::SURFACED, 0),
        ],
        Table::Turns => vec![Field::text(turns::MOOD, persona.mood.as_str())],
        Table::MoodChanges => vec![
            Field::int(mood_changes::ATTRACTION, i64::from(persona.attraction_level)),
            Field::int(mood_changes::GANDHI_GENGHIS, i64::from(persona.gandhi_genghis)),
            Field::int(mood_changes::ENERGY, i64::from(persona.energy)),
            Field::text(mood_changes::SOURCE, ""),
        ],
        Table::Facts | Table::Personality | Table::Conflicts => Vec::new(),
    }
}

/// The rows of a table that the cloud shows in these scopes.
pub(super) fn of_cloud(cloud: &Cloud, table: Table, scopes: &[Scope]) -> Picture {
    let ours = cloud
        .rows()
        .iter()
        .filter(|(key, held)| key.table == table.id() && !held.state.deleted && scopes.contains(&held.scope));
    ours.map(|(key, held)| {
        let mut fields = defaults(table);
        put_over(&mut fields, &held.state.values());
        (key.row, fields)
    })
    .collect()
}

/// The first difference, where there is one.
pub(super) fn difference(table: Table, cloud: &Picture, robot: &Picture) -> Option<String> {
    let row = cloud.keys().chain(robot.keys()).find(|row| cloud.get(row) != robot.get(row))?;
    let told = |picture: &Picture| {
        let Some(fields) = picture.get(row) else { return "nothing".to_owned() };
        let fields = fields.iter().map(|field| format!("{}={}", field.id, readable(&field.value)));
        fields.collect::<Vec<_>>().join(" ")
    };
    Some(format!("{} {row}: the cloud has {}, the robot {}", table.name(), told(cloud), told(robot)))
}
