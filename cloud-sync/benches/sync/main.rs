//! `make bench ONLY=sync`: how fast robot and cloud come and stay in step, what driving through the cloud costs, whether the
//! body stops in time meanwhile, and whether anything is lost when everything dies.
//!
//! Real processes throughout: the release binaries, a Postgres of the run's own (`.ci/postgres.sh` fetches it), the broker of
//! `robbie-tryout`. One JSON line a figure on standard output, each beside a baseline of the same run where there is one;
//! progress and a summary on standard error. `FIGURES=push,drive` measures only these groups; `ROUNDS` and `SEED` are for
//! `chaos`. A missed target is reported, not an error; a round of chaos that fails is one.

mod apply;
mod beside;
mod catch_up;
mod chaos;
mod device;
mod drive;
mod live;
mod meta;
mod programs;
mod push;
mod rest;
mod stops;
mod sums;

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
#[expect(dead_code, reason = "the body's bench needs more of it")]
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

use report::Report;
use system::http;

type Group = fn(&mut Report) -> anyhow::Result<()>;

/// In the order in which they run.
const GROUPS: &[(&str, Group)] = &[
    ("meta", meta::measure),
    ("apply", apply::measure),
    ("push", push::measure),
    ("live", live::measure),
    ("catch_up", catch_up::measure),
    ("rest", rest::measure),
    ("drive", drive::measure),
    ("beside", beside::measure),
    ("chaos", chaos::measure),
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

#[expect(
    clippy::disallowed_methods,
    reason = "a bench has no configuration; make hands the words over like this"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}
