//! Vectors of the memory, held in RAM so that the nearest of 100,000 are found in a millisecond. Pure: it never reads a file
//! or a clock, and is never the truth: whatever it finds is looked up in the database before anybody sees it.
//!
//! A model has a [`Space`], at most two side by side: the one in use and the one it is being replaced by. Where there is no
//! space (not built, more rows than [`Index::new`] allows, a third model, or a thread died while changing one) the
//! database itself is searched, exactly and slowly: `vec0.rs`.

mod codes;
mod owners;
mod said;
mod select;
mod small;
mod space;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use cloud_sync_protocol::memory::MemoryKind;
use cloud_sync_protocol::store::Whose;

pub(crate) use owners::Kinds;
pub(crate) use said::Meant;
pub use said::Span;
pub(crate) use small::Question;
pub(crate) use space::{Loading, Near, Rough, Space};

/// Numbers in a vector.
pub const DIMENSIONS: usize = 384;

/// What a text means, as a model says it: 384 numbers, length 1.
pub type Vector = [f32; DIMENSIONS];

/// Spaces side by side.
pub(crate) const MODELS_MAX: usize = 2;

/// Rows of one model in memory unless somebody says otherwise: about 250 MB.
pub(crate) const ROWS_MAX: usize = 500_000;

/// Key of a model in the table `models`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ModelId(pub(crate) i64);

/// A row of the table `memory`, as far as the index knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// Its key there.
    pub(crate) n: i64,
    pub(crate) kind: MemoryKind,
    pub(crate) town: String,
    /// Empty for what belongs to the town.
    pub(crate) user: String,
    /// Who said or wrote it, where that is known.
    pub(crate) speaker: Option<String>,
    /// When, ms since 1970.
    pub(crate) at_ms: i64,
}

/// Which rows may be found: those of the town and of the user in it, of some kinds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Filter<'a> {
    pub(crate) whose: &'a Whose,
    pub(crate) kinds: Kinds,
}

/// What a transaction did to the index. Applied in order after its commit, forgotten where it is rolled back.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// A row was written, with or without a vector.
    Written,
    /// A row has a vector now.
    Placed {
        model: ModelId,
        row: Row,
        /// Another row of the same text, whose vector it shares.
        twin: Option<i64>,
        vector: Box<Vector>,
    },
    /// A row was deleted.
    Removed { n: i64 },
    /// A model has its first vector.
    ModelAdded { model: ModelId },
    /// A model has no vectors any more.
    ModelRemoved { model: ModelId },
    /// Many rows changed hands: everything is read again.
    All,
}

/// The spaces. Readers share it with the one thread that writes.
pub(crate) struct Index {
    spaces: RwLock<Vec<(ModelId, Arc<Space>)>>,
    /// Rows of `memory`, with or without a vector.
    rows: AtomicU64,
    rows_max: usize,
}

impl Index {
    /// An index of nothing, which will hold `rows_max` rows a model. A model with more than that loses its space.
    pub(crate) fn new(rows_max: usize) -> Self {
        Self { spaces: RwLock::default(), rows: AtomicU64::new(0), rows_max }
    }

    /// The space of a model.
    pub(crate) fn space(&self, model: ModelId) -> Option<Arc<Space>> {
        let spaces = self.spaces.read().unwrap_or_else(PoisonError::into_inner);
        spaces.iter().find(|(known, _)| *known == model).map(|(_, space)| Arc::clone(space))
    }

    /// Rows of the memory, with or without a vector.
    pub(crate) fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Rows that a space may hold.
    pub(crate) fn rows_max(&self) -> usize {
        self.rows_max
    }

    /// Puts what was read from the database in place of what is there.
    pub(crate) fn replace(&self, rows: u64, spaces: Vec<(ModelId, Space)>) {
        let spaces = spaces.into_iter().map(|(model, space)| (model, Arc::new(space))).collect();
        *self.spaces.write().unwrap_or_else(PoisonError::into_inner) = spaces;
        self.rows.store(rows, Ordering::Relaxed);
    }

    /// Applies what a committed transaction did.
    pub(crate) fn apply(&self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Written => {
                    self.rows.fetch_add(1, Ordering::Relaxed);
                }
                Change::Placed { model, row, twin, vector } => self.place(model, &row, twin, &vector),
                Change::Removed { n } => self.remove(n),
                Change::ModelAdded { model } => self.add_model(model),
                Change::ModelRemoved { model } => self.remove_model(model),
                // Whoever has the database does it.
                Change::All => {}
            }
        }
    }

    fn place(&self, model: ModelId, row: &Row, twin: Option<i64>, vector: &Vector) {
        let Some(space) = self.space(model) else { return };
        if space.len() >= self.rows_max || space.insert(row, twin, vector).is_none() {
            tracing::warn!(
                rows = space.len(),
                "the index of vectors is given up: the database is searched instead"
            );
            self.remove_model(model);
        }
    }

    fn remove(&self, n: i64) {
        // Down to zero and no further: a wrong count must not read as 2^64 rows.
        let less = |rows: u64| Some(rows.saturating_sub(1));
        let (Ok(_) | Err(_)) = self.rows.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        let spaces = self.spaces.read().unwrap_or_else(PoisonError::into_inner).clone();
        for (model, space) in spaces {
            if space.remove(n).is_none() {
                self.remove_model(model);
            }
        }
    }

    fn add_model(&self, model: ModelId) {
        let mut spaces = self.spaces.write().unwrap_or_else(PoisonError::into_inner);
        if spaces.len() < MODELS_MAX && spaces.iter().all(|(known, _)| *known != model) {
            spaces.push((model, Arc::new(Space::empty())));
        }
    }

    fn remove_model(&self, model: ModelId) {
        self.spaces.write().unwrap_or_else(PoisonError::into_inner).retain(|(known, _)| *known != model);
    }
}
