//! `make bench ONLY=router`: what the chain of language models adds to an answer, alone and under load, what a failure of a tier
//! costs, whether a word is lost when one breaks in mid-answer, and whether the body stops in time while people are answered.
//!
//! Real processes throughout: the release binaries, a Postgres of the run's own (`.ci/postgres.sh` fetches it), and
//! `robbie-models`, which stands in for the providers and is also measured bare in the same run: no model runs, no key, no
//! network. One JSON line a figure on standard output, each beside its baseline; progress and a summary on standard error.
//! `FIGURES=added,crowd` measures only these groups; `REQUESTS`, `LOAD_S`, `TRIALS` and `COMMANDS` make them longer or shorter,
//! and `WORKERS=1` gives the cloud so many threads. A missed target is reported, not an error.

mod added;
mod budget;
mod completions;
mod crowd;
mod failover;
mod midstream;
mod stop;
mod talkers;
mod world;

// Real processes and what is said of stops: the sync bench and the tests have the tools, and need more of them.
#[path = "../sync/programs.rs"]
mod programs;
#[path = "../sync/stops.rs"]
mod stops;
#[path = "../../tests/system/mod.rs"]
#[expect(dead_code, reason = "the tests need more of it")]
mod system;

// How figures are said, and what wheels do: the body's bench has the tools, and needs more of them.
#[path = "../../../agent/benches/body/busy.rs"]
#[expect(dead_code, reason = "the body's bench needs more of it")]
mod busy;
#[path = "../../../agent/benches/body/commands.rs"]
mod commands;
#[path = "../../../agent/benches/body/floor.rs"]
mod floor;
#[path = "../../../agent/benches/body/process.rs"]
mod process;
#[path = "../../../agent/benches/body/report.rs"]
#[expect(dead_code, reason = "the body's bench needs more of it")]
mod report;
#[path = "../../../agent/benches/body/silence.rs"]
mod silence;
#[path = "../../../agent/benches/body/stats.rs"]
mod stats;
#[path = "../../../agent/benches/body/trace.rs"]
#[expect(dead_code, reason = "the body's bench needs more of it")]
mod trace;

use std::process::ExitCode;

use anyhow::Context;

use report::Report;
use system::http;

type Group = fn(&mut Report) -> anyhow::Result<()>;

/// In the order in which they run.
const GROUPS: &[(&str, Group)] = &[
    ("added", added::measure),
    ("crowd", crowd::measure),
    ("failover", failover::measure),
    ("midstream", midstream::measure),
    ("stop", stop::measure),
    ("budget", budget::measure),
];

fn main() -> ExitCode {
    let wanted = variable("FIGURES");
    let is_wanted = |name: &str| wanted.as_ref().is_none_or(|list| list.split(',').any(|one| one == name));
    let mut report = Report::default();
    for (name, measure) in GROUPS.iter().filter(|(name, _)| is_wanted(name)) {
        eprintln!("{name} ...");
        if let Err(error) = measure(&mut report) {
            report.failed(name, &error);
        }
    }
    report.summarise();
    if report.is_complete() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// How many, as a variable says, or else `usual`.
fn how_many(name: &str, usual: usize) -> anyhow::Result<usize> {
    variable(name).map_or(Ok(usual), |text| text.parse().with_context(|| name.to_owned()))
}

#[expect(
    clippy::disallowed_methods,
    reason = "a bench has no configuration; make hands the words over like this"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}
