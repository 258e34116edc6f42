//! A world in virtual time: people who ask, leave and ask the same again, tiers that fail, a clock that jumps.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use models_mind::router::{Action, AttemptId, Event, RequestId, Router, RouterConfig, Wanted};

use super::chance::Chance;
use super::judge::{Judge, Live, Request};
use super::mistake::Mistake;
use super::script::Script;
use super::upstream::{Asking, Upstream, tiers};

/// The last things that happened, for people.
const TRACE_MAX: usize = 400;
const HOUR: Duration = Duration::from_secs(3_600);

#[derive(Debug)]
enum Happening {
    Ask {
        request: RequestId,
        user: u64,
        question: u64,
    },
    Leave {
        request: RequestId,
    },
    Sent(Event),
    /// The router's clock goes back for a while.
    Back(Duration),
    Nothing,
}

/// What came of a seed.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) wrong: Option<String>,
    pub(super) trace: VecDeque<String>,
    pub(super) events: u64,
    /// Answered, from what was kept, broken, nobody.
    pub(super) ends: [u64; 4],
    pub(super) continued: u64,
}

#[derive(Debug)]
pub(super) struct World {
    seed: u64,
    chance: Chance,
    router: Router,
    upstreams: Vec<Upstream>,
    judge: Judge,
    queue: BTreeMap<(Duration, u64), Happening>,
    number: u64,
    now: Duration,
    /// How much the router's clock is behind, and the latest it showed.
    behind: Duration,
    shown: Duration,
    first_within: (Duration, Duration),
    ledger: Ledger,
    mistake: Option<Mistake>,
    outcome: Outcome,
    is_traced: bool,
}

/// What the tiers would bill.
#[derive(Debug, Default)]
struct Ledger {
    budgets: Vec<(Option<f64>, bool)>,
    /// Of each attempt: its tier, tokens of the question, bytes of the answer, whether the tier worked on it.
    attempts: BTreeMap<AttemptId, (usize, u32, usize, bool)>,
    bills: Vec<Vec<(Duration, f64)>>,
    largest: f64,
}

impl Ledger {
    fn bill(&mut self, attempt: AttemptId, usage: Option<(u32, u32)>, now: Duration) {
        let Some((tier, input, bytes, worked)) = self.attempts.remove(&attempt) else { return };
        if !worked || !self.budgets[tier].1 {
            return;
        }
        let (input, output) = usage.unwrap_or((input, bytes as u32 / 4));
        let bill = (f64::from(input) * 1.5 + f64::from(output) * 10.25) / 1e6;
        self.bills[tier].push((now, bill));
    }

    /// A tier that cost more in some 24 hours than its budget and one request.
    fn overspent(&self, now: Duration) -> Option<usize> {
        (0..self.bills.len()).find(|tier| {
            let day = self.bills[*tier].iter().filter(|(at, _)| now.saturating_sub(*at) < 24 * HOUR);
            let spent: f64 = day.map(|(_, bill)| bill).sum();
            self.budgets[*tier].0.is_some_and(|budget| spent > budget + self.largest)
        })
    }
}

impl World {
    pub(super) fn new(seed: u64, mistake: Option<Mistake>, is_traced: bool) -> Self {
        let mut chance = Chance::new(seed);
        let (tiers, upstreams): (Vec<_>, Vec<_>) = tiers(&mut chance).into_iter().unzip();
        let config = RouterConfig {
            first_token_budget: chance.ms(1_000, 8_000),
            honest_within: chance.ms(300, 1_000),
            total: chance.ms(8_000, 60_000),
            hedge: chance.percent(50),
            cached_max: chance.between(0, 6) as usize,
            tiers,
        };
        let budgets =
            config.tiers.iter().map(|tier| (tier.budget_usd, tier.price.usd_per_million_input > 0.0));
        let ledger = Ledger {
            budgets: budgets.collect(),
            bills: vec![Vec::new(); upstreams.len()],
            ..Ledger::default()
        };
        let judge = Judge {
            total: config.total,
            rivals_max: if config.hedge { 2 } else { 1 },
            tiers: config.tiers.iter().map(|tier| tier.tier).collect(),
            ..Judge::default()
        };
        let mut world = Self {
            seed,
            first_within: (config.first_token_budget, config.honest_within),
            router: Router::new(config),
            upstreams,
            judge,
            queue: BTreeMap::new(),
            number: 0,
            now: Duration::ZERO,
            behind: Duration::ZERO,
            shown: Duration::ZERO,
            ledger,
            mistake,
            outcome: Outcome::default(),
            is_traced,
            chance,
        };
        world.plan();
        world
    }

    fn plan(&mut self) {
        let is_crowded = self.chance.percent(1);
        let requests = if is_crowded { 300 } else { self.chance.between(1, 14) };
        let span = if is_crowded { 50 } else { self.chance.one_of(&[1_000, 30_000, 600_000]) };
        for request in 1..=requests {
            let at = self.chance.ms(0, span);
            let (user, question) = (self.chance.between(0, 1), self.chance.between(0, 3));
            self.push(at, Happening::Ask { request, user, question });
            if self.chance.percent(15) {
                let after = self.chance.ms(0, 5_000);
                self.push(at + after, Happening::Leave { request });
            }
        }
        if self.chance.percent(20) {
            let at = self.chance.ms(0, span);
            let back = self.chance.ms(1, 20_000);
            self.push(at, Happening::Back(back));
        }
        if self.chance.percent(20) {
            // The machine slept: what was due meanwhile comes afterwards, all at once.
            let at = self.chance.ms(0, span);
            let slept = self.chance.one_of(&[Duration::from_secs(2), Duration::from_secs(40), 30 * HOUR]);
            let late: Vec<_> = self.queue.range((at, 0)..(at + slept, 0)).map(|(key, _)| *key).collect();
            let late: Vec<Happening> = late.into_iter().filter_map(|key| self.queue.remove(&key)).collect();
            self.push(at, Happening::Nothing);
            for happening in late {
                self.push(at + slept, happening);
            }
        }
    }

    fn push(&mut self, at: Duration, happening: Happening) {
        self.number += 1;
        self.queue.insert((at, self.number), happening);
    }

    fn trace(&mut self, line: impl FnOnce(&Self) -> String) {
        if self.is_traced {
            let line = format!("{:>9.3} {}", self.now.as_secs_f64(), line(self));
            self.outcome.trace.push_back(line);
            if self.outcome.trace.len() > TRACE_MAX {
                self.outcome.trace.pop_front();
            }
        }
    }

    pub(super) fn run(mut self) -> Outcome {
        while self.judge.wrong.is_none() && self.outcome.events < 200_000 {
            let wake = self.router.wake_at().map(|at| at + self.behind).map(|at| at.max(self.now));
            let next = self.queue.keys().next().copied();
            match (next, wake) {
                (None, None) => break,
                (Some(key), wake) if wake.is_none_or(|wake| key.0 < wake) => {
                    self.now = self.now.max(key.0);
                    if let Some(happening) = self.queue.remove(&key) {
                        self.happen(happening);
                    }
                }
                (_, Some(wake)) => {
                    // Who drives it may be late.
                    self.now =
                        wake + if self.chance.percent(5) { self.chance.ms(0, 30) } else { Duration::ZERO };
                    if self.mistake != Some(Mistake::NoTick) || self.chance.percent(1) {
                        self.tell(Event::Tick);
                    } else {
                        self.now += Duration::from_millis(700);
                        self.judge.between(self.now.saturating_sub(self.behind), true);
                    }
                }
                _ => {}
            }
        }
        self.at_rest();
        Outcome {
            wrong: self.judge.wrong.take(),
            ends: self.judge.ends,
            continued: self.judge.continued,
            ..self.outcome
        }
    }

    /// When nothing is left to be done.
    fn at_rest(&mut self) {
        let reserved: f64 = self.router.view(self.shown).iter().map(|tier| tier.reserved_usd).sum();
        let (open, live) = (self.judge.open(), self.judge.live.len());
        if open + live > 0 || reserved > 0.0 {
            self.judge.blame(|| format!("at the end {open} wait, {live} work, {reserved} USD are reserved"));
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Ask { request, user, question } => self.ask(request, user, question),
            Happening::Leave { request } => {
                let Some(known) = self.judge.requests.get_mut(&request) else { return };
                known.is_over = true;
                if self.mistake != Some(Mistake::NoLeft) {
                    self.tell(Event::Left { request });
                } else {
                    self.judge.between(self.shown, false);
                }
            }
            Happening::Sent(event) => self.sent(event),
            Happening::Back(back) => {
                self.behind = back.min(self.now);
                self.trace(|_| format!("the clock goes back {back:?}"));
            }
            Happening::Nothing => {}
        }
    }

    fn ask(&mut self, request: RequestId, user: u64, question: u64) {
        let mut chance = Chance::new(self.seed ^ (question << 20));
        let has_tools = chance.percent(30);
        let is_keepable = chance.percent(70);
        let script = Script::new(self.seed, user, question, has_tools);
        let mut digest = [0; 32];
        digest[0] = question as u8;
        let scope = if self.mistake == Some(Mistake::OneScope) { 0 } else { user };
        let wanted = Wanted {
            scope: format!("home/user{scope}"),
            digest,
            has_tools,
            is_keepable,
            input_tokens: chance.between(10, 2_000) as u32,
            output_tokens_max: script.text.len() as u32 + 300,
        };
        self.show();
        let key = (user, question);
        let same =
            self.judge.requests.values().find(|known| !known.is_over && known.key == key && !has_tools);
        let group = same.map_or(request, |known| known.group);
        let is_hopeful = self.router.view(self.shown).iter().any(|tier| tier.is_healthy);
        let first_within = if is_hopeful { self.first_within.0 } else { self.first_within.1 };
        let cost = f64::from(wanted.input_tokens + wanted.output_tokens_max) * 10.25 / 1e6;
        self.ledger.largest = self.ledger.largest.max(cost);
        self.judge.requests.insert(
            request,
            Request {
                key,
                script,
                is_keepable,
                input_tokens: wanted.input_tokens,
                asked_at: self.shown,
                // Who joins others waits with them; they were told how long.
                first_within: same.map_or(first_within, |known| known.first_within.max(first_within)),
                group,
                said: String::new(),
                from: None,
                calls: Vec::new(),
                is_over: false,
            },
        );
        self.tell(Event::Asked { request, wanted });
    }

    /// Something comes from a tier, dropped or not.
    fn sent(&mut self, event: Event) {
        let (Event::Connected { attempt }
        | Event::Text { attempt, .. }
        | Event::Call { attempt, .. }
        | Event::Finished { attempt, .. }
        | Event::Failed { attempt, .. }) = &event
        else {
            return;
        };
        let is_live = self.judge.live.contains_key(attempt);
        // What was dropped may still have been on its way; most times it was not.
        if !is_live && !self.chance.percent(10) {
            return;
        }
        self.tell(event);
    }

    /// The router's clock as it will be shown to it.
    fn show(&mut self) -> Duration {
        let clock = self.now.saturating_sub(self.behind);
        self.shown = self.shown.max(clock);
        clock
    }

    fn tell(&mut self, event: Event) {
        let clock = self.show();
        self.outcome.events += 1;
        self.trace(|_| format!("{event:?}"));
        let was_ticked = matches!(event, Event::Tick);
        let is_ticked = was_ticked && clock == self.shown;
        let was_live = self.note(&event);
        let actions = self.router.on(event, clock);
        let finished = was_live.and_then(|(attempt, is_end)| {
            // What its own deadline ended is dropped instead.
            let is_dropped = actions.contains(&Action::Drop { attempt });
            (is_end && !is_dropped).then(|| self.judge.live.remove(&attempt)).flatten()
        });
        let has_end = actions.iter().any(|action| matches!(action, Action::End { .. }));
        let view = if has_end { self.router.view(self.shown) } else { Vec::new() };
        for action in actions {
            self.act(&action, finished.as_ref(), &view);
            if self.mistake == Some(Mistake::Twice)
                && matches!(action, Action::Call { .. } | Action::End { .. })
            {
                self.act(&action, finished.as_ref(), &view);
            }
        }
        self.judge.between(self.shown, is_ticked);
        if let Some(tier) = self.ledger.overspent(self.shown) {
            self.judge.blame(|| format!("tier {tier} cost too much"));
        }
    }

    /// Notes what a tier sends: which attempt it is, if it is under way, and whether that is its end.
    fn note(&mut self, event: &Event) -> Option<(AttemptId, bool)> {
        let (attempt, bytes, call, is_end) = match event {
            Event::Connected { attempt } => (*attempt, 0, None, false),
            Event::Text { attempt, text } => (*attempt, text.trim().len(), None, false),
            Event::Call { attempt, call } => (*attempt, 1, Some(call.id.clone()), false),
            Event::Finished { attempt, .. } | Event::Failed { attempt, .. } => (*attempt, 0, None, true),
            _ => return None,
        };
        let live = self.judge.live.get_mut(&attempt)?;
        if let Event::Text { text, .. } = event {
            live.has_word |= live.has_begun && text.contains(char::is_whitespace)
                || text.trim_start().contains(char::is_whitespace);
        }
        live.has_begun |= bytes > 0;
        live.calls.extend(call);
        if let Some((_, _, sum, worked)) = self.ledger.attempts.get_mut(&attempt) {
            *sum += bytes;
            *worked |= !matches!(event, Event::Failed { .. });
        }
        if is_end {
            let usage = match event {
                Event::Finished { usage, .. } => usage.map(|usage| (usage.input_tokens, usage.output_tokens)),
                _ => None,
            };
            self.ledger.bill(attempt, usage, self.shown);
        }
        Some((attempt, is_end))
    }

    fn act(&mut self, action: &Action, finished: Option<&Live>, view: &[models_mind::router::TierView]) {
        self.trace(|_| format!("    {action:?}"));
        if let Action::Drop { attempt } = action {
            self.ledger.bill(*attempt, None, self.shown);
            if self.mistake == Some(Mistake::NoDrop) {
                return;
            }
        }
        self.judge.action(action, finished, self.shown, view);
        let Action::Ask { attempt, request, tier, said } = action else { return };
        let Some(known) = self.judge.requests.get(request) else { return };
        let said = said.as_str();
        let input_tokens = known.input_tokens;
        let asking = Asking { attempt: *attempt, script: &known.script, said, input_tokens, now: self.now };
        let sent = self.upstreams[*tier].send(&asking, &mut self.chance);
        let live = Live { group: known.group, has_begun: false, has_word: false, calls: Vec::new() };
        self.judge.live.insert(*attempt, live);
        self.ledger.attempts.insert(*attempt, (*tier, input_tokens, 0, false));
        for (after, event) in sent {
            self.push(self.now + after, Happening::Sent(event));
        }
    }
}
