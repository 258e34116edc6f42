//! Seeded simulation of sync in virtual time: robots with the real memory on SQLite, the real frames, a network that fails in
//! every way, and the server's own decision on a model of Postgres.
//!
//! One seed is one run, the same on every machine. `make sim ONLY=sync SEEDS=10000` runs many; `SEED=1234 make sim ONLY=sync`
//! replays one with the last events of its trace. The judge ([`judge`]) knows only who wrote what and what he saw.

mod chance;
mod clock;
mod edit;
mod figures;
mod history;
mod judge;
mod memory;
mod mistakes;
mod net;
mod picture;
mod robot;
mod setup;
mod trace;
mod turn;
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use figures::{Figures, line};
use judge::{Broken, DIVERGED, FIGURES, broken};
use mistakes::Mistake;
use setup::Setup;
use trace::Trace;
use world::World;

/// Seeds where nobody says how many.
const SEEDS: u64 = 200;
const THREADS: usize = 2;
/// Seeds that are shown in full.
const SHOWN: usize = 3;
/// Lines of a trace that are shown.
const LINES: usize = 150;

#[expect(
    clippy::disallowed_methods,
    reason = "a test has no configuration; make hands the numbers over like this"
)]
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text:?} is not a number")))
}

/// Runs a seed, or its first steps.
fn run(seed: u64, steps: Option<u64>, mistake: Option<Mistake>, trace: Trace) -> Outcome {
    let run = move || {
        let mut world = World::new(seed, mistake, trace);
        world.setup.steps = steps.unwrap_or(world.setup.steps);
        world.run()
    };
    // What panics breaks every promise; the seed must be known all the same.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).unwrap_or_else(|_| {
        (Figures::default(), vec![broken(DIVERGED, "it panics, see above")], Trace::default())
    })
}

/// The fewest first steps of a seed that break a promise already.
fn shortest(seed: u64) -> Option<u64> {
    (0..=Setup::STEPS_MAX).find(|steps| !run(seed, Some(*steps), None, Trace::default()).1.is_empty())
}

/// What was counted, what was broken, and the trace.
type Outcome = (Figures, Vec<Broken>, Trace);

fn told(seed: u64) -> String {
    let steps = number("STEPS").or_else(|| shortest(seed));
    let lines = number("LINES").map_or(LINES, |lines| lines as usize);
    let (_, found, trace) = run(seed, steps, None, Trace::on(lines));
    let trace: String = trace.lines().map(|line| format!("  {line}\n")).collect();
    let found: String = found.iter().map(|one| format!("  {}: {}\n", one.figure, one.what)).collect();
    let steps = steps.map_or_else(String::new, |steps| format!(" STEPS={steps}"));
    format!("\nseed {seed}\n{trace}{found}again: SEED={seed}{steps} LINES=1000 make sim ONLY=sync\n")
}

#[test]
fn sim_whatever_happens_all_show_the_same_and_nothing_is_lost() {
    if let Some(seed) = number("SEED") {
        let (_, found, _) = run(seed, number("STEPS"), None, Trace::default());
        assert!(found.is_empty(), "{}", told(seed));
        println!("seed {seed}: no promise is broken");
        return;
    }
    let seeds = number("SEEDS").unwrap_or(SEEDS);
    let begun = Instant::now();
    let (seeds, figures, broken) =
        run_all(seeds, number("MINUTES").map(|minutes| begun + Duration::from_secs(60 * minutes)));
    let real_s = begun.elapsed().as_secs_f64();
    for (seed, _) in broken.iter().take(SHOWN) {
        eprintln!("{}", told(*seed));
    }
    for (seed, found) in broken.iter().skip(SHOWN).take(100) {
        eprintln!("seed {seed}: {} {}", found[0].figure, found[0].what);
    }
    figures.print();
    line("sync_sim_seeds", seeds as f64, "seeds", "one town and one history each");
    line("sync_sim_seeds_s", seeds as f64 / real_s, "seeds/s", "two threads");
    for figure in FIGURES {
        let count = broken.iter().filter(|(_, found)| found.iter().any(|one| one.figure == figure)).count();
        line(figure, count as f64, "seeds", "must be 0");
    }
    assert!(broken.is_empty(), "{} of {seeds} seeds break a promise", broken.len());
}

/// Runs seeds until there are enough, or it is late. Returns how many it were, too.
fn run_all(seeds: u64, ends: Option<Instant>) -> (u64, Figures, Vec<(u64, Vec<Broken>)>) {
    let next = AtomicU64::new(0);
    let results = Mutex::new((0, Figures::default(), Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds || ends.is_some_and(|ends| Instant::now() >= ends) {
                        break;
                    }
                    let (figures, found, _) = run(seed, None, None, Trace::default());
                    let mut results = results.lock().expect("no thread panics with it");
                    results.0 += 1;
                    results.1.merge(&figures);
                    if !found.is_empty() {
                        results.2.push((seed, found));
                    }
                }
            });
        }
    });
    let (run, figures, mut broken) = results.into_inner().expect("no thread panics with it");
    broken.sort_by_key(|(seed, _)| *seed);
    (run, figures, broken)
}

#[test]
fn sim_the_same_seed_gives_the_same_trace() {
    for seed in 0..5 {
        let lines = |(_, _, trace): Outcome| trace.lines().cloned().collect::<Vec<_>>();
        let first = lines(run(seed, None, None, Trace::on(usize::MAX)));
        let second = lines(run(seed, None, None, Trace::on(usize::MAX)));
        assert!(first.len() > 50 && first == second, "seed {seed}");
    }
}

/// The first seed that finds it, and by which figure.
fn found_by(mistake: Mistake, seeds: u64) -> Option<(u64, &'static str)> {
    (0..seeds).find_map(|seed| {
        let (_, found, _) = run(seed, None, Some(mistake), Trace::default());
        found.first().map(|one| (seed, one.figure))
    })
}

#[test]
fn sim_each_known_mistake_is_found_when_it_is_put_back() {
    for mistake in [Mistake::NoReset, Mistake::NoRefusal, Mistake::AckIntoBase, Mistake::ClockOnly] {
        let found = found_by(mistake, 2_000);
        println!("{mistake:?}: {found:?}");
        assert!(found.is_some(), "{mistake:?} is not found");
    }
}
