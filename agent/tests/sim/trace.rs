//! The last things that happened, for whoever has to understand a violation. Switched on only when a seed is replayed.

use std::collections::VecDeque;

/// Lines kept.
const LINES_MAX: usize = 120;

/// The newest lines.
#[derive(Default)]
pub(crate) struct Trace {
    lines: Option<VecDeque<String>>,
}

impl Trace {
    pub(crate) fn on() -> Self {
        Self { lines: Some(VecDeque::new()) }
    }

    /// Adds a line; it is only made when somebody wants it.
    pub(crate) fn note(&mut self, now_us: u64, line: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.lines {
            if lines.len() == LINES_MAX {
                lines.pop_front();
            }
            lines.push_back(format!("{:>12.3} ms  {}", now_us as f64 / 1000.0, line()));
        }
    }

    pub(crate) fn lines(&self) -> impl Iterator<Item = &String> {
        self.lines.iter().flatten()
    }
}
