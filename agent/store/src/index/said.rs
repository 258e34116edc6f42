//! Who said a row, and when, so that the best of what Anna said last week can be found among everything else.
//!
//! Never keeps a name: a number is made of each, which two names in four billion share. Whoever asks looks at the row itself
//! before anybody sees it.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::Row;

/// A stretch of time, ms since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its beginning.
    pub from_ms: i64,
    /// Its end, which is not part of it.
    pub to_ms: i64,
}

impl Span {
    /// Whether a moment lies in it.
    pub(crate) const fn contains(self, at_ms: i64) -> bool {
        self.from_ms <= at_ms && at_ms < self.to_ms
    }
}

/// Who said a row, as a number, and when.
#[derive(Clone, Copy)]
pub(super) struct Said {
    at_ms: i64,
    speaker: u32,
}

impl Said {
    pub(super) fn of(row: &Row) -> Self {
        Self { at_ms: row.at_ms, speaker: row.speaker.as_deref().map_or(NOBODY, number) }
    }
}

/// Nobody that is known.
const NOBODY: u32 = 0;

fn number(name: &str) -> u32 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    (hasher.finish() as u32).max(NOBODY + 1)
}

/// Which rows are meant: of a time, by one of some people, or both.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meant {
    span: Option<Span>,
    speakers: Vec<u32>,
}

impl Meant {
    /// Those of this time, where one is named, by one of these, where some are named.
    pub(crate) fn of(span: Option<Span>, speakers: &[String]) -> Self {
        Self { span, speakers: speakers.iter().map(|name| number(name)).collect() }
    }

    /// Nothing is named: all rows are meant.
    pub(crate) const fn is_all(&self) -> bool {
        self.span.is_none() && self.speakers.is_empty()
    }

    pub(super) fn includes(&self, said: Said) -> bool {
        self.span.is_none_or(|span| span.contains(said.at_ms))
            && (self.speakers.is_empty() || self.speakers.contains(&said.speaker))
    }
}
