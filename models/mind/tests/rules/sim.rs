//! Seeded simulation of the router in virtual time: tiers that fail in every way, people who ask the same and leave, clocks
//! that jump.
//!
//! One seed is one run, the same on every machine. `make sim ONLY=router SEEDS=100000` runs many; `SEED=1234 make sim
//! ONLY=router` replays one with the last events of its trace. The judge ([`judge`]) knows what every tier would say.

mod chance;
mod judge;
mod mistake;
mod script;
mod upstream;
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use mistake::Mistake;
use world::{Outcome, World};

/// Seeds where nobody says how many.
const SEEDS: u64 = 300;
const THREADS: usize = 2;
/// Each found one of these when it was in the router: a repetition that was left in, held words said of an attempt that broke,
/// kept words of somebody else, work that went on for nobody, budgets without reservations, a lost hedge that went on.
const REGRESSIONS: [u64; 6] = [0, 5_372, 1, 2, 2_183, 31];
/// Seeds that are shown in full.
const SHOWN: usize = 3;

#[expect(
    clippy::disallowed_methods,
    reason = "a test has no configuration; make hands the numbers over like this"
)]
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text:?} is not a number")))
}

fn run(seed: u64, mistake: Option<Mistake>, is_traced: bool) -> Outcome {
    let run = || World::new(seed, mistake, is_traced).run();
    // What panics breaks every promise; the seed must be known all the same.
    std::panic::catch_unwind(run)
        .unwrap_or_else(|_| Outcome { wrong: Some("it panics, see above".to_owned()), ..Outcome::default() })
}

fn told(seed: u64) -> String {
    let outcome = run(seed, None, true);
    let trace: String = outcome.trace.iter().map(|line| format!("  {line}\n")).collect();
    let wrong = outcome.wrong.unwrap_or_default();
    format!("\nseed {seed}\n{trace}  {wrong}\nagain: SEED={seed} make sim ONLY=router\n")
}

#[test]
fn sim_always_one_answer_and_no_word_lost_or_doubled() {
    if let Some(seed) = number("SEED") {
        assert!(run(seed, None, false).wrong.is_none(), "{}", told(seed));
        println!("seed {seed}: no promise is broken");
        return;
    }
    let seeds = number("SEEDS").unwrap_or(SEEDS);
    let begun = Instant::now();
    let (sum, broken) = run_all(seeds);
    for seed in broken.iter().take(SHOWN) {
        eprintln!("{}", told(*seed));
    }
    for seed in broken.iter().skip(SHOWN).take(100) {
        eprintln!("seed {seed}: {}", run(*seed, None, false).wrong.unwrap_or_default());
    }
    let line = |figure: &str, value: f64, unit: &str, note: &str| {
        println!("{}", serde_json::json!({ "figure": figure, "value": value, "unit": unit, "note": note }));
    };
    line("router_sim_seeds", seeds as f64, "seeds", "one world each");
    line("router_sim_seeds_s", seeds as f64 / begun.elapsed().as_secs_f64(), "seeds/s", "two threads");
    line("router_sim_events", sum.events as f64, "events", "what the routers were told");
    let [answered, cached, cut, nobody] = sum.ends.map(|count| count as f64);
    line("router_sim_answered", answered, "requests", "answered by a tier");
    line("router_sim_cached", cached, "requests", "answered by what was kept");
    line("router_sim_broken", cut, "requests", "words were said, and nobody could go on");
    line("router_sim_nobody", nobody, "requests", "nobody answered, and the request was told why");
    line("router_sim_continued", sum.continued as f64, "attempts", "went on where another one broke");
    line("router_sim_violations", broken.len() as f64, "seeds", "must be 0");
    assert!(broken.is_empty(), "{} of {seeds} seeds break a promise", broken.len());
}

fn run_all(seeds: u64) -> (Outcome, Vec<u64>) {
    let next = AtomicU64::new(0);
    let results = Mutex::new((Outcome::default(), Vec::new()));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds {
                break;
            }
            let outcome = run(seed, None, false);
            let mut results = results.lock().expect("no thread panics with it");
            results.0.events += outcome.events;
            results.0.continued += outcome.continued;
            for (sum, count) in results.0.ends.iter_mut().zip(outcome.ends) {
                *sum += count;
            }
            if outcome.wrong.is_some() {
                results.1.push(seed);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(work);
        }
    });
    let (sum, mut broken) = results.into_inner().expect("no thread panics with it");
    broken.sort_unstable();
    (sum, broken)
}

#[test]
fn sim_seeds_that_found_something_find_nothing_any_more() {
    for seed in REGRESSIONS {
        assert!(run(seed, None, false).wrong.is_none(), "{}", told(seed));
    }
}

#[test]
fn sim_the_same_seed_gives_the_same_trace() {
    for seed in 0..5 {
        let trace = || run(seed, None, true).trace;
        assert!(trace() == trace() && trace().len() > 5, "seed {seed}");
    }
}

#[test]
fn sim_each_known_mistake_is_found_when_it_is_put_back() {
    for mistake in [Mistake::OneScope, Mistake::NoTick, Mistake::NoLeft, Mistake::NoDrop, Mistake::Twice] {
        let found = (0..500).find_map(|seed| Some((seed, run(seed, Some(mistake), false).wrong?)));
        println!("{mistake:?}: {}", found.as_ref().map_or("not found", |(_, wrong)| wrong));
        assert!(found.is_some(), "{mistake:?} is not found");
    }
}
