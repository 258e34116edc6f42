//! `make chaos`: whether anything that was acknowledged is lost when everything dies again and again.
//!
//! A round lasts some seconds: people write on both sides while agent, cloud, broker and Postgres are killed at random, lines
//! are delayed, held and cut, and the agent's disk is full for a while. Then all of it is mended, and robot and cloud must come
//! to the same rows and the same checksums by themselves, with every acknowledged write among them. What a round does follows
//! from its seed; how the processes take it does not, so a failing round also keeps its folder, with everybody's log.

mod history;
mod people;
mod plan;
mod verdict;
mod world;

use std::time::{Duration, Instant};

use anyhow::Context;

use crate::report::{Figure, Report};
use crate::stats::{Chance, Samples};
use crate::variable;
use plan::Plan;
use verdict::Verdict;
use world::World;

/// Rounds where nobody says how many.
const ROUNDS: usize = 30;
/// A new robot and a new database after so many rounds.
const ROUNDS_OF_ONE_WORLD: usize = 25;
/// Rounds that fail before it is given up.
const FAILURES_MAX: usize = 3;

/// Measures it; `ROUNDS` and `SEED` say how much and what.
pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    let number =
        |name: &str| variable(name).map(|text| text.parse::<usize>().context(name.to_owned())).transpose();
    let rounds = number("ROUNDS")?.unwrap_or(ROUNDS);
    let first = number("SEED")?.unwrap_or(1);
    let mut seen = Seen::default();
    let mut world: Option<World> = None;
    for (index, seed) in (first..first + rounds).enumerate() {
        if index % ROUNDS_OF_ONE_WORLD == 0 {
            world = None;
        }
        let mut this = match world.take() {
            Some(world) => world,
            None => World::start().context("a world to begin with")?,
        };
        let plan = Plan::of(seed as u64);
        eprintln!("round {} of {rounds}, seed {seed}: {plan}", index + 1);
        match round(&mut this, &plan) {
            Ok(verdict) if verdict.is_fine() => {
                seen.add(&verdict);
                world = Some(this);
            }
            Ok(verdict) => {
                seen.add(&verdict);
                seen.failed(seed, &verdict.to_string(), this);
            }
            Err(error) => seen.failed(seed, &format!("{error:#}"), this),
        }
        if seen.failures.len() >= FAILURES_MAX {
            break;
        }
    }
    seen.report(report)
}

/// One round, from the first write to the verdict.
fn round(world: &mut World, plan: &Plan) -> anyhow::Result<Verdict> {
    let shared = world.share_notes(plan.seed)?;
    let crowd = people::begin(world, plan, &shared);
    let disturbed = disturb(world, plan);
    let histories = crowd.end()?;
    disturbed?;
    world.mend_all().context("mending")?;
    let mended = Instant::now();
    let rows = world.wait_until_same(plan.seed)?;
    let took = mended.elapsed();
    let verdict = verdict::judge(&histories, &rows, took);
    if verdict.is_fine() {
        world.settle(plan.seed).context("settling conflicts")?;
    }
    Ok(verdict)
}

/// Carries out the plan, each event at its time.
fn disturb(world: &mut World, plan: &Plan) -> anyhow::Result<()> {
    let began = Instant::now();
    for event in &plan.events {
        std::thread::sleep(event.at.saturating_sub(began.elapsed()));
        world.do_it(event.what).with_context(|| format!("{event:?}"))?;
    }
    std::thread::sleep(plan.lasts.saturating_sub(began.elapsed()));
    Ok(())
}

/// What all rounds saw.
#[derive(Default)]
struct Seen {
    rounds: usize,
    acked: usize,
    unknown: usize,
    lost: usize,
    conflicts: usize,
    kills: usize,
    took_s: Vec<f64>,
    failures: Vec<String>,
}

impl Seen {
    fn add(&mut self, verdict: &Verdict) {
        self.rounds += 1;
        self.acked += verdict.acked;
        self.unknown += verdict.unknown;
        self.lost += verdict.lost.len();
        self.conflicts += verdict.conflicts;
        self.took_s.push(verdict.took.as_secs_f64());
    }

    fn failed(&mut self, seed: usize, why: &str, world: World) {
        self.kills += world.kills;
        let [folder, database] = world.keep();
        let text = format!(
            "seed {seed}: {why}\n  everything is kept in {} and {}; again: make chaos ROUNDS=1 SEED={seed}",
            folder.display(),
            database.display()
        );
        eprintln!("FAILED {text}");
        self.failures.push(text);
    }

    fn report(self, report: &mut Report) -> anyhow::Result<()> {
        let took = Samples::new(self.took_s);
        let note = format!(
            "{} rounds; {} acknowledged writes on both sides, {} of unknown fate, {} conflicts, all of them shown",
            self.rounds, self.acked, self.unknown, self.conflicts
        );
        report.add(Figure::new("chaos_acked_lost", self.lost as f64, "writes").at_most(0.0).note(&note));
        let note = format!(
            "{note}; from the moment everything is mended to equal rows and checksums; median {:.1}",
            took.median()
        );
        report.add(Figure::new("chaos_converged_s_max", took.max(), "s").at_most(30.0).note(note));
        anyhow::ensure!(
            self.failures.is_empty(),
            "{} rounds failed:\n{}",
            self.failures.len(),
            self.failures.join("\n")
        );
        Ok(())
    }
}

/// A time of the plan.
fn up_to(chance: &mut Chance, from_ms: u64, to_ms: u64) -> Duration {
    Duration::from_millis(chance.within(from_ms, to_ms))
}
