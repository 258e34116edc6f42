//! How much the memory may hold, and what happens at each bound. It counts; it drops nothing.

use cloud_sync_protocol::store::StoreError;
use rusqlite::Connection;

/// What a row costs beside its text: stamps, its row in `memory`, its entries in the indexes. Of 100,000 turns of about 60
/// bytes, each took 503 bytes of the file.
pub(crate) const ROW_BYTES: u64 = 512;

/// Most the store holds, class by class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of notes. At the bound writing is refused; nothing is dropped.
    pub notes_bytes: u64,
    /// Bytes of turns. At the bound writing is refused; nothing is dropped.
    pub turns_bytes: u64,
    /// Bytes of facts. At the bound writing is refused; nothing is dropped.
    pub facts_bytes: u64,
    /// Bytes of the file, everything together, vectors included. At the bound writing is refused.
    pub total_bytes: u64,
    /// Changes of mood kept for each user: the oldest go.
    pub mood_changes: u32,
    /// Keys of chat messages kept, and the answers with them: the oldest go.
    pub chat_messages: u32,
    /// Events kept: the oldest go.
    pub events: u32,
    /// Bytes of events kept: the oldest go.
    pub events_bytes: u64,
    /// How long an event is kept, ms.
    pub event_age_ms: i64,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: u64 = 1024 * 1024;
        Self {
            notes_bytes: 128 * MIB,
            turns_bytes: 1024 * MIB,
            facts_bytes: 128 * MIB,
            total_bytes: 4096 * MIB,
            mood_changes: 10_000,
            chat_messages: 1_000,
            events: 10_000,
            events_bytes: 32 * MIB,
            event_age_ms: 24 * 60 * 60 * 1000,
        }
    }
}

/// A class of rows that is never dropped.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Class {
    Notes,
    Turns,
    Facts,
}

/// What is held now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    notes: u64,
    turns: u64,
    facts: u64,
    events: u64,
}

impl Usage {
    /// Counts what the file holds. `octet_length` reads the length of a text without the text.
    pub(crate) fn measure(connection: &Connection) -> rusqlite::Result<Self> {
        let sum = |sql: &str| {
            connection.query_row(sql, [], |row| {
                let (bytes, rows): (i64, i64) = (row.get(0)?, row.get(1)?);
                Ok(bytes.unsigned_abs() + rows.unsigned_abs() * ROW_BYTES)
            })
        };
        Ok(Self {
            notes: sum(
                "SELECT coalesce(sum(octet_length(content) + octet_length(tags) + octet_length(created_by)), 0), count(*) \
                 FROM notes",
            )?,
            turns: sum("SELECT coalesce(sum(octet_length(message_text)), 0), count(*) FROM turns")?,
            facts: sum("SELECT coalesce(sum(octet_length(content)), 0), count(*) FROM facts")?,
            events: sum("SELECT coalesce(sum(octet_length(data)), 0), count(*) FROM events")?,
        })
    }

    /// Counts a row of `bytes`, where there is room for it.
    pub(crate) fn take(&mut self, class: Class, bytes: u64, limits: &Limits) -> Result<(), StoreError> {
        let (held, most) = match class {
            Class::Notes => (&mut self.notes, limits.notes_bytes),
            Class::Turns => (&mut self.turns, limits.turns_bytes),
            Class::Facts => (&mut self.facts, limits.facts_bytes),
        };
        if *held + bytes > most {
            return Err(StoreError::Full);
        }
        *held += bytes;
        Ok(())
    }

    /// A row of `bytes` is gone.
    pub(crate) fn give(&mut self, class: Class, bytes: u64) {
        let held = match class {
            Class::Notes => &mut self.notes,
            Class::Turns => &mut self.turns,
            Class::Facts => &mut self.facts,
        };
        *held = held.saturating_sub(bytes);
    }

    /// Bytes of events.
    pub(crate) fn events(&mut self) -> &mut u64 {
        &mut self.events
    }
}
