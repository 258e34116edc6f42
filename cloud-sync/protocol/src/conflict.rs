//! Edits that did not see each other, as people see them; and how a store stands with the other side.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::id::RowId;
use crate::sync::op::{as_int, as_text};
use crate::sync::table::{Table, TableId, facts, notes};

/// Most conflicts that are told at once, the newest.
pub const CONFLICTS_MAX: u32 = 500;

/// Why there are two versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConflictKind {
    /// Two wrote at once.
    Concurrent,
    /// One wrote, the other deleted.
    Deleted,
    /// The row was not there any more when the edit came.
    Gone,
    /// The edit was not a valid one.
    Invalid,
}

impl ConflictKind {
    /// As [`WHY`](crate::sync::table::conflicts::WHY) has it.
    #[must_use]
    pub const fn from_number(number: i64) -> Self {
        match number {
            0 => Self::Concurrent,
            1 => Self::Deleted,
            2 => Self::Gone,
            _ => Self::Invalid,
        }
    }
}

/// Something of both versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Both<T> {
    /// Of the one that stands.
    pub current: T,
    /// Of the other one.
    pub other: T,
}

/// Two versions of a field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Conflict {
    /// Its id.
    pub id: RowId,
    /// The table: `notes`, `facts`, `turns`.
    pub table: String,
    /// The row.
    pub row: RowId,
    /// The field.
    pub field: String,
    /// Why there are two.
    pub kind: ConflictKind,
    /// What stands; null where the row is gone.
    #[schema(value_type = Object)]
    pub current: Value,
    /// What lost.
    #[schema(value_type = Object)]
    pub other: Value,
    /// The robots that wrote them; the cloud is `(cloud)`.
    pub authors: Both<String>,
    /// When they were written.
    #[schema(value_type = Both<String>)]
    pub times: Both<Timestamp>,
}

/// Which version is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Keep {
    /// The one that stands.
    Current,
    /// The other one.
    Other,
}

/// How a store stands with the other side.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SyncStatus {
    /// On a robot: the cloud that it belongs to, null where it belongs to none. In the cloud: null.
    pub cloud: Option<String>,
    /// On a robot: the cloud answered the last time it was asked.
    pub connected: bool,
    /// On a robot: frames go over the broker.
    pub over_broker: bool,
    /// Changes that the other side does not have, as far as is known. In the cloud: of the robot that is farthest behind.
    pub pending: u64,
    /// How long the oldest of them has waited, ms.
    pub oldest_pending_age_ms: Option<u64>,
    /// When both sides had the same the last time.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_converged_at: Option<Timestamp>,
    /// Conflicts that nobody has resolved.
    pub conflicts: u64,
    /// What the clock is worth: `synced`, `holdover`, `unknown`.
    pub clock: String,
    /// What a person must look after.
    pub fault: Option<String>,
}

/// A value as people read it.
#[must_use]
pub fn shown(table: TableId, field: u16, value: &[u8]) -> Value {
    let is_number = matches!(
        (Table::of(table), field),
        (Some(Table::Notes), notes::PRIORITY | notes::SURFACED) | (Some(Table::Facts), facts::VALID_TO_MS)
    );
    if is_number {
        return as_int(value).map_or(Value::Null, Value::from);
    }
    let is_json = matches!((Table::of(table), field), (Some(Table::Notes), notes::TAGS));
    match as_text(value) {
        Some(text) if is_json => serde_json::from_str(text).unwrap_or_default(),
        Some(text) => Value::from(text),
        None => Value::from(String::from_utf8_lossy(value)),
    }
}

/// The names of a table and its field, as people read them.
#[must_use]
pub fn names(table: TableId, field: u16) -> (String, String) {
    match Table::of(table) {
        Some(table) => (table.name().to_owned(), table.field_name(field).to_owned()),
        None => (format!("table {}", table.0), format!("field {field}")),
    }
}

/// The row that the other version gets where its own is gone: the same one, whoever chooses it and how often.
#[must_use]
pub fn restored(conflict: RowId) -> RowId {
    RowId::named(&format!("restored/{conflict}"))
}

/// Whether a number in [`STATE`](crate::sync::table::conflicts::STATE) means that nobody has chosen yet.
#[must_use]
pub const fn is_open(state: i64) -> bool {
    state == 0
}
