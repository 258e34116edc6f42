//! Seeded simulation of the whole robot in virtual time: the agent's own gate and link session against the body's own
//! controller and physics, over a line, a disk and a process that fail, with people and programs that ask for everything.
//!
//! One seed is one run, the same on every machine. `make sim SEEDS=10000` runs many; `SEED=1234 make sim` replays one with
//! the last events of its trace. The judge ([`oracle`]) knows only requests, answers, frames and wheels, never the gate.

mod chance;
mod disk;
mod drivers;
mod events;
mod figures;
mod ledger;
mod line;
mod mcu;
mod oracle;
mod people;
mod plan;
mod process;
mod rescue;
mod setup;
mod trace;
mod turn;
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use figures::{Figures, line};
use trace::Trace;
use world::{Violation, World};

/// Seeds where nobody says how many: about ten seconds without optimisation.
const SEEDS: u64 = 250;
const THREADS: usize = 2;
/// Violations that are shown in full.
const SHOWN: usize = 5;

#[expect(
    clippy::disallowed_methods,
    reason = "a test has no configuration; make hands the numbers over like this"
)]
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text:?} is not a number")))
}

#[test]
fn every_seed_stops_within_its_budget_and_can_be_driven_again() {
    if let Some(seed) = number("SEED") {
        let outcome = World::new(seed, Trace::on()).run();
        if let Err(violation) = outcome {
            panic!("{}", told(seed, &violation));
        }
        println!("seed {seed}: nothing is violated");
        return;
    }
    let seeds = number("SEEDS").unwrap_or(SEEDS);
    let begun = Instant::now();
    let (mut figures, violations) = run_all(seeds);
    let real_s = begun.elapsed().as_secs_f64();
    for (seed, _) in violations.iter().take(SHOWN) {
        // Once more, this time with its trace.
        if let Err(violation) = World::new(*seed, Trace::on()).run() {
            eprintln!("{}", told(*seed, &violation));
        }
    }
    for (seed, text) in violations.iter().skip(SHOWN) {
        eprintln!("seed {seed}: {text}");
    }
    figures.print();
    line("sim_seeds", seeds as f64, "seeds", "one robot and one history each");
    line("sim_violations", violations.len() as f64, "seeds", "must be 0");
    line("sim_faults", figures.faults as f64, "faults", "of line, MCU, body, process and disk");
    line("sim_requests_accepted", figures.accepted as f64, "requests", "");
    line("sim_requests_refused", figures.refused as f64, "requests", "");
    let moving = 100.0 * figures.moving_us as f64 / figures.virtual_us as f64;
    line("sim_moving_percent", moving, "%", "of virtual time with a wheel's target other than zero");
    line(
        "sim_virtual_s_per_s",
        figures.virtual_us as f64 / 1e6 / real_s,
        "s/s",
        "virtual time by real time, two threads",
    );
    assert!(violations.is_empty(), "{} of {seeds} seeds break a promise", violations.len());
}

fn run_all(seeds: u64) -> (Figures, Vec<(u64, String)>) {
    let next = AtomicU64::new(0);
    let results = Mutex::new((Figures::default(), Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut own = (Figures::default(), Vec::new());
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        break;
                    }
                    match World::new(seed, Trace::default()).run() {
                        Ok(figures) => own.0.merge(figures),
                        Err(violation) => own.1.push((seed, violation.text)),
                    }
                }
                let mut results = results.lock().expect("no thread panics with it");
                results.0.merge(own.0);
                results.1.append(&mut own.1);
            });
        }
    });
    let (figures, mut violations) = results.into_inner().expect("no thread panics with it");
    violations.sort();
    (figures, violations)
}

fn told(seed: u64, violation: &Violation) -> String {
    let trace: String = violation.trace.iter().map(|line| format!("  {line}\n")).collect();
    let at_ms = violation.at_us as f64 / 1000.0;
    format!("\nseed {seed} at {at_ms:.3} ms: {}\n{trace}again: SEED={seed} make sim\n", violation.text)
}
