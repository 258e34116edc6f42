//! Sticky notes: their JSON, their bounds, what may be asked and changed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::RowId;

/// Longest content, bytes of UTF-8.
pub const CONTENT_BYTES_MAX: usize = 16 * 1024;
/// Most tags of a note.
pub const TAGS_MAX: usize = 32;
/// Longest tag and author, bytes of UTF-8.
pub const TAG_BYTES_MAX: usize = 64;
/// Highest priority.
pub const PRIORITY_MAX: u8 = 100;
/// Priority where nobody says one.
pub const PRIORITY_DEFAULT: u8 = 50;

/// A sticky note, as apps know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StickyNote {
    /// Its id.
    pub id: RowId,
    /// What it says; at most 16 KiB.
    pub content: String,
    /// Who wrote it.
    pub created_by: String,
    /// When, by the wall clock of whoever stored it first.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Its tags, each at most 64 bytes.
    pub tags: Vec<String>,
    /// 0 ..= 100, the higher the sooner it matters.
    #[schema(maximum = 100)]
    pub priority: u8,
    /// Robbie has brought it up by itself.
    pub surfaced: bool,
}

/// A row with its version, which rises with every change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed<T> {
    /// The row.
    pub row: T,
    /// Its version, from 1.
    pub version: u64,
}

/// A note to be written, with everything decided and within its limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewNote {
    /// Its id.
    pub id: RowId,
    /// What it says.
    pub content: String,
    /// Who wrote it.
    pub created_by: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// 0 ..= 100.
    pub priority: u8,
}

/// What to change in a note; `None` leaves it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotePatch {
    /// What it says.
    pub content: Option<String>,
    /// Its tags, all of them.
    pub tags: Option<Vec<String>>,
    /// 0 ..= 100.
    pub priority: Option<u8>,
    /// Robbie has brought it up.
    pub surfaced: Option<bool>,
}

/// Which notes to list; `None` lets all pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NoteFilter {
    /// Carries this tag, letter for letter.
    pub tag: Option<String>,
    /// Contains these words, in any order, whatever their ending.
    pub text: Option<String>,
    /// Written by.
    pub author: Option<String>,
}
