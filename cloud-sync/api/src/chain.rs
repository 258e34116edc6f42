//! The chain of language models: carries out what the router of `models-mind` decides. It asks tiers, tells the router what
//! comes back and when, and hands words, calls and the end to whoever asked.
//!
//! It decides nothing itself: who is asked, for how long, and what is given out is the router's.

mod outlet;
mod parts;
mod pieces;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use models_mind::router::{Action, AttemptId, Event, Moment, RequestId, Router, RouterConfig, Wanted};
use models_mind::tier::{self, Asked, ChatTier, FailureKind, Tier};
use sha2::{Digest, Sha256};
use tokio::sync::Notify;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

use crate::supervise;
use outlet::Outlet;
pub use parts::{Limits, Link, Missing, Piece, Question, Standing};
use pieces::{events, next_of};

/// Bytes of a text that are counted as one token, for estimates before a tier says what it took.
const BYTES_PER_TOKEN: usize = 4;
/// Tokens of an answer where nobody says how many it may have.
pub const OUTPUT_TOKENS: u32 = 1024;

/// The honest last answer comes within this while nobody was healthy of late.
const HONEST_WITHIN: Duration = Duration::from_secs(2);
/// No answer of the chain ends later.
const TOTAL: Duration = Duration::from_secs(50);
/// Answers that are kept for when nobody answers.
const CACHED_MAX: usize = 1000;

/// The chain. Cheap to clone.
#[derive(Clone)]
pub struct Chain(Arc<Inner>);

struct Inner {
    tiers: Vec<Arc<dyn ChatTier>>,
    models: Vec<String>,
    names: Vec<Tier>,
    missing: Vec<Missing>,
    state: Mutex<State>,
    /// Rung when the router wants to be woken earlier than before.
    sooner: Notify,
    began: Instant,
}

struct State {
    router: Router,
    last: RequestId,
    requests: HashMap<RequestId, Request>,
    attempts: HashMap<AttemptId, Attempt>,
    /// The tiers whose key was refused, which is said once.
    refused: HashSet<usize>,
    tasks: JoinSet<()>,
    /// Who is to be told that something was given out.
    given: Vec<Arc<Outlet>>,
    /// When the timer wakes next.
    wakes_at: Option<Moment>,
}

struct Attempt {
    /// Its place in the chain.
    tier: usize,
    task: AbortHandle,
}

struct Request {
    asked: Arc<Asked>,
    outlet: Arc<Outlet>,
}

/// An answer under way. Dropped, it ends the work upstream.
pub struct Answering {
    chain: Chain,
    request: RequestId,
    outlet: Arc<Outlet>,
}

impl fmt::Debug for Chain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Chain").field("models", &self.0.models).finish_non_exhaustive()
    }
}

impl fmt::Debug for Answering {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Answering").field("request", &self.request).finish_non_exhaustive()
    }
}

impl Chain {
    /// Over these tiers, in the order in which they are asked. Needs a runtime.
    #[must_use]
    pub fn start(links: Vec<Link>, missing: Vec<Missing>, limits: Limits) -> Self {
        let config = RouterConfig {
            tiers: links.iter().map(|link| link.config.clone()).collect(),
            first_token_budget: limits.first_token_budget,
            honest_within: HONEST_WITHIN,
            total: TOTAL,
            hedge: limits.hedge,
            cached_max: CACHED_MAX,
        };
        let models = links.iter().map(|link| link.model.clone()).collect();
        let names = links.iter().map(|link| link.config.tier).collect();
        let chain = Self(Arc::new(Inner {
            tiers: links.into_iter().map(|link| link.tier).collect(),
            models,
            names,
            missing,
            state: Mutex::new(State {
                router: Router::new(config),
                last: 0,
                requests: HashMap::new(),
                attempts: HashMap::new(),
                refused: HashSet::new(),
                tasks: JoinSet::new(),
                given: Vec::new(),
                wakes_at: None,
            }),
            sooner: Notify::new(),
            began: Instant::now(),
        }));
        supervise::spawn("chain", chain.clone().keep_time());
        chain
    }

    /// Asks.
    #[must_use]
    pub fn ask(&self, question: Question) -> Answering {
        let Question { scope, asked, is_keepable } = question;
        let written = serde_json::to_vec(&asked).unwrap_or_default();
        let wanted = Wanted {
            scope,
            digest: Sha256::digest(&written).into(),
            has_tools: !asked.tools.is_empty(),
            is_keepable,
            input_tokens: u32::try_from(written.len() / BYTES_PER_TOKEN).unwrap_or(u32::MAX),
            output_tokens_max: asked.options.max_tokens.unwrap_or(OUTPUT_TOKENS),
        };
        let outlet = Arc::new(Outlet::default());
        let mut state = self.state();
        state.last += 1;
        let request = state.last;
        state.requests.insert(request, Request { asked: Arc::new(asked), outlet: outlet.clone() });
        self.happened(&mut state, [Event::Asked { request, wanted }]);
        drop(state);
        Answering { chain: self.clone(), request, outlet }
    }

    /// Whether no tier is set up.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.tiers.iter().all(|tier| tier.missing().is_some())
    }

    /// Every tier as it stands, in order.
    #[must_use]
    pub fn view(&self) -> Vec<Standing> {
        let views = self.state().router.view(self.now());
        let linked =
            views.into_iter().zip(&self.0.tiers).zip(&self.0.models).map(|((view, tier), model)| match tier
                .missing()
            {
                Some(because) => Standing::Missing(Missing { tier: view.tier, because }),
                None => Standing::SetUp { view, model: model.clone() },
            });
        let mut all: Vec<Standing> =
            linked.chain(self.0.missing.iter().cloned().map(Standing::Missing)).collect();
        all.sort_by_key(|standing| standing.tier() as u8);
        all
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Moment {
        self.0.began.elapsed()
    }

    /// Tells the router what happened, in order, and does what it says.
    fn happened(&self, state: &mut State, events: impl IntoIterator<Item = Event>) {
        let now = self.now();
        for event in events {
            for action in state.router.on(event, now) {
                self.carry_out(state, action);
            }
        }
        state.given.drain(..).for_each(|outlet| outlet.ring());
        let wake_at = state.router.wake_at();
        let is_sooner = wake_at.is_some_and(|at| state.wakes_at.is_none_or(|planned| at < planned));
        if is_sooner {
            state.wakes_at = wake_at;
            self.0.sooner.notify_one();
        }
    }

    fn carry_out(&self, state: &mut State, action: Action) {
        match action {
            Action::Ask { attempt, request, tier, said } => self.begin(state, attempt, request, tier, &said),
            Action::Drop { attempt } => {
                if let Some(Attempt { task, .. }) = state.attempts.remove(&attempt) {
                    task.abort();
                }
            }
            Action::From { request, tier } => state.give(request, Piece::From(tier)),
            Action::Say { request, text } => state.give(request, Piece::Text(text)),
            Action::Call { request, calls } => state.give(request, Piece::Calls(calls)),
            Action::End { request, end } => {
                state.give(request, Piece::End(end));
                state.requests.remove(&request);
            }
        }
    }

    fn begin(&self, state: &mut State, attempt: AttemptId, request: RequestId, tier: usize, said: &str) {
        let (Some(asks), Some(open)) = (self.0.tiers.get(tier), state.requests.get(&request)) else { return };
        let asked = if said.is_empty() { open.asked.clone() } else { Arc::new(open.asked.behind(said)) };
        let answer = asks.ask(asked);
        let chain = self.clone();
        while state.tasks.try_join_next().is_some() {}
        let task = state.tasks.spawn(async move { chain.follow(attempt, answer).await });
        state.attempts.insert(attempt, Attempt { tier, task });
    }

    /// Tells the router what an attempt brings; what is there at once, at once.
    async fn follow(self, attempt: AttemptId, mut answer: tier::Answer) {
        loop {
            let came = next_of(&mut answer).await;
            let events = events(attempt, came);
            let is_complete = matches!(events.last(), Some(Event::Finished { .. }));
            let is_over = is_complete || matches!(events.last(), Some(Event::Failed { .. }));
            self.tell(attempt, events, is_over);
            if is_complete {
                // Seeing that nothing comes behind it, a tier may keep its connection for the next question.
                answer.next().await;
            }
            if is_over {
                return;
            }
        }
    }

    fn tell(&self, attempt: AttemptId, events: Vec<Event>, is_over: bool) {
        let mut state = self.state();
        if let Some(last) = events.last().filter(|_| is_over)
            && let Some(Attempt { tier, .. }) = state.attempts.remove(&attempt)
        {
            self.report(&mut state, tier, last);
        }
        self.happened(&mut state, events);
    }

    /// Counts how an attempt ended, and says once what a person must mend.
    fn report(&self, state: &mut State, tier: usize, event: &Event) {
        let name = self.0.names[tier].as_str();
        let Event::Failed { failure, .. } = event else {
            state.refused.remove(&tier);
            metrics::counter!("robbie_tier_answers_total", "tier" => name).increment(1);
            return;
        };
        metrics::counter!("robbie_tier_failures_total", "tier" => name).increment(1);
        if failure.kind == FailureKind::Unauthorized && state.refused.insert(tier) {
            tracing::warn!(
                tier = name,
                "a language model refuses its key; it is tried again every 10 minutes"
            );
        }
    }

    /// Wakes the router when it wants to be woken, for as long as the program runs.
    async fn keep_time(self) {
        loop {
            let wakes_at = self.state().wakes_at;
            let due = async {
                match wakes_at {
                    Some(at) => sleep_until(self.0.began + at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.0.sooner.notified() => continue,
                () = due => {}
            }
            let mut state = self.state();
            state.wakes_at = None;
            self.happened(&mut state, [Event::Tick]);
        }
    }
}

impl State {
    fn give(&mut self, request: RequestId, piece: Piece) {
        let Some(open) = self.requests.get(&request) else { return };
        open.outlet.put(piece);
        let is_known = self.given.last().is_some_and(|last| Arc::ptr_eq(last, &open.outlet));
        if !is_known {
            self.given.push(open.outlet.clone());
        }
    }
}

impl Answering {
    /// What comes next; after [`Piece::End`] nothing.
    pub async fn next(&mut self) -> Option<Piece> {
        self.outlet.take().await
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let mut state = self.chain.state();
        if state.requests.remove(&self.request).is_some() {
            self.chain.happened(&mut state, [Event::Left { request: self.request }]);
        }
    }
}
