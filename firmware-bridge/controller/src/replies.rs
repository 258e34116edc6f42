//! Remembers the last answers, so that a command that comes again is answered again and not run again.

use firmware_bridge_link::message::{CommandFrame, Outcome, Reply};

const REMEMBERED: usize = 8;

/// The command is kept beside its answer: a host that was restarted counts its ids anew, and another command under an
/// old id is not a repetition.
#[derive(Debug)]
pub(crate) struct Replies {
    slots: [Option<(CommandFrame, Outcome)>; REMEMBERED],
    next: usize,
}

impl Replies {
    pub(crate) fn new() -> Self {
        Self { slots: [None; REMEMBERED], next: 0 }
    }

    /// The answer this command got when it came first.
    pub(crate) fn find(&self, command: &CommandFrame) -> Option<Reply> {
        self.slots
            .iter()
            .flatten()
            .find(|(known, _)| known == command)
            .map(|(known, outcome)| Reply { id: known.id, outcome: *outcome })
    }

    pub(crate) fn remember(&mut self, command: CommandFrame, outcome: Outcome) {
        self.slots[self.next] = Some((command, outcome));
        self.next = (self.next + 1) % REMEMBERED;
    }

    /// A host introduced itself: its ids may begin anew.
    pub(crate) fn forget(&mut self) {
        *self = Self::new();
    }
}
