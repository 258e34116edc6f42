//! One write to one row, as it stands in a replica's outbox and goes to the server.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::table::TableId;
use crate::id::RowId;
use crate::stamp::{ClockState, Stamp};

/// Whose rows they are, and in which order they are numbered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// The town's: notes.
    Town,
    /// One user's: turns, facts, personality.
    User(String),
}

impl Scope {
    /// As stored.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Town => "town".to_owned(),
            Self::User(user) => format!("user:{user}"),
        }
    }

    /// As stored; `None` for what is no scope.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name.strip_prefix("user:") {
            Some(user) => Some(Self::User(user.to_owned())),
            None => (name == "town").then_some(Self::Town),
        }
    }
}

/// Which row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RowKey {
    /// Its table.
    pub table: TableId,
    /// Its id.
    pub row: RowId,
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// Writes a row that is new, with all its fields at once.
    Insert,
    /// Writes some fields of a row.
    Set,
    /// Deletes a row.
    Delete,
}

/// A field and its value. Fields that this version does not know are kept and handed on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its number, see [`super::table`].
    pub id: u16,
    /// Its value: text as UTF-8, numbers as zigzag varints, ids as 16 bytes.
    #[serde(with = "bytes")]
    pub value: Vec<u8>,
}

impl Field {
    /// Text.
    #[must_use]
    pub fn text(id: u16, text: &str) -> Self {
        Self { id, value: text.as_bytes().to_vec() }
    }

    /// A whole number.
    #[must_use]
    pub fn int(id: u16, number: i64) -> Self {
        Self { id, value: int(number) }
    }

    /// The id of a row.
    #[must_use]
    pub fn row(id: u16, row: RowId) -> Self {
        Self { id, value: row.as_bytes().to_vec() }
    }
}

/// A number as a value.
#[must_use]
pub fn int(number: i64) -> Vec<u8> {
    let mut value = Vec::with_capacity(2);
    let mut rest = ((number << 1) ^ (number >> 63)) as u64;
    while rest >= 0x80 {
        value.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    value.push(rest as u8);
    value
}

/// A value as a number; `None` where it is none.
#[must_use]
pub fn as_int(value: &[u8]) -> Option<i64> {
    let (last, head) = value.split_last()?;
    if value.len() > 10 || *last >= 0x80 || head.iter().any(|byte| *byte < 0x80) {
        return None;
    }
    let mut number = 0_u64;
    for (place, byte) in value.iter().enumerate() {
        let part = u64::from(byte & 0x7f);
        // The tenth byte holds the last bit.
        if place == 9 && part > 1 {
            return None;
        }
        number |= part << (7 * place);
    }
    Some((number >> 1) as i64 ^ -((number & 1) as i64))
}

/// A value as text; `None` where it is none.
#[must_use]
pub fn as_text(value: &[u8]) -> Option<&str> {
    std::str::from_utf8(value).ok()
}

/// A value as the id of a row; `None` where it is none.
#[must_use]
pub fn as_row(value: &[u8]) -> Option<RowId> {
    value.try_into().ok().map(RowId::from_bytes)
}

/// One write to one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Op {
    /// Its place in the replica's outbox, from 1, without gaps.
    pub seq: u64,
    /// What it does.
    pub kind: Kind,
    /// To which row.
    pub key: RowKey,
    /// The row's version that its writer saw; 0 where the server had said nothing of the row yet.
    pub base: u64,
    /// When it was written, by the replica's clocks. Never changed afterwards.
    pub stamp: Stamp,
    /// What is written, by rising number, each once.
    pub fields: Vec<Field>,
}

impl Op {
    /// The value of a field that it writes.
    #[must_use]
    pub fn get(&self, field: u16) -> Option<&[u8]> {
        get(&self.fields, field)
    }

    /// Sums an outbox up to and including this operation, so that two histories are told apart by one number (CRC-64/XZ).
    /// `before` sums what came before it. It finds copies and slips, not malice.
    #[must_use]
    pub fn chain(&self, before: u64) -> u64 {
        let mut digest = CHAIN.digest();
        digest.update(&before.to_le_bytes());
        digest.update(&self.seq.to_le_bytes());
        digest.update(&[self.kind as u8, self.stamp.clock.as_u8()]);
        digest.update(&self.key.table.0.to_le_bytes());
        digest.update(self.key.row.as_bytes());
        digest.update(&self.base.to_le_bytes());
        digest.update(&self.stamp.boot_id.to_le_bytes());
        digest.update(&self.stamp.mono_ms.to_le_bytes());
        digest.update(&self.stamp.wall.as_millisecond().to_le_bytes());
        for field in &self.fields {
            digest.update(&field.id.to_le_bytes());
            digest.update(&(field.value.len() as u64).to_le_bytes());
            digest.update(&field.value);
        }
        digest.finalize()
    }
}

const CHAIN: crc::Crc<u64> = crc::Crc::<u64>::new(&crc::CRC_64_XZ);

/// The value of a field among fields.
#[must_use]
pub fn get(fields: &[Field], field: u16) -> Option<&[u8]> {
    fields.iter().find(|one| one.id == field).map(|one| &*one.value)
}

/// Puts values over others: what `over` names replaces what is there.
pub fn put_over(fields: &mut Vec<Field>, over: &[Field]) {
    for new in over {
        match fields.binary_search_by_key(&new.id, |field| field.id) {
            Ok(place) => fields[place].value.clone_from(&new.value),
            Err(place) => fields.insert(place, new.clone()),
        }
    }
}

/// A stamp with no more than ms, as it travels.
#[must_use]
pub fn stamp_of(boot_id: u128, mono_ms: u64, wall_ms: i64, clock: u8) -> Stamp {
    let wall = Timestamp::from_millisecond(wall_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    Stamp { boot_id, mono_ms, wall, clock: ClockState::from_u8(clock) }
}

/// Bytes as one piece on the wire, not as a list of numbers.
pub(super) mod bytes {
    use serde::de::Visitor;
    use serde::{Deserializer, Serializer};

    pub(in super::super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(bytes)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Vec<u8>;
            fn expecting(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                to.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }
        }
        from.deserialize_bytes(Bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_number_is_read_back(number: i64) {
            prop_assert_eq!(as_int(&int(number)), Some(number));
        }
    }

    #[test]
    fn what_is_no_number_reads_as_none() {
        for wrong in [&[][..], &[0x80], &[1, 1], &[0xff; 10], &[0xff; 11]] {
            assert_eq!(as_int(wrong), None, "{wrong:?}");
        }
    }
}
