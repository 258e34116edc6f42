//! What a person notices of the router: who answers, that no word is lost or doubled, and how long it takes.

use std::time::Duration;

use models_mind::router::{
    Action, AttemptId, Deadlines, End, Event, Moment, Pieces, Price, RequestId, Router, RouterConfig,
    TierConfig, Wanted,
};
use models_mind::tier::{Called, Failure, FailureKind, Finish, Tier, Usage};

mod chain;
mod joint;
mod shared;
mod text;
mod tiers;

const TIERS: [Tier; 4] = [Tier::Ollama, Tier::OpenAi, Tier::Claude, Tier::Gemini];

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn tier(tier: Tier) -> TierConfig {
    let deadlines = Deadlines {
        connect: ms(1_000),
        first_token: ms(4_000),
        between_tokens: ms(3_000),
        total: ms(60_000),
    };
    TierConfig { tier, deadlines, pieces: Pieces::Raw, price: Price::default(), budget_usd: None }
}

fn config(tiers: usize) -> RouterConfig {
    RouterConfig {
        tiers: TIERS[..tiers].iter().copied().map(tier).collect(),
        first_token_budget: ms(8_000),
        honest_within: ms(2_000),
        total: ms(120_000),
        hedge: false,
        cached_max: 8,
    }
}

fn wanted(question: u8) -> Wanted {
    Wanted {
        scope: "home/anna".to_owned(),
        digest: [question; 32],
        has_tools: false,
        is_keepable: true,
        input_tokens: 100,
        output_tokens_max: 200,
    }
}

fn with_tools(question: u8) -> Wanted {
    Wanted { has_tools: true, ..wanted(question) }
}

/// A router at a time, and what came of it.
struct Driven {
    router: Router,
    now: Moment,
    actions: Vec<Action>,
    requests: RequestId,
}

impl Driven {
    fn new(config: RouterConfig) -> Self {
        Self { router: Router::new(config), now: ms(1_000_000), actions: Vec::new(), requests: 0 }
    }

    fn of(tiers: usize) -> Self {
        Self::new(config(tiers))
    }

    fn on(&mut self, event: Event) -> &[Action] {
        self.actions = self.router.on(event, self.now);
        &self.actions
    }

    fn ask(&mut self, wanted: Wanted) -> RequestId {
        self.requests += 1;
        let request = self.requests;
        self.on(Event::Asked { request, wanted });
        request
    }

    fn pass(&mut self, time_ms: u64) -> &[Action] {
        self.now += ms(time_ms);
        self.on(Event::Tick)
    }

    fn text(&mut self, attempt: AttemptId, text: &str) -> String {
        self.on(Event::Text { attempt, text: text.to_owned() });
        self.said()
    }

    fn call(&mut self, attempt: AttemptId, id: &str) {
        let call = Called { id: id.to_owned(), name: "lights".to_owned(), arguments: serde_json::json!({}) };
        self.on(Event::Call { attempt, call });
    }

    fn finish(&mut self, attempt: AttemptId) -> String {
        self.on(Event::Finished { attempt, finish: Finish::Stop, usage: None });
        self.said()
    }

    fn fail(&mut self, attempt: AttemptId, kind: FailureKind) {
        self.on(Event::Failed { attempt, failure: failure(kind) });
    }

    /// Who is asked by the last actions, with what was said: attempt, tier, said.
    fn asks(&self) -> Vec<(AttemptId, usize, String)> {
        let asks = self.actions.iter().filter_map(|action| match action {
            Action::Ask { attempt, tier, said, .. } => Some((*attempt, *tier, said.clone())),
            _ => None,
        });
        asks.collect()
    }

    /// The only attempt that the last actions begin.
    fn attempt(&self) -> AttemptId {
        let asks = self.asks();
        assert_eq!(asks.len(), 1, "{:?}", self.actions);
        asks[0].0
    }

    fn drops(&self) -> Vec<AttemptId> {
        let drops = self.actions.iter().filter_map(|action| match action {
            Action::Drop { attempt } => Some(*attempt),
            _ => None,
        });
        drops.collect()
    }

    /// What the last actions say, to whoever.
    fn said(&self) -> String {
        let said = self.actions.iter().filter_map(|action| match action {
            Action::Say { text, .. } => Some(text.as_str()),
            _ => None,
        });
        said.collect()
    }

    fn ends(&self) -> Vec<(RequestId, End)> {
        let ends = self.actions.iter().filter_map(|action| match action {
            Action::End { request, end } => Some((*request, end.clone())),
            _ => None,
        });
        ends.collect()
    }

    fn end(&self) -> End {
        let ends = self.ends();
        assert_eq!(ends.len(), 1, "{:?}", self.actions);
        ends[0].1.clone()
    }

    /// A whole question and answer by the tier that is asked first.
    fn answered(&mut self, question: u8, after_ms: u64) {
        self.ask(wanted(question));
        let attempt = self.attempt();
        self.now += ms(after_ms);
        self.text(attempt, "Yes.");
        self.finish(attempt);
        assert!(matches!(self.end(), End::Answered { .. }));
    }
}

fn failure(kind: FailureKind) -> Failure {
    Failure { kind, detail: "The key sk-secret is none of your business.".to_owned(), retry_after: None }
}

fn answered_by(tier: Tier) -> impl Fn(&End) -> bool {
    move |end| matches!(end, End::Answered { tier: by, finish: Finish::Stop, .. } if *by == tier)
}

const fn usage(input_tokens: u32, output_tokens: u32) -> Usage {
    Usage { input_tokens, output_tokens }
}
