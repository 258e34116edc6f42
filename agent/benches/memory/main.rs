//! `make bench ONLY=memory`: how fast and how well the memory finds again, and what writing costs, what it does
//! to the disk, and what the body notices of it.
//!
//! One JSON line a figure on standard output, each beside a baseline of the same run where there is one; progress and a
//! summary on standard error. `FIGURES=recall,writes` measures only these groups; `LOCOMO_DIR` names a folder of conversations
//! in LoCoMo's format, without which their figures are left out. A missed target is reported, not an error.

mod anew;
mod crowd;
mod locomo;
mod recall;
mod sentences;
mod wear;
mod writes;

// Real processes, their wheels, and how figures are said: the body's bench has the tools, and needs more of them.
#[path = "../body/busy.rs"]
#[expect(dead_code, reason = "the body's bench needs more of it")]
mod busy;
#[path = "../body/commands.rs"]
mod commands;
#[path = "../body/floor.rs"]
mod floor;
#[path = "../body/http.rs"]
#[expect(dead_code, reason = "the body's bench needs more of it")]
mod http;
#[path = "../body/process.rs"]
#[expect(dead_code, reason = "the body's bench needs more of it")]
mod process;
#[path = "../body/programs.rs"]
#[expect(dead_code, reason = "the body's bench needs more of it")]
mod programs;
#[path = "../body/report.rs"]
#[expect(dead_code, reason = "other benches need more of it")]
mod report;
#[path = "../body/silence.rs"]
mod silence;
#[path = "../body/stats.rs"]
mod stats;
#[path = "../body/trace.rs"]
#[expect(dead_code, reason = "the body's bench needs more of it")]
mod trace;

#[path = "../../../models/local/tests/it/support.rs"]
mod support;

use std::process::ExitCode;

use report::Report;

type Group = fn(&mut Report, &tokio::runtime::Runtime) -> anyhow::Result<()>;

/// In the order in which they run.
const GROUPS: &[(&str, Group)] = &[
    ("writes", writes::measure),
    ("wear", wear::measure),
    ("anew", anew::measure),
    ("locomo", locomo::measure),
    ("recall", recall::measure),
];

#[expect(
    clippy::disallowed_methods,
    reason = "a bench has no configuration; make hands the words over like this"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

fn main() -> ExitCode {
    let Ok(runtime) = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
    else {
        eprintln!("no runtime");
        return ExitCode::FAILURE;
    };
    let wanted = variable("FIGURES");
    let mut report = Report::default();
    for (name, group) in GROUPS {
        if wanted.as_ref().is_some_and(|wanted| wanted.split(',').all(|one| one != *name)) {
            continue;
        }
        eprintln!("{name} ...");
        if let Err(error) = group(&mut report, &runtime) {
            report.failed(name, &error);
        }
    }
    report.summarise();
    if report.is_complete() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The smallest sample that `percent` of all do not exceed (nearest rank); NaN without samples.
fn percentile(samples: &mut [f64], percent: usize) -> f64 {
    samples.sort_by(f64::total_cmp);
    let rank = (samples.len() * percent).div_ceil(100).max(1);
    samples.get(rank - 1).copied().unwrap_or(f64::NAN)
}
