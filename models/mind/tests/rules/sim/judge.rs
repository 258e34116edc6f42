//! Says what is wrong. It knows what was asked, what every tier would say, and what came out of the router; of how the router
//! works it knows nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use models_mind::router::{Action, AttemptId, Breaker, End, RequestId, TierView};
use models_mind::tier::{Finish, Tier};

use super::script::Script;

/// Requests under way at most.
const REQUESTS_MAX: usize = 256;

/// A request.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) key: (u64, u64),
    pub(super) script: Script,
    pub(super) is_keepable: bool,
    pub(super) input_tokens: u32,
    pub(super) asked_at: Duration,
    pub(super) first_within: Duration,
    /// The group that it waits with.
    pub(super) group: u64,
    pub(super) said: String,
    pub(super) from: Option<Tier>,
    pub(super) calls: Vec<String>,
    pub(super) is_over: bool,
}

/// An attempt under way.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) group: u64,
    /// A word or a call came.
    pub(super) has_begun: bool,
    /// A whole word came, from the start of the answer: there is something to say.
    pub(super) has_word: bool,
    pub(super) calls: Vec<String>,
}

/// Everything that is known, and the first thing that was wrong.
#[derive(Debug, Default)]
pub(super) struct Judge {
    pub(super) requests: BTreeMap<RequestId, Request>,
    pub(super) live: BTreeMap<AttemptId, Live>,
    /// Tiers that a group asked.
    pub(super) asked: BTreeMap<u64, BTreeSet<usize>>,
    /// What was answered completely, and may be kept.
    pub(super) answered: BTreeSet<(u64, u64)>,
    pub(super) total: Duration,
    pub(super) tiers: Vec<Tier>,
    /// Attempts that a group may have at once.
    pub(super) rivals_max: usize,
    pub(super) wrong: Option<String>,
    pub(super) ends: [u64; 4],
    pub(super) continued: u64,
}

impl Judge {
    pub(super) fn blame(&mut self, what: impl FnOnce() -> String) {
        self.wrong.get_or_insert_with(what);
    }

    fn check(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.blame(what);
        }
    }

    pub(super) fn open(&self) -> usize {
        self.requests.values().filter(|request| !request.is_over).count()
    }

    /// Judges an action; `finished` is the attempt whose end caused it.
    pub(super) fn action(
        &mut self,
        action: &Action,
        finished: Option<&Live>,
        now: Duration,
        view: &[TierView],
    ) {
        match action {
            Action::Ask { request, tier, said, .. } => {
                let known =
                    self.requests.get(request).map(|known| (known.is_over, known.said == *said, known.group));
                self.check(matches!(known, Some((false, true, _))), || {
                    format!("{request} is asked for with {said:?}")
                });
                let group = known.map_or(0, |(_, _, group)| group);
                self.asked.entry(group).or_default().insert(*tier);
                self.continued += u64::from(!said.is_empty());
            }
            Action::Drop { attempt } => {
                let was_live = self.live.remove(attempt).is_some();
                self.check(was_live, || format!("attempt {attempt} is dropped and is not under way"));
            }
            Action::From { request, tier } => self.from(*request, *tier),
            Action::Say { request, text } => self.say(*request, text),
            Action::Call { request, calls } => {
                let calls: Vec<String> = calls.iter().map(|call| call.id.clone()).collect();
                let made = finished.map(|attempt| attempt.calls.clone()).unwrap_or_default();
                self.check(!calls.is_empty() && calls == made, || {
                    format!("{request}: calls {calls:?}, of {made:?}")
                });
                if let Some(known) = self.requests.get_mut(request) {
                    let is_first = known.calls.is_empty() && !known.is_over;
                    known.calls = calls;
                    self.check(is_first, || format!("{request}: calls come twice"));
                }
            }
            Action::End { request, end } => self.end(*request, end, now, view),
        }
    }

    fn from(&mut self, request: RequestId, tier: Tier) {
        let Some(known) = self.requests.get_mut(&request) else { return };
        let changed = known.from.replace(tier) != Some(tier);
        let is_open = !known.is_over;
        self.check(changed && is_open, || format!("{request}: {tier:?} takes over from itself"));
    }

    fn say(&mut self, request: RequestId, text: &str) {
        let Some(known) = self.requests.get_mut(&request) else {
            return self.blame(|| format!("{request} is unknown"));
        };
        let fits = known.script.text[known.said.len()..].starts_with(text);
        let is_open = !known.is_over && known.from.is_some() && known.calls.is_empty();
        let is_tidy = !text.is_empty() && !text.ends_with(char::is_whitespace);
        known.said.push_str(text);
        let (said, script) = (known.said.clone(), known.script.text.clone());
        self.check(fits, || format!("{request}: said {said:?} of {script:?}"));
        self.check(is_open && is_tidy, || {
            format!("{request}: {text:?} comes after its end, or of nobody, or untidy")
        });
    }

    fn end(&mut self, request: RequestId, end: &End, now: Duration, view: &[TierView]) {
        let open = self.open();
        // Who joined others waited with the first of them, after whom the group is named.
        let first = self.requests.get(&request).and_then(|known| self.requests.get(&known.group));
        let is_late = first.is_some_and(|first| now >= first.asked_at + first.first_within);
        let Some(known) = self.requests.get_mut(&request) else {
            return self.blame(|| format!("{request} ends and is unknown"));
        };
        let was_over = std::mem::replace(&mut known.is_over, true);
        let (said, script) = (known.said.as_str(), known.script.text.trim_end());
        let group = known.group;
        let is_right = match end {
            End::Answered { tier: Tier::Cached, .. } => {
                let is_kept = known.is_keepable && self.answered.contains(&known.key);
                is_kept && said == script && known.from == Some(Tier::Cached)
            }
            End::Answered { tier, finish: Finish::Length, .. } => {
                known.from == Some(*tier) && known.calls.is_empty()
            }
            End::Answered { finish: Finish::Calls, .. } => {
                said == script && known.calls.len() == known.script.calls
            }
            End::Answered { tier, .. } => {
                said == script
                    && known.calls.is_empty()
                    && known.script.calls == 0
                    && known.from == Some(*tier)
            }
            End::Broken { tier, why } => {
                !said.is_empty() && known.from == Some(*tier) && !why.contains("sk-")
            }
            End::Nobody { why, .. } => {
                let is_full = why.is_empty() && (open > REQUESTS_MAX || self.tiers.is_empty());
                let of: Vec<Tier> = why.iter().map(|(tier, _)| *tier).collect();
                let is_told =
                    of == self.tiers && why.iter().all(|(_, why)| why.ends_with('.') && !why.contains("sk-"));
                said.is_empty() && (is_told || is_full)
            }
        };
        let is_last_resort = matches!(end, End::Nobody { why, .. } if !why.is_empty())
            || matches!(end, End::Answered { tier: Tier::Cached, .. });
        let (said, script) = (said.to_owned(), script.to_owned());
        if matches!(end, End::Answered { finish: Finish::Stop, .. }) && known.is_keepable {
            self.answered.insert(known.key);
        }
        let kind = match end {
            End::Answered { tier: Tier::Cached, .. } => 1,
            End::Answered { .. } => 0,
            End::Broken { .. } => 2,
            End::Nobody { .. } => 3,
        };
        self.ends[kind] += 1;
        self.check(!was_over, || format!("{request} ends twice"));
        self.check(is_right, || format!("{request} ends with {end:?}, said {said:?} of {script:?}"));
        if is_last_resort && !is_late {
            let asked = self.asked.get(&group).cloned().unwrap_or_default();
            let passed = view.iter().enumerate().find(|(index, tier)| {
                tier.breaker == Breaker::Closed && tier.budget_usd.is_none() && !asked.contains(index)
            });
            self.check(passed.is_none(), || {
                format!("{request} ends with {end:?}, and {passed:?} was not asked")
            });
        }
    }

    /// What must hold between two events. `was_ticked`: everything that was due is done.
    pub(super) fn between(&mut self, now: Duration, was_ticked: bool) {
        let groups: BTreeSet<u64> =
            self.requests.values().filter(|request| !request.is_over).map(|request| request.group).collect();
        let working: BTreeSet<u64> = self.live.values().map(|attempt| attempt.group).collect();
        let begun: BTreeSet<u64> =
            self.live.values().filter(|attempt| attempt.has_begun).map(|attempt| attempt.group).collect();
        self.check(groups == working, || {
            format!("groups {groups:?} wait, and for {working:?} somebody works")
        });
        let rivals = |group: u64| self.live.values().filter(|attempt| attempt.group == group).count();
        let crowded = working.iter().copied().find(|group| rivals(*group) > self.rivals_max);
        self.check(crowded.is_none(), || format!("too many work for group {crowded:?}"));
        if !was_ticked {
            return;
        }
        let speaking: BTreeSet<u64> =
            self.live.values().filter(|attempt| attempt.has_word).map(|attempt| attempt.group).collect();
        let late = self.requests.iter().find(|(_, request)| {
            let since = now.saturating_sub(request.asked_at);
            let is_silent = request.said.is_empty()
                && (!begun.contains(&request.group) || speaking.contains(&request.group));
            !request.is_over && (since >= self.total || is_silent && since >= request.first_within)
        });
        let late = late.map(|(request, known)| format!("{request} is late at {now:?}: {known:?}"));
        self.check(late.is_none(), || late.unwrap_or_default());
    }
}
