//! Ids of rows: UUIDs that anybody may draw, so that a retry names the same row.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::{Builder, Uuid};

/// Names the tables for ids that are drawn from a user's name.
const USER_ROWS: Uuid = Uuid::from_u128(0x5d1e_7a52_0d1f_4a57_9c2c_9f1c_6ad4_0b11);

/// Names rows that are brought from elsewhere.
const NAMED_ROWS: Uuid = Uuid::from_u128(0x0c61_33a1_95a0_4a0e_8e0b_51f3_2d77_6f3d);

/// Id of a row: notes, turns, conversations, facts, mood changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, format = "uuid")]
pub struct RowId(Uuid);

impl RowId {
    /// A new id that sorts by time, also within a millisecond (UUIDv7 with more precise time in its first random bits, RFC 9562
    /// section 6.2, method 3). `wall_us` since 1970; `random` from the system.
    #[must_use]
    pub fn new(wall_us: u64, mut random: [u8; 10]) -> Self {
        // Twelve bits; the four above them are the version's.
        let [high, low] = ((wall_us % 1_000 * 4_096 / 1_000) as u16).to_be_bytes();
        (random[0], random[1]) = (high, low);
        Self(Builder::from_unix_timestamp_millis(wall_us / 1_000, &random).into_uuid())
    }

    /// The id of a row that exists once a user, the same on robot and cloud (UUIDv5).
    #[must_use]
    pub fn of_user(user: &str, table: &str) -> Self {
        Self(Uuid::new_v5(&USER_ROWS, format!("{table}/{user}").as_bytes()))
    }

    /// The id that belongs to a name, so that whoever brings the same thing once more names the same row (UUIDv5).
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self(Uuid::new_v5(&NAMED_ROWS, name.as_bytes()))
    }

    /// The 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// From 16 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }
}

impl fmt::Display for RowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The text is no UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id is a UUID such as 019ab5b0-7a30-7cc1-9b1e-0f2f6b0c9a11")]
pub struct NotAnId;

impl FromStr for RowId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        // Only the form with hyphens: one row has one spelling.
        match Uuid::try_parse(text) {
            Ok(uuid) if text.len() == 36 => Ok(Self(uuid)),
            _ => Err(NotAnId),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_also_within_a_millisecond() {
        // Whatever the random bits are: the later one gets the smallest, the earlier one the largest.
        let times = [0, 1, 2, 999, 1_000, 1_001, 1_764_000_000_000_000, 1_764_000_000_000_001];
        for pair in times.windows(2) {
            assert!(RowId::new(pair[0], [0xff; 10]) < RowId::new(pair[1], [0; 10]), "{pair:?}");
        }
    }

    #[test]
    fn an_id_is_a_uuid_of_version_7_and_says_its_millisecond() {
        let id = RowId::new(1_764_000_000_123_456, [0xff; 10]).to_string();
        assert_eq!(&id[14..15], "7");
        let ms = u64::from_str_radix(&id.replace('-', "")[..12], 16).unwrap();
        assert_eq!(ms, 1_764_000_000_123);
        assert_eq!(id.parse::<RowId>().unwrap().to_string(), id);
    }
}
