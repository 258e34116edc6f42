//! From a key in the page, in headless Chromium, to the wheels' target.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use serde::Deserialize;

use crate::Scale;
use crate::programs::{Agent, Body, Place};
use crate::report::{Figure, Report};
use crate::stats::{Samples, monotonic_us, ms_between};
use crate::trace::between;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/body/keypress.mjs");
/// The folder of the page's tests, whose browser driver this uses.
const TESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/page");
const PRESSES: &str = "60";

/// One press, as the script tells it; CLOCK_MONOTONIC.
#[derive(Debug, Deserialize)]
struct Press {
    down_us: u64,
    up_us: u64,
}

/// Presses an arrow key, if there are a browser and a driver for it.
pub(crate) fn measure(report: &mut Report, _: Scale) -> anyhow::Result<()> {
    const FIGURE: &str = "keypress_to_wheel_ms_p95";
    let chromium =
        ["/usr/bin/chromium", "/usr/bin/chromium-browser"].into_iter().find(|path| Path::new(path).exists());
    let Some(chromium) = chromium else {
        report.left_out(FIGURE, "no Chromium: apt-get install chromium");
        return Ok(());
    };
    if !Path::new(TESTS).join("node_modules/playwright-core").exists() {
        report.left_out(FIGURE, "no playwright-core: npm ci in agent/tests/page");
        return Ok(());
    }
    let place = Place::new()?;
    let body = Body::start(&place)?;
    let agent = Agent::start(&place, Some(&body))?;
    let began_us = monotonic_us();
    let mut node = Command::new("node");
    node.arg(SCRIPT).args([TESTS, chromium, PRESSES]);
    node.arg(format!("http://{}/?token={}", agent.address, agent.token));
    let output = node.stderr(Stdio::inherit()).output().context("cannot start node")?;
    ensure!(output.status.success(), "the browser's script failed");
    let presses: Result<Vec<Press>, _> =
        String::from_utf8(output.stdout)?.lines().map(serde_json::from_str).collect();
    let presses = presses.context("what the browser's script said")?;

    let trace = body.trace_since(began_us)?;
    let mut missed = 0;
    let took = presses.iter().map(|press| {
        let lines = between(&trace, press.down_us, press.up_us);
        // A key that never reached the wheels counts as long as it was held.
        let driven_us = lines.iter().find(|line| line.is_driven()).map(|line| line.t_us);
        missed += usize::from(driven_us.is_none());
        ms_between(press.down_us, driven_us.unwrap_or(press.up_us))
    });
    let took = Samples::new(took.collect());
    let note = format!(
        "{} presses of an arrow key, {missed} never reached the wheels; from before the browser is told to press it (its \
         remote control is in it) to a target in the body's trace; median {:.1}, max {:.1}",
        took.count(),
        took.median(),
        took.max()
    );
    report.add(Figure::new(FIGURE, took.percentile(95), "ms").at_most(60.0).note(note));
    Ok(())
}
