//! Whether a tier is asked more often than its budget allows when many ask at the same time.

use std::sync::Barrier;

use anyhow::Context;
use serde_json::json;

use crate::completions::Completions;
use crate::how_many;
use crate::report::{Figure, Report};
use crate::world::{SCRIPT, World};

/// Runs of the cloud, each with its whole budget.
const ROUNDS: usize = 10;
/// Answers that the budget pays for.
const FIT: u64 = 20;
const CLIENTS: u64 = 16;
/// Questions of each client: all of them together are far more than fit.
const QUESTIONS: u64 = 5;
/// So that all are under way at the same time.
const THINK_MS: u64 = 20;
/// Tokens that a client allows beyond what is said: those are reserved, too, until the answer has ended.
const TOKENS_BEYOND: [usize; 2] = [0, 20];
/// The dearest that can be set.
const USD_PER_MILLION: f64 = 10_000.0;

/// Measures it.
pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    let rounds = how_many("TRIALS", ROUNDS)?.min(ROUNDS);
    let tokens = SCRIPT.split(' ').count();
    let budget_usd = FIT as f64 * tokens as f64 * USD_PER_MILLION / 1e6;
    let settings = [
        ("openai__budget_usd_per_day", &*budget_usd.to_string()),
        ("openai__usd_per_million_input", "0"),
        ("openai__usd_per_million_output", &*USD_PER_MILLION.to_string()),
    ];
    let mut world = World::start(&["openai"], &settings)?;
    world.minds.tell("openai", &json!({ "think_ms": THINK_MS }))?;
    let mut sent = Vec::new();
    for round in 0..rounds {
        if round > 0 {
            // What was spent is known to the process alone.
            world.cloud.kill()?;
            world.cloud.restart()?;
        }
        let before = world.asked("openai")?;
        all_at_once(&world.through(Some(tokens + TOKENS_BEYOND[round % TOKENS_BEYOND.len()]))?)?;
        sent.push(world.asked("openai")? - before);
    }
    let most = sent.iter().copied().max().context("no round")?;
    let note = format!(
        "the most of {rounds} runs of the cloud with a budget for {FIT} answers, {CLIENTS} clients at once with {QUESTIONS} questions \
         each; every other run they allow {} tokens more than are said; sent upstream: {sent:?}",
        TOKENS_BEYOND[1]
    );
    let overshoot = most.saturating_sub(FIT) as f64;
    report.add(Figure::new("spend_overshoot_requests", overshoot, "requests").at_most(1.0).note(note));
    Ok(())
}

/// All clients ask all their questions, whether or not they are answered.
fn all_at_once(client: &Completions) -> anyhow::Result<()> {
    let start = Barrier::new(CLIENTS as usize);
    std::thread::scope(|scope| {
        let ask = |number: u64| {
            let (mut client, start) = (client.another(), &start);
            scope.spawn(move || {
                start.wait();
                (0..QUESTIONS).try_for_each(|question| client.ask(number * QUESTIONS + question).map(drop))
            })
        };
        let threads: Vec<_> = (0..CLIENTS).map(ask).collect();
        threads.into_iter().try_for_each(|thread| thread.join().ok().context("a client panicked")?)
    })
}
