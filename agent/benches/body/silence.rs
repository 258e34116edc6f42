//! Clients that fall silent, and how long the body goes on after that.

use std::time::Duration;

use anyhow::ensure;
use serde_json::json;

use crate::busy::{Lateness, Load};
use crate::http::Client;
use crate::programs::{Agent, Body, take};
use crate::stats::{Chance, Samples, monotonic_us, ms_between};
use crate::trace::{End, Line, between, end_of};

/// What a body that goes on after its time is watched for, beyond the time to live.
const WATCHED: Duration = Duration::from_millis(60);

/// How long the wheels had a target after the time to live, in the order of the trials.
#[derive(Debug, Default)]
pub(crate) struct Silences {
    /// If the time to live began when the last command was sent, ms: at most so long.
    pub(crate) since_sent_ms: Vec<f64>,
    /// If it began when its answer was there, ms: at least so long.
    pub(crate) since_answered_ms: Vec<f64>,
    /// How late a plain timer of this process fired meanwhile.
    pub(crate) timer_late: Samples,
    /// Trials that were refused because the link was late.
    pub(crate) void: usize,
    /// Commands that were over before they reached the wheels.
    pub(crate) unseen: usize,
}

/// Lets clients fall silent, one after the other, under this load.
pub(crate) fn silences(
    body: &Body,
    agent: &Agent,
    load: Load,
    chance: &mut Chance,
    trials: usize,
) -> anyhow::Result<Silences> {
    let mut client = agent.client()?;
    let began_us = monotonic_us();
    let busy = load.begin();
    let lateness = Lateness::begin();
    let (silences, void) = repeat(trials, || fall_silent(&mut client, chance))?;
    let timer_late = lateness.end();
    drop(busy);

    let trace = body.trace_since(began_us)?;
    let (since_sent_ms, since_answered_ms): (Vec<f64>, Vec<f64>) =
        silences.iter().filter_map(|silence| after_ttl_ms(&trace, silence)).unzip();
    let unseen = silences.len() - since_sent_ms.len();
    Ok(Silences { since_sent_ms, since_answered_ms, timer_late, void, unseen })
}

/// One client that fell silent.
struct Silence {
    /// Before its last command was sent.
    sent_us: u64,
    /// After it was accepted.
    answered_us: u64,
    ttl_ms: u64,
    /// Before the next trial began.
    until_us: u64,
}

/// `wanted` results, and how many turns gave none. On a machine that is too busy there is no end of those.
pub(crate) fn repeat<T>(
    wanted: usize,
    mut turn: impl FnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<(Vec<T>, usize)> {
    let (mut results, mut void) = (Vec::new(), 0);
    while results.len() < wanted {
        match turn()? {
            Some(result) => results.push(result),
            None => void += 1,
        }
        ensure!(
            void <= wanted + 5,
            "this machine is too busy: {void} times something else had stopped the body"
        );
    }
    Ok((results, void))
}

/// Drives, or opens a base that the machine's load has closed.
pub(crate) fn drive(client: &mut Client, body: &str) -> anyhow::Result<bool> {
    let answer = client.ask("POST", "/api/robot/velocity", body)?;
    if matches!(answer.status, 409 | 410 | 503) {
        take(client)?;
        return Ok(false);
    }
    answer.expect(202)?;
    Ok(true)
}

/// One to three commands that turn the robot on the spot, then silence.
fn fall_silent(client: &mut Client, chance: &mut Chance) -> anyhow::Result<Option<Silence>> {
    let ttl_ms = chance.within(20, 100);
    let commands = chance.within(1, 3);
    let body = json!({"linear_mps": 0.0, "angular_radps": 1.0, "ttl_ms": ttl_ms}).to_string();
    let (mut sent_us, mut answered_us) = (0, 0);
    for command in 0..commands {
        if command > 0 {
            std::thread::sleep(Duration::from_millis(5) + chance.up_to_ms(35));
        }
        sent_us = monotonic_us();
        if !drive(client, &body)? {
            return Ok(None);
        }
        answered_us = monotonic_us();
    }
    std::thread::sleep(Duration::from_millis(ttl_ms) + WATCHED + chance.up_to_ms(20));
    Ok(Some(Silence { sent_us, answered_us, ttl_ms, until_us: monotonic_us() }))
}

/// How long the wheels had a target after the ttl, if it began when the command was sent and if it began when the answer was
/// there: the truth lies between. `None` when the command was over before it reached the wheels.
fn after_ttl_ms(trace: &[Line], silence: &Silence) -> Option<(f64, f64)> {
    let end_us = match end_of(between(trace, silence.sent_us, silence.until_us), Line::is_driven) {
        End::At(zero_us) => zero_us,
        // Counted as what is known: at least so long.
        End::NotYet => silence.until_us,
        End::Never => return None,
    };
    let ttl_ms = silence.ttl_ms as f64;
    Some((ms_between(silence.sent_us, end_us) - ttl_ms, ms_between(silence.answered_us, end_us) - ttl_ms))
}
