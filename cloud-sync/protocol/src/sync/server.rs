//! The server's side: what becomes of operations, and what a replica is told. Pure: the rows that a decision needs are brought
//! to it, and what it changed is taken from it, in one transaction of somebody else's.

mod decide;
mod talk;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::op::{Op, RowKey, Scope};
use super::row::{RowState, checksum};
use super::table::{Table, TableId};
use crate::id::RowId;

pub use decide::{Writer, apply, apply_own};
pub use talk::{Device, Greeted, Who, conflicts_of, greet, page, push, scopes_of, weight};

/// How long a deleted row leaves a trace at least, ms: 30 days.
pub const TRACE_MS: i64 = 30 * 24 * 60 * 60 * 1000;
/// Bytes of a page, see [`page`].
pub const PAGE_BYTES: usize = 48 * 1024;

/// Where a scope stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Version of its last change.
    pub version: u64,
    /// The highest version whose trace is gone.
    pub floor: u64,
    /// Sum of its rows that are not deleted, see [`checksum`].
    pub checksum: u64,
}

impl Head {
    /// Whether a replica that stands at `cursor`, and began from nothing at `floor`, can go on from there: what was deleted and
    /// has left no trace must not live on in one that never heard of it, and one from the future belongs to another history.
    #[must_use]
    pub const fn continues(&self, cursor: u64, floor: u64) -> bool {
        (self.floor <= cursor || self.floor <= floor) && cursor <= self.version
    }
}

/// A row, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its scope.
    pub scope: Scope,
    /// What it is.
    pub state: RowState,
}

/// What one transaction works with: the heads of its scopes, and the rows it may touch.
#[derive(Clone, Debug, Default)]
pub struct Work {
    /// The heads.
    pub heads: BTreeMap<Scope, Head>,
    /// The versions that they had at first.
    stood: BTreeMap<Scope, u64>,
    rows: HashMap<RowKey, Held>,
    changed: BTreeSet<RowKey>,
    /// Writes that were no valid ones; they stand among the conflicts.
    pub invalid: u32,
}

impl Work {
    /// With the heads of the scopes, locked, and of the rows that [`Work::needs`] names those that exist.
    #[must_use]
    pub fn new(heads: BTreeMap<Scope, Head>, rows: impl IntoIterator<Item = (RowKey, Held)>) -> Self {
        let stood = heads.iter().map(|(scope, head)| (scope.clone(), head.version)).collect();
        Self { heads, stood, rows: rows.into_iter().collect(), changed: BTreeSet::new(), invalid: 0 }
    }

    /// The rows that these operations touch.
    pub fn needs(ops: &[Op]) -> impl Iterator<Item = RowKey> {
        ops.iter().map(|op| op.key)
    }

    /// A row.
    #[must_use]
    pub fn row(&self, key: RowKey) -> Option<&Held> {
        self.rows.get(&key)
    }

    /// The rows that must be written, in order of their keys.
    pub fn changed(&self) -> impl Iterator<Item = (RowKey, &Held)> {
        self.changed.iter().filter_map(|key| Some((*key, self.rows.get(key)?)))
    }

    /// What a device that names the version `base` of a scope had seen of it. One that the scope had not come to belongs to
    /// another history, from before the server was set back to an older copy: such a device saw nothing of this one.
    fn seen(&self, scope: &Scope, base: u64) -> u64 {
        if base <= self.stood.get(scope).copied().unwrap_or_default() { base } else { 0 }
    }

    /// The next version of a scope.
    fn bump(&mut self, scope: &Scope) -> u64 {
        let head = self.heads.entry(scope.clone()).or_default();
        head.version += 1;
        head.version
    }

    fn put(&mut self, key: RowKey, held: Held) {
        let sum = |held: &Held| match held.state.deleted {
            true => 0,
            false => checksum(key.row, held.state.version),
        };
        let before = self.rows.get(&key).map_or(0, sum);
        let head = self.heads.entry(held.scope.clone()).or_default();
        head.checksum = head.checksum.wrapping_sub(before).wrapping_add(sum(&held));
        self.rows.insert(key, held);
        self.changed.insert(key);
    }
}

/// The key of a conflict's row.
#[must_use]
pub fn conflict_key(row: RowId) -> RowKey {
    RowKey { table: Table::Conflicts.id(), row }
}

/// Whether this number names the table of conflicts.
#[must_use]
pub fn is_conflicts(table: TableId) -> bool {
    table == Table::Conflicts.id()
}
