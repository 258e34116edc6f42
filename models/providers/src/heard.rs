//! What has been heard of an answer so far, in the words that all providers have in common: text, whole calls, the end.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use models_mind::tier::{Called, Delta, FailureKind, Finish, Usage};
use serde_json::{Map, Value};

use crate::failure::Wrong;

/// Most calls of one answer.
pub(crate) const CALLS_MAX: usize = 64;

/// Ids for calls whose provider gives none. They differ within a process, and from one start to the next, because a
/// conversation may hold the calls of several answers.
#[derive(Debug)]
pub(crate) struct Ids {
    start: u64,
    next: AtomicU64,
}

impl Ids {
    pub(crate) const fn new(start: u64) -> Self {
        Self { start, next: AtomicU64::new(0) }
    }

    fn draw(&self) -> String {
        format!("call_{:08x}_{}", self.start & 0xffff_ffff, self.next.fetch_add(1, Ordering::Relaxed))
    }
}

/// The answer so far.
#[derive(Debug)]
pub(crate) struct Heard {
    ids: Arc<Ids>,
    deltas: VecDeque<Delta>,
    /// Whether anything that can be read has come.
    words: bool,
    calls: Vec<String>,
    usage: Option<Usage>,
    finish: Option<Finish>,
    complete: bool,
}

impl Heard {
    pub(crate) const fn new(ids: Arc<Ids>) -> Self {
        Self {
            ids,
            deltas: VecDeque::new(),
            words: false,
            calls: Vec::new(),
            usage: None,
            finish: None,
            complete: false,
        }
    }

    pub(crate) fn text(&mut self, text: String) {
        if !text.is_empty() {
            self.words |= !text.trim().is_empty();
            self.deltas.push_back(Delta::Text(text));
        }
    }

    /// A whole call. Its id is replaced where there is none, or where an earlier call has it.
    pub(crate) fn call(&mut self, id: &str, name: String, arguments: Value) -> Result<(), Wrong> {
        if self.calls.len() == CALLS_MAX {
            return Err(Wrong::malformed(format!("makes more than {CALLS_MAX} calls at once")));
        }
        if name.is_empty() {
            return Err(Wrong::malformed("makes a call without a name"));
        }
        let known = id.is_empty() || self.calls.iter().any(|other| other == id);
        let id = if known { self.ids.draw() } else { id.to_owned() };
        self.calls.push(id.clone());
        self.deltas.push_back(Delta::Call(Called { id, name, arguments }));
        Ok(())
    }

    /// Tokens as far as they are told; later figures replace earlier ones.
    pub(crate) fn usage(&mut self, input_tokens: Option<u32>, output_tokens: Option<u32>) {
        if input_tokens.or(output_tokens).is_some() {
            let usage = self.usage.get_or_insert_default();
            usage.input_tokens = input_tokens.unwrap_or(usage.input_tokens);
            usage.output_tokens = output_tokens.unwrap_or(usage.output_tokens);
        }
    }

    /// Why it ends; what it took may still follow.
    pub(crate) const fn finish(&mut self, finish: Finish) {
        self.finish = Some(finish);
    }

    pub(crate) const fn is_finishing(&self) -> bool {
        self.finish.is_some()
    }

    /// Nothing comes any more. Without a reason before it, that is a break: proxies write an end behind a broken answer.
    pub(crate) fn complete(&mut self) -> Result<(), Wrong> {
        let Some(finish) = self.finish else {
            return Err(Wrong::new(FailureKind::Cut, "broke the answer off"));
        };
        if !self.words && self.calls.is_empty() {
            return Err(Wrong::new(FailureKind::Empty, "answered without a word"));
        }
        // Not every provider says of a call that it is the client's turn, and some say so without one.
        let finish = match finish {
            Finish::Length => Finish::Length,
            Finish::Stop | Finish::Calls if self.calls.is_empty() => Finish::Stop,
            Finish::Stop | Finish::Calls => Finish::Calls,
        };
        self.complete = true;
        self.deltas.push_back(Delta::Finished { finish, usage: self.usage });
        Ok(())
    }

    pub(crate) const fn is_complete(&self) -> bool {
        self.complete
    }

    pub(crate) fn next(&mut self) -> Option<Delta> {
        self.deltas.pop_front()
    }
}

/// Arguments that came as text. None at all is an object without fields.
pub(crate) fn arguments(text: &str) -> Result<Value, Wrong> {
    if text.trim().is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    match serde_json::from_str(text) {
        Ok(arguments) => Ok(arguments),
        Err(_) => Err(Wrong::malformed("makes a call whose arguments are no JSON")),
    }
}
