//! `make bench ONLY=mind`, the half with real processes: what a chat costs from end to end, how soon a spoken "stop" reaches the
//! body, whether the body still stops in time while people talk, and what the agent needs at rest.
//!
//! One JSON line a figure on standard output, each beside a baseline of the same run; progress and a summary on standard
//! error. No language model, no key, no network. `FIGURES=talk,stop` measures only these groups. A missed target is reported,
//! not an error.

mod notes;
mod rest;
mod silent;
mod spoken;
mod talk;
mod talkers;

// Real processes, their wheels, and how figures are said: the body's bench has the tools, and needs more of them.
#[path = "../body/bare.rs"]
#[expect(dead_code, reason = "the body's bench needs more of it")]
mod bare;
#[path = "../body/busy.rs"]
#[expect(dead_code, reason = "the body's bench needs more of it")]
mod busy;
#[path = "../body/http.rs"]
#[expect(dead_code, reason = "the body's bench needs more of it")]
mod http;
#[path = "../body/process.rs"]
mod process;
#[path = "../body/programs.rs"]
#[expect(dead_code, reason = "the body's bench needs more of it")]
mod programs;
#[path = "../body/report.rs"]
#[expect(dead_code, reason = "the body's bench needs more of it")]
mod report;
#[path = "../body/silence.rs"]
mod silence;
#[path = "../body/stats.rs"]
mod stats;
#[path = "../body/trace.rs"]
#[expect(dead_code, reason = "the body's bench needs more of it")]
mod trace;

use std::process::ExitCode;

use report::Report;

type Group = fn(&mut Report) -> anyhow::Result<()>;

/// In the order in which they run.
const GROUPS: &[(&str, Group)] = &[
    ("rest", rest::measure),
    ("talk", talk::measure),
    ("stop", spoken::measure),
    ("silence", silent::measure),
];

fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == bare::ARGUMENT) {
        return finish(bare::serve());
    }
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

fn finish(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a bench has no configuration; make hands the words over like this"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}
