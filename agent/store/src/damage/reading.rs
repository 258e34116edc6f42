//! Reading from a file that may break at any row. Nothing here fails: what cannot be read is not there.

use std::collections::HashMap;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Row};

pub(super) type Id = [u8; 16];

/// What the table `memory` says about a row.
pub(super) struct Mention {
    pub(super) kind: u8,
    pub(super) hash: Id,
    pub(super) town: String,
    pub(super) user: String,
}

/// What `memory` says, read from both ends, and whether that was all of it.
pub(super) fn mentions(source: &Connection) -> (HashMap<Id, Mention>, bool) {
    let mut mentions = HashMap::new();
    let mut is_whole = false;
    for direction in ["ASC", "DESC"] {
        let sql = format!("SELECT id, kind, content_hash, town, user_id FROM memory ORDER BY n {direction}");
        is_whole = each(source, &sql, |row| {
            let mention =
                Mention { kind: row.get(1)?, hash: row.get(2)?, town: row.get(3)?, user: row.get(4)? };
            mentions.insert(row.get(0)?, mention);
            Ok(())
        });
        if is_whole {
            break;
        }
    }
    (mentions, is_whole)
}

/// Every row until the end, or until it breaks: `false`. A row that cannot be taken is passed over, and counts as broken.
pub(super) fn each(
    source: &Connection,
    sql: &str,
    mut take: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
) -> bool {
    let Ok(mut statement) = source.prepare(sql) else { return false };
    let Ok(mut rows) = statement.query([]) else { return false };
    let mut is_whole = true;
    loop {
        match rows.next() {
            Ok(Some(row)) => is_whole &= take(row).is_ok(),
            Ok(None) => return is_whole,
            Err(_) => return false,
        }
    }
}

/// The values of a row; `None` where a text is no UTF-8.
pub(super) fn values(row: &Row<'_>) -> Option<Vec<Value>> {
    let mut values = Vec::new();
    let mut column = 0;
    while let Ok(value) = row.get_ref(column) {
        values.push(match value {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(number) => Value::Integer(number),
            ValueRef::Real(number) => Value::Real(number),
            ValueRef::Text(bytes) => Value::Text(std::str::from_utf8(bytes).ok()?.to_owned()),
            ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
        });
        column += 1;
    }
    Some(values)
}

/// The primary key of a row, in the first columns.
pub(super) fn key(row: &Row<'_>, columns: usize) -> Option<Vec<u8>> {
    let mut key = Vec::new();
    for column in 0..columns {
        match row.get_ref(column).ok()? {
            ValueRef::Blob(bytes) => key.extend_from_slice(bytes),
            ValueRef::Integer(number) => key.extend_from_slice(&number.to_be_bytes()),
            _ => return None,
        }
    }
    Some(key)
}
