//! A row as the server holds it: a register for each field, with who wrote it and when. And a row as a replica shows it.

use serde::{Deserialize, Serialize};

use super::op::{Field, Kind, Op, bytes, put_over};
use crate::id::RowId;

/// Who wrote a value: which operation of which device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// The device, or [`CLOUD`].
    pub device: String,
    /// Which life of its database.
    pub incarnation: u64,
    /// The operation's place in it.
    pub seq: u64,
}

/// The name of the server itself among authors: what apps write through it. No robot can be called that.
pub const CLOUD: &str = "(cloud)";

/// One field of a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Register {
    /// Its number.
    pub field: u16,
    /// Its value.
    #[serde(with = "bytes")]
    pub value: Vec<u8>,
    /// Place of its last change among the changes of the scope.
    pub version: u64,
    /// Who wrote it.
    pub author: Author,
    /// Who wrote the same after that, without having seen it: the same operation from a copied card, say.
    pub also: Option<Author>,
    /// When, ms since 1970.
    pub at_ms: i64,
}

/// A value that lost and stands among the conflicts, see [`super::table::conflicts`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// Its field.
    pub field: u16,
    /// Who had written it.
    pub author: Author,
    /// The conflict's row.
    pub conflict: RowId,
    /// Version of the value that won over it then.
    pub over: u64,
}

/// Lost values of one row that are known to it at most; the oldest are forgotten there, and stay among the conflicts.
pub const LOST_MAX: usize = 16;

/// A row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowState {
    /// Place of its last change among the changes of its scope.
    pub version: u64,
    /// When that was, ms since 1970.
    pub at_ms: i64,
    /// It was deleted; then it has no fields.
    pub deleted: bool,
    /// By rising number.
    pub fields: Vec<Register>,
    /// Values of it that lost, newest last.
    pub lost: Vec<Lost>,
}

/// Version of the bytes below.
const STATE: u8 = 1;

impl RowState {
    /// The register of a field.
    #[must_use]
    pub fn get(&self, field: u16) -> Option<&Register> {
        self.fields.binary_search_by_key(&field, |one| one.field).ok().map(|place| &self.fields[place])
    }

    /// Its values.
    #[must_use]
    pub fn values(&self) -> Vec<Field> {
        self.fields.iter().map(|one| Field { id: one.field, value: one.value.clone() }).collect()
    }

    /// As stored.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // Into a growing vector nothing can fail but memory.
        postcard::to_extend(self, vec![STATE]).unwrap_or_default()
    }

    /// As stored; `None` where these bytes are no row.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (version, body) = bytes.split_first()?;
        (*version == STATE).then(|| postcard::from_bytes(body).ok()).flatten()
    }
}

/// What a row adds to the checksum of its scope, which is the sum over all rows that are not deleted, wrapping: two replicas
/// with the same sum hold the same rows at the same versions.
#[must_use]
pub fn checksum(row: RowId, version: u64) -> u64 {
    let id = u128::from_be_bytes(*row.as_bytes());
    mix(mix(id as u64) ^ mix((id >> 64) as u64 ^ 0x9e37_79b9_7f4a_7c15) ^ version)
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
const fn mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// What a replica shows of a row: what the server last said (`None`: nothing, or that it is gone), and over it the operations
/// that wait, oldest first. `None`: there is no such row.
#[must_use]
pub fn overlay<'a>(
    base: Option<Vec<Field>>,
    waiting: impl IntoIterator<Item = &'a Op>,
) -> Option<Vec<Field>> {
    let mut shown = base;
    for op in waiting {
        match op.kind {
            Kind::Insert => put_over(shown.get_or_insert_default(), &op.fields),
            // Of a row that is gone the server keeps the edit elsewhere.
            Kind::Set => {
                if let Some(fields) = &mut shown {
                    put_over(fields, &op.fields);
                }
            }
            Kind::Delete => shown = None,
        }
    }
    shown
}
