//! Answers that were given before, for the time when nobody answers. The key is whose they are and everything they depend on,
//! byte by byte: likeness is never enough.

use std::collections::BTreeMap;
use std::time::Duration;

use super::event::Moment;

/// Whose, and what was asked.
pub(super) type Key = (String, [u8; 32]);

/// A longer answer is not kept. Bytes.
const TEXT_MAX: usize = 8 * 1024;
const AGE_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Answers, at most as many as configured; the one that was not used for longest makes room.
#[derive(Debug)]
pub(super) struct Cache {
    max: usize,
    kept: BTreeMap<Key, Kept>,
    /// Keys by when they were used last.
    used: BTreeMap<u64, Key>,
    next_use: u64,
}

#[derive(Debug)]
struct Kept {
    text: String,
    at: Moment,
    used: u64,
}

impl Cache {
    pub(super) const fn new(max: usize) -> Self {
        Self { max, kept: BTreeMap::new(), used: BTreeMap::new(), next_use: 0 }
    }

    pub(super) fn keep(&mut self, key: &Key, text: &str, now: Moment) {
        if self.max == 0 || text.len() > TEXT_MAX {
            return;
        }
        self.forget(key);
        if self.kept.len() >= self.max
            && let Some((_, oldest)) = self.used.pop_first()
        {
            self.kept.remove(&oldest);
        }
        let used = self.draw();
        self.used.insert(used, key.clone());
        self.kept.insert(key.clone(), Kept { text: text.to_owned(), at: now, used });
    }

    pub(super) fn find(&mut self, key: &Key, now: Moment) -> Option<String> {
        let kept = self.kept.get(key)?;
        if now.saturating_sub(kept.at) > AGE_MAX {
            self.forget(key);
            return None;
        }
        let used = self.draw();
        let kept = self.kept.get_mut(key)?;
        self.used.remove(&kept.used);
        self.used.insert(used, key.clone());
        kept.used = used;
        Some(kept.text.clone())
    }

    fn forget(&mut self, key: &Key) {
        if let Some(kept) = self.kept.remove(key) {
            self.used.remove(&kept.used);
        }
    }

    const fn draw(&mut self) -> u64 {
        self.next_use += 1;
        self.next_use
    }
}
