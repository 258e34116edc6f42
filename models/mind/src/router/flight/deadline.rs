//! How long a flight waits: for its tiers, for its first word, for its end, and until a second tier is asked beside a slow one.

use std::mem;
use std::time::Duration;

use super::super::chain::Chain;
use super::super::event::{Action, Moment};
use super::super::words;
use super::{Ending, Flight};
use crate::tier::{Failure, FailureKind, Wait};

/// Who was waited for less than that, because the request had no more time, is not to blame.
const BLAMED_AFTER: Duration = Duration::from_millis(500);

impl Flight {
    /// When [`Flight::settle`] is due next.
    pub(in super::super) fn wake_at(&self) -> Moment {
        let mut wake = self.total_by;
        if self.waits_for_first() {
            wake = wake.min(self.first_by);
        }
        for attempt in &self.attempts {
            wake = wake.min(attempt.due().0);
        }
        self.hedge_at().map_or(wake, |hedge| wake.min(hedge))
    }

    /// Does everything that is due.
    pub(in super::super) fn settle(&mut self, chain: &mut Chain) {
        while !self.is_over {
            let late = self.attempts.iter().enumerate().map(|(index, attempt)| (attempt.due(), index));
            let late = late.min_by_key(|((at, _), _)| *at).filter(|((at, _), _)| *at <= chain.now);
            if chain.now >= self.total_by {
                self.time_is_up(Wait::Total, chain);
            } else if self.waits_for_first() && chain.now >= self.first_by {
                self.settle_first(chain);
            } else if let Some(((_, wait), index)) = late {
                self.late(index, wait, chain);
            } else if self.hedge_at().is_some_and(|at| at <= chain.now) {
                self.hedge(chain);
            } else {
                return;
            }
        }
    }

    /// Time kept for tiers that may be asked later, at most half of what is left: one that is slow does not take it all.
    pub(super) fn kept_for_others(&self, left: Duration, chain: &Chain) -> Duration {
        let usage = self.estimate();
        let others: Vec<Duration> = (0..self.courses.len())
            .filter(|index| !self.courses[*index].was_asked && chain.objection(*index, usage).is_none())
            .map(|index| chain.tiers[index].first_token_deadline(chain.now))
            .collect();
        let share = left / 2 / u32::try_from(others.len().max(1)).unwrap_or(u32::MAX);
        others.into_iter().map(|wants| wants.min(share)).sum()
    }

    const fn waits_for_first(&self) -> bool {
        self.said.is_empty() && !self.is_first_settled
    }

    /// The time for the first word is over. If words came, the whole ones among them are said; if a call came, it is complete
    /// when it is; else it is the end.
    fn settle_first(&mut self, chain: &mut Chain) {
        let Some(index) = self.attempts.iter().position(|attempt| attempt.has_begun) else {
            return self.time_is_up(Wait::FirstToken, chain);
        };
        self.is_first_settled = true;
        self.say_words(index, chain);
    }

    fn late(&mut self, index: usize, wait: Wait, chain: &mut Chain) {
        let attempt = &self.attempts[index];
        chain.actions.push(Action::Drop { attempt: attempt.id });
        if wait == Wait::FirstToken && attempt.waits() < attempt.patience.min(BLAMED_AFTER) {
            let why = words::sentence(chain.tier(attempt.tier), words::cause(FailureKind::Late(wait)));
            let usage = attempt.estimate();
            let attempt = self.close(index, &Ending::GivenUp, usage, chain);
            self.note_broken(attempt, why);
            if self.attempts.is_empty() {
                self.next(chain);
            }
            return;
        }
        if wait == Wait::FirstToken && attempt.waits() >= attempt.patience {
            chain.tiers[attempt.tier].first_token_took(attempt.patience);
        }
        self.failed_at(index, &lateness(wait), None, chain);
    }

    /// The request's own time is over.
    fn time_is_up(&mut self, wait: Wait, chain: &mut Chain) {
        while let Some(attempt) = self.attempts.first() {
            let waited = chain.now.saturating_sub(attempt.began);
            let kind = FailureKind::Late(wait);
            let is_blamed = match wait {
                Wait::Total => waited >= chain.tiers[attempt.tier].config.deadlines.total / 2,
                _ => waited >= attempt.patience.min(BLAMED_AFTER),
            };
            chain.actions.push(Action::Drop { attempt: attempt.id });
            let usage = attempt.estimate();
            let failure = lateness(wait);
            let ending = if is_blamed { Ending::Failed(&failure) } else { Ending::GivenUp };
            let attempt = self.close(0, &ending, usage, chain);
            let why = words::sentence(chain.tier(attempt.tier), words::cause(kind));
            self.note_broken(attempt, why);
        }
        self.conclude(chain);
    }

    fn hedge_at(&self) -> Option<Moment> {
        match self.attempts.as_slice() {
            [one] if self.may_hedge && !one.has_begun => one.hedge_at,
            _ => None,
        }
    }

    /// Asks one more tier beside the slow one: once a flight.
    fn hedge(&mut self, chain: &mut Chain) {
        if !mem::take(&mut self.may_hedge) {
            return;
        }
        if let Some(tier) = self.pick(chain) {
            self.ask(tier, chain);
        }
    }
}

fn lateness(wait: Wait) -> Failure {
    Failure { kind: FailureKind::Late(wait), detail: String::new(), retry_after: None }
}
