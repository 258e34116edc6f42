//! Tiers as they behave: what one sends when it is asked, with every way to fail.

use std::time::Duration;

use models_mind::router::{AttemptId, Deadlines, Event, Pieces, Price, TierConfig};
use models_mind::tier::{Called, Failure, FailureKind, Finish, Tier, Usage};

use super::chance::Chance;
use super::script::{Script, continuation, pieces};

const TIERS: [Tier; 4] = [Tier::Ollama, Tier::OpenAi, Tier::Claude, Tier::Gemini];

/// A tier's temper.
#[derive(Clone, Debug)]
pub(super) struct Upstream {
    /// Of 100 attempts, how many fail.
    fails: u64,
    first_ms: u64,
    gap_ms: u64,
    /// From when to when nobody listens; what is under way then is cut.
    down: (Duration, Duration),
    says_usage: bool,
}

/// What an attempt will send, and how long after it was asked.
pub(super) type Sent = Vec<(Duration, Event)>;

pub(super) fn tiers(chance: &mut Chance) -> Vec<(TierConfig, Upstream)> {
    let count = chance.between(1, 4) as usize;
    let tempers = [0, 10, 30, 60, 100];
    TIERS[..count]
        .iter()
        .map(|tier| {
            let deadlines = Deadlines {
                connect: chance.ms(200, 2_000),
                first_token: chance.ms(500, 6_000),
                between_tokens: chance.ms(300, 3_000),
                total: chance.ms(5_000, 60_000),
            };
            let is_paid = chance.percent(40);
            let price = Price { usd_per_million_input: 1.5, usd_per_million_output: 10.25 };
            let config = TierConfig {
                tier: *tier,
                deadlines,
                pieces: Pieces::Raw,
                price: if is_paid { price } else { Price::default() },
                budget_usd: (is_paid && chance.percent(70)).then(|| chance.between(0, 400) as f64 / 1_000.0),
            };
            let down = chance.ms(0, 60_000);
            let down_for = if chance.percent(30) { chance.ms(100, 20_000) } else { Duration::ZERO };
            let upstream = Upstream {
                fails: chance.one_of(&tempers),
                first_ms: chance.one_of(&[20, 200, 900, 3_000]),
                gap_ms: chance.one_of(&[0, 5, 40, 200]),
                down: (down, down + down_for),
                says_usage: chance.percent(60),
            };
            (config, upstream)
        })
        .collect()
}

/// What an attempt is about.
pub(super) struct Asking<'a> {
    pub(super) attempt: AttemptId,
    pub(super) script: &'a Script,
    pub(super) said: &'a str,
    pub(super) input_tokens: u32,
    pub(super) now: Duration,
}

fn failed(attempt: AttemptId, kind: FailureKind, retry_after: Option<Duration>) -> Event {
    let detail = "Something with sk-secret.".to_owned();
    Event::Failed { attempt, failure: Failure { kind, detail, retry_after } }
}

impl Upstream {
    pub(super) fn send(&self, asking: &Asking<'_>, chance: &mut Chance) -> Sent {
        let attempt = asking.attempt;
        let fails = chance.percent(self.fails);
        if fails && chance.percent(50) {
            return self.fail_at_once(attempt, chance);
        }
        let mut sent = vec![(chance.ms(0, self.first_ms), Event::Connected { attempt })];
        let mut at = sent[0].0 + chance.ms(0, self.first_ms);
        let text = continuation(chance, &asking.script.text, asking.said);
        let is_slow = fails && chance.percent(15);
        let mut bytes = 0;
        for text in pieces(chance, &text) {
            bytes += text.len();
            sent.push((at, Event::Text { attempt, text }));
            at += if is_slow { chance.ms(200, 600) } else { chance.ms(0, self.gap_ms) };
        }
        for index in 0..asking.script.calls {
            let arguments = serde_json::json!({ "index": index });
            let call = Called { id: format!("{attempt}-{index}"), name: "lights".to_owned(), arguments };
            sent.push((at, Event::Call { attempt, call }));
        }
        let usage = Usage { input_tokens: asking.input_tokens, output_tokens: bytes as u32 / 5 };
        let usage = (self.says_usage && chance.percent(90)).then_some(usage);
        let finish = if asking.script.calls > 0 { Finish::Calls } else { Finish::Stop };
        sent.push((at, Event::Finished { attempt, finish, usage }));
        if fails && !is_slow {
            spoil(&mut sent, attempt, chance);
        }
        self.go_down(&mut sent, asking);
        sent
    }

    fn fail_at_once(&self, attempt: AttemptId, chance: &mut Chance) -> Sent {
        let after = chance.ms(0, self.first_ms);
        let retry_after = chance.percent(50).then(|| chance.ms(0, 2_000_000));
        let kind = chance.one_of(&[
            FailureKind::NotConfigured,
            FailureKind::Refused,
            FailureKind::Refused,
            FailureKind::Unauthorized,
            FailureKind::RateLimited,
            FailureKind::Rejected,
            FailureKind::Server,
            FailureKind::Server,
        ]);
        vec![(after, failed(attempt, kind, retry_after))]
    }

    /// What a restart does to an answer.
    fn go_down(&self, sent: &mut Sent, asking: &Asking<'_>) {
        let (from, to) = self.down;
        if asking.now >= to || from == to {
            return;
        }
        let before = sent.len();
        sent.retain(|(after, _)| asking.now + *after < from);
        if sent.len() < before {
            let kind = if sent.is_empty() { FailureKind::Refused } else { FailureKind::Cut };
            let after = from.saturating_sub(asking.now);
            sent.push((after, failed(asking.attempt, kind, None)));
        }
    }
}

/// Breaks a good answer somewhere.
fn spoil(sent: &mut Sent, attempt: AttemptId, chance: &mut Chance) {
    let keep = chance.between(0, sent.len() as u64 - 1) as usize;
    sent.truncate(keep);
    let at = sent.last().map_or(Duration::ZERO, |(at, _)| *at) + chance.ms(0, 50);
    let event = match chance.between(0, 7) {
        // It says nothing more.
        0..=1 => return,
        2 => failed(attempt, FailureKind::Malformed, None),
        3 => failed(attempt, FailureKind::InBand, None),
        4 => failed(attempt, FailureKind::WrongFinish, None),
        5 => {
            sent.retain(|(_, event)| !matches!(event, Event::Call { .. }));
            Event::Finished { attempt, finish: Finish::Length, usage: None }
        }
        6 => {
            sent.retain(|(_, event)| matches!(event, Event::Connected { .. }));
            let said = Event::Text { attempt, text: " \n".to_owned() };
            sent.push((at, said));
            failed(attempt, FailureKind::Empty, None)
        }
        _ => failed(attempt, FailureKind::Cut, None),
    };
    sent.push((at, event));
}
