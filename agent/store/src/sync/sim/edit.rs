//! What people and programs ask for, on a robot or in the cloud.

use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::stamp::Stamp;
use cloud_sync_protocol::sync::op::{Field, Kind, Op, RowKey};
use cloud_sync_protocol::sync::table::{Table, conflicts, facts, mood_changes, notes, personality, turns};

/// One thing that somebody asks for.
#[derive(Clone, Debug)]
pub(super) enum Edit {
    NewNote {
        id: RowId,
        content: String,
        tags: Vec<String>,
        priority: u8,
    },
    ChangeNote {
        id: RowId,
        content: Option<String>,
        tags: Option<Vec<String>>,
        priority: Option<u8>,
    },
    /// Robbie brings it up.
    SurfaceNote {
        id: RowId,
    },
    DeleteNote {
        id: RowId,
    },
    NewFact {
        id: RowId,
        content: String,
    },
    ChangeFact {
        id: RowId,
        content: String,
    },
    DeleteFact {
        id: RowId,
    },
    NewTurn {
        id: RowId,
        conversation: RowId,
        text: String,
    },
    Mood {
        energy: u8,
        reason: String,
    },
    /// A conflict is settled: what stands is right, or the other is written, as `other` says.
    Settle {
        conflict: RowId,
        other: Option<Box<Edit>>,
    },
}

pub(super) const fn note(row: RowId) -> RowKey {
    RowKey { table: Table::Notes.id(), row }
}

pub(super) const fn fact(row: RowId) -> RowKey {
    RowKey { table: Table::Facts.id(), row }
}

pub(super) const fn turn(row: RowId) -> RowKey {
    RowKey { table: Table::Turns.id(), row }
}

pub(super) const fn conflict(row: RowId) -> RowKey {
    RowKey { table: Table::Conflicts.id(), row }
}

pub(super) fn personality_of(user: &str) -> RowKey {
    RowKey { table: Table::Personality.id(), row: RowId::of_user(user, "personality") }
}

/// Tags as a value.
pub(super) fn tags_value(tags: &[String]) -> Vec<u8> {
    serde_json::to_vec(tags).expect("texts are JSON")
}

impl Edit {
    /// The row that it is about; `None` where it makes rows whose ids are not known before.
    pub(super) fn key(&self, user: &str) -> RowKey {
        match self {
            Self::NewNote { id, .. }
            | Self::ChangeNote { id, .. }
            | Self::SurfaceNote { id }
            | Self::DeleteNote { id } => note(*id),
            Self::NewFact { id, .. } | Self::ChangeFact { id, .. } | Self::DeleteFact { id } => fact(*id),
            Self::NewTurn { id, .. } => turn(*id),
            Self::Mood { .. } => personality_of(user),
            Self::Settle { conflict: id, .. } => conflict(*id),
        }
    }

    /// What it writes on purpose.
    pub(super) fn fields(&self) -> Vec<Field> {
        let mut fields = Vec::new();
        match self {
            Self::NewNote { content, tags, priority, .. } => {
                fields.push(Field::text(notes::CONTENT, content));
                fields.push(Field { id: notes::TAGS, value: tags_value(tags) });
                fields.push(Field::int(notes::PRIORITY, i64::from(*priority)));
            }
            Self::ChangeNote { content, tags, priority, .. } => {
                fields.extend(content.iter().map(|content| Field::text(notes::CONTENT, content)));
                fields.extend(tags.iter().map(|tags| Field { id: notes::TAGS, value: tags_value(tags) }));
                fields.extend(priority.iter().map(|n| Field::int(notes::PRIORITY, i64::from(*n))));
            }
            Self::NewFact { content, .. } | Self::ChangeFact { content, .. } => {
                fields.push(Field::text(facts::CONTENT, content));
            }
            Self::NewTurn { text, .. } => fields.push(Field::text(turns::TEXT, text)),
            Self::Mood { energy, .. } => fields.push(Field::int(personality::ENERGY, i64::from(*energy))),
            Self::SurfaceNote { .. }
            | Self::DeleteNote { .. }
            | Self::DeleteFact { .. }
            | Self::Settle { .. } => {}
        }
        fields
    }

    /// What it comes down to: itself, or what somebody who settles a conflict writes.
    pub(super) fn edited(&self) -> &Self {
        match self {
            Self::Settle { other: Some(other), .. } => other,
            edit => edit,
        }
    }

    pub(super) const fn is_delete(&self) -> bool {
        matches!(self, Self::DeleteNote { .. } | Self::DeleteFact { .. })
    }

    /// The operations of it, as the server's own API writes them. `is_there`: the user has a personality already.
    pub(super) fn ops(&self, user: &str, is_there: bool, stamp: Stamp) -> Vec<Op> {
        if let Self::Settle { conflict, other: Some(other) } = self {
            let settled = Self::Settle { conflict: *conflict, other: None };
            let other = other.ops(user, is_there, stamp);
            return other.into_iter().chain(settled.ops(user, is_there, stamp)).collect();
        }
        let op = |kind, fields: Vec<Field>| Op { seq: 0, kind, key: self.key(user), base: 0, stamp, fields };
        let mut fields = self.fields();
        let kind = match self {
            Self::NewNote { .. } => {
                fields.insert(1, Field::text(notes::CREATED_BY, "app"));
                Kind::Insert
            }
            Self::NewFact { .. } => Kind::Insert,
            Self::NewTurn { conversation, .. } => {
                fields.insert(0, Field::row(turns::CONVERSATION, *conversation));
                fields.insert(1, Field::int(turns::SENDER, 0));
                Kind::Insert
            }
            Self::DeleteNote { .. } | Self::DeleteFact { .. } => Kind::Delete,
            Self::SurfaceNote { .. } => {
                fields.push(Field::int(notes::SURFACED, 1));
                fields.push(Field::int(notes::LAST_SURFACED_MS, stamp.wall.as_millisecond()));
                Kind::Set
            }
            Self::Mood { energy, reason } => return mood(op, *energy, reason, is_there),
            Self::Settle { .. } => {
                fields.push(Field::int(conflicts::STATE, 1));
                Kind::Set
            }
            Self::ChangeNote { .. } | Self::ChangeFact { .. } => Kind::Set,
        };
        vec![op(kind, fields)]
    }
}

/// The personality, and the row of its history.
fn mood(op: impl Fn(Kind, Vec<Field>) -> Op, energy: u8, reason: &str, is_there: bool) -> Vec<Op> {
    let energy = i64::from(energy);
    let change = Op {
        key: RowKey { table: Table::MoodChanges.id(), row: RowId::named(reason) },
        ..op(
            Kind::Insert,
            vec![
                Field::text(mood_changes::FROM, "friendly"),
                Field::text(mood_changes::MOOD, "friendly"),
                Field::int(mood_changes::ATTRACTION, 5),
                Field::int(mood_changes::GANDHI_GENGHIS, 5),
                Field::int(mood_changes::ENERGY, energy),
                Field::text(mood_changes::REASON, reason),
                Field::text(mood_changes::SOURCE, "app"),
            ],
        )
    };
    let state = if is_there {
        op(Kind::Set, vec![Field::int(personality::ENERGY, energy)])
    } else {
        op(
            Kind::Insert,
            vec![
                Field::text(personality::MOOD, "friendly"),
                Field::int(personality::ATTRACTION, 5),
                Field::int(personality::GANDHI_GENGHIS, 5),
                Field::int(personality::ENERGY, energy),
            ],
        )
    };
    vec![state, change]
}
