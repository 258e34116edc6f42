//! What comes of an attempt, and what of it is given out.

use std::mem;

use super::super::chain::Chain;
use super::super::event::{Action, AttemptId, End};
use super::super::words;
use super::{Attempt, Ending, Flight, TEXT_MAX};
use crate::tier::{Called, Failure, FailureKind, Finish, Tier, Usage};

impl Flight {
    pub(in super::super) fn connected(&mut self, attempt: AttemptId) {
        if let Some(index) = self.index_of(attempt) {
            self.attempts[index].is_connected = true;
        }
    }

    pub(in super::super) fn text(&mut self, attempt: AttemptId, text: &str, chain: &mut Chain) {
        let Some(mut index) = self.index_of(attempt) else { return };
        let had_begun = self.attempts[index].has_begun;
        self.attempts[index].take_text(&self.said, text, chain.now);
        if !had_begun && self.attempts[index].has_begun {
            self.begun(index, chain);
            index = 0;
        }
        if self.said.len() + self.attempts[index].hold.len() > TEXT_MAX {
            return self.cut_short(index, chain);
        }
        let pieces = chain.tiers[self.attempts[index].tier].config.pieces;
        while let Some(text) = self.attempts[index].hold.ready(pieces) {
            self.attempts[index].has_spoken = true;
            self.say(chain.tier(self.attempts[index].tier), text, chain);
        }
        if self.said.is_empty() && self.is_first_settled {
            self.say_words(index, chain);
        }
    }

    pub(in super::super) fn call(&mut self, attempt: AttemptId, call: Called, chain: &mut Chain) {
        let Some(mut index) = self.index_of(attempt) else { return };
        let had_begun = self.attempts[index].has_begun;
        let fits = self.attempts[index].take_call(call, chain.now);
        if !had_begun {
            self.begun(index, chain);
            index = 0;
        }
        if !fits {
            let detail = "It made more or larger calls than are taken.".to_owned();
            let failure = Failure { kind: FailureKind::Malformed, detail, retry_after: None };
            chain.actions.push(Action::Drop { attempt });
            self.failed_at(index, &failure, None, chain);
        }
    }

    pub(in super::super) fn finished(
        &mut self,
        attempt: AttemptId,
        finish: Finish,
        usage: Option<Usage>,
        chain: &mut Chain,
    ) {
        let Some(index) = self.index_of(attempt) else { return };
        let attempt = &mut self.attempts[index];
        attempt.finish_text(&self.said, finish);
        let is_empty = !attempt.has_spoken && attempt.hold.is_empty() && attempt.calls.is_empty();
        // Behind what was said, no more words may well be the rest of the answer.
        if is_empty && (self.said.is_empty() || finish != Finish::Stop) {
            let kind = FailureKind::Empty;
            return self.failed_at(
                index,
                &Failure { kind, detail: String::new(), retry_after: None },
                usage,
                chain,
            );
        }
        let finish = match finish {
            Finish::Length => Finish::Length,
            _ if attempt.calls.is_empty() => Finish::Stop,
            _ => Finish::Calls,
        };
        self.complete(index, finish, usage, chain);
    }

    pub(in super::super) fn failed(&mut self, attempt: AttemptId, failure: &Failure, chain: &mut Chain) {
        let Some(index) = self.index_of(attempt) else { return };
        let usage = was_free(&self.attempts[index], failure.kind).then(Usage::default);
        self.failed_at(index, failure, usage, chain);
    }

    /// An attempt failed, and its stream is gone or dropped. Without `usage` it is estimated.
    pub(super) fn failed_at(
        &mut self,
        index: usize,
        failure: &Failure,
        usage: Option<Usage>,
        chain: &mut Chain,
    ) {
        let usage = usage.unwrap_or_else(|| self.attempts[index].estimate());
        let attempt = self.close(index, &Ending::Failed(failure), usage, chain);
        let why = words::sentence(chain.tier(attempt.tier), words::cause(failure.kind));
        self.note_broken(attempt, why);
        if self.attempts.is_empty() {
            self.next(chain);
        }
    }

    /// The first word or call came: a hedge is decided.
    fn begun(&mut self, index: usize, chain: &mut Chain) {
        let attempt = &self.attempts[index];
        let took = chain.now.saturating_sub(attempt.began);
        chain.tiers[attempt.tier].first_token_took(took);
        self.attempts.swap(0, index);
        while self.attempts.len() > 1 {
            self.drop_one(1, chain);
        }
    }

    /// The answer is as long as one may be.
    fn cut_short(&mut self, index: usize, chain: &mut Chain) {
        let attempt = &mut self.attempts[index];
        attempt.hold.truncate(TEXT_MAX - self.said.len());
        attempt.calls.clear();
        chain.actions.push(Action::Drop { attempt: attempt.id });
        if self.said.is_empty() && attempt.hold.is_empty() {
            return self.failed_at(index, &empty(), None, chain);
        }
        self.complete(index, Finish::Length, None, chain);
    }

    /// Everything that is held is given out, then the calls, then the end.
    fn complete(&mut self, index: usize, finish: Finish, usage: Option<Usage>, chain: &mut Chain) {
        let usage = usage.unwrap_or_else(|| self.attempts[index].estimate());
        let mut attempt = self.close(index, &Ending::Complete, usage, chain);
        self.drop_all(chain);
        let tier = chain.tier(attempt.tier);
        if let Some(text) = attempt.hold.rest() {
            self.say(tier, text, chain);
        }
        let calls = mem::take(&mut attempt.calls);
        if calls.is_empty() {
            if finish == Finish::Stop && self.wanted.is_keepable {
                chain.cache.keep(&self.key, &self.said, chain.now);
            }
        } else {
            self.speak_as(tier, chain);
            for request in &self.members {
                chain.actions.push(Action::Call { request: *request, calls: calls.clone() });
            }
        }
        let tier = self.from.unwrap_or(tier);
        self.end(&End::Answered { tier, finish, usage: self.usage }, chain);
    }

    /// Says the whole words that are held: the time for the first one is over.
    pub(super) fn say_words(&mut self, index: usize, chain: &mut Chain) {
        let attempt = &mut self.attempts[index];
        if let Some(text) = attempt.hold.whole_words() {
            attempt.has_spoken = true;
            let tier = chain.tier(attempt.tier);
            self.say(tier, text, chain);
        }
    }

    pub(super) fn say(&mut self, tier: Tier, text: String, chain: &mut Chain) {
        self.speak_as(tier, chain);
        self.said.push_str(&text);
        let Some((last, others)) = self.members.split_last() else { return };
        for request in others {
            chain.actions.push(Action::Say { request: *request, text: text.clone() });
        }
        chain.actions.push(Action::Say { request: *last, text });
    }

    fn speak_as(&mut self, tier: Tier, chain: &mut Chain) {
        if self.from.replace(tier) != Some(tier) {
            let said = self.members.iter().map(|request| Action::From { request: *request, tier });
            chain.actions.extend(said);
        }
    }
}

const fn empty() -> Failure {
    Failure { kind: FailureKind::Empty, detail: String::new(), retry_after: None }
}

/// Whether an attempt failed before its tier had worked on the question.
const fn was_free(attempt: &Attempt, kind: FailureKind) -> bool {
    let is_refusal = matches!(
        kind,
        FailureKind::NotConfigured
            | FailureKind::Refused
            | FailureKind::Unauthorized
            | FailureKind::RateLimited
            | FailureKind::Rejected
            | FailureKind::Server
    );
    is_refusal && !attempt.is_connected && !attempt.has_begun
}
