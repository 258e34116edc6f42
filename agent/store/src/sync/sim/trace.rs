//! The last things that happened, for whoever has to understand a broken promise. Switched on only when a seed is replayed.

use std::collections::VecDeque;

/// The newest lines.
#[derive(Default)]
pub(super) struct Trace {
    lines: Option<VecDeque<String>>,
    most: usize,
}

impl Trace {
    pub(super) fn on(most: usize) -> Self {
        Self { lines: Some(VecDeque::new()), most }
    }

    /// Adds a line; it is only made when somebody wants it.
    pub(super) fn note(&mut self, now_ms: i64, line: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.lines {
            if lines.len() == self.most {
                lines.pop_front();
            }
            lines.push_back(format!("{:>12.3} s  {}", now_ms as f64 / 1000.0, line()));
        }
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = &String> {
        self.lines.iter().flatten()
    }
}
