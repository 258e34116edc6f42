//! The tables that are kept in step, their fields, and what a write to each must keep. Numbers are on the wire and in files:
//! they are never given twice; a new meaning gets a new number.

use serde::{Deserialize, Serialize};

use super::op::{Field, Kind, Op, Scope, as_int, as_row, as_text};
use crate::note::{CONTENT_BYTES_MAX, PRIORITY_MAX, TAG_BYTES_MAX, TAGS_MAX};
use crate::persona::{ATTRACTION, ENERGY, GANDHI_GENGHIS, Mood};
use crate::turn::{SPEAKER_BYTES_MAX, TURN_BYTES_MAX};

/// Number of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TableId(pub u16);

/// The tables that this version knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Table {
    /// Sticky notes, see [`notes`].
    Notes,
    /// What was learnt, see [`facts`].
    Facts,
    /// What was said, see [`turns`].
    Turns,
    /// Personality and mood, one row a user, whose id follows from theirs, see [`personality`].
    Personality,
    /// Changes of mood, see [`mood_changes`].
    MoodChanges,
    /// Edits that lost, or came too late, see [`conflicts`].
    Conflicts,
}

/// Version of the numbers on this page: a replica that knows more than its server waits for the server.
pub const SCHEMA: u16 = 1;

/// Fields of [`Table::Notes`].
pub mod notes {
    /// Text, at most 16 KiB.
    pub const CONTENT: u16 = 1;
    /// Text, who wrote it.
    pub const CREATED_BY: u16 = 2;
    /// Number, ms since 1970. Missing in an Insert: when the server holds it was written.
    pub const CREATED_MS: u16 = 3;
    /// Text, a JSON array of strings. Missing: none.
    pub const TAGS: u16 = 4;
    /// Number, 0 ..= 100. Missing: 50.
    pub const PRIORITY: u16 = 5;
    /// Number, 0 or 1. Missing: 0.
    pub const SURFACED: u16 = 6;
    /// Number, ms since 1970. Missing: never.
    pub const LAST_SURFACED_MS: u16 = 7;
}

/// Fields of [`Table::Facts`].
pub mod facts {
    /// Text, at most 16 KiB.
    pub const CONTENT: u16 = 1;
    /// Id of the turn or note it comes from. Missing: none.
    pub const SOURCE: u16 = 2;
    /// Number, ms since 1970, when what it tells of was. Missing: unknown.
    pub const EVENT_MS: u16 = 3;
    /// Number, ms since 1970. Missing in an Insert: when the server holds it was written.
    pub const VALID_FROM_MS: u16 = 4;
    /// Number, ms since 1970. Missing: still true.
    pub const VALID_TO_MS: u16 = 5;
}

/// Fields of [`Table::Turns`], which are written once.
pub mod turns {
    /// Id of the conversation.
    pub const CONVERSATION: u16 = 1;
    /// Number: 0 a person, 1 Robbie.
    pub const SENDER: u16 = 2;
    /// Text, who spoke. Missing: unknown.
    pub const SPEAKER: u16 = 3;
    /// Text, at most 32 KiB.
    pub const TEXT: u16 = 4;
    /// Number, ms since 1970. Missing in an Insert: when the server holds it was written.
    pub const AT_MS: u16 = 5;
    /// Text, Robbie's mood then. Missing: friendly.
    pub const MOOD: u16 = 6;
}

/// Fields of [`Table::Personality`].
pub mod personality {
    /// Text, the mood.
    pub const MOOD: u16 = 1;
    /// Number, 1 ..= 11.
    pub const ATTRACTION: u16 = 2;
    /// Number, 1 ..= 10.
    pub const GANDHI_GENGHIS: u16 = 3;
    /// Number, 0 ..= 100.
    pub const ENERGY: u16 = 4;
}

/// Fields of [`Table::MoodChanges`], which are written once.
pub mod mood_changes {
    /// Number, ms since 1970. Missing in an Insert: when the server holds it was written.
    pub const AT_MS: u16 = 1;
    /// Text, the mood before.
    pub const FROM: u16 = 2;
    /// Text, the mood after.
    pub const MOOD: u16 = 3;
    /// Number after, 1 ..= 11.
    pub const ATTRACTION: u16 = 4;
    /// Number after, 1 ..= 10.
    pub const GANDHI_GENGHIS: u16 = 5;
    /// Number after, 0 ..= 100.
    pub const ENERGY: u16 = 6;
    /// Text, why.
    pub const REASON: u16 = 7;
    /// Text, as it was given, at most 1 KiB. Missing: none.
    pub const CONTEXT: u16 = 8;
    /// Text, who asked.
    pub const SOURCE: u16 = 9;
}

/// Fields of [`Table::Conflicts`]. The server writes them; a replica sets [`conflicts::STATE`] alone.
pub mod conflicts {
    /// Number of the table.
    pub const TABLE: u16 = 1;
    /// Id of the row.
    pub const ROW: u16 = 2;
    /// Number of the field.
    pub const FIELD: u16 = 3;
    /// The value that lost, as the field has it.
    pub const OTHER: u16 = 4;
    /// Text, the device that wrote it.
    pub const OTHER_AUTHOR: u16 = 5;
    /// Number, ms since 1970, when.
    pub const OTHER_MS: u16 = 6;
    /// Text, the device that wrote what stands.
    pub const CURRENT_AUTHOR: u16 = 7;
    /// Number, ms since 1970, when.
    pub const CURRENT_MS: u16 = 8;
    /// Number: 0 two wrote at once, 1 the row was deleted meanwhile, 2 there is no such row any more, 3 not a valid write.
    pub const WHY: u16 = 9;
    /// Number: 0 open, 1 resolved.
    pub const STATE: u16 = 10;
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Notes, Self::Facts, Self::Turns, Self::Personality, Self::MoodChanges, Self::Conflicts];

    /// Its number.
    #[must_use]
    pub const fn id(self) -> TableId {
        TableId(match self {
            Self::Notes => 1,
            Self::Facts => 2,
            Self::Turns => 3,
            Self::Personality => 4,
            Self::MoodChanges => 5,
            Self::Conflicts => 6,
        })
    }

    /// The table of that number, where this version knows one.
    #[must_use]
    pub fn of(id: TableId) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.id() == id)
    }

    /// As people see it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Notes => "notes",
            Self::Facts => "facts",
            Self::Turns => "turns",
            Self::Personality => "personality",
            Self::MoodChanges => "mood_changes",
            Self::Conflicts => "conflicts",
        }
    }

    /// Whether its rows are written once and never changed.
    #[must_use]
    pub const fn is_append_only(self) -> bool {
        matches!(self, Self::Turns | Self::MoodChanges)
    }

    /// Whether its rows can be deleted.
    #[must_use]
    pub const fn can_be_deleted(self) -> bool {
        matches!(self, Self::Notes | Self::Facts)
    }

    /// Whose rows a device of this user writes in it. Conflicts stand beside the row that they are about.
    #[must_use]
    pub fn scope(self, user: &str) -> Option<Scope> {
        match self {
            Self::Notes => Some(Scope::Town),
            Self::Facts | Self::Turns | Self::Personality | Self::MoodChanges => {
                Some(Scope::User(user.to_owned()))
            }
            Self::Conflicts => None,
        }
    }

    /// Whether a value of this field that loses against another is kept and shown: what a person wrote.
    #[must_use]
    pub const fn keeps_loser(self, field: u16) -> bool {
        match self {
            Self::Notes => matches!(field, notes::CONTENT | notes::TAGS | notes::PRIORITY),
            Self::Facts => matches!(field, facts::CONTENT | facts::VALID_TO_MS),
            _ => false,
        }
    }

    /// The field that holds the text for whose sake the row exists; kept and shown where a write to it finds no row.
    #[must_use]
    pub const fn text_field(self) -> Option<u16> {
        match self {
            Self::Notes => Some(notes::CONTENT),
            Self::Facts => Some(facts::CONTENT),
            Self::Turns => Some(turns::TEXT),
            _ => None,
        }
    }

    /// The field that says when the row came to be, where an Insert may leave that to the server.
    #[must_use]
    pub const fn moment_field(self) -> Option<u16> {
        match self {
            Self::Notes => Some(notes::CREATED_MS),
            Self::Facts => Some(facts::VALID_FROM_MS),
            Self::Turns => Some(turns::AT_MS),
            Self::MoodChanges => Some(mood_changes::AT_MS),
            Self::Personality | Self::Conflicts => None,
        }
    }

    /// Name of a field, as people see it.
    #[must_use]
    pub const fn field_name(self, field: u16) -> &'static str {
        match (self, field) {
            (Self::Notes | Self::Facts, 1) => "content",
            (Self::Notes, notes::TAGS) => "tags",
            (Self::Notes, notes::PRIORITY) => "priority",
            (Self::Facts, facts::VALID_TO_MS) => "valid_to",
            (Self::Turns, turns::TEXT) => "message_text",
            _ => "field",
        }
    }
}

/// Why a write is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid write: {0}")]
pub struct Invalid(pub &'static str);

/// Whether a device may send this write, and its values are what the table holds.
///
/// # Errors
/// [`Invalid`], with what is wrong.
pub fn check(op: &Op) -> Result<Table, Invalid> {
    let table = Table::of(op.key.table).ok_or(Invalid("no such table"))?;
    if op.fields.windows(2).any(|pair| pair[0].id >= pair[1].id) {
        return Err(Invalid("fields out of order"));
    }
    match op.kind {
        Kind::Insert if table == Table::Conflicts => return Err(Invalid("conflicts are the server's")),
        Kind::Insert => {
            if required(table).iter().any(|field| op.get(*field).is_none()) {
                return Err(Invalid("a field is missing"));
            }
        }
        Kind::Set if table.is_append_only() => return Err(Invalid("the row is never changed")),
        Kind::Set if op.fields.is_empty() => return Err(Invalid("nothing is set")),
        Kind::Set if table == Table::Conflicts => {
            if op.fields.iter().any(|field| field.id != conflicts::STATE) {
                return Err(Invalid("conflicts are the server's"));
            }
        }
        Kind::Set => {}
        Kind::Delete if table.can_be_deleted() && op.fields.is_empty() => {}
        Kind::Delete => return Err(Invalid("the row cannot be deleted")),
    }
    if op.fields.iter().all(|field| is_valid(table, field)) { Ok(table) } else { Err(Invalid("a value")) }
}

/// Fields that an Insert must carry.
const fn required(table: Table) -> &'static [u16] {
    match table {
        Table::Notes => &[notes::CONTENT, notes::CREATED_BY],
        Table::Facts => &[facts::CONTENT],
        Table::Turns => &[turns::CONVERSATION, turns::SENDER, turns::TEXT],
        Table::Personality => {
            &[personality::MOOD, personality::ATTRACTION, personality::GANDHI_GENGHIS, personality::ENERGY]
        }
        Table::MoodChanges => &[mood_changes::FROM, mood_changes::MOOD, mood_changes::REASON],
        Table::Conflicts => &[],
    }
}

/// Longest value of a field that this version does not know, bytes.
const UNKNOWN_BYTES_MAX: usize = 32 * 1024;
/// Longest reason and context of a change of mood, bytes.
const REASON_BYTES_MAX: usize = 4 * 1024;

fn is_valid(table: Table, field: &Field) -> bool {
    let value = &*field.value;
    let text = |most| as_text(value).is_some_and(|text| text.len() <= most && !text.contains('\0'));
    let within =
        |low: u8, high: u8| as_int(value).is_some_and(|n| (i64::from(low)..=i64::from(high)).contains(&n));
    let range = |range: &std::ops::RangeInclusive<u8>| within(*range.start(), *range.end());
    let mood = || as_text(value).is_some_and(|name| Mood::named(name).is_some());
    let moment = || as_int(value).is_some_and(|ms| jiff::Timestamp::from_millisecond(ms).is_ok());
    match (table, field.id) {
        (Table::Notes, notes::CONTENT) | (Table::Facts, facts::CONTENT) => text(CONTENT_BYTES_MAX),
        (Table::Notes, notes::CREATED_BY) => text(TAG_BYTES_MAX.max(96)),
        (Table::Notes, notes::TAGS) => are_tags(value),
        (Table::Notes, notes::PRIORITY) => within(0, PRIORITY_MAX),
        (Table::Notes, notes::SURFACED) | (Table::Conflicts, conflicts::STATE) => within(0, 1),
        (Table::Notes, notes::CREATED_MS | notes::LAST_SURFACED_MS)
        | (Table::Facts, facts::EVENT_MS | facts::VALID_FROM_MS | facts::VALID_TO_MS)
        | (Table::Turns, turns::AT_MS)
        | (Table::MoodChanges, mood_changes::AT_MS) => moment(),
        (Table::Facts, facts::SOURCE) | (Table::Turns, turns::CONVERSATION) => as_row(value).is_some(),
        (Table::Turns, turns::SENDER) => within(0, 1),
        (Table::Turns, turns::SPEAKER) => text(SPEAKER_BYTES_MAX),
        (Table::Turns, turns::TEXT) => text(TURN_BYTES_MAX),
        (Table::Turns, turns::MOOD)
        | (Table::Personality, personality::MOOD)
        | (Table::MoodChanges, mood_changes::FROM | mood_changes::MOOD) => mood(),
        (Table::Personality, personality::ATTRACTION) | (Table::MoodChanges, mood_changes::ATTRACTION) => {
            range(&ATTRACTION)
        }
        (Table::Personality, personality::GANDHI_GENGHIS)
        | (Table::MoodChanges, mood_changes::GANDHI_GENGHIS) => range(&GANDHI_GENGHIS),
        (Table::Personality, personality::ENERGY) | (Table::MoodChanges, mood_changes::ENERGY) => {
            range(&ENERGY)
        }
        (Table::MoodChanges, mood_changes::REASON | mood_changes::CONTEXT | mood_changes::SOURCE) => {
            text(REASON_BYTES_MAX)
        }
        _ => value.len() <= UNKNOWN_BYTES_MAX,
    }
}

/// A JSON array of at most 32 strings of at most 64 bytes.
fn are_tags(value: &[u8]) -> bool {
    let Some(text) = as_text(value) else { return false };
    let Ok(tags) = serde_json::from_str::<Vec<String>>(text) else { return false };
    tags.len() <= TAGS_MAX && tags.iter().all(|tag| tag.len() <= TAG_BYTES_MAX && !tag.contains('\0'))
}
