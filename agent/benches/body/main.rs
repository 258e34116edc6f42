//! `make bench ONLY=body`: how fast the body stops, drives and starts, measured on real processes.
//!
//! One JSON line a figure on standard output, progress and a summary on standard error. The agent is the release binary,
//! its body `robbie-body` in a process of its own behind a pty, and the judge is the body's trace, never what the agent
//! says of itself. A figure is printed beside a baseline of the same run where there is one.
//!
//! Variables: `FIGURES=stop,wire` measures only these groups, `ROUNDS` (100) kills and freezes, `TRIALS` (1000) silences,
//! `MINUTES` (10) of teleop, `COLD=1` adds a cold build. Nothing here is a test: a missed target is reported, not an error.

mod bare;
mod busy;
mod commands;
mod floor;
mod flood;
mod footprint;
mod http;
mod page;
mod process;
mod programs;
mod proxy;
#[expect(dead_code, reason = "other benches need more of it")]
mod report;
mod rest;
mod silence;
mod stats;
mod stop;
mod teleop;
mod trace;
mod wire;

use std::process::ExitCode;

use report::Report;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
struct Scale {
    /// Clients that fall silent.
    trials: usize,
    /// Agents that are killed, and as many that are frozen.
    rounds: usize,
    /// Minutes of driving over a bad network, summed over robots.
    minutes: usize,
    /// A cold build is measured, too.
    with_cold_build: bool,
}

type Group = fn(&mut Report, Scale) -> anyhow::Result<()>;

/// In the order in which they run.
const GROUPS: &[(&str, Group)] = &[
    ("footprint", footprint::measure),
    ("stop", stop::measure),
    ("wire", wire::measure),
    ("rest", rest::measure),
    ("flood", flood::measure),
    ("teleop", teleop::measure),
    ("page", page::measure),
];

fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == bare::ARGUMENT) {
        return finish(bare::serve());
    }
    let scale = Scale {
        trials: number("TRIALS", 1000),
        rounds: number("ROUNDS", 100),
        minutes: number("MINUTES", 10),
        with_cold_build: variable("COLD").is_some(),
    };
    let wanted = variable("FIGURES");
    let is_wanted = |name: &str| wanted.as_ref().is_none_or(|list| list.split(',').any(|one| one == name));
    let mut report = Report::default();
    for (name, measure) in GROUPS.iter().filter(|(name, _)| is_wanted(name)) {
        eprintln!("{name} ...");
        if let Err(error) = measure(&mut report, scale) {
            report.failed(name, &error);
        }
    }
    report.summarise();
    if report.is_complete() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn finish(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn number(name: &str, default: usize) -> usize {
    variable(name).and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[expect(clippy::disallowed_methods, reason = "a bench has no configuration but its variables")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}
