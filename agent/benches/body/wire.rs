//! From a request to the wire: a drive command and an e-stop, beside the same way without an agent.

use std::time::Duration;

use anyhow::ensure;
use serde_json::json;

use crate::Scale;
use crate::busy::Load;
use crate::commands::commands;
use crate::floor;
use crate::http::Client;
use crate::programs::{Agent, Body, Place, reset, take};
use crate::report::{Figure, Report};
use crate::stats::{Chance, Samples, monotonic_us, ms_between};
use crate::trace::between;

/// 50 a second for 30 s.
const COMMANDS: usize = 1500;

/// Presses of the e-stop.
const PRESSES: usize = 150;

/// Measures both, without and with busy threads.
pub(crate) fn measure(report: &mut Report, _: Scale) -> anyhow::Result<()> {
    for load in [Load::Idle, Load::Busy] {
        let busy = load.begin();
        let floor = floor::measure(COMMANDS)?;
        let place = Place::new()?;
        let body = Body::start(&place)?;
        let agent = Agent::start(&place, Some(&body))?;
        let mut client = agent.client()?;
        let commands = Samples::new(commands(&body, &mut client, COMMANDS)?);
        ensure!(
            commands.count() * 100 >= COMMANDS * 99,
            "{} of {COMMANDS} commands reached the wheels",
            commands.count()
        );
        let presses = presses(&body, &mut client)?;
        drop(busy);
        report_one(report, load, &commands, &presses, &floor);
    }
    Ok(())
}

/// Measured from before a request is sent to the change in the body's trace, so it includes the client's own sending, the
/// way through the pty and the body's reading.
const WAY: &str = "upper bound: from before the client sends to the change in the body's trace, so HTTP, pty and the body's \
                   own reading are in it; baseline: the same way through TCP, one thread and a pty without an agent";

fn report_one(report: &mut Report, load: Load, commands: &Samples, presses: &Samples, floor: &Samples) {
    let note = format!("{} commands at 50/s{}; {WAY}", commands.count(), load.said());
    let p50 = Figure::new(load.name("rest_to_wire_ms_p50"), commands.median(), "ms");
    report.add(p50.beside(floor.median()).note(&note));
    let p99 = Figure::new(load.name("rest_to_wire_ms_p99"), commands.percentile(99), "ms");
    let p99 = p99.beside(floor.percentile(99)).note(&note);
    let note = format!(
        "{} presses while driving, each reset and taken after{}; {WAY}",
        presses.count(),
        load.said()
    );
    let estop_p50 = Figure::new(load.name("estop_to_wire_ms_p50"), presses.median(), "ms");
    let estop_p99 = Figure::new(load.name("estop_to_wire_ms_p99"), presses.percentile(99), "ms");
    let (estop_p50, estop_p99) =
        (estop_p50.beside(floor.median()).note(&note), estop_p99.beside(floor.percentile(99)).note(&note));
    let bounded = load == Load::Idle;
    report.add(if bounded { p99.at_most(3.0) } else { p99 });
    report.add(estop_p50);
    report.add(if bounded { estop_p99.at_most(1.0) } else { estop_p99 });
}

/// E-stop while driving, then reset and take.
fn presses(body: &Body, client: &mut Client) -> anyhow::Result<Samples> {
    let mut chance = Chance::new(4);
    let began_us = monotonic_us();
    let mut sent = Vec::new();
    for _ in 0..PRESSES {
        take(client)?;
        let drive = json!({"linear_mps": 0.0, "angular_radps": 1.0, "ttl_ms": 500}).to_string();
        // A busy machine may have closed the base again; the e-stop is pressed all the same.
        client.ask("POST", "/api/robot/velocity", &drive)?;
        std::thread::sleep(Duration::from_millis(40) + chance.up_to_ms(20));
        let sent_us = monotonic_us();
        client.ask("POST", "/api/robot/estop", "")?.expect(200)?;
        sent.push((sent_us, monotonic_us()));
        reset(client)?;
    }
    let trace = body.trace_since(began_us)?;
    let took = sent.iter().filter_map(|&(sent_us, answered_us)| {
        let lines = between(&trace, sent_us, answered_us + 1_000_000);
        lines.iter().find(|line| line.state == "estop").map(|line| ms_between(sent_us, line.t_us))
    });
    let took = Samples::new(took.collect());
    ensure!(took.count() == PRESSES, "{} of {PRESSES} e-stops reached the body", took.count());
    Ok(took)
}
