//! What a person did, and what they were told of it.

use std::collections::BTreeMap;

/// How a write ended for whoever asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It was answered that it is done.
    Acked,
    /// It was answered that it is not done.
    Refused,
    /// No answer, or one that leaves it open.
    Unknown,
}

/// A note that only one person writes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Own {
    /// The newest text that was acknowledged.
    pub(crate) acked: Option<String>,
    /// Texts after it whose fate is unknown.
    pub(crate) maybe: Vec<String>,
    /// Whether they deleted it.
    pub(crate) deleted: Option<End>,
}

impl Own {
    /// Notes how writing `text` ended.
    pub(crate) fn wrote(&mut self, text: String, end: End) {
        match end {
            End::Acked => {
                self.acked = Some(text);
                self.maybe.clear();
            }
            End::Unknown => self.maybe.push(text),
            End::Refused => {}
        }
    }
}

/// An edit of a note that others edit, too.
#[derive(Clone, Debug)]
pub(crate) struct Edit {
    pub(crate) note: String,
    /// What it said before, as its writer saw it: such an edit is refused where somebody was faster.
    pub(crate) saw: String,
    pub(crate) text: String,
    pub(crate) end: End,
}

/// What was said to Robbie.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) conversation: String,
    pub(crate) text: String,
}

/// All that a person did in a round.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    /// By id.
    pub(crate) own: BTreeMap<String, Own>,
    pub(crate) edits: Vec<Edit>,
    /// Only what was answered.
    pub(crate) said: Vec<Said>,
    pub(crate) acked: usize,
    pub(crate) unknown: usize,
}

impl History {
    /// Counts an end.
    pub(crate) fn count(&mut self, end: End) {
        match end {
            End::Acked => self.acked += 1,
            End::Unknown => self.unknown += 1,
            End::Refused => {}
        }
    }
}
