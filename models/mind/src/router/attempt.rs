//! One attempt at one tier: what came of it, what is held back, and until when it is waited for.

use std::time::Duration;

use super::budget::{MicroUsd, tokens};
use super::config::Deadlines;
use super::event::{AttemptId, Moment};
use super::joint::Joint;
use super::sentence::Hold;
use crate::tier::{Called, Finish, Usage, Wait};

/// Calls of one answer.
const CALLS_MAX: usize = 16;
/// Their arguments, all together. Bytes of JSON.
const CALL_BYTES_MAX: usize = 16 * 1024;

/// An attempt under way.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) id: AttemptId,
    /// Index in the chain.
    pub(super) tier: usize,
    pub(super) began: Moment,
    pub(super) reserved: MicroUsd,
    /// How long the tier's first word is waited for, if the request leaves that much.
    pub(super) patience: Duration,
    pub(super) is_connected: bool,
    /// Whether the first word or call came.
    pub(super) has_begun: bool,
    /// Whether something of it was given out.
    pub(super) has_spoken: bool,
    /// When a second tier is asked beside it.
    pub(super) hedge_at: Option<Moment>,
    pub(super) hold: Hold,
    pub(super) calls: Vec<Called>,
    joint: Option<Joint>,
    until: Until,
    between_tokens: Duration,
    /// Tokens of the question, what was said before included.
    input_tokens: u32,
    bytes: usize,
    call_bytes: usize,
}

/// Until when it is waited for what.
#[derive(Clone, Copy, Debug)]
struct Until {
    connect: Moment,
    /// The first word; then the next one.
    token: Moment,
    total: Moment,
}

/// What an attempt begins with.
pub(super) struct Start<'a> {
    pub(super) id: AttemptId,
    pub(super) tier: usize,
    pub(super) now: Moment,
    pub(super) deadlines: Deadlines,
    pub(super) reserved: MicroUsd,
    pub(super) patience: Duration,
    /// At most `patience`: what the request leaves.
    pub(super) first_token: Duration,
    /// The request's own end.
    pub(super) total_by: Moment,
    pub(super) hedge_after: Option<Duration>,
    pub(super) input_tokens: u32,
    /// What was given out, and the white space behind it.
    pub(super) said: &'a str,
    pub(super) gap: &'a str,
}

impl Attempt {
    pub(super) fn new(start: Start<'_>) -> Self {
        let after = |wait: Duration| start.now.saturating_add(wait);
        Self {
            id: start.id,
            tier: start.tier,
            began: start.now,
            reserved: start.reserved,
            patience: start.patience,
            is_connected: false,
            has_begun: false,
            has_spoken: false,
            hedge_at: start.hedge_after.map(after),
            hold: Hold::default(),
            calls: Vec::new(),
            joint: (!start.said.is_empty()).then(|| Joint::new(start.said, start.gap.to_owned())),
            until: Until {
                connect: after(start.deadlines.connect),
                token: after(start.first_token),
                total: after(start.deadlines.total).min(start.total_by),
            },
            between_tokens: start.deadlines.between_tokens,
            input_tokens: start.input_tokens,
            bytes: 0,
            call_bytes: 0,
        }
    }

    /// The next deadline, and what is late then.
    pub(super) fn due(&self) -> (Moment, Wait) {
        let token = if self.has_begun { Wait::BetweenTokens } else { Wait::FirstToken };
        let mut due = (self.until.total, Wait::Total);
        if self.until.token < due.0 {
            due = (self.until.token, token);
        }
        if !self.is_connected && !self.has_begun && self.until.connect < due.0 {
            due = (self.until.connect, Wait::Connect);
        }
        due
    }

    /// How long the first word could have been waited for.
    pub(super) fn waits(&self) -> Duration {
        self.until.token.saturating_sub(self.began)
    }

    /// Takes words in. What may be given out is in `hold` then.
    pub(super) fn take_text(&mut self, said: &str, text: &str, now: Moment) {
        self.bytes = self.bytes.saturating_add(text.len());
        self.note_sign_of_life(!text.trim_start().is_empty(), now);
        match &mut self.joint {
            None => self.hold.push(text),
            Some(joint) => {
                if let Some(joined) = joint.push(said, text) {
                    self.hold = Hold::behind(joined.lead);
                    self.hold.push(&joined.text);
                    self.joint = None;
                }
            }
        }
    }

    /// Takes a call in; false: it is one too many.
    #[must_use]
    pub(super) fn take_call(&mut self, call: Called, now: Moment) -> bool {
        // A number, a list or an object always has a text.
        let bytes = call.arguments.to_string().len() + call.name.len() + call.id.len();
        self.bytes = self.bytes.saturating_add(bytes);
        self.call_bytes = self.call_bytes.saturating_add(bytes);
        self.note_sign_of_life(true, now);
        self.calls.push(call);
        self.calls.len() <= CALLS_MAX && self.call_bytes <= CALL_BYTES_MAX
    }

    /// Nothing more comes: what is undecided is decided.
    pub(super) fn finish_text(&mut self, said: &str, finish: Finish) {
        if let Some(mut joint) = self.joint.take()
            && let Some(joined) = joint.finish(said, finish)
        {
            self.hold = Hold::behind(joined.lead);
            self.hold.push(&joined.text);
        }
    }

    /// What it took, as far as it can be told from what came.
    pub(super) fn estimate(&self) -> Usage {
        Usage { input_tokens: self.input_tokens, output_tokens: tokens(self.bytes) }
    }

    /// White space alone is no word, but once words come it shows that more do.
    fn note_sign_of_life(&mut self, is_word: bool, now: Moment) {
        self.has_begun |= is_word;
        if self.has_begun {
            self.until.token = now.saturating_add(self.between_tokens);
        }
    }
}
