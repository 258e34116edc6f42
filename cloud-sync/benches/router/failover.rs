//! What it costs that the first tier fails before its first word: the answer of the second one, beside answers of the first.

use anyhow::ensure;
use serde_json::{Value, json};

use crate::completions::Completions;
use crate::how_many;
use crate::report::{Figure, Report};
use crate::stats::Samples;
use crate::world::{SCRIPT, World};

/// Failures of the first tier: an error, and nobody there.
const ERRORS: usize = 300;
const REFUSALS: usize = 100;
/// Answers before something is timed.
const WARM_UP: u64 = 20;
/// The same after each start of a cloud that is to know of no refusal.
const WARM_UP_AGAIN: u64 = 5;
const FIRST: &str = "ollama";

/// Measures both.
pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    let budget = ("openai__budget_usd_per_day", "0");
    let mut world = World::start(&[FIRST, "openai"], &[budget])?;
    let trials = |usual| how_many("TRIALS", usual);
    let after = "one client, a model that thinks for 0 ms; the answer of the second tier minus the median answer of the first, \
                 which is the baseline";
    let errors = errors(&world, trials(ERRORS)?)?;
    let note = format!(
        "{} times status 500 at the first of two tiers, a good answer of it after each; {after}",
        errors.0.count()
    );
    report.add(figure("failover_ms_p99", &errors, &note));
    let refusals = refusals(&mut world, trials(REFUSALS)?)?;
    let note = format!(
        "{} times nobody listens at the first of two tiers, in a new run of the cloud each: a tier that refuses rests at once, \
         and is then not even asked; {after}",
        refusals.0.count()
    );
    report.add(figure("failover_refused_ms_p99", &refusals, &note));
    Ok(())
}

/// Answers that were failed over to, ms, and the median of others.
type Took = (Samples, f64);

fn figure(name: &str, (over, usual_ms): &Took, note: &str) -> Figure {
    let note = format!("{note}; p50 {:.3}, max {:.3}", over.median() - usual_ms, over.max() - usual_ms);
    Figure::new(name, over.percentile(99) - usual_ms, "ms").beside(*usual_ms).at_most(5.0).note(note)
}

/// The first tier has an error of its own.
fn errors(world: &World, trials: usize) -> anyhow::Result<Took> {
    let mut client = world.through(None)?;
    let mut numbers = 0..;
    let mut next = || numbers.next().unwrap_or_default();
    for _ in 0..WARM_UP {
        answered_ms(&mut client, next(), FIRST)?;
    }
    let (mut usual, mut over) = (Vec::new(), Vec::new());
    fail(world, &once())?;
    answered_ms(&mut client, next(), "openai")?;
    for _ in 0..trials {
        usual.push(answered_ms(&mut client, next(), FIRST)?);
        fail(world, &once())?;
        over.push(answered_ms(&mut client, next(), "openai")?);
    }
    Ok((Samples::new(over), Samples::new(usual).median()))
}

/// Nobody listens at the first tier.
fn refusals(world: &mut World, trials: usize) -> anyhow::Result<Took> {
    let (mut usual, mut over) = (Vec::new(), Vec::new());
    for _ in 0..trials {
        world.cloud.kill()?;
        world.cloud.restart()?;
        let mut client = world.through(None)?;
        // Both tiers have a connection then, as they have in a cloud that runs for a while.
        fail(world, &once())?;
        answered_ms(&mut client, 0, "openai")?;
        for number in 1..WARM_UP_AGAIN {
            answered_ms(&mut client, number, FIRST)?;
        }
        usual.push(answered_ms(&mut client, WARM_UP_AGAIN, FIRST)?);
        fail(world, &json!({ "kind": "refused" }))?;
        let took_ms = answered_ms(&mut client, WARM_UP_AGAIN + 1, "openai");
        world.minds.mend(FIRST)?;
        over.push(took_ms?);
    }
    Ok((Samples::new(over), Samples::new(usual).median()))
}

fn once() -> Value {
    json!({ "kind": "status", "status": 500, "times": 1 })
}

fn fail(world: &World, fault: &Value) -> anyhow::Result<()> {
    world.minds.tell(FIRST, &json!({ "fault": fault }))
}

/// How long an answer took, which must be that tier's and whole.
fn answered_ms(client: &mut Completions, number: u64, tier: &str) -> anyhow::Result<f64> {
    let answer = client.ask(number)?;
    answer.check()?;
    let pieces = answer.pieces()?;
    ensure!(pieces.iter().all(|piece| piece.tier == tier), "{tier} did not answer: {pieces:?}");
    ensure!(pieces.iter().map(|piece| piece.text.as_str()).collect::<String>() == SCRIPT, "{pieces:?}");
    Ok(answer.took.as_secs_f64() * 1000.0)
}
