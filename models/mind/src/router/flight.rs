//! What one request, or several that ask the very same, wait for: the attempts, what was said so far, and the end.

use std::mem;

use super::attempt::{Attempt, Start};
use super::budget::tokens;
use super::cache::Key;
use super::chain::{Chain, FlightId};
use super::event::{Action, AttemptId, End, Moment, RequestId, Wanted};
use super::words;
use crate::tier::{Failure, Tier, Usage};

mod answer;
mod deadline;

/// Text of an answer. Bytes.
const TEXT_MAX: usize = 64 * 1024;

/// A flight.
#[derive(Debug)]
pub(super) struct Flight {
    id: FlightId,
    key: Key,
    wanted: Wanted,
    /// Who waits; never empty before it is over.
    members: Vec<RequestId>,
    /// The attempt, and one beside it that is a hedge. Once one has begun it is alone.
    attempts: Vec<Attempt>,
    /// Of each tier.
    courses: Vec<Course>,
    /// Until when the first word must have come.
    first_by: Moment,
    /// Whether that time was over when words or calls were under way already.
    is_first_settled: bool,
    total_by: Moment,
    /// What was given out, and the white space known to come behind it.
    said: String,
    gap: String,
    from: Option<Tier>,
    may_hedge: bool,
    may_retry: bool,
    usage: Usage,
    /// Why the last attempt failed.
    why: String,
    is_over: bool,
}

/// What became of a tier in this flight.
#[derive(Clone, Debug, Default)]
struct Course {
    was_asked: bool,
    /// Whether it broke after its first word or call.
    has_broken: bool,
    why: Option<String>,
}

/// How an attempt ended.
enum Ending<'a> {
    /// The tier is at fault.
    Failed(&'a Failure),
    /// The tier is not.
    GivenUp,
    Complete,
}

impl Flight {
    pub(super) fn new(id: FlightId, request: RequestId, wanted: Wanted, chain: &Chain) -> Self {
        let total_by = chain.now.saturating_add(chain.total);
        Self {
            id,
            key: (wanted.scope.clone(), wanted.digest),
            wanted,
            members: vec![request],
            attempts: Vec::new(),
            courses: vec![Course::default(); chain.tiers.len()],
            first_by: chain.now.saturating_add(chain.first_word_within()).min(total_by),
            is_first_settled: false,
            total_by,
            said: String::new(),
            gap: String::new(),
            from: None,
            may_hedge: chain.may_hedge,
            may_retry: true,
            usage: Usage::default(),
            why: String::new(),
            is_over: false,
        }
    }

    pub(super) const fn is_over(&self) -> bool {
        self.is_over
    }

    pub(super) fn members(&self) -> &[RequestId] {
        &self.members
    }

    /// What others that ask the same find it by, if it may be shared.
    pub(super) fn shared_key(&self) -> Option<&Key> {
        (!self.wanted.has_tools).then_some(&self.key)
    }

    /// One more asks the same: it hears what was said so far, then the rest.
    pub(super) fn join(&mut self, request: RequestId, chain: &mut Chain) {
        self.members.push(request);
        if let Some(tier) = self.from {
            chain.actions.push(Action::From { request, tier });
            chain.actions.push(Action::Say { request, text: self.said.clone() });
        }
    }

    /// One leaves; with the last one the work ends.
    pub(super) fn leave(&mut self, request: RequestId, chain: &mut Chain) {
        self.members.retain(|member| *member != request);
        if self.members.is_empty() {
            self.drop_all(chain);
            self.is_over = true;
        }
    }

    /// Asks the next tier, or ends.
    pub(super) fn next(&mut self, chain: &mut Chain) {
        let is_late = chain.now >= self.total_by || self.said.is_empty() && chain.now >= self.first_by;
        let tier = if is_late { None } else { self.pick(chain).or_else(|| self.pick_again(chain)) };
        match tier {
            Some(tier) => self.ask(tier, chain),
            None => self.conclude(chain),
        }
    }

    /// The first tier that was not asked and may be.
    fn pick(&mut self, chain: &Chain) -> Option<usize> {
        let usage = self.estimate();
        for index in 0..self.courses.len() {
            if self.courses[index].was_asked {
                continue;
            }
            let Some(cause) = chain.objection(index, usage) else { return Some(index) };
            self.courses[index].why = Some(words::sentence(chain.tier(index), &cause));
        }
        None
    }

    /// One that broke in the middle gets a second chance when nobody else is left: one in all.
    fn pick_again(&mut self, chain: &Chain) -> Option<usize> {
        if !self.may_retry {
            return None;
        }
        let usage = self.estimate();
        let broken = (0..self.courses.len())
            .find(|index| self.courses[*index].has_broken && chain.objection(*index, usage).is_none())?;
        self.may_retry = false;
        Some(broken)
    }

    fn ask(&mut self, index: usize, chain: &mut Chain) {
        let usage = self.estimate();
        self.courses[index].was_asked = true;
        let left = if self.said.is_empty() { self.first_by } else { self.total_by }.saturating_sub(chain.now);
        let patience = chain.tiers[index].first_token_deadline(chain.now);
        let kept = self.kept_for_others(left, chain);
        let id = chain.draw(self.id);
        let tier = &mut chain.tiers[index];
        let reserved = tier.cost(usage);
        tier.begin(id, reserved, chain.now);
        self.attempts.push(Attempt::new(Start {
            id,
            tier: index,
            now: chain.now,
            deadlines: tier.config.deadlines,
            reserved,
            patience,
            first_token: patience.min(left.saturating_sub(kept)),
            total_by: self.total_by,
            hedge_after: tier.hedge_after(),
            input_tokens: usage.input_tokens,
            said: &self.said,
            gap: &self.gap,
        }));
        let said = self.said.clone();
        chain.actions.push(Action::Ask { attempt: id, request: self.members[0], tier: index, said });
    }

    /// What an attempt now is reckoned to take.
    fn estimate(&self) -> Usage {
        Usage {
            input_tokens: self.wanted.input_tokens.saturating_add(tokens(self.said.len())),
            output_tokens: self.wanted.output_tokens_max,
        }
    }

    /// Ends an attempt: what it took is settled, and its tier hears of it.
    fn close(&mut self, index: usize, ending: &Ending<'_>, usage: Usage, chain: &mut Chain) -> Attempt {
        let attempt = self.attempts.swap_remove(index);
        chain.flights.remove(&attempt.id);
        let tier = &mut chain.tiers[attempt.tier];
        tier.settle(attempt.reserved, usage, chain.now);
        match ending {
            Ending::Failed(failure) => tier.fail(attempt.id, failure, chain.now),
            Ending::GivenUp => tier.give_up(attempt.id),
            Ending::Complete => tier.succeed(attempt.id, chain.now),
        }
        if attempt.has_spoken || matches!(ending, Ending::Complete) {
            self.usage.input_tokens = self.usage.input_tokens.saturating_add(usage.input_tokens);
            self.usage.output_tokens = self.usage.output_tokens.saturating_add(usage.output_tokens);
        }
        attempt
    }

    /// What is held back of an attempt that broke is forgotten; what was given out stays.
    fn note_broken(&mut self, attempt: Attempt, why: String) {
        let course = &mut self.courses[attempt.tier];
        course.why = Some(why.clone());
        self.why = why;
        course.has_broken |= attempt.has_begun;
        if attempt.has_spoken {
            self.gap = attempt.hold.into_lead();
        }
    }

    /// Drops an attempt whose answer nobody needs.
    fn drop_one(&mut self, index: usize, chain: &mut Chain) {
        let usage = self.attempts[index].estimate();
        let attempt = self.close(index, &Ending::GivenUp, usage, chain);
        chain.actions.push(Action::Drop { attempt: attempt.id });
    }

    fn drop_all(&mut self, chain: &mut Chain) {
        while !self.attempts.is_empty() {
            self.drop_one(0, chain);
        }
    }

    /// Nobody is left to be asked.
    fn conclude(&mut self, chain: &mut Chain) {
        if let Some(tier) = self.from {
            let why = mem::take(&mut self.why);
            return self.end(&End::Broken { tier, why }, chain);
        }
        if self.wanted.is_keepable
            && let Some(text) = chain.cache.find(&self.key, chain.now)
        {
            self.say(Tier::Cached, text, chain);
            let finish = crate::tier::Finish::Stop;
            return self.end(&End::Answered { tier: Tier::Cached, finish, usage: Usage::default() }, chain);
        }
        let why = self.courses.iter_mut().enumerate().map(|(index, course)| {
            let tier = chain.tier(index);
            let why = course.why.take();
            (tier, why.unwrap_or_else(|| words::sentence(tier, "there was no time left to ask it")))
        });
        let why = why.collect();
        let retry_after = chain.tiers.iter().filter_map(|tier| tier.rests_for(chain.now)).min();
        self.end(&End::Nobody { why, retry_after }, chain);
    }

    fn end(&mut self, end: &End, chain: &mut Chain) {
        self.is_over = true;
        let ends = self.members.iter().map(|request| Action::End { request: *request, end: end.clone() });
        chain.actions.extend(ends);
    }

    fn index_of(&self, attempt: AttemptId) -> Option<usize> {
        self.attempts.iter().position(|one| one.id == attempt)
    }
}
